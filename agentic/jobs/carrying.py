"""Units carried out: jobs with a place of their own in one folder, where what is done already is left alone."""

import random
import shutil
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from agentic.jobs.executor import Executor
from agentic.jobs.folder import UnitFolder, writing
from agentic.jobs.job import Job, Placed
from agentic.plugins import PRIVATE
from agentic.runs import forget_parts, stream

Observer = Callable[["Unit", int, int], None]  # the unit that ended, how many have, of how many


class Unit(Job):
    """A job whose results have their place within the folder of the whole, and say what they were made from."""

    @property
    @abstractmethod
    def place(self) -> Path:
        """The folder of its results, within that of the whole."""

    @abstractmethod
    def is_done(self, folder: Path) -> bool:
        """Whether the results in `folder`, which may not exist, are those of this very unit, complete."""

    @abstractmethod
    def give_up(self, folder: Path, reason: str) -> None:
        """Leave results in `folder`, which is empty, that say why there are none: those of a unit that is not done."""


def left(units: Sequence[Unit], folder: Path) -> list[Unit]:
    """The units that are not done in the folder of the whole."""
    return [unit for unit in units if not unit.is_done(folder / unit.place)]


def carry_out(units: Sequence[Unit], folder: Path, executor: Executor, limit: float) -> Iterator[Unit]:
    """Each unit once its results, or what says that there are none, are in their place, whatever was there before.

    Call it under the lock of the folder. Raises UserError where it cannot be written, RunError for what ends all.
    """
    places = UnitFolder(folder)
    places.check_writable()
    with writing(folder):
        forget_parts(folder)
        for draft in places.drafts():
            shutil.rmtree(draft, ignore_errors=True)
        for unit in units:
            shutil.rmtree(folder / unit.place, ignore_errors=True)
    by_draft = {places.draft(f"{number} {unit.label}"): unit for number, unit in enumerate(units)}  # labels may agree
    for (_, draft), lost in executor.carried_out([Placed(unit, path) for path, unit in by_draft.items()], limit):
        unit = by_draft[draft]
        with writing(folder):
            if lost:
                shutil.rmtree(draft, ignore_errors=True)
                draft.mkdir(parents=True)
                unit.give_up(draft, lost)
            (folder / unit.place).parent.mkdir(parents=True, exist_ok=True)
            draft.rename(folder / unit.place)
        yield unit


def forget(seed: int) -> None:
    """Begin as a new process does: modules of files are loaded anew, and global generators start from the seed.

    Nothing of ours uses these generators; third parties do, and a process may have done other jobs before.
    """
    for name in [name for name in sys.modules if name.startswith(PRIVATE)]:
        del sys.modules[name]
    # The name of the stream stays: whatever draws from global generators would draw otherwise under another one.
    word = int(stream(seed, "stranger").generate_state(1, np.uint32)[0])
    random.seed(word)
    np.random.seed(word)  # noqa: NPY002, TID251
    torch.manual_seed(word)  # noqa: TID251
