"""The manifest of a run: what ran, on what, and how it ended. The only file that holds wall-clock values."""

import json
import platform
import subprocess
import time
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import pyarrow
import torch

from agentic import __version__
from agentic.errors import RunError, UserError
from agentic.runs.folder import RunFolder, write_whole


class Manifest:
    """The manifest of a run, written when it starts and again when it ends; in memory only where `folder` is None."""

    def __init__(self, folder: RunFolder | None, content: Mapping[str, Any]) -> None:
        self.folder = folder
        self._started = time.time()
        self.content = {"status": "running", "started": self._started, **content}
        self._write()

    def finish(self, status: str, **results: Any) -> None:
        """Write how the run ended: a status (finished, failed or interrupted), its seconds, and what was counted."""
        self.content |= {"status": status, "seconds": time.time() - self._started, **results}
        self._write()

    def _write(self) -> None:
        if self.folder is None:
            return
        try:
            write_whole(self.folder.manifest_file, json.dumps(self.content, indent=2, default=str) + "\n")
        except OSError as error:
            raise RunError(f"the run folder {self.folder.path} cannot be written: {error.strerror}") from error


def describe() -> dict[str, Any]:
    """What every run depends on: versions, the platform and the state of the repository it was started in."""
    libraries = {library.__name__: str(library.__version__) for library in (torch, np, gymnasium, pyarrow)}
    versions = {"python": platform.python_version(), "agentic": __version__, **libraries}
    return {"versions": versions, "platform": platform.platform(), "git": _git()}


def read(folder: RunFolder) -> dict[str, Any]:
    """The manifest in a run's folder. Raises UserError where there is none, or none that can be read."""
    file = folder.manifest_file
    if file.exists() and not file.is_file():
        raise UserError(f"{file} cannot be read: it is no file")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise UserError(f"{file} cannot be read: it holds no table")
    return found


def annotate(folder: RunFolder, **more: Any) -> None:
    """Add to the manifest in a run's folder, as wall-clock values found later."""
    write_whole(folder.manifest_file, json.dumps({**read(folder), **more}, indent=2) + "\n")


def _git() -> dict[str, Any] | None:
    """Commit and dirtiness of the repository the run was started in; None outside of one."""
    asked = ["git", "status", "--porcelain=v2", "--branch"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=5).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": said[0].rpartition(" ")[2], "dirty": any(not line.startswith("#") for line in said)}
