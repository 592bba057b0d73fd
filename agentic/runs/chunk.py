"""The columns of a chunk of ticks, and the Arrow table they become.

Recording is most of what the toolkit adds to a bare loop, so ticks are staged and copied a few at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from agentic.environments.environment import Environment
from agentic.environments.spaces import Layout
from agentic.runs.candidates import CandidateRows, Wanted
from agentic.runs.seeds import Phase
from agentic.runs.table import PHASES, table_of
from agentic.tick import Decision, Tick

STAGED = 32  # ticks that are kept as they are until they are copied together, fewer where they have many rows
LARGEST = 64 * 2**20  # bytes of one block


def boundary(ticks: int) -> int:
    """The tick count at which the chunk that begins at `ticks` ends: 256, 1,024, then the multiples of 4,096."""
    return next((end for end in (256, 1024) if ticks < end), (ticks // 4096 + 1) * 4096)


class Block:
    """The valid rows of one chunk of ticks, from tick `first` of the run: one preallocated array per column.

    It ends at the boundary, or earlier where it would pass 64 MiB: a number that depends on the layout alone, and on
    how many candidate plans are `wanted`, whose rows it keeps beside its own.
    """

    def __init__(self, index: int, first: int, env: Environment, wanted: Wanted | None = None) -> None:
        self.index, self.first, self.env = index, first, env
        leaves = [*env.observation_layout.leaves * 2, *env.action_layout.leaves]
        self._size = env.batch * (40 + sum(leaf.width * leaf.dtype.itemsize for leaf in leaves))
        self.candidates = None if wanted is None else CandidateRows(env.action_layout, wanted)
        self._size += 0 if wanted is None else env.batch * wanted.size
        self.room = self._fitting()
        self.ticks = self.rows = 0
        self.steps: Counter[Phase] = Counter()
        self._columns: dict[str, np.ndarray] = {}
        self._phases: list[tuple[Phase, int]] = []  # runs of rows
        self._seen, self._done = _arrays(env.observation_layout), _arrays(env.action_layout)
        self._names = [
            *("episode", "row", "t"),
            *_named("obs", env.observation_layout),
            *_named("next_obs", env.observation_layout),
            *_named("action", env.action_layout),
            *("reward", "terminated", "truncated"),
        ]
        self._staged: list[tuple[tuple[np.ndarray, ...], dict[str, np.ndarray]]] = []
        self.decided: dict[str, np.ndarray] = {}  # the columns of the last decision
        self._phase: Phase = "learn"
        self._row = np.arange(env.batch)
        self._most = max(2, min(STAGED, 4096 // env.batch))

    def _fitting(self) -> int:
        """The ticks that fit, from the first on."""
        return max(1, min(boundary(self.first) - self.first, LARGEST // self._size))

    def add(self, phase: Phase, tick: Tick) -> bool:
        """Take one tick; true when the block is full. Its arrays must not change any more."""
        if phase != self._phase:
            self._join()
            self._phase = phase
        native = tick.native
        arrays = (
            *(tick.valid, tick.episode, self._row, tick.t),
            *(*self._seen(native.obs), *self._seen(native.next_obs), *self._done(native.action)),
            *(tick.reward, tick.terminated, tick.truncated),
        )
        self.decided = decision_columns(tick.decision, self.env.batch)
        staged = [*self._staged, (arrays, {**tick.world, **self.decided})]
        candidates = None if self.candidates is None else self.candidates.after(phase, tick)
        # Ctrl-C comes before or after
        self._staged, self.ticks, self.candidates = staged, self.ticks + 1, candidates
        if len(self._staged) == self._most or self.ticks == self.room:
            self._join()
        return self.ticks == self.room

    def get_state(self) -> dict[str, Any]:
        """All that was recorded here, the room that is left aside."""
        self._join()
        return {
            "counts": (self.index, self.first, self.ticks, self.rows, self.room),
            "phases": (self.steps, self._phases, self._phase),
            "columns": {name: column[: self.rows] for name, column in self._columns.items()},
            "candidates": None if self.candidates is None else self.candidates.ticks,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what another one recorded. Raises ValueError where that is not what a block of this run holds."""
        self.index, self.first, self.ticks, self.rows, room = map(_count, state["counts"])
        steps, phases, phase = state["phases"]
        columns, self.room = state["columns"], self._fitting()
        whole = all(len(column) == self.rows for column in columns.values())
        if room != self.room or self.ticks >= room or not whole or self.rows > room * self.env.batch:
            raise ValueError("its ticks are not those of a chunk of this run")
        self._staged, self.steps = [], Counter({name: _count(part) for name, part in steps.items()})
        self._phases = [(PHASES[PHASES.index(name)], _count(rows)) for name, rows in phases]
        self._phase, self._columns = PHASES[PHASES.index(phase)], {}
        for name, part in columns.items():
            self._columns[name] = np.empty((room * self.env.batch, *part.shape[1:]), part.dtype)
            self._columns[name][: self.rows] = part
        if self.candidates is not None:
            self.candidates = self.candidates.having(state["candidates"])

    def table(self) -> pa.Table:
        """The rows as an Arrow table, in the order tick, row."""
        self._join()
        codes = np.repeat([PHASES.index(name) for name, _ in self._phases], [count for _, count in self._phases])
        return table_of(codes[: self.rows], {name: column[: self.rows] for name, column in self._columns.items()})

    def _join(self) -> None:
        """Copy the staged ticks, a few at once and while they are in the cache: half the price of one by one."""
        if not self._staged:
            return
        arrays, thoughts = zip(*self._staged, strict=True)
        valid, *columns = zip(*arrays, strict=True)
        keep = np.concatenate(valid)
        count = int(np.count_nonzero(keep))
        kept = np.flatnonzero(keep)
        missing = set(self._columns)
        for name, parts in chain(zip(self._names, columns, strict=True), self._late(thoughts)):
            missing.discard(name)
            if name not in self._columns:
                self._columns[name] = self._empty(parts[0])
            place = self._columns[name][self.rows : self.rows + count]
            if count == len(keep):
                np.concatenate(parts, out=place)
            else:
                np.concatenate(parts).take(kept, 0, out=place, mode="clip")
        for name in missing:
            self._columns[name][self.rows : self.rows + count] = np.nan
        phases, steps = [*self._phases, (self._phase, count)], self.steps + Counter({self._phase: count})
        # Ctrl-C comes before or after: what is staged is dropped only with its rows counted, and copied again if not
        self._staged, self._phases, self.steps, self.rows = [], phases, steps, self.rows + count

    def _late(self, found: Sequence[dict[str, np.ndarray]]) -> Iterator[tuple[str, Sequence[np.ndarray]]]:
        """Each column beside the ticks' own and one array (b, *shape) per tick, NaN where a decision is without it."""
        for name in dict.fromkeys(name for each in found for name in each):
            like = next(each[name] for each in found if name in each)
            yield name, [each[name] if name in each else np.full(like.shape, np.nan, like.dtype) for each in found]

    def _empty(self, like: np.ndarray) -> np.ndarray:
        """A column for the whole block, NaN up to here where it appears late."""
        column = np.empty((self.room * self.env.batch, *like.shape[1:]), like.dtype)
        if self.rows:
            column[: self.rows] = np.nan
        return column


