"""A goal beside a cliff, in a wind that blows toward it: the world in which goal-directedness was first tabulated.

The shortest way is the most dangerous, so that a little randomness costs a lot.
"""

from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from agentic import Truth
from agentic_envs import drawing
from agentic_envs.checks import checked_action, checked_probability, checked_render_mode, checked_steps

GOAL, CLIFF, ELSEWHERE = 10.0, -10.0, -1.0
ACTIONS = 4


@final
class CliffWorld(gymnasium.Env[Any, Any]):
    """A grid of `rows` and `columns` to be crossed diagonally; its top row is a cliff between start and goal.

    Starts at the top left. The `width` rightmost cells of the top row are the goal, those between are the cliff.

    Hidden state: `cell` = row * columns + column. Never terminated; truncated after `steps` actions. `render_mode` is
    "rgb_array", "ansi" or None.
    Actions, Discrete(4): 2 * down + right: up left, up right, down left, down right. The edge holds whoever would
    leave in that direction, and the other half of the move is made all the same.
    With probability `wind` a move ends one row further up than it aimed, before the edge holds.
    Observations, Discrete(rows * columns): the cell.
    Reward: that of the cell in which the action is taken: 10 in the goal, -10 on the cliff, -1 elsewhere. `wind` and
    the array `rewards` (rows, columns) may be changed by a wrapper.

    Source: CliffWorld of the package seals (Gleave, Freire, Wang and Toyer 2020).
    """

    metadata = drawing.RENDERING | {
        "words": {"actions": ["up left", "up right", "down left", "down right"], "observations": ["cell"]}
    }

    def __init__(
        self,
        rows: int = 4,
        columns: int = 10,
        width: int = 1,
        wind: float = 0.3,
        steps: int = 10,
        render_mode: str | None = None,
    ) -> None:
        sizes = {"rows": (rows, 2), "columns": (columns, 2), "width": (width, 1)}
        for name, (size, least) in sizes.items():
            if isinstance(size, bool) or not isinstance(size, int) or size < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {size!r}: pass a larger one.")
        if width >= columns:
            raise ValueError(f"width must be smaller than columns = {columns}, got {width}: leave the start a cell.")
        self.rewards = np.full((rows, columns), ELSEWHERE)
        self.rewards[0, 1:], self.rewards[0, columns - width :] = CLIFF, GOAL
        self.wind, self.steps = wind, steps
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.action_space = Discrete(ACTIONS)
        self.observation_space = Discrete(rows * columns)
        self.cell, self.time = 0, 0
        self._check()

    def _check(self) -> None:
        """Numbers are checked again at every reset: a wrapper may have changed them."""
        checked_steps(self.steps)
        checked_probability("wind", self.wind)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._check()
        self.cell, self.time = 0, 0
        return self.cell, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        action = checked_action(self.action_space, action)
        reward = float(self.rewards.flat[self.cell])
        self.cell = self._next(self.cell, action, bool(self.np_random.random() < self.wind))
        self.time += 1
        return self.cell, reward, False, self.time >= self.steps, {}

    def _next(self, cell: int, action: int, blown: bool) -> int:
        rows, columns = self.rewards.shape
        row, column = divmod(cell, columns)
        down, right = divmod(action, 2)
        row, column = row + 2 * down - 1 - blown, column + 2 * right - 1
        return int(min(max(row, 0), rows - 1) * columns + min(max(column, 0), columns - 1))

    def world_state(self) -> int:
        """The cell."""
        return self.cell

    def true_model(self) -> Truth:
        """The world as arrays; one factor, the cell (rows * columns), and one modality, the same."""
        cells = self.rewards.size
        moves = np.zeros((cells, cells, ACTIONS))
        for cell in range(cells):
            for action in range(ACTIONS):
                moves[self._next(cell, action, False), cell, action] += 1 - self.wind
                moves[self._next(cell, action, True), cell, action] += self.wind
        rewards: NDArray[np.float64] = np.repeat(self.rewards.reshape(-1, 1), ACTIONS, axis=1)
        every = np.eye(cells)
        return {"A": [every], "B": [moves], "D": [every[0].copy()], "rewards": rewards, "ends": np.zeros(cells)}

    def render(self) -> Any:
        """The grid with the agent on it."""
        return drawing.rendered(self.render_mode, self._text, self._picture)

    def _text(self) -> str:
        letters = np.where(self.rewards > 0, "G", np.where(self.rewards < ELSEWHERE, "#", "."))
        letters.flat[self.cell] = "@"
        return "".join("".join(row) + "\n" for row in letters)

    def _picture(self) -> drawing.Image:
        colors = np.full((*self.rewards.shape, 3), drawing.FLOOR, dtype=np.uint8)
        colors[self.rewards < ELSEWHERE] = drawing.BAD
        colors[self.rewards > 0] = drawing.GOOD
        row, column = divmod(self.cell, int(self.rewards.shape[1]))
        return drawing.with_disc(drawing.tiled(colors), row, column, drawing.AGENT)
