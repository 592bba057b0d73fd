"""The manifest of a run: what ran, on what, and how it ended. The only file that holds wall-clock values."""

import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from agentic.errors import RunError, UserError


def create_folder(parent: str | Path, slug: str) -> Path:
    """A new folder `parent/NNNN-slug` with the next free number, also when several runs start at once.

    Raises UserError where it cannot be made.
    """
    parent = Path(parent)
    name = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-") or "run"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            taken = [int(path.name[:4]) for path in parent.glob("[0-9][0-9][0-9][0-9]-*")]
            number = max(taken, default=0) + 1
            folder = parent / f"{number:04d}-{name}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            if len(list(parent.glob(f"{number:04d}-*"))) == 1:
                return folder
            folder.rmdir()  # somebody else took the number at the same moment: try the next
    except OSError as error:
        raise UserError(f"cannot make a folder in {parent}: {error.strerror}; give another one") from error


class Manifest:
    """`manifest.json`, written when a run starts and again when it ends; in memory only where `folder` is None."""

    def __init__(self, folder: Path | None, content: Mapping[str, Any]) -> None:
        self.folder = folder
        self._started = time.time()
        self.content = {"status": "running", "started": self._started, **content}
        self._write()

    def finish(self, status: str, **results: Any) -> None:
        """Status finished, failed or interrupted, the seconds it took, and what was counted."""
        self.content |= {"status": status, "seconds": time.time() - self._started, **results}
        self._write()

    def _write(self) -> None:
        if self.folder is None:
            return
        try:
            write_whole(self.folder / "manifest.json", json.dumps(self.content, indent=2, default=str) + "\n")
        except OSError as error:
            raise RunError(f"the run folder {self.folder} cannot be written: {error.strerror}") from error


def describe(seed: int, dtype: torch.dtype, components: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a run depends on: versions, git state, seed, threads, device, number type, components."""
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("agentic", "torch", "numpy", "gymnasium", "pyarrow")},
        },
        "platform": platform.platform(),
        "git": _git(),
        "seed": seed,
        "threads": torch.get_num_threads(),
        "device": "cpu",
        "dtype": str(dtype).removeprefix("torch."),
        "components": [dict(component) for component in components],
    }


def read(folder: Path) -> dict[str, Any]:
    """The manifest in a run's folder. Raises UserError where there is none, or none that can be read."""
    path = folder / "manifest.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def annotate(folder: Path, **more: Any) -> None:
    """Add to the manifest in a run's folder, as wall-clock values found later."""
    write_whole(folder / "manifest.json", json.dumps({**read(folder), **more}, indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text file under another name first, so that it is whole or not there. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    """Commit and dirtiness of the repository the run was started in; None outside of one."""
    try:
        commit = _ask_git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_ask_git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _ask_git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=5)
    return done.stdout.strip()
