"""A grid in the fog: where one is must be inferred from places that look like their neighbors."""

from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from agentic import Truth
from agentic_envs.checks import checked_probability
from agentic_envs.gridworld import GridWorld, Layout


@final
class FogGrid(gymnasium.Env[Any, Any]):
    """A `GridWorld` whose cells are seen through `fog`: with that probability, one of the cells around is seen instead.

    The cells around are up to eight, edges, corners and walls left out; each is as likely as the others. A cell with
    none around is seen as it is. `layout` and `slip` are those of `GridWorld`; goals pay when they are entered and end
    the episode.

    Hidden state: `cell` = row * columns + column. Where the layout has no `S`, an episode starts anywhere.
    Actions, Discrete(5): north, south, east, west, stay. Observations, Discrete(rows * columns): the cell seen.
    Reward: a goal's on entering it, else 0. Truncated after `steps` actions. `render_mode` is "rgb_array", "ansi" or
    None. `fog` may be changed by a wrapper.
    """

    metadata = GridWorld.metadata

    def __init__(
        self,
        layout: Layout = ("....", ".#..", "...G"),
        fog: float = 0.4,
        slip: float = 0.0,
        steps: int = 50,
        render_mode: str | None = None,
    ) -> None:
        self._grid = GridWorld(layout, slip=slip, steps=steps, render_mode=render_mode)
        self.fog, self.render_mode = fog, self._grid.render_mode
        self.action_space, self.observation_space = self._grid.action_space, Discrete(self._grid.walls.size)
        self._seen = self._likelihood()

    @property
    def cell(self) -> int:
        """Where the agent is."""
        return self._grid.cell

    @property
    def steps(self) -> int:
        """The number of actions after which an episode is truncated."""
        return self._grid.steps

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._grid.np_random = self.np_random
        self._grid.reset()
        self._seen = self._likelihood()
        return self._observe(), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        _, reward, terminated, truncated, info = self._grid.step(action)
        return self._observe(), reward, terminated, truncated, info

    def _observe(self) -> int:
        return int(self.np_random.choice(len(self._seen), p=self._seen[:, self.cell]))

    def _likelihood(self) -> NDArray[np.float64]:
        """The probability of seeing each cell (first axis) in each cell."""
        fog, walls = checked_probability("fog", self.fog), self._grid.walls
        seen = np.zeros((walls.size, walls.size))
        for row, column in np.ndindex(walls.shape):
            cell = row * walls.shape[1] + column
            around = [
                r * walls.shape[1] + c
                for r in range(max(row - 1, 0), min(row + 2, walls.shape[0]))
                for c in range(max(column - 1, 0), min(column + 2, walls.shape[1]))
                if (r, c) != (row, column) and not walls[r, c]
            ]
            seen[cell, cell] = 1 - fog if around else 1.0
            seen[around, cell] = fog / max(len(around), 1)
        return seen

    def world_state(self) -> int:
        """The cell."""
        return self.cell

    def true_model(self) -> Truth:
        """The world as arrays; one factor and one modality, the cell (rows * columns)."""
        return {**self._grid.true_model(), "A": [self._likelihood()]}

    def render(self) -> Any:
        """The whole grid with the agent on it."""
        return self._grid.render()
