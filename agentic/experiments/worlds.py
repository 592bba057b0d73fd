"""Worlds of experiments: an environment by its Gymnasium id or a component's name, and what changes it."""

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec, load_env_creator

from agentic.environments.environment import Environment, make
from agentic.environments.ids import bring
from agentic.errors import BREAKS, UserError, described, suggest
from agentic.experiments.experiment import Experiment, Named
from agentic.plugins.making import Making, row_of
from agentic.plugins.registry import Component, Registry
from agentic.runs.files import sha256_of

LIMIT = 1000  # steps of an episode in a world that has no limit of its own: a rock might never come to an end


def world_of(experiment: Experiment, registry: Registry) -> tuple[Environment, list[dict[str, Any]]]:
    """The environment of an experiment, and the rows of it, of its changes and of the wrappers around them."""
    table, making = experiment.env, Making(registry)
    name = gymnasium_id(table.id, registry)
    changes = [making.maker(gymnasium.Wrapper, each.model_dump(), "[env.changes]", 1) for each in table.changes]
    for each in table.wrappers:
        there = replace(making, registry=with_wrapper(registry, each.name))
        changes.append(there.maker(gymnasium.Wrapper, each.model_dump(), "[env.wrappers]", 1))
    environment = make(name, envs=experiment.run.envs, kwargs=table.kwargs, changes=changes)
    known = _spec(name)
    target = known.entry_point if known and known.entry_point else ""
    found = next((c for c in registry.components if c.target == target), None)
    if found is None:
        package = _package(target)
        release = getattr(sys.modules.get(package), "__version__", None)
        found = Component("envs", versioned(name), package, release, "installed", str(target))
    return environment, [row_of(found, table.kwargs), *making.made]


def with_wrapper(registry: Registry, name: str) -> Registry:
    """The registry with one wrapper more, `name` as "module:Wrapper", which no plugin need offer.

    Raises UserError where there is no such module, nothing of that name in it, or the module does not load.
    """
    module, _, wanted = name.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), wanted)):
        raise UserError(f"[env.wrappers] names {name!r}: write module:Wrapper, such as gymnasium.wrappers:TimeLimit")
    try:
        holder = import_module(module)
        target = getattr(holder, wanted, None)
    except BREAKS as error:
        raise UserError(f"[env.wrappers] {name} does not load, {described(error)}") from error
    if target is None:
        near = suggest(wanted, [*vars(holder), *getattr(holder, "__all__", ())])
        raise UserError(f"[env.wrappers] the module {module} has no wrapper '{wanted}'{near}")
    if not (isinstance(target, type) and issubclass(target, gymnasium.Wrapper)):
        raise UserError(f"[env.wrappers] {name} is no gymnasium.Wrapper: name a class that wraps single environments")
    if registry.offers("envs", name):
        return registry
    package = module.partition(".")[0]
    release = getattr(sys.modules[package], "__version__", None)
    sha256 = sha256_of(Path(holder.__file__)) if release is None and holder.__file__ else None
    found = Component("envs", name, package, release, "installed" if release else "file", target, sha256)
    return replace(registry, components=(*registry.components, found))


def gymnasium_id(name: str, registry: Registry) -> str:
    """The id under which Gymnasium knows an environment, which may be given by a component's name.

    A component that no id stands for is registered under its full name, in place of what that plugin had there before,
    a class of somebody's module, "module:Class", under its own. Raises UserError for a component that wraps
    environments and is none itself.
    """
    if not registry.offers("envs", name):
        bring(name)
        module, _, wanted = versioned(name).rpartition(":")
        found = getattr(sys.modules.get(module), wanted, None)
        if _spec(name) is None and isinstance(found, type) and issubclass(found, gymnasium.Env):
            gymnasium.register(wanted, entry_point=f"{module}:{wanted}")
        return name
    found, _ = registry.find(gymnasium.Env, name, "[env]")
    for known, spec in gymnasium.registry.items():
        if spec.entry_point == found.target:
            return known
    gymnasium.registry.pop(found.full_name, None)
    gymnasium.register(found.full_name, entry_point=found.target)  # type: ignore[arg-type]  # a class makes one too
    return found.full_name


def versioned(name: str) -> str:
    """An environment's id with the version that Gymnasium takes where it has none, the newest; else as it is."""
    module = name.rpartition(":")[0]
    if module and _spec(name) is None:
        with suppress(*BREAKS):  # what does not load is told where it is made
            import_module(module)
    found = _spec(name)
    return name[: name.rfind(":") + 1] + found.id if found else name


def change(registry: Registry, table: Named, where: str) -> Callable[[Any], Any]:
    """A function that wraps a single environment in a component that changes it; `where` names it in messages."""
    return Making(registry).maker(gymnasium.Wrapper, table.model_dump(), where, 1)


def limited(experiment: Experiment, registry: Registry) -> Experiment:
    """The experiment with its environment's version, the newest unless it says one, and without endless episodes.

    They are cut at `LIMIT` steps in a world where nothing but the agent need ever end one. An environment class that
    ends its episodes itself says so: `metadata["ends_episodes"]` is true.
    """
    given, name = experiment.env, versioned(gymnasium_id(experiment.env.id, registry))
    settings = [f"env.id={name}"] if name.rpartition("-v")[0] == given.id else []
    found = _spec(name)
    if found and found.max_episode_steps is None and "max_episode_steps" not in given.kwargs:
        if not _metadata(found).get("ends_episodes"):
            settings.append(f"env.kwargs.max_episode_steps={LIMIT}")
    return Experiment.of(experiment.tables(), settings) if settings else experiment


def made_by(name: str) -> str:
    """The package whose code makes the environment of that id, as far as that is known without importing it."""
    found, module = _spec(name), name.rpartition(":")[0]
    target = found.entry_point if found and found.entry_point else module
    return _package(target)


def _package(target: Any) -> str:
    """The package of a class or function, given itself or as "module:Name"."""
    return str(getattr(target, "__module__", target)).partition(":")[0].partition(".")[0]


def _spec(name: str) -> EnvSpec | None:
    """What Gymnasium has under an id, its newest version where the id has none; None where it has nothing."""
    name = name.rpartition(":")[2]
    versions = (spec for known, spec in gymnasium.registry.items() if known.rpartition("-v")[0] == name)
    return gymnasium.registry.get(name) or max(versions, key=lambda spec: spec.version or 0, default=None)


def _metadata(spec: EnvSpec) -> Mapping[str, Any]:
    """What the class behind an id says of itself; nothing where it does not load, which is told where it is made."""
    try:
        made = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point
    except BREAKS:
        return {}
    return getattr(made, "metadata", None) or {}
