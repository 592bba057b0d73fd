"""Columns of what happened: one preallocated array per column, and what becomes of it on disk.

A block holds the ticks of one chunk. Filling it costs one copy per column and tick; the table is made from it at once,
by the thread that writes it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from agentic.agent import Decision, Tick
from agentic.env import Environment
from agentic.seeds import Phase

PHASES: tuple[Phase, ...] = ("learn", "evaluate")
SHAPES = b"shapes"  # key of the schema's metadata: a JSON mapping from column to the shape of one event
LARGEST = 64 * 2**20  # bytes of one block


def boundary(ticks: int) -> int:
    """The tick count at which the chunk that begins at `ticks` ends: 256, 1,024, then the multiples of 4,096."""
    return next((end for end in (256, 1024) if ticks < end), (ticks // 4096 + 1) * 4096)


class Block:
    """Room for the ticks of one chunk, from tick `first` of the run.

    It ends at the boundary, or earlier where it would pass 64 MiB: a number that depends on the layout alone.
    """

    def __init__(self, index: int, first: int, env: Environment) -> None:
        self.index, self.first, self.used = index, first, 0
        self.observation, self.action = env.observation_layout, env.action_layout
        forms = [
            *((name, leaf.shape, leaf.dtype) for prefix in ("obs", "next_obs") for name, leaf in self._named(prefix)),
            *((name, leaf.shape, leaf.dtype) for name, leaf in self._named("action")),
            ("reward", (), np.dtype(np.float64)),
            ("terminated", (), np.dtype(bool)),
            ("truncated", (), np.dtype(bool)),
            ("episode", (), np.dtype(np.int64)),
            ("t", (), np.dtype(np.int64)),
            ("valid", (), np.dtype(bool)),
        ]
        size = env.batch * sum(int(np.prod(shape)) * dtype.itemsize for _, shape, dtype in forms)
        self.room = max(1, min(boundary(first) - first, LARGEST // size))
        self.batch = env.batch
        self.columns = {name: np.empty((self.room, env.batch, *shape), dtype) for name, shape, dtype in forms}
        self._fixed = list(self.columns.values())
        self._phase = np.empty(self.room, np.int8)

    def add(self, phase: Phase, tick: Tick) -> bool:
        """Copy one tick; true when the block is full."""
        native, at = tick.native, self.used
        arrays = (
            *self.observation.parts(native.obs),
            *self.observation.parts(native.next_obs),
            *self.action.parts(native.action),
            tick.reward,
            tick.terminated,
            tick.truncated,
            tick.episode,
            tick.t,
            tick.valid,
        )
        for column, array in zip(self._fixed, arrays, strict=True):
            column[at] = array
        decision = tick.decision
        if decision.energies or decision.belief is not None:
            self._add_thoughts(decision)
        self._phase[at] = PHASES.index(phase)
        self.used = at + 1
        return self.used == self.room

    def steps(self) -> dict[Phase, int]:
        """Valid environment steps of each phase."""
        counts = self.columns["valid"][: self.used].sum(1)
        phase = self._phase[: self.used]
        return {name: int(counts[phase == code].sum()) for code, name in enumerate(PHASES)}

    def table(self) -> pa.Table:
        """The valid rows as an Arrow table, in the order tick, row."""
        valid = self.columns["valid"][: self.used].reshape(-1)
        keep = slice(None) if valid.all() else valid
        flat = {
            name: column[: self.used].reshape(-1, *column.shape[2:])[keep]
            for name, column in self.columns.items()
            if name != "valid"
        }
        phase = np.repeat(self._phase[: self.used], self.batch)[keep]
        leading = {
            "phase": pa.array(PHASES).take(pa.array(phase)),
            "episode": pa.array(flat.pop("episode")),
            "row": pa.array(np.tile(np.arange(self.batch), self.used)[keep]),
            "t": pa.array(flat.pop("t")),
        }
        shapes = {name: array.shape[1:] for name, array in flat.items() if array.ndim > 1}
        table = pa.table(leading | {name: _arrow(array) for name, array in flat.items()})
        return table.replace_schema_metadata({SHAPES: json.dumps(shapes)})

    def _named(self, prefix: str) -> Iterator[tuple[str, Any]]:
        layout = self.action if prefix == "action" else self.observation
        for leaf in layout.leaves:
            yield (f"{prefix}.{leaf.name}" if leaf.path else prefix), leaf

    def _add_thoughts(self, decision: Decision) -> None:
        """Energies and belief fields. A column is NaN wherever the decision had no such part."""
        for name, tensor in thoughts(decision, self.batch).items():
            array = tensor.detach().cpu().numpy()
            if name not in self.columns:
                dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
                self.columns[name] = np.full((self.room, *array.shape), np.nan, dtype)
            self.columns[name][self.used] = array


def thoughts(decision: Decision, batch: int) -> Mapping[str, torch.Tensor]:
    """`energy.<term>` (b,) float64, and `belief.<field>` (b, ...) for each tensor of the belief, batch first.

    A belief whose tensors carry samples before the batch axis (particles) is represented by its mean.
    """
    found = {f"energy.{name}": value.to(torch.float64).expand(batch) for name, value in decision.energies.items()}
    belief = decision.belief
    if belief is None or not is_dataclass(belief):
        return found
    parts = {field.name: getattr(belief, field.name) for field in fields(belief)}
    tensors = {name: part for name, part in parts.items() if isinstance(part, torch.Tensor)}
    if any(part.dim() == 0 or len(part) != batch for part in tensors.values()):
        tensors = {"mean": belief.mean}
    return found | {f"belief.{name}": part for name, part in tensors.items()}


def _arrow(array: np.ndarray) -> pa.Array:
    if array.ndim == 1:
        return pa.array(array)
    size = int(np.prod(array.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), size)
