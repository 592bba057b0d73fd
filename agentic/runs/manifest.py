"""The manifest of a run: what ran, on what, and how it ended. With the progress, all that holds wall-clock values."""

import json
import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import gymnasium
import numpy as np
import pyarrow
import torch

from agentic import __version__
from agentic.errors import RunError, UserError
from agentic.runs.files import is_own, sealed, sha256_of, text_of, unsealed, write_whole
from agentic.runs.folder import RunFolder

if TYPE_CHECKING:
    from agentic.runs.checkpoint import Checkpoint

DONE = ("checksum", "seconds", "returns")  # of a run that ended: none of one that goes on


class Manifest:
    """The manifest of a run, in memory only where `folder` is None.

    It is written when the run begins, whenever a chunk of its record is finished, and when the run ends. `spent` are
    the seconds that passed before a checkpoint.
    """

    def __init__(self, folder: RunFolder | None, content: Mapping[str, Any], *, begun: bool = True) -> None:
        self.folder, self.begun, self.spent, self._began = folder, False, 0.0, time.monotonic()
        self.content = {"status": "running", "started": time.time(), **content}
        self._before: Callable[[], None] | None = None
        if begun:
            self.begin()

    @classmethod
    def resumed(cls, folder: RunFolder, start: "Checkpoint | None", begin: Callable[[], None]) -> Self:
        """That of a run which goes on from a checkpoint, or from its beginning. Raises UserError as `read` does.

        Nothing is written until it begins; `begin` is called before that, and may write the experiment anew.
        """
        before = {name: part for name, part in read(folder).items() if name not in DONE}
        since = {"ticks": start.ticks if start else 0, "at": time.time()}
        content = {"chunks": {}, **before, "resumed": [*before.get("resumed", ()), since]}
        made = cls(folder, content, begun=False)
        made._before = begin
        made.spent = float(start.about["seconds"]) if start else 0.0
        return made

    def begin(self) -> None:
        """Write that the run is running, now."""
        if self._before is not None and self.folder is not None:
            self._before()
            self.content |= {name: part for name, part in fingerprint(self.folder).items() if name == "experiment"}
        self.begun, self._began = True, time.monotonic()
        self.content |= {"status": "running"}
        self._write()

    def enter(self, path: Path, **counts: int) -> None:
        """Enter a finished chunk: the SHA-256 of its bytes and what was counted in it."""
        chunks = self.content.get("chunks", {})
        self.content["chunks"] = {**chunks, path.name: {**counts, "sha256": sha256_of(path)}}
        self.content.pop("partial", None)
        self._write()

    def drop(self, path: Path) -> None:
        """Leave out a chunk that is no more."""
        self.content["chunks"].pop(path.name, None)
        self.content.pop("partial", None)
        self._write()

    def announce(self, sha256: str) -> None:
        """Enter the SHA-256 of what is about to replace the ticks of the chunk being filled, beside theirs."""
        self.content["partial"] = [*self.content.get("partial", ())[-1:], sha256]
        self._write()

    def finish(self, status: str, **results: Any) -> None:
        """Write how the run ended: a status (finished, failed or interrupted), its seconds, and what was counted."""
        self.content |= {"status": status, "seconds": self.seconds, **results}
        self._write()

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self.spent + time.monotonic() - self._began

    def leave_out(self, words: str) -> None:
        """Enter that a logger was left out, and why."""
        self.content["left_out"] = [*self.content.get("left_out", ()), words]
        self._write()

    def _write(self) -> None:
        if self.folder is None:
            return
        try:
            _save(self.folder, self.content)
        except OSError as error:
            raise RunError(f"the run folder {self.folder.path} cannot be written: {error.strerror}") from error


def describe() -> dict[str, Any]:
    """What every run depends on: versions, the platform and the state of the repository it was started in."""
    return {"versions": versions(), "platform": platform.platform(), "git": _git()}


def versions() -> dict[str, str]:
    """The versions of Python, agentic and the libraries that digits depend on."""
    libraries = {library.__name__: str(library.__version__) for library in (torch, np, gymnasium, pyarrow)}
    return {"python": platform.python_version(), "agentic": __version__, **libraries}


def fingerprint(folder: RunFolder | None) -> dict[str, Any]:
    """What is known of the files of a run that begins: the SHA-256 of its experiment, where it has one, no chunk."""
    if folder is None:
        return {}
    file = folder.experiment_file
    return {**({"experiment": sha256_of(file)} if file.is_file() else {}), "chunks": {}}


def read(folder: RunFolder) -> dict[str, Any]:
    """The manifest in a run's folder.

    Raises UserError where there is none, or none that can be read, and where it is not what was written: its checksum
    is that of the rest of it. Manifests without chunks may lack one.
    """
    file = folder.manifest_file
    if file.exists() and not is_own(file):
        raise UserError(f"{file} cannot be read: it is no file of this folder")
    try:
        content = json.loads(text_of(file))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{file} cannot be read: it holds no table")
    found = unsealed(content)
    if found is None or ("chunks" in content and content.get("checksum") is None):
        raise UserError(f"{file} is damaged: its checksum is not that of what it says")
    return found


def annotate(folder: RunFolder, **more: Any) -> None:
    """Add to the manifest in a run's folder, as wall-clock values found later."""
    _save(folder, {**read(folder), **more})


def _save(folder: RunFolder, content: Mapping[str, Any]) -> None:
    write_whole(folder.manifest_file, json.dumps(sealed(content), indent=2) + "\n")


def _git() -> dict[str, Any] | None:
    """Commit and dirtiness of the repository the run was started in; None without a commit."""
    asked = ["git", "status", "--porcelain=v2", "--branch"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=5).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    commit = said[0].rpartition(" ")[2]
    return (
        None if commit == "(initial)" else {"commit": commit, "dirty": any(not line.startswith("#") for line in said)}
    )
