"""How long the command line takes to start, whole processes, with and without third parties' plugins installed."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import agentic
from benchmarks.sample import Sample, seconds, side_by_side
from tests.third_parties import build

REFERENCES = {"python -c pass": "pass", 'python -c "import torch"': "import torch"}


@final
@dataclass(frozen=True)
class Start:
    """One command and the seconds its process took, and how often it started."""

    command: str
    taken: Sample

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"command": self.command, "best_seconds": self.taken.low, "seconds": self.taken.plain()}


def measure(repeats: int) -> list[Start]:
    """The references and our commands; `repeats` starts of each, after one that fills the caches."""
    with TemporaryDirectory() as folder:
        build.third_parties(Path(folder), agentic.load().names("energies")[0])
        third_parties = {"PYTHONPATH": folder}
        tasks = {name: _task([sys.executable, "-c", code]) for name, code in REFERENCES.items()}
        for command in ("--help", "plugins"):
            tasks[f"agentic {command}"] = _task([*_agentic(), command])
            tasks[f"agentic {command}, third parties installed"] = _task([*_agentic(), command], third_parties)
        return [Start(name, sample) for name, sample in side_by_side(tasks, repeats).items()]


def _agentic() -> list[str]:
    """The script that is installed beside this Python; else the module."""
    script = Path(sys.executable).parent / "agentic"
    return [str(script)] if script.is_file() else [sys.executable, "-m", "agentic"]


def _task(command: list[str], more: Mapping[str, str] | None = None) -> Callable[[], float]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTIC_", "PYTHONPATH"))}
    environ = {**clean, **(more or {})}

    def once() -> float:
        return seconds(lambda: subprocess.run(command, env=environ, check=True, capture_output=True))

    return once
