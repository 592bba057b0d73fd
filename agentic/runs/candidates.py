"""What was weighed and not done: the best candidates of every decision's plan, as a long table beside the ticks.

One row per candidate. They are recorded on request only, for there are many times more of them than ticks.
"""

import json
from dataclasses import dataclass
from math import inf

import numpy as np
import pyarrow as pa
import torch

from agentic.agents.agent import Agent
from agentic.environments.spaces import Layout
from agentic.planning.plan import Candidates, Plan
from agentic.runs.seeds import Phase
from agentic.tick import Tick

BYTES = 512  # what one candidate is taken to need in memory when chunks are cut
KEYS = ("episode", "row", "t", "rank")


@dataclass(frozen=True)
class Wanted:
    """How many candidates of each plan, weighed at which precision."""

    count: int
    precision: float = inf

    @property
    def size(self) -> int:
        """Bytes of one row of one tick, about."""
        return self.count * BYTES


def wanted(agent: Agent, count: int) -> Wanted | None:
    """The best `count` candidates at the precision of the agent; None for no candidates."""
    return Wanted(count, agent.precision) if count else None


class CandidateRows:
    """The candidates of one chunk of ticks, of the valid rows alone; false while there is none."""

    def __init__(self, action: Layout, wanted: Wanted) -> None:
        self._action, self._wanted = action, wanted
        self._phases: list[Phase] = []
        self._columns: dict[str, list[np.ndarray]] = {}
        self._plans: dict[str, list[np.ndarray]] = {}
        self._lengths: list[np.ndarray] = []
        self._terms: dict[str, list[np.ndarray]] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, phase: Phase, tick: Tick) -> None:
        """Take the candidates of one tick, where its decision has a plan that lists them."""
        plan = tick.decision.plan
        found = plan.candidates(self._wanted.count, self._wanted.precision) if isinstance(plan, Plan) else None
        rows = np.flatnonzero(tick.valid)
        if found is None or not len(rows):
            return
        count = len(found.probability)
        columns = {"episode": tick.episode[rows], "row": rows, "t": tick.t[rows]}
        columns = {name: np.repeat(column, count).astype(np.int64) for name, column in columns.items()}
        columns |= {"rank": np.tile(np.arange(count), len(rows)), "probability": _flat(found.probability, rows)}
        for name, column in columns.items():
            self._columns.setdefault(name, []).append(column)
        for name, part in found.terms.items():
            column = _flat(part, rows)
            if name not in self._terms:
                self._terms[name] = [np.full(self._count, np.nan)] if self._count else []
            self._terms[name].append(column)
        self._take_plans(found, rows)
        self._count += count * len(rows)
        for name in self._terms.keys() - found.terms.keys():
            self._terms[name].append(np.full(count * len(rows), np.nan))
        self._phases += [phase] * (count * len(rows))

    def _take_plans(self, found: Candidates, rows: np.ndarray) -> None:
        """Native actions, leaf by leaf; what is relaxed is projected as it would be when it is selected."""
        actions = self._action.domain.project(found.actions[:, torch.from_numpy(rows)].transpose(0, 1))
        pieces = torch.split(actions, [leaf.width for leaf in self._action.leaves], -1)
        for leaf, piece in zip(self._action.leaves, pieces, strict=True):
            native = leaf.decode(piece.reshape(-1, leaf.width).detach().cpu().numpy())
            self._plans.setdefault(_column(leaf.name), []).append(native.reshape(-1))
        candidates, length = actions.shape[0] * actions.shape[1], actions.shape[2]
        self._lengths.append(np.full(candidates, length, np.int64))

    def table(self) -> pa.Table:
        """The rows as an Arrow table, in the order tick, row, rank."""
        arrays = {"phase": pa.array(self._phases, pa.string())}
        arrays |= {name: pa.array(np.concatenate(self._columns[name])) for name in KEYS}
        lengths = np.concatenate(self._lengths)
        shapes = {_column(leaf.name): [-1, *leaf.shape] for leaf in self._action.leaves}
        for name, parts in self._plans.items():
            ends = np.cumsum(lengths * int(np.prod(shapes[name][1:])))
            arrays[name] = pa.ListArray.from_arrays(pa.array(np.append(0, ends), pa.int32()), np.concatenate(parts))
        arrays["probability"] = pa.array(np.concatenate(self._columns["probability"]))
        arrays |= {f"term.{name}": pa.array(np.concatenate(parts)) for name, parts in self._terms.items()}
        schema = pa.schema([(name, array.type) for name, array in arrays.items()], {b"shapes": json.dumps(shapes)})
        return pa.Table.from_arrays(list(arrays.values()), schema=schema)


def _column(leaf: str) -> str:
    return f"plan.{leaf}" if leaf else "plan"


def _flat(values: torch.Tensor, rows: np.ndarray) -> np.ndarray:
    """(k, b) as one float64 column in the order row, candidate."""
    return np.asarray(values.detach().to("cpu", torch.float64).numpy()[:, rows].T.reshape(-1))
