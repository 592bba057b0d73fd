"""A rectangle of cells with walls and goals: the world in which most exact numbers are known.

Fully observed it is a Markov decision process; in the fog an agent feels only the walls around it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from agentic import Truth
from agentic_envs import drawing
from agentic_envs.checks import checked_action, checked_probability, checked_render_mode, checked_steps

NORTH, SOUTH, EAST, WEST, STAY = range(5)
MOVES = ((-1, 0), (1, 0), (0, 1), (0, -1), (0, 0))  # (row, column) change of each action
REWARDS = {"G": 1.0, "X": -1.0}
ALPHABET = "S start, . free, # wall, G goal (+1), X pit (-1)"

Layout = str | Sequence[str] | Sequence[int]


@final
class GridWorld(gymnasium.Env[Any, Any]):
    """A grid on which an agent moves to a neighboring cell or stays; a goal pays and ends the episode.

    `layout`: rows of equal length as a list of strings or one string with line breaks, made of `S` start, `.` free,
        `#` wall, `G` goal (+1), `X` pit (-1); or a pair (rows, columns) for an empty grid.
    `goals`: further goals (row, column, reward); one on a `G` or `X` replaces its reward.
    `walls`: further walls (row, column).
    `slip`: probability that the action is replaced by one drawn uniformly from all five.
    `fog`: whether only the surrounding walls are felt.
    `exit`: whether a goal pays, and ends the episode, when any action is taken in it rather than when it is entered.

    Hidden state: `cell` = row * columns + column; with `exit` one more, rows * columns: it is over. Starts are the `S`
    cells with equal probability, or every free cell if there is none; a goal is never a start.
    Actions, Discrete(5): north, south, east, west, stay. Hitting a wall or the edge leaves the agent where it is.
    Observations: Discrete(rows * columns), the cell (walls are counted, so that adding one changes no space); in
    the fog Discrete(16), the sum of 1, 2, 4, 8 for a wall or edge to the north, south, east, west. With `exit` one
    more, the last: it is over.
    Reward: a goal's reward on entering or on leaving it (then terminated), else 0. Truncated after `steps` actions.
    `render_mode` is "rgb_array", "ansi" or None. `slip`, and the arrays of (rows, columns) `walls`, `goals`, `starts`
    (bool) and `rewards` (float), may be changed by a wrapper.

    Source: the default layout is the 4 x 3 world of Russell and Norvig, "Artificial Intelligence", without its
    cost per step and with a uniform slip in place of its sideways one.
    """

    metadata = drawing.RENDERING | {
        "words": {"actions": ["north", "south", "east", "west", "stay"], "observations": ["cell"]}
    }

    def __init__(
        self,
        layout: Layout = ("...G", ".#.X", "S..."),
        goals: Iterable[Sequence[float]] = (),
        walls: Iterable[Sequence[int]] = (),
        slip: float = 0.0,
        fog: bool = False,
        exit: bool = False,
        steps: int = 100,
        render_mode: str | None = None,
    ) -> None:
        letters = _letters(layout)
        self.walls = letters == "#"
        self.rewards = np.where(letters == "G", REWARDS["G"], np.where(letters == "X", REWARDS["X"], 0.0))
        self.goals = np.isin(letters, list(REWARDS))
        for entry in walls:
            self.walls[_cell("walls", entry, "(row, column)", self.walls.shape)] = True
        for goal in goals:
            place = _cell("goals", goal, "(row, column, reward)", self.walls.shape)
            self.goals[place], self.rewards[place] = True, goal[2]
        marked = letters == "S"
        self.starts = marked if marked.any() else np.ones_like(marked)
        self.slip, self.steps, self._fog, self._exit = slip, steps, fog, exit
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.action_space = Discrete(len(MOVES))
        self._sights = (1 << STAY if fog else letters.size) + exit
        self.observation_space = Discrete(self._sights)
        self.time = 0
        self._refuse("start", marked & (self.walls | self.goals))
        self._check()
        self.cell = int(self._free_starts()[0])

    def _check(self) -> None:
        """Everything is checked again at every reset: a wrapper may have changed it."""
        checked_steps(self.steps)
        checked_probability("slip", self.slip)
        self._refuse("goal", self.walls & self.goals)
        if not len(self._free_starts()):
            raise ValueError("a grid needs a free cell to start from, got none that is no wall and no goal: free one.")

    @staticmethod
    def _refuse(name: str, clash: NDArray[np.bool_]) -> None:
        for row, column in np.argwhere(clash).tolist():
            raise ValueError(
                f"a {name} must lie on a cell of its own, got one at ({row}, {column}) on a wall or goal: move it."
            )

    def _free_starts(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.starts & ~self.walls & ~self.goals)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._check()
        self.time = 0
        self.cell = int(self.np_random.choice(self._free_starts()))
        return self._observe(self.cell), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        action = checked_action(self.action_space, action)
        if self.slip > 0 and self.np_random.random() < self.slip:
            action = int(self.np_random.integers(len(MOVES)))
        before, self.cell = self.cell, self._next(self.cell, action)
        self.time += 1
        paying = before if self._exit else self.cell
        terminated = self._over(self.cell) or (not self._exit and bool(self.goals.flat[self.cell]))
        reward = float(self.rewards.flat[paying]) if terminated and self.cell != before else 0.0
        return self._observe(self.cell), reward, terminated, self.time >= self.steps and not terminated, {}

    def _over(self, cell: int) -> bool:
        return bool(cell == self.walls.size)

    def _place(self, cell: int) -> tuple[int, int]:
        return divmod(cell, int(self.walls.shape[1]))

    def _blocked(self, row: int, column: int) -> bool:
        rows, columns = self.walls.shape
        return not (0 <= row < rows and 0 <= column < columns) or bool(self.walls[row, column])

    def _next(self, cell: int, action: int) -> int:
        """The cell after `action`; walls, which nobody is in, and what ends everything keep themselves."""
        if self._over(cell) or (self._exit and self.goals.flat[cell]):
            return int(self.walls.size)
        row, column = (at + by for at, by in zip(self._place(cell), MOVES[action], strict=True))
        if self.goals.flat[cell] or self.walls.flat[cell] or self._blocked(row, column):
            return cell
        return int(row * self.walls.shape[1] + column)

    def _observe(self, cell: int) -> int:
        if self._over(cell):
            return self._sights - 1
        if not self._fog:
            return cell
        row, column = self._place(cell)
        return sum(1 << i for i, (down, right) in enumerate(MOVES[:STAY]) if self._blocked(row + down, column + right))

    def world_state(self) -> int:
        """The cell."""
        return self.cell

    def true_model(self) -> Truth:
        """The world as arrays; one factor, the cell (rows * columns), and one modality."""
        cells, actions = self.walls.size + self._exit, len(MOVES)
        seen, intended = np.zeros((self._sights, cells)), np.zeros((cells, cells, actions))
        for cell in range(cells):
            seen[self._observe(cell), cell] = 1.0
            for action in range(actions):
                intended[self._next(cell, action), cell, action] = 1.0
        moves = (1 - self.slip) * intended + self.slip * intended.mean(axis=2, keepdims=True)
        goals = np.append(self.goals.ravel(), [False] * self._exit).astype(np.float64)
        pays = np.append(self.rewards.ravel(), [0.0] * self._exit) * goals
        if self._exit:
            ends, rewards = (
                (np.arange(cells) == cells - 1).astype(np.float64),
                np.repeat(pays[:, None], actions, axis=1),
            )
        else:
            ends, rewards = goals, np.einsum("nsa,n->sa", moves, pays) * (1 - goals)[:, None]
        start = np.zeros(cells)
        start[self._free_starts()] = 1 / len(self._free_starts())
        return {"A": [seen], "B": [moves], "D": [start], "rewards": rewards, "ends": ends}

    def render(self) -> Any:
        """The whole grid with the agent on it, fog or not; without it once it has left through a goal."""
        return drawing.rendered(self.render_mode, self._text, self._picture)

    def _text(self) -> str:
        letters = np.where(self.walls, "#", ".")
        pays = self.rewards[self.goals]
        letters[self.goals] = np.where(pays > 0, np.where(pays == pays.max(initial=0.0), "G", "g"), "X")
        if not self._over(self.cell):
            letters.flat[self.cell] = "@"
        return "".join("".join(row) + "\n" for row in letters)

    def _picture(self) -> drawing.Image:
        colors = np.full((*self.walls.shape, 3), drawing.FLOOR, dtype=np.uint8)
        colors[self.walls] = drawing.WALL
        best = self.rewards[self.goals].max(initial=0.0)
        colors[self.goals & (self.rewards > 0)] = drawing.LESS
        colors[self.goals & (self.rewards > 0) & (self.rewards == best)] = drawing.GOOD
        colors[self.goals & (self.rewards <= 0)] = drawing.BAD
        picture = drawing.tiled(colors)
        if self._over(self.cell):
            return picture
        return drawing.with_disc(picture, *self._place(self.cell), drawing.AGENT)


def _letters(layout: Layout) -> NDArray[np.str_]:
    """The layout as an array (rows, columns) of one-letter strings."""
    lines: list[Any] = [line.strip() for line in layout.strip().splitlines()] if isinstance(layout, str) else [*layout]
    if len(lines) == 2 and all(isinstance(size, int) and size > 0 for size in lines):
        return np.full((lines[0], lines[1]), ".")
    if not lines or not all(isinstance(line, str) and line for line in lines):
        raise ValueError(
            f"layout must be a list of strings or a pair of positive whole numbers (rows, columns), got {layout!r}: "
            'pass for example ["S.#", "..G"] or (3, 3).'
        )
    lengths = sorted({len(line) for line in lines})
    if len(lengths) > 1:
        raise ValueError(f"the rows of layout must have one length, got lengths {lengths}: fill short rows with '.'.")
    unknown = sorted(set("".join(lines)) - set("S.#GX"))
    if unknown:
        raise ValueError(f"layout must be made of {ALPHABET}, got {unknown}: replace these characters.")
    return np.array([list(line) for line in lines])


def _cell(name: str, entry: Sequence[float], form: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """The (row, column) that an entry of `walls` or `goals` names, if it has that form and lies on the grid."""
    place = tuple(entry)
    if len(place) == form.count(",") + 1:
        row, column = place[:2]
        if row in range(shape[0]) and column in range(shape[1]):
            return int(row), int(column)
    raise ValueError(
        f"every entry of {name} must be {form} on the grid of {shape[0]} rows and {shape[1]} columns, counted from 0, "
        f"got {place}: correct it."
    )
