"""Import plugins one by one, check what their hooks return and collect it; one that fails costs only itself.

Every plugin gets a pluggy manager of its own: a hook that raises cannot lose what another plugin returned.
"""

import hashlib
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from time import perf_counter
from types import FunctionType, ModuleType
from typing import Any

import pluggy

from agentic.errors import described, listed, suggest
from agentic.plugins import hookspecs
from agentic.plugins.discover import PluginError, PluginRow, Problem, ids, installed, normalized
from agentic.plugins.hookspecs import DEFAULTS, KINDS
from agentic.plugins.registry import Component, Registry

PRIVATE = "_agentic_plugin_"  # what the names of modules that are local files start with
API_VERSION = 1  # what a plugin states as AGENTIC_API, if it states anything

_HOOKS = {f"agentic_{kind}": kind for kind in (*KINDS, DEFAULTS)}
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_log = logging.getLogger("agentic.plugins")


def load(files: Iterable[str | Path] = (), directories: Iterable[str | Path] = ()) -> Registry:
    """Import every admitted plugin and return what they offer; a plugin that fails becomes a Problem.

    `files` are plugins by path (a .py file, or a folder with an __init__.py), `directories` folders of such; which
    plugins are admitted, see `installed`. Every import and hook call is logged to `agentic.plugins` at level INFO.
    Raises PluginError for a path that does not exist and, with AGENTIC_STRICT_PLUGINS=1, for any problem at all.

    >>> import agentic
    >>> registry = agentic.load()
    >>> registry.names("metrics")[:2]
    ['active_information_storage', 'autonomy']
    >>> registry.make(agentic.Metric, {"name": "episode_return"}).unit
    'reward'
    """
    rows = installed(files, directories)
    registry = collect(rows)
    problems = [*_absent(rows), *registry.problems]
    if problems and os.environ.get("AGENTIC_STRICT_PLUGINS", "0") not in ("", "0"):
        lines = "\n".join(str(problem) for problem in problems)
        raise PluginError(f"AGENTIC_STRICT_PLUGINS is set and there are {len(problems)} plugin problem(s):\n{lines}")
    return replace(registry, problems=tuple(problems))


def collect(rows: Iterable[PluginRow]) -> Registry:
    """The registry of what these plugins offer, imported now; those that are disabled stay out."""
    components: list[Component] = []
    problems: list[Problem] = []
    done = []
    for row in rows:
        if row.status in ("unreadable", "clash"):
            problems.append(row.problem(row.cause, "reinstall, rename or remove it"))
        if row.status == "not loaded" and (row.hooks or row.source == "file"):
            offered, faults = _load_one(row)
            components += offered
            problems += faults
            status = "failed" if faults and not offered else "loaded"
            row = replace(row, status=status, cause="; ".join(fault.cause for fault in faults))
        done.append(row)
    offers = tuple(component for component in components if component.kind != DEFAULTS)
    proposers = tuple(component for component in components if component.kind == DEFAULTS)
    return Registry(offers, (*problems, *_name_clashes(offers)), tuple(done), proposers)


def _load_one(row: PluginRow) -> tuple[list[Component], list[Problem]]:
    """All of a third party's offers or none; of the built-ins, each entry point stands alone."""
    sources = [Path(row.location)] if row.source == "file" else row.hooks
    components: list[Component] = []
    problems: list[Problem] = []
    for part in [[source] for source in sources] if row.source == "built-in" else [sources]:
        try:
            components += [offer for source in part for offer in _offers(row, source)]
        except Problem as problem:
            problems.append(problem)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever else a third party's module or mapping does
            problems.append(row.problem(f"loading it failed, {described(error)}", _remedy(row)))
            problems[-1].__cause__ = error
    return components, problems


def _offers(row: PluginRow, source: EntryPoint | Path) -> Iterator[Component]:
    started = perf_counter()
    plugin, digest = (source.load(), None) if isinstance(source, EntryPoint) else import_file(source)
    _log.info("%s: imported in %.1f ms", row.id, 1e3 * (perf_counter() - started))
    stated = getattr(plugin, "AGENTIC_API", API_VERSION)
    if stated != API_VERSION:
        cause = f"it is written for plugin API {stated!r} and this agentic has {API_VERSION}"
        raise row.problem(cause, "install a version of either that fits the other")
    for hook in _marked(row, plugin):
        if _HOOKS[hook] == DEFAULTS:  # asked when there is an environment
            yield Component(DEFAULTS, row.id, row.id, row.version, row.source, getattr(plugin, hook), digest)
            continue
        started = perf_counter()
        try:
            offer = getattr(plugin, hook)()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise row.problem(f"its hook {hook} failed, {described(error)}", _remedy(row)) from error
        _check_offer(row, hook, offer)
        _log.info("%s: %s gave %s in %.1f ms", row.id, hook, listed(offer), 1e3 * (perf_counter() - started))
        for name, target in offer.items():
            if digest and isinstance(target, str):  # a file may name itself: it runs under a private name
                target = re.sub(rf"^{re.escape(row.id)}(?=[.:])", plugin.__name__, target)
            yield Component(_HOOKS[hook], name, row.id, row.version, row.source, target, digest)


