"""Checkpoints: a folder of a run's folder that holds all the run goes on from, as JSON and tensors.

Written under another name and renamed, so that one is there whole or not at all. Nothing in it is code.
"""

import json
import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from pathlib import Path
from secrets import token_hex
from typing import Any, Self, final

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from agentic.errors import RunError, ThirdPartyWarning, UserError, said
from agentic.runs.files import forget_parts, is_own, sealed, sha256_of, text_of, unsealed
from agentic.runs.folder import RunFolder
from agentic.runs.table import PHASES
from agentic.saving import Tree

ABOUT, TREE, TENSORS = "checkpoint.json", "state.json", "tensors.safetensors"
LARGEST = 2**28  # bytes of a tree that are read
KEPT = 2


@final
@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in a folder of its own: `about` says after how many ticks it was made, and in which phase."""

    path: Path
    about: Mapping[str, Any]

    @property
    def ticks(self) -> int:
        """The ticks of the run until then."""
        return int(self.about["ticks"])

    @classmethod
    def write(cls, folder: RunFolder, tree: Tree, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> Self:
        """Write one more, and remove all but the last two; that of the end of learning has its own name, and stays.

        Raises RunError where the folder cannot be written.
        """
        path = folder.learned if about.get("learned") else folder.checkpoint(int(about["ticks"]))
        part = path.with_name(f".{path.name}.{token_hex(8)}.part")
        try:
            part.mkdir()
            text = json.dumps(tree).encode()
            _put(part / TREE, text)
            save_file(dict(tensors), part / TENSORS)
            (part / TENSORS).chmod((part / TREE).stat().st_mode)  # its own is for the owner alone
            _settled(part / TENSORS)
            files = {TREE: sha256(text).hexdigest(), TENSORS: sha256_of(part / TENSORS)}
            made = cls(path, {**about, "files": files})
            _put(part / ABOUT, json.dumps(sealed(made.about), indent=2).encode())
            _settled(part)
            _replace(part, path)
        except (OSError, SafetensorError) as error:
            reason = (error.strerror if isinstance(error, OSError) else "") or said(error)
            raise RunError(f"no checkpoint can be written to {folder.path}: {reason}") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        for old in folder.checkpoints()[:-KEPT]:
            remove(old)
        return made

    @classmethod
    def open(cls, path: Path) -> Self:
        """The checkpoint in a folder. Raises UserError where there is none that can be read."""
        try:
            about = unsealed(json.loads(text_of(_own(path, ABOUT))))
            if about is None or not _is_whole(about):
                raise ValueError("it is not what was written")
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{path} is no checkpoint that can be read: {error}") from error
        return cls(path, about)

    def check(self) -> None:
        """Raises ValueError or OSError where the files are not those that were written."""
        for name in (TREE, TENSORS):
            if sha256_of(_own(self.path, name)) != self.about["files"].get(name):
                raise ValueError(f"the bytes of {name} are not those that were written")
        if (self.path / TREE).stat().st_size > LARGEST:
            raise ValueError(f"{TREE} has more than {LARGEST:,} bytes")

    def read(self) -> tuple[Tree, dict[str, Tensor]]:
        """What was captured. Raises UserError where the files are not those that were written."""
        try:
            self.check()
            return json.loads((self.path / TREE).read_text(encoding="utf-8")), load_file(self.path / TENSORS)
        except (OSError, ValueError, RecursionError, SafetensorError) as error:
            raise UserError(f"{self.path} is damaged: {error}") from error


def sound(folder: RunFolder) -> list[Checkpoint]:
    """The checkpoints in a run's folder that are as they were written, the latest first.

    A ThirdPartyWarning names others.
    """
    found, started = list[Checkpoint](), folder.manifest.get("started")
    for path in [*folder.checkpoints(), *([folder.learned] if folder.learned.exists() else [])]:
        try:
            made = Checkpoint.open(path)
            if made.about["started"] != started:
                raise ValueError("it is of another run")
            made.check()
            found.append(made)
        except (UserError, OSError, ValueError) as error:
            words = error if isinstance(error, UserError) else f"{path} is damaged: {error}"
            warnings.warn(f"{words}; an earlier checkpoint is taken", ThirdPartyWarning, stacklevel=2)
    return sorted(found, key=lambda each: (each.ticks, not each.about.get("learned")), reverse=True)


def forget(folder: RunFolder, start: Checkpoint | None) -> None:
    """Remove the checkpoints that are later than the one a run goes on from, and halves of those that are none yet."""
    forget_parts(folder.path)
    for path in folder.checkpoints():
        if start is None or path.name > folder.checkpoint(start.ticks).name:
            remove(path)
    if start is None or (start.path != folder.learned and start.about["phase"] == "learn"):
        remove(folder.learned)


def remove(path: Path) -> None:
    """Remove a checkpoint: first its name, so that no half of one is found."""
    gone = path.with_name(f".{path.name}.{token_hex(8)}.part")
    with suppress(OSError):
        os.replace(path, gone)
    shutil.rmtree(gone, ignore_errors=True)


def _is_whole(about: Mapping[str, Any]) -> bool:
    """Whether all that is said about a checkpoint is there, each of its type."""
    counts = [about["ticks"], about["steps"], about["learn_steps"]]
    whole = all(type(count) is int and 0 <= count < 2**63 for count in counts)
    seconds = type(about["seconds"]) is float and 0 <= about["seconds"] < inf
    return whole and seconds and about["phase"] in PHASES and isinstance(about["files"], dict) and "started" in about


def _own(path: Path, name: str) -> Path:
    """A file of a checkpoint. Raises ValueError where it is none, or lies elsewhere."""
    file = path / name
    if path.is_symlink() or not is_own(file):
        raise ValueError(f"it has no {name} of its own")
    return file


def _put(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _settled(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    with suppress(PermissionError):  # Windows opens no folders
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _replace(part: Path, path: Path) -> None:
    """Give a checkpoint its name; one that has it already is kept under another until then, as one of its ticks."""
    before = path.with_name(path.name)
    if path.exists() or path.is_symlink():
        with suppress(UserError, OSError):
            before = RunFolder(path.parent).checkpoint(Checkpoint.open(path).ticks)
            if not before.exists():
                os.replace(path, before)
        remove(path)
    os.replace(part, path)
    if before != path:
        remove(before)
