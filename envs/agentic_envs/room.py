"""A room that is heated and cooled while the weather disturbs it: the home of the thermostat.

Always doing the right thing takes no more here than one comparison: the world in which goal-directedness, which is as
large as it can be, says nothing about sophistication, and reversed actuators say all.
"""

from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from agentic import Truth, UserError
from agentic_envs import drawing
from agentic_envs.checks import checked_action, checked_probability, checked_render_mode, checked_steps


@final
class Room(gymnasium.Env[Any, Any]):
    """A room whose temperature, of `levels` degrees from 0, is pushed by the action and by the weather.

    x' = x + push + w, held within 0 and `levels` - 1; w is -1 or 1, with probability `noise` / 2 each, else 0.

    Hidden state: `temperature`. Every one is equally likely at the start. Never terminated; truncated after `steps`.
    `render_mode` is "rgb_array", "ansi" or None.
    Actions, Discrete(2): cool (-1), heat (1); with `rest` Discrete(3): rest (0), heat (1), cool (-1).
    Observations, Discrete(levels): the temperature; `measured` it is a number instead, Box (1,) float32, in degrees:
    variances can be compared then, but the world is no longer known as arrays.
    Reward: -|x' - `setpoint`|, the degrees that the room is off after the step. The set point is by default the middle,
    which lies between two temperatures if `levels` is even: then (from 4 levels on, with a `noise` below 1) one of two
    actions is best at every temperature and for any horizon, and whoever takes it scores ln 2 nats of goal-directedness
    per decision. `noise` and `setpoint` may be changed by a wrapper.

    With an odd number of levels, `rest` and the set point in the middle, the variance of a thermostat's room is
    `noise`, and that of a room left alone (levels^2 - 1) / 12.

    Source: the thermostat that is an agent by the intentional stance (Dennett 1987, "True believers").
    """

    metadata = drawing.RENDERING

    def __init__(
        self,
        levels: int = 8,
        setpoint: float | None = None,
        noise: float = 0.5,
        rest: bool = False,
        measured: bool = False,
        steps: int = 50,
        render_mode: str | None = None,
    ) -> None:
        if isinstance(levels, bool) or not isinstance(levels, int) or levels < 2:
            raise ValueError(f"levels must be a whole number of at least 2, got {levels!r}: pass for example levels=8.")
        self.levels, self.noise, self.steps = levels, noise, steps
        self.setpoint = (levels - 1) / 2 if setpoint is None else setpoint
        self.pushes = (0, 1, -1) if rest else (-1, 1)
        actions = [{0: "rest", 1: "heat", -1: "cool"}[push] for push in self.pushes]
        self.metadata = drawing.RENDERING | {"words": {"actions": actions, "observations": ["temperature"]}}
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.action_space = Discrete(len(self.pushes))
        self.observation_space = Box(0.0, levels - 1.0, (1,), np.float32) if measured else Discrete(levels)
        self.temperature, self.time = levels // 2, 0
        self._check()

    def _check(self) -> None:
        """Numbers are checked again at every reset: a wrapper may have changed them."""
        checked_steps(self.steps)
        checked_probability("noise", self.noise)
        if isinstance(self.setpoint, (str, bool)) or not 0 <= self.setpoint <= self.levels - 1:
            raise ValueError(
                f"setpoint must be a number of degrees from 0 to {self.levels - 1}, got {self.setpoint!r}: correct it."
            )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._check()
        self.time = 0
        self.temperature = int(self.np_random.integers(self.levels))
        return self._observe(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        push = self.pushes[checked_action(self.action_space, action)]
        luck = self.np_random.random()
        weather = int(luck < self.noise / 2) - int(luck >= 1 - self.noise / 2)
        self.temperature = self._held(self.temperature + push + weather)
        self.time += 1
        return self._observe(), -abs(self.temperature - self.setpoint), False, self.time >= self.steps, {}

    def _held(self, temperature: int) -> int:
        return min(max(temperature, 0), self.levels - 1)

    def _observe(self) -> Any:
        if isinstance(self.observation_space, Box):
            return np.array([self.temperature], dtype=np.float32)
        return self.temperature

    def world_state(self) -> int:
        """The temperature."""
        return self.temperature

    def true_model(self) -> Truth:
        """The world as arrays; one factor, the temperature, and one modality, the same.

        Raises UserError where the temperature is `measured`.
        """
        if isinstance(self.observation_space, Box):
            raise UserError("a measured temperature is a number and no array tells it: leave measured out")
        moves = np.zeros((self.levels, self.levels, len(self.pushes)))
        for before in range(self.levels):
            for action, push in enumerate(self.pushes):
                for weather, share in ((-1, self.noise / 2), (0, 1 - self.noise), (1, self.noise / 2)):
                    moves[self._held(before + push + weather), before, action] += share
        off: NDArray[np.float64] = np.abs(np.arange(self.levels) - self.setpoint)
        return {
            "A": [np.eye(self.levels)],
            "B": [moves],
            "D": [np.full(self.levels, 1 / self.levels)],
            "rewards": -np.einsum("nsa,n->sa", moves, off),
            "ends": np.zeros(self.levels),
        }

    def render(self) -> Any:
        """The scale of a thermometer, its cold end first; the set point is marked, or both sides of it."""
        return drawing.rendered(self.render_mode, self._text, self._picture)

    def _wanted(self) -> NDArray[np.bool_]:
        off = np.abs(np.arange(self.levels) - self.setpoint)
        return np.asarray(off <= off.min())

    def _text(self) -> str:
        letters = np.where(self._wanted(), "G", ".")
        letters[self.temperature] = "@"
        return "".join(letters) + "\n"

    def _picture(self) -> drawing.Image:
        colors = np.full((1, self.levels, 3), drawing.FLOOR, dtype=np.uint8)
        colors[0, self._wanted()] = drawing.GOOD
        return drawing.with_disc(drawing.tiled(colors), 0, self.temperature, drawing.AGENT)
