"""`agentic plugins check`: what an author wants to see of a plugin, tracebacks and import time included."""

import json
import subprocess
import sys
import traceback
from collections.abc import Iterable

from agentic.cli.terminal import say
from agentic.errors import BREAKS, described
from agentic.plugins import Component, PluginError, PluginRow, Registry
from agentic.plugins.loading import collect

# Run in a fresh interpreter, where nothing else has imported torch yet.
_PROBE = """
import json, sys, time
path, modules, file = json.loads(sys.argv[1])
sys.path[:] = path
from pathlib import Path
from importlib import import_module
from agentic.plugins.loading import import_file
started = time.perf_counter()
for module in modules:
    import_module(module)
if file:
    import_file(Path(file))
print("\\n" + json.dumps([time.perf_counter() - started, "torch" in sys.modules]))
"""


def check_plugins(rows: Iterable[PluginRow]) -> bool:
    """Print a report on every plugin; whether all are sound."""
    return all([_check(row) for row in rows])  # a list: every plugin is reported, not only those before a failure


def _check(row: PluginRow) -> bool:
    name = f"{row.id} {row.version}" if row.version else row.id
    say(f"{name} ({row.source}, {row.location})")
    if row.hooks or row.source == "file":
        _print_probe(row)
    registry = collect([row])
    for problem in registry.problems:
        if problem.__cause__ is not None:
            say("".join(traceback.format_exception(problem.__cause__)).rstrip("\n"))
        say(f"  {problem}")
    sound = [_check_one(registry, component) for component in registry.components]
    return all(sound) and not registry.problems


def _print_probe(row: PluginRow) -> None:
    """Import seconds and whether the import pulls in torch, seen from a fresh interpreter."""
    file = row.location if row.source == "file" else None
    request = json.dumps([sys.path, [point.module for point in row.hooks], file])
    result = subprocess.run(
        [sys.executable, "-c", _PROBE, request], capture_output=True, text=True, errors="replace", check=False
    )
    try:
        seconds, torch = json.loads(result.stdout.rstrip().splitlines()[-1])
    except (LookupError, TypeError, ValueError):
        return  # the failure itself is reported by the import in this process
    say(f"  imports in {seconds:.2f} s")
    if torch:
        advice = ', keep the class in a module of its own and return "module:Class"'
        if file:
            advice = "; fine for a file, a distribution avoids it (see --package)"
        say(f"  imports torch at top level: commands that load it wait for that{advice}")


def _check_one(registry: Registry, component: Component) -> bool:
    from agentic.testing import check

    label = f"  {component.kind} '{component.name}'"
    try:
        findings = check(component.kind, registry.resolve(component.kind, component.full_name))
    except PluginError as error:
        if error.__cause__ is not None:
            say("".join(traceback.format_exception(error.__cause__)).rstrip("\n"))
        say(f"{label}: {error}")
        return False
    except BREAKS as error:  # a class that breaks already where it is looked at
        say(f"{label}: it broke, {described(error)}")
        return False
    say(f"{label}: {len(findings)} checks")
    for finding in findings:
        say(f"    {finding}")
    return all(finding.passed for finding in findings)
