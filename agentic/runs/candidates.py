"""The best candidates of every decision's plan, chosen or not, as a long table beside the ticks.

One row per candidate. They are recorded on request only, for there are many times more of them than ticks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, prod

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from agentic.environments.leaf import Leaf
from agentic.environments.spaces import Layout
from agentic.runs.seeds import Phase
from agentic.runs.table import PHASES, arrow_array, table_of
from agentic.tick import Tick

BYTES = 512  # what one candidate is taken to need in memory when chunks are cut


@dataclass(frozen=True)
class Wanted:
    """The number of candidates recorded of each plan, and the precision that gives their probabilities."""

    count: int
    precision: float = inf

    @property
    def size(self) -> int:
        """Bytes of one row of one tick, about."""
        return self.count * BYTES


class CandidateRows:
    """The candidates of one chunk of ticks, of the valid rows alone; false while there is none."""

    def __init__(self, action: Layout, wanted: Wanted, ticks: Sequence[dict[str, np.ndarray]] = ()) -> None:
        self._action, self._wanted, self.ticks = action, wanted, ticks

    def __bool__(self) -> bool:
        return bool(self.ticks)

    def having(self, ticks: Sequence[dict[str, np.ndarray]]) -> "CandidateRows":
        """Those of other ticks."""
        return CandidateRows(self._action, self._wanted, ticks)

    def after(self, phase: Phase, tick: Tick) -> "CandidateRows":
        """These and the candidates of one tick, where its decision has a plan that lists them."""
        plan, rows = tick.decision.plan, np.flatnonzero(tick.valid)
        found = None if plan is None else plan.candidates(self._wanted.count, self._wanted.precision)
        if found is None or not len(rows):
            return self
        count = len(found.probability)
        keys = {"phase": np.full(len(rows), PHASES.index(phase)), "episode": tick.episode[rows], "row": rows}
        columns = {name: np.repeat(key, count) for name, key in (keys | {"t": tick.t[rows]}).items()}
        columns |= {
            "rank": np.tile(np.arange(count), len(rows)),
            **self._plans(found.actions[:, torch.from_numpy(rows)]),
        }
        columns["probability"] = _flat(found.probability, rows)
        columns |= {f"term.{name}": _flat(term, rows) for name, term in found.terms.items()}
        return self.having([*self.ticks, columns])

    def _plans(self, actions: Tensor) -> dict[str, np.ndarray]:
        """Native actions (candidates, rows, t, *event), leaf by leaf, and the length of each plan.

        What is relaxed is projected as it would be when it is selected.
        """
        projected = self._action.domain.project(actions.transpose(0, 1))
        columns = {"length": np.full(projected.shape[0] * projected.shape[1], projected.shape[2])}
        for leaf, piece in zip(self._action.leaves, self._action.split(projected), strict=True):
            native = leaf.decode(piece.reshape(-1, leaf.width).detach().cpu().numpy())
            columns[_column(leaf)] = native.reshape(-1)
        return columns

    def table(self) -> pa.Table:
        """The rows as an Arrow table, in the order tick, row, rank; a term that a tick lacks is NaN there."""
        names = dict.fromkeys(name for tick in self.ticks for name in tick)
        columns: dict[str, np.ndarray | pa.Array] = {
            name: np.concatenate([tick.get(name, np.full(len(tick["rank"]), np.nan)) for tick in self.ticks])
            for name in names
        }
        phase, lengths = columns.pop("phase"), columns.pop("length")
        for leaf in self._action.leaves:
            ends = np.cumsum(lengths * prod(leaf.shape))
            offsets, values = pa.py_buffer(np.append(0, ends).astype(np.int32)), arrow_array(columns[_column(leaf)])
            columns[_column(leaf)] = pa.Array.from_buffers(
                pa.list_(values.type), len(ends), [None, offsets], children=[values]
            )
        return table_of(phase, columns, {_column(leaf): [-1, *leaf.shape] for leaf in self._action.leaves})


def _column(leaf: Leaf) -> str:
    return f"plan.{leaf.name}" if leaf.path else "plan"


def _flat(values: Tensor, rows: np.ndarray) -> np.ndarray:
    """(k, b) as one float64 column in the order row, candidate."""
    return np.asarray(values.detach().to("cpu", torch.float64).numpy()[:, rows].T.reshape(-1))
