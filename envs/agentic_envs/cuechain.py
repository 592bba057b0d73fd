"""A chain of cues in a grid: each says where the next one is, the last where the reward is.

Looking pays only after several steps and several looks, so that greedy curiosity and short horizons fail.
"""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from agentic_envs import drawing
from agentic_envs.checks import checked_probability
from agentic_envs.finite import Arrays, FiniteWorld, Floats

MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))  # (row, column) change of each action
Cell = Sequence[int]


@final
class CueChain(FiniteWorld):
    """A grid of `rows` and `columns` in which a chain of cues leads to the one of two goals that pays.

    `shape` is (rows, columns), `start` the cell of the first step. The first cue is at the cell `cue`. Each entry of
    `chain` holds the cells one of which has the next cue, and `goals` are the two cells one of which pays; which ones
    is drawn uniformly at reset and stays. A cue says which of the next cells it is, rightly with probability
    `validity`, and else another one, drawn anew at each visit.

    Hidden state: `location` = row * columns + column, moved by the agent; per entry of `chain` which cell has the cue;
    and which goal pays. Factors of the chain and of the goals do not move.
    Actions, Discrete(5): north, south, west, east, stay. The edge leaves the agent where it is.
    Observations, MultiDiscrete: the location; per cue nothing (0) or which of its next cells it names (1 and up), seen
    in the cell of that cue alone; the outcome, 0 nothing, 1 reward, 2 punishment, seen at the goals.
    Reward: +1 on entering the goal that pays, -1 on entering the other, else 0; a goal ends the episode. With `ends`
    false nothing does, and the goals pay at every step there. Truncated after `steps` actions. `validity` may be
    changed by a wrapper. See `corridor` for chains of any length.

    Source: the cue-chaining demonstration of pymdp (Heins et al. 2022), whose grid and certain cues are the default; it
    does not end.
    """

    metadata = drawing.RENDERING | {"words": {"actions": ["north", "south", "west", "east", "stay"]}}
    numbers = ("validity",)
    values = (0.0, 1.0, -1.0)

    def __init__(
        self,
        shape: Cell = (5, 7),
        start: Cell = (0, 0),
        cue: Cell = (2, 0),
        chain: Sequence[Sequence[Cell]] = (((0, 2), (1, 3), (3, 3), (4, 2)),),
        goals: Sequence[Cell] = ((1, 5), (3, 5)),
        validity: float = 1.0,
        ends: bool = True,
        steps: int = 20,
        render_mode: str | None = None,
    ) -> None:
        self.validity, self._ends = validity, ends
        self._shape = _shape(shape)
        self._start = self._cell("start", start)
        if len(goals) != 2:
            raise ValueError(f"goals must be two cells, one that pays and one that does not, got {len(goals)}.")
        places = {"cue": [cue], **{f"chain[{i}]": cells for i, cells in enumerate(chain)}, "goals": goals}
        self._places = [[self._cell(name, cell) for cell in cells] for name, cells in places.items()]
        for name, cells in zip(places, self._places, strict=True):
            if len(set(cells)) < max(len(cells), 1):
                raise ValueError(f"{name} must hold different cells, at least one, got {list(places[name])}.")
        super().__init__(steps, render_mode)

    def _cell(self, name: str, cell: Cell) -> int:
        rows, columns = self._shape
        if len(cell) != 2 or cell[0] not in range(rows) or cell[1] not in range(columns):
            said = f"on the grid of {rows} rows and {columns} columns, counted from 0"
            raise ValueError(f"every cell of {name} must be (row, column) {said}, got {tuple(cell)}: correct it.")
        return int(cell[0] * columns + cell[1])

    def arrays(self) -> Arrays:
        right = checked_probability("validity", self.validity)
        rows, columns = self._shape
        cells, counts = rows * columns, [len(each) for each in self._places]
        cues = [self._cue(here, count, right) for here, count in zip(self._places, counts[1:], strict=False)]
        cues[0] = cues[0][:, :, 0]  # the first cue is where it is
        outcome = np.zeros((3, cells, 2))
        outcome[0] = 1.0
        for side, goal in enumerate(self._places[-1]):
            outcome[:, goal] = np.eye(3)[:, [1 + side, 2 - side]]
        moves = np.zeros((cells, cells, len(MOVES)))
        for cell in range(cells):
            for action, (down, along) in enumerate(MOVES):
                row, column = (
                    np.clip(cell // columns + down, 0, rows - 1),
                    np.clip(cell % columns + along, 0, columns - 1),
                )
                moves[row * columns + column, cell, action] = 1.0
        ends = np.zeros(cells)
        if self._ends:
            goals = self._places[-1]
            ends[goals], moves[:, goals] = 1.0, np.eye(cells)[:, goals, None]
        stays = [np.repeat(np.eye(n)[:, :, None], len(MOVES), axis=2) for n in counts[1:]]
        starts = [np.eye(cells)[self._start], *(np.full(n, 1 / n) for n in counts[1:])]
        sees = [[0], [0, 1], *([0, i, i + 1] for i in range(1, len(counts) - 1)), [0, len(counts) - 1]]
        return Arrays([np.eye(cells), *cues, outcome], [moves, *stays], starts, {"A": sees}, ends)

    def _cue(self, here: Sequence[int], count: int, right: float) -> Floats:
        """A cue that is in one of the cells `here`, (nothing and named, location, cell it is in, next cell)."""
        rows, columns = self._shape
        cue = np.zeros((1 + count, rows * columns, len(here), count))
        cue[0] = 1.0
        wrong = (1 - right) / max(count - 1, 1)
        named = np.full((count, count), wrong) + (right - wrong) * np.eye(count) if count > 1 else np.eye(1)
        for i, cell in enumerate(here):
            cue[0, cell, i], cue[1:, cell, i] = 0.0, named
        return cue

    def _text(self) -> str:
        letters = np.full(self._shape, ".")
        for cells in self._places[1:-1]:
            letters.flat[cells] = "o"
        letters.flat[self._true()[:-1]] = "?"
        letters.flat[self._places[-1]] = "-"
        letters.flat[self._true()[-1]] = "+"
        letters.flat[self.state[0]] = "@"
        return "".join("".join(row) + "\n" for row in letters)

    def _picture(self) -> drawing.Image:
        colors = np.full((*self._shape, 3), drawing.FLOOR, dtype=np.uint8)
        flat = colors.reshape(-1, 3)
        flat[[cell for cells in self._places[1:-1] for cell in cells]] = 200
        flat[self._true()[:-1]] = drawing.HINT
        flat[self._places[-1]] = drawing.BAD
        flat[self._true()[-1]] = drawing.GOOD
        row, column = divmod(self.state[0], self._shape[1])
        return drawing.with_disc(drawing.tiled(colors), row, column, drawing.AGENT)

    def _true(self) -> list[int]:
        """The cells of the cues, and of the goal that pays."""
        return [cells[i] for cells, i in zip(self._places, (0, *self.state[1:]), strict=True)]


def corridor(depth: int) -> dict[str, Any]:
    """Arguments of a `CueChain` with `depth` cues: a corridor of three rows, whose cues are on one or the other side.

    From every cue to the next it is one step or three.
    """
    if depth < 1:
        raise ValueError(f"a corridor has at least one cue, got depth {depth}.")
    return {
        "shape": (3, depth + 1),
        "start": (1, 0),
        "cue": (0, 0),
        "chain": [((0, i), (2, i)) for i in range(1, depth)],
        "goals": ((0, depth), (2, depth)),
        "steps": 3 * depth + 5,
    }


def _shape(shape: Cell) -> tuple[int, int]:
    if len(shape) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in shape):
        raise ValueError(f"shape must be two positive whole numbers (rows, columns), got {shape!r}.")
    return shape[0], shape[1]
