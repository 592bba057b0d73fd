"""Checkpoints in their folders: whole or not there, and never none where there was one."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from agentic import RunError
from agentic.runs import checkpoint
from agentic.runs.checkpoint import Checkpoint, sound
from agentic.runs.folder import RunFolder
from agentic.runs.manifest import Manifest


def written(folder: RunFolder, ticks: int, *, learned: bool = True) -> Checkpoint:
    about = {"ticks": ticks, "phase": "learn", "steps": ticks, "learn_steps": ticks, "seconds": 1.0, "learned": learned}
    about |= {"started": folder.manifest["started"]}
    return Checkpoint.write(folder, {"run": ticks}, {"one": torch.ones(2)}, about)


def ticks_of(folder: RunFolder) -> list[int]:
    return [each.ticks for each in sound(folder)]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path)
    Manifest(made, {})
    return made


def test_the_end_of_learning_is_replaced_and_nothing_else_is_left(folder: RunFolder) -> None:
    written(folder, 5)
    written(folder, 9)
    assert ticks_of(folder) == [9]
    assert sorted(path.name for path in folder.path.iterdir()) == ["learned", "manifest.json"]


def test_who_is_killed_while_it_is_replaced_has_the_one_before(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, 5)
    replace = os.replace

    def killed(one: Any, other: Any) -> None:
        if Path(other) == folder.learned:
            raise KeyboardInterrupt
        replace(one, other)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        written(folder, 9)
    assert ticks_of(folder) == [5]


def test_a_disk_that_is_full_is_named_as_such(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise SafetensorError("I/O error: no space left")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(RunError, match=r"no checkpoint can be written to .*no space left"):
        written(folder, 5)
    assert ticks_of(folder) == []
    assert [path.name for path in folder.path.iterdir()] == ["manifest.json"]