def _count(number: Any) -> int:
    if type(number) is not int or not 0 <= number < 2**48:
        raise ValueError(f"{number!r} is no number of them")
    return number


def _named(prefix: str, layout: Layout) -> list[str]:
    return [prefix] if layout.plain else [f"{prefix}.{name}" for name in layout.names]


def _arrays(layout: Layout) -> Callable[[Any], Sequence[np.ndarray]]:
    """The function from the native form to the arrays in it."""
    return (lambda native: (native,)) if layout.plain else lambda native: [native[name] for name in layout.names]


def decision_columns(decision: Decision, batch: int) -> dict[str, np.ndarray]:
    """The columns of a decision: `energy.<term>` (b,) float64, `belief.<field>` (b, ...) of each tensor of the belief.

    A belief whose tensors carry samples before the batch axis (particles) is represented by its mean.
    """
    if decision.belief is None and not decision.energies:
        return {}
    found = {f"energy.{name}": value.to(torch.float64).expand(batch) for name, value in decision.energies.items()}
    belief = decision.belief
    if belief is not None and is_dataclass(belief):
        parts = {field.name: getattr(belief, field.name) for field in fields(belief)}
        tensors = {name: part for name, part in parts.items() if isinstance(part, torch.Tensor)}
        if any(part.dim() == 0 or len(part) != batch for part in tensors.values()):
            tensors = {"mean": belief.mean}
        found |= {f"belief.{name}": part for name, part in tensors.items()}
    return {name: _floats(tensor) for name, tensor in found.items()}


def _floats(tensor: torch.Tensor) -> np.ndarray:
    array = np.asarray(tensor.detach().cpu().numpy())
    return array if array.dtype.kind == "f" else array.astype(np.float64)