def _marked(row: PluginRow, plugin: Any) -> list[str]:
    """The names of a plugin's hooks, once they are seen to be ours."""
    if isinstance(plugin, type):
        raise row.problem(f"its entry point is the class {plugin.__name__}", "name a module or an instance there")
    manager = pluggy.PluginManager("agentic")
    manager.add_hookspecs(hookspecs)
    marked = [name for name in dir(plugin) if manager.parse_hookimpl_opts(plugin, name) is not None]
    functions = [name for name, value in getattr(plugin, "__dict__", {}).items() if isinstance(value, FunctionType)]
    for name in sorted({*marked, *(name for name in functions if name.startswith("agentic_"))}):
        if name not in _HOOKS:
            raise row.problem(f"unknown hook {name}{suggest(name, _HOOKS)}", f"the hooks are {listed(_HOOKS)}")
        if name not in marked:
            raise row.problem(f"its function {name} is not marked as a hook", "write @agentic.hookimpl above it")
    if not marked:
        raise row.problem("it defines no hook", f"define one of {listed(_HOOKS)} and mark it with @agentic.hookimpl")
    try:
        manager.register(plugin, row.id)
    except pluggy.PluginValidationError as error:
        remedy = "hooks take no arguments, agentic_defaults alone takes environment"
        raise row.problem(described(error), remedy) from error
    return marked


def _check_offer(row: PluginRow, hook: str, offer: Any) -> None:
    said = f"its hook {hook} returned"
    if not isinstance(offer, Mapping):
        raise row.problem(f"{said} {type(offer).__name__} instead of a mapping", 'return {"name": "module:Class"}')
    for name, target in offer.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise row.problem(
                f"{said} the bad name {name!r}", "use lower-case letters, digits, - and _, a letter first"
            )
        if not isinstance(target, type) and not (isinstance(target, str) and _TARGET.fullmatch(target)):
            raise row.problem(f"{said} {target!r} for '{name}'", 'give a class or a "module:Class" string')


def import_file(file: Path) -> tuple[ModuleType, str]:
    """A local file or folder as a module under a private name, and its SHA-256; a stale byte-code cache is not used."""
    digest = _digest(file)
    code = file / "__init__.py" if file.is_dir() else file
    name = f"{PRIVATE}{file.stem}_{hashlib.sha256(f'{file}{digest}'.encode()).hexdigest()[:12]}"
    if name in sys.modules:  # unchanged since it was loaded: its classes stay the same objects
        return sys.modules[name], digest
    spec = spec_from_file_location(name, code, submodule_search_locations=[str(file)] if file.is_dir() else None)
    assert spec is not None  # every path ending in .py has one
    module = module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses, pickle and relative imports look it up
    try:
        exec(compile(code.read_bytes(), str(code), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module, digest


def _digest(file: Path) -> str:
    """SHA-256 of a file; of a folder, that of the listing `sha256  path` of its Python files."""
    if file.is_file():
        return hashlib.sha256(file.read_bytes()).hexdigest()
    parts = [f"{_digest(part)}  {part.relative_to(file).as_posix()}\n" for part in sorted(file.rglob("*.py"))]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _absent(rows: list[PluginRow]) -> Iterator[Problem]:
    if not any(row.source == "built-in" for row in rows):
        cause = "this agentic is not installed, so its own components are not found"
        yield Problem("agentic", None, cause, "run `pip install -e .` in the checkout")
    known = {normalized(row.id) for row in rows}
    for name in sorted(ids("AGENTIC_LOAD_PLUGINS") - known):
        cause = f"AGENTIC_LOAD_PLUGINS names it and it is not installed{suggest(name, known)}"
        yield Problem(name, None, cause, "install it or correct the name; `agentic plugins` lists what there is")


def _name_clashes(components: Iterable[Component]) -> Iterator[Problem]:
    for c in components:
        rivals = [r for r in components if (r.kind, r.name) == (c.kind, c.name) and r is not c]
        if rivals and c.source != "built-in":
            cause = f"its {c.kind} '{c.name}' is also offered by {listed(r.plugin for r in rivals)}"
            if any(r.source == "built-in" for r in rivals):
                cause += ", a built-in, which keeps the short name"
            yield Problem(c.plugin, c.version, cause, f"write '{c.full_name}' to use it")


def _remedy(row: PluginRow) -> str:
    return f"`agentic plugins check {row.handle}` shows the traceback, AGENTIC_DISABLED_PLUGINS={row.id} leaves it out"
