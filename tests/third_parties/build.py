"""Plugins by third parties, good and bad, as distributions in a folder; installed where the folder is on the path."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

HOOK = "from agentic import hookimpl\n\n@hookimpl\n"

# One broken plugin each: what its module holds, and what the one line about it must say (cause, remedy).
BROKEN = {
    "import-error": ("import there_is_no_such_module\n", "No module named", "agentic plugins check import-error"),
    "quits": ("import sys\nsys.exit(3)\n", "SystemExit: 3", "AGENTIC_DISABLED_PLUGINS=quits"),
    "unknown-hook": (
        HOOK + "def agentic_energy():\n    return {}\n",
        "did you mean 'agentic_energies'?",
        "the hooks are",
    ),
    "bad-signature": (HOOK + "def agentic_energies(config):\n    return {}\n", "'config'", "hooks take no arguments"),
    "raises": (HOOK + "def agentic_energies():\n    return {}['x']\n", "KeyError: 'x'", "agentic plugins check raises"),
    "returns-list": (HOOK + "def agentic_energies():\n    return ['x']\n", "list instead of a mapping", "module:Class"),
    "returns-none": (HOOK + "def agentic_energies():\n    pass\n", "NoneType instead of a mapping", "module:Class"),
    "bad-name": (HOOK + "def agentic_energies():\n    return {'Big One': int}\n", "bad name 'Big One'", "lower-case"),
    "bad-target": (
        HOOK + "def agentic_energies():\n    return {'x': 'no_colon'}\n",
        "'no_colon' for 'x'",
        "module:Class",
    ),
    "unmarked": ("def agentic_energies():\n    return {}\n", "not marked as a hook", "@agentic.hookimpl"),
    "no-hook": ("x = 1\n", "defines no hook", "agentic_energies"),
    "other-api": (
        "AGENTIC_API = 2\n" + HOOK + "def agentic_energies():\n    return {}\n",
        "API 2",
        "install a version",
    ),
}

GOOD = """
    from agentic import hookimpl

    @hookimpl
    def agentic_energies():
        return {"spring": "good_plugin.spring:Spring"}

    @hookimpl
    def agentic_agents():
        return {"still": "good_plugin.spring:Still"}
"""
SPRING = """
    from agentic import Agent, Decision, ObservationGoal

    class Spring(ObservationGoal):
        '''stiffness |obs|^2 / 2, in nats.'''

        def __init__(self, stiffness=1.0):
            super().__init__()
            self.stiffness = stiffness

        def forward(self, x, z):
            return 0.5 * self.stiffness * (z**2).sum(-1)

    class Still(Agent):
        '''Does what the middle of the action space projects to.'''

        def __init__(self, action):
            self.action = action

        @classmethod
        def from_env(cls, env):
            return cls(env.action)

        def start(self, batch, *, generator):
            return ()

        def decide(self, state, obs, *, generator):
            return Decision(self.action.project(self.action.center(len(obs), obs.dtype)), state)
"""
COMMAND = """
    import click

    @click.command()
    def hello():
        click.echo("hello from a third party")
"""


def distribution(
    folder: Path,
    name: str,
    modules: Mapping[str, str],
    hooks: Mapping[str, str],
    *,
    commands: Mapping[str, str] | None = None,
    version: str = "1.0",
) -> None:
    """Write modules {path: source} and the metadata of a distribution whose entry points are `hooks` and `commands`."""
    for path, source in modules.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(source))
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = {"agentic": hooks, "agentic.commands": commands or {}}
    text = [f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in points.items()) for group, points in groups.items()]
    info.joinpath("entry_points.txt").write_text("\n\n".join(text) + "\n")


def offer(name: str, target: str = "builtins:int", kind: str = "energies") -> str:
    """The source of a plugin that offers one component."""
    return HOOK + f"def agentic_{kind}():\n    return {{'{name}': '{target}'}}\n"


def built_in(folder: Path) -> None:
    """A stand-in for agentic itself, which offers the energy `gaussian`."""
    distribution(folder, "agentic", {"stand_in.py": offer("gaussian")}, {"energies": "stand_in"}, version="0.0")


def good(folder: Path) -> None:
    modules = {"good_plugin/__init__.py": GOOD, "good_plugin/spring.py": SPRING, "good_plugin/tool.py": COMMAND}
    commands = {"hello": "good_plugin.tool:hello", "absent": "good_plugin.absent:x"}
    distribution(folder, "Good.Plugin", modules, {"a": "good_plugin"}, commands=commands)


def broken(folder: Path, name: str) -> None:
    module = f"broken_{name.replace('-', '_')}"
    distribution(folder, name, {f"{module}.py": BROKEN[name][0]}, {"x": module})


def third_parties(folder: Path, short_name: str) -> None:
    """The eight of a bad day; `short_name` is a built-in energy, which one of them offers too."""
    good(folder)
    for name in ("import-error", "unknown-hook", "bad-signature"):
        broken(folder, name)
    distribution(folder, "rival", {"rival.py": offer(short_name)}, {"x": "rival"})
    distribution(folder, "twin-a", {"twin_a.py": offer("twin")}, {"x": "twin_a"})
    distribution(folder, "twin-b", {"twin_b.py": offer("twin")}, {"x": "twin_b"})
    slow = "import time\nimport torch\ntime.sleep(0.1)\n" + offer("slow")
    distribution(folder, "slow", {"slow_plugin.py": slow}, {"x": "slow_plugin"})
