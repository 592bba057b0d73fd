"""An episode of a run in the terminal: what was believed, planned and weighed at each step, in plain characters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, final

import numpy as np
import pyarrow.compute as pc

from agentic.cli.tables import BARS, PLAIN_BARS, sparkline
from agentic.cli.terminal import number
from agentic.errors import UserError
from agentic.runs.record import EpisodeRecord, Record

MOST = 40  # bars of one belief, and candidates of one plan
ACTIONS = 6  # of a plan, in a line of a step


@final
@dataclass(frozen=True)
class Drawing:
    """The drawing of an episode within so many columns; blocks where the encoding has them, else ASCII."""

    record: Record
    episode: EpisodeRecord
    width: int
    encoding: str

    def whole(self) -> Iterator[str]:
        """A line for each step, and one for each energy over all of them."""
        arrays, plans = self.episode.arrays, self._plans()
        yield f"{self._name}, {self.episode.length} steps, return {number(self.episode.total)}"
        beliefs = [name for name in arrays if name.startswith("belief.") and arrays[name].size]
        heads = ["t", "action", "reward", *(["plan"] if plans else []), *beliefs]
        rows = [
            [str(t), _short(arrays, "action", t), number(float(arrays["reward"][t]))]
            + ([_actions(plans[t][0]["plan"], ACTIONS) if t in plans else "-"] if plans else [])
            for t in range(self.episode.length)
        ]
        sizes = [max(map(len, column)) for column in zip(heads, *rows, strict=False)]
        left = sum(sizes) + 2 * len(sizes)
        room = max(8, (self.width - left) // max(1, len(beliefs)) - 2)
        bars = [self._bars(np.asarray(arrays[name], float), room) for name in beliefs]
        for t, cells in enumerate([heads, *rows]):
            more = (
                [name.ljust(room)[:room] for name in beliefs] if not t else [each[t - 1].ljust(room) for each in bars]
            )
            yield "  ".join([*(cell.rjust(size) for cell, size in zip(cells, sizes, strict=False)), *more]).rstrip()
        yield from self._energies()

    def step(self, t: int) -> Iterator[str]:
        """Everything that is recorded of one step. Raises UserError where there is none of that number."""
        arrays = self.episode.arrays
        if not 0 <= t < self.episode.length:
            raise UserError(f"there is no step {t} in this episode; known: 0 to {self.episode.length - 1}")
        done = f"action {_short(arrays, 'action', t)}, reward {number(float(arrays['reward'][t]))}"
        yield f"{self._name}, step {t} of {self.episode.length}: {done}"
        for name in (name for name in arrays if name.startswith("belief.")):
            values = np.ravel(arrays[name][t]).astype(float)
            yield f"{name}{f', the first {MOST} of {len(values)}' if len(values) > MOST else ''}"
            largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
            full = "█" if self._blocks else "#"
            for place, value in enumerate(values[:MOST].tolist()):
                share = abs(value) / largest if largest and isfinite(value) else 0.0
                yield f"  {place:>4}  {number(value):>10}  {full * round(share * max(4, self.width - 20))}".rstrip()
        energies = {name[7:]: float(array[t]) for name, array in arrays.items() if name.startswith("energy.")}
        yield from ["energies"] * bool(energies)
        size = max(map(len, energies), default=0)
        yield from (
            f"  {name.removeprefix('energy.').ljust(size)}  {number(value)}" for name, value in energies.items()
        )
        plans = self._plans().get(t, [])
        yield from ["plans, the most probable first"] * bool(plans)
        for each in plans[:MOST]:
            yield f"  {each['probability']:.3f}  {_actions(each['plan'], self.width // 6)}"

    @property
    def _name(self) -> str:
        each = self.episode
        return f"{each.phase}, row {each.row}, episode {each.episode}"

    @property
    def _blocks(self) -> bool:
        return self.encoding.lower().startswith("utf")

    def _bars(self, values: np.ndarray, room: int) -> list[str]:
        """A belief at each step as bars, all on one scale; neighbors are averaged where there are more than fit."""
        flat = values.reshape(len(values), -1)
        size = -(-flat.shape[1] // room)
        groups = [flat[:, start : start + size].mean(1) for start in range(0, flat.shape[1], size)]
        means, bars = np.stack(groups, 1), BARS if self._blocks else PLAIN_BARS
        found = means[np.isfinite(means)]
        low, high = min(0.0, found.min(initial=0.0)), found.max(initial=0.0)
        with np.errstate(all="ignore"):
            heights = (means - low) / (high - low or 1.0) * (len(bars) - 1)
        return ["".join(bars[round(h)] if isfinite(h) else "?" for h in row) for row in heights.tolist()]

    def _energies(self) -> Iterator[str]:
        """A sparkline for each energy, with its least and its largest value."""
        names = [name for name in self.episode.arrays if name.startswith("energy.")]
        size = max((len(name) for name in names), default=0)
        for name in names:
            values = np.asarray(self.episode.arrays[name], float)
            found = values[np.isfinite(values)]
            ends = f"{number(float(found.min()))} to {number(float(found.max()))}" if len(found) else "-"
            bars = sparkline(values.tolist(), self.encoding, max(8, self.width - size - 28))
            yield f"{name.ljust(size)}  {ends:<24}  {bars}"

    def _plans(self) -> Mapping[int, Sequence[Mapping[str, Any]]]:
        """The recorded candidates of each step, best first; empty where there are none."""
        table, each = self.record.candidates(), self.episode
        if "plan" not in table.column_names:
            return {}
        for name, value in (("phase", each.phase), ("row", each.row), ("episode", each.episode)):
            table = table.filter(pc.equal(table[name], value))
        found: dict[int, list[Mapping[str, Any]]] = {}
        for row in table.select(["t", "plan", "probability"]).to_pylist():
            found.setdefault(row["t"], []).append(row)
        return found


def _actions(plan: Sequence[float], most: int) -> str:
    return " ".join(f"{value:.3g}" for value in plan[:most]) + (" ..." if len(plan) > most else "")


def _short(arrays: Mapping[str, np.ndarray], prefix: str, t: int) -> str:
    """An action in a few characters, whatever its parts."""
    parts = [np.ravel(array[t]).tolist() for name, array in arrays.items() if name.partition(".")[0] == prefix]
    values = [value for part in parts for value in part]
    return " ".join(f"{value:.3g}" for value in values[:4]) + (" ..." if len(values) > 4 else "")
