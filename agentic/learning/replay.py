"""Experience kept for learning: what happened, in the order of each row's episodes.

Learners that go over their experience more than once keep it here; tensors on the run's dtype, rows with `valid` False
left out.
"""

from typing import NamedTuple, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agentic.errors import UserError
from agentic.tick import Tick


class Experience(NamedTuple):
    """Steps that happened: `obs`, `action`, `next_obs` (n, *event), `reward` (n,), `terminated` (n,) as 0 or 1.

    Of windows each has a time axis after the first, (n, t, *event).
    """

    obs: Tensor
    action: Tensor
    next_obs: Tensor
    reward: Tensor
    terminated: Tensor


@final
class Replay:
    """The last `capacity` steps of experience. Raises UserError for a capacity below 1."""

    def __init__(self, capacity: int = 100_000) -> None:
        if capacity < 1:
            raise UserError(f"a replay expects a capacity of at least 1 step, got {capacity}")
        self.capacity = capacity
        self._columns: tuple[Tensor, ...] = ()  # those of Experience, and the row, course and t of each step
        self._latest = np.empty((0, 3), np.int64)  # course, episode, t of each row's last step
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, self.capacity)

    @property
    def total(self) -> int:
        """The number of steps that were ever added."""
        return self._count

    def add(self, tick: Tick) -> int:
        """Keep the valid rows of a tick (the last `capacity` of them); returns how many are new."""
        rows = np.flatnonzero(tick.valid)
        course = self._course(tick, rows)[-self.capacity :]
        rows = rows[-self.capacity :]
        keep, kind = torch.from_numpy(rows), tick.obs  # whose type and device all have
        fresh = (
            tick.obs[keep].detach(),
            tick.action[keep].detach().to(kind),
            tick.next_obs[keep].detach(),
            torch.from_numpy(np.asarray(tick.reward, np.float64)).to(kind)[keep],
            torch.from_numpy(np.asarray(tick.terminated)).to(kind)[keep],
            torch.from_numpy(np.stack([rows, course, tick.t[rows]], -1)),
        )
        self._make_room(fresh)
        places = torch.from_numpy((self._count + np.arange(len(rows))) % self.capacity)
        for column, values in zip(self._columns, fresh, strict=True):
            column[places] = values
        self._count += len(rows)
        return len(rows)

    def steps(self) -> Experience:
        """All steps that are kept: views, which the next `add` may write over. Raises UserError for none."""
        return Experience(*self._filled()[:-1])

    def windows(self, length: int) -> Experience:
        """Every run of `length` consecutive steps of one episode, overlapping ones too: (n, length, *event).

        Raises UserError for a length below 1, and while there is nothing.
        """
        if length < 1:
            raise UserError(f"windows of experience expect a length of at least 1 step, got {length}")
        *columns, places = self._filled()
        keys = places.numpy()
        order = np.lexsort(keys.T[::-1])
        ordered = keys[order]
        first, last = ordered[: max(0, len(ordered) - length + 1)], ordered[length - 1 :]
        whole = (first[:, :2] == last[:, :2]).all(-1) & (last[:, 2] - first[:, 2] == length - 1)
        index = torch.from_numpy(order[np.flatnonzero(whole)[:, None] + np.arange(length)])
        return Experience(*[column[index] for column in columns])

    def _course(self, tick: Tick, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which uninterrupted course each of `rows` is on: a new one unless this is the step after the row's last.

        Episodes are numbered from 0 in every run, so that their numbers alone would join runs.
        """
        missing = max(0, len(tick.valid) - len(self._latest))
        self._latest = np.concatenate([self._latest, np.full((missing, 3), -1)])
        course, episode, t = self._latest[rows].T
        follows = (tick.episode[rows] == episode) & (tick.t[rows] == t + 1)
        now: NDArray[np.int64] = np.where(follows, course, course + 1)
        self._latest[rows] = np.stack([now, tick.episode[rows], tick.t[rows]], -1)
        return now

    def _filled(self) -> tuple[Tensor, ...]:
        if not self._count:
            raise UserError("a replay was asked for experience and has none: add ticks first")
        return tuple(column[: len(self)] for column in self._columns)

    def _make_room(self, fresh: tuple[Tensor, ...]) -> None:
        """Double the columns where they have no room for `fresh`."""
        needed = min(self._count + len(fresh[0]), self.capacity)
        have = len(self._columns[0]) if self._columns else 0
        if not self._columns or needed > have:
            size = min(max(needed, 2 * have, 256), self.capacity)
            grown = tuple(part.new_zeros(size, *part.shape[1:]) for part in fresh)
            for new, old in zip(grown, self._columns, strict=False):
                new[:have] = old
            self._columns = grown
