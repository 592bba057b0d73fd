"""TensorBoard: the scalars of a run as event files in its folder."""

from collections.abc import Mapping
from importlib.util import find_spec
from math import isfinite
from typing import Any, final

from agentic import LoggedRun, Logger, UserError

FOLDER = "tensorboard"  # within that of the run: nothing else is written to, whatever a file says


@final
class TensorBoard(Logger):
    """Event files for TensorBoard, in the folder `tensorboard` of the run: `tensorboard --logdir runs` shows them.

    A name's first dot is a slash there, which makes groups: `evaluate/return`, `learned/loss`. They are on the disk
    after `flush_seconds`. Of a run that goes on, what was logged after its checkpoint is hidden.

    Raises UserError where its package is not installed, for less than a second, and, as a run begins, where that has
    no folder of its own.
    """

    def __init__(self, flush_seconds: int = 10) -> None:
        if find_spec("tensorboardX") is None:
            raise UserError("TensorBoard's event files need a package: pip install 'agentic[tensorboard]'")
        if flush_seconds < 1:
            raise UserError(f"flush_seconds must be at least 1, got {flush_seconds}")
        self.flush_seconds = flush_seconds
        self._writer: Any = None

    def start(self, run: LoggedRun) -> None:
        """Open an event file. What a run that goes on logged later than `run.step` is hidden."""
        from tensorboardX import SummaryWriter

        if run.folder is None:
            raise UserError("there is no folder to write event files to: keep the run in one")
        place = run.folder / FOLDER
        if place.is_symlink():
            raise UserError(f"{place} is a link, which is not followed: remove it")
        more: dict[str, Any] = {"purge_step": run.step + 1} if run.step else {}
        more |= {"filename_suffix": f".{run.step}", "flush_secs": self.flush_seconds}  # its name has the second alone
        self._writer = SummaryWriter(str(place), **more)

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write each finite scalar under its name, the first dot a slash."""
        for name, value in scalars.items():
            if isfinite(value):
                self._writer.add_scalar(name.replace(".", "/", 1), value, step)

    def finish(self, status: str) -> None:
        """Write what is left and close the file."""
        self._writer.close()
