"""The simplified T-maze: a cue that costs a step tells which of two arms pays.

The smallest world in which gathering information and collecting reward compete. Its four locations, two hidden
states and certain arms make every expected energy computable by hand.
"""

from collections.abc import Mapping
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete
from numpy.typing import NDArray

from agentic import Truth
from agentic_envs import drawing
from agentic_envs.checks import checked_action, checked_probability, checked_render_mode, checked_steps

CENTER, LEFT, RIGHT, CUE = range(4)
NOTHING, REWARD, PUNISHMENT = range(3)
PLACES = {LEFT: (0, 0), CENTER: (0, 1), RIGHT: (0, 2), CUE: (2, 1)}  # row and column in the picture


@final
class TMaze(gymnasium.Env[Any, Any]):
    """A maze of two arms, one with a reward and the other with a punishment; a cue tells which, and may lie.

    Hidden state: `location` (center, left, right, cue), moved by the agent, and `side` (left, right), drawn
    uniformly at reset and static. Every location can be reached from every other in one step.

    Actions, Discrete(4): go to the center, the left arm, the right arm, the cue.
    Observations, MultiDiscrete([5, 3]):
      place: 0 center, 1 left, 2 right, 3 cue says left, 4 cue says right. The cue is right with probability
      `validity`, drawn anew at each visit.
      outcome: 0 nothing, 1 reward, 2 punishment; certain in the arms, nothing elsewhere.
    Reward: +1 on entering or staying in the arm that holds the reward, -1 in the other, else 0.
    An episode starts at the center with observation (0, 0) and is truncated after `steps` moves. `render_mode` is
    "rgb_array", "ansi" or None. Arms do not absorb.

    Source: the simplified T-maze of the sophisticated-inference examples of pymdp (Heins et al. 2022), after
    Friston et al. 2015, "Active inference and epistemic value".
    """

    metadata = drawing.RENDERING | {
        "words": {
            "actions": ["center", "left arm", "right arm", "cue"],
            "observations": ["place", "outcome"],
            "factors": ["location", "side"],
        }
    }

    def __init__(self, steps: int = 4, validity: float = 0.95, render_mode: str | None = None) -> None:
        self.steps = steps
        self.validity = validity
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.action_space = Discrete(4)
        self.observation_space = MultiDiscrete([5, 3])
        self.location, self.side, self.time = CENTER, 0, 0
        self._check()

    def _check(self) -> None:
        """Numbers are checked again at every reset: a wrapper may have changed them."""
        checked_steps(self.steps)
        checked_probability("validity", self.validity)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        super().reset(seed=seed)
        self._check()
        self.location, self.time = CENTER, 0
        self.side = int(self.np_random.integers(2))
        return self._observe(), {}

    def step(self, action: int) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        self.location = checked_action(self.action_space, action)
        self.time += 1
        reward = {NOTHING: 0.0, REWARD: 1.0, PUNISHMENT: -1.0}[self._outcome()]
        return self._observe(), reward, False, self.time >= self.steps, {}

    def _outcome(self) -> int:
        if self.location not in (LEFT, RIGHT):
            return NOTHING
        return REWARD if self.location - LEFT == self.side else PUNISHMENT

    def _observe(self) -> NDArray[np.int64]:
        place = self.location
        if place == CUE:
            honest = self.np_random.random() < self.validity
            place = CUE + (self.side if honest else 1 - self.side)
        return np.array([place, self._outcome()], dtype=np.int64)

    def world_state(self) -> Mapping[str, Any]:
        """Where the agent is, and which arm pays."""
        return {"location": self.location, "side": self.side}

    def true_model(self) -> Truth:
        """The world as arrays; factors are location (4) and side (2), modalities are place (5) and outcome (3)."""
        place, outcome = np.zeros((5, 4, 2)), np.zeros((3, 4, 2))
        place[[CENTER, LEFT, RIGHT], [CENTER, LEFT, RIGHT], :] = 1.0
        place[CUE:, CUE, :] = [[self.validity, 1 - self.validity], [1 - self.validity, self.validity]]
        outcome[NOTHING, [CENTER, CUE], :] = 1.0
        outcome[REWARD, [LEFT, RIGHT], [0, 1]] = 1.0
        outcome[PUNISHMENT, [LEFT, RIGHT], [1, 0]] = 1.0
        moves = np.zeros((4, 4, 4))
        moves[range(4), :, range(4)] = 1.0
        pays = (outcome[REWARD] - outcome[PUNISHMENT]).T  # (side, location after the move)
        return {
            "A": [place, outcome],
            "B": [moves, np.repeat(np.eye(2)[:, :, None], 4, axis=2)],
            "D": [np.eye(4)[CENTER], np.full(2, 0.5)],
            "rewards": np.repeat(pays[None], 4, axis=0),
            "ends": np.zeros((4, 2)),
        }

    def render(self) -> Any:
        """The maze with the agent in it. The reward is shown where it is, hidden or not."""
        return drawing.rendered(self.render_mode, self._text, self._picture)

    def _text(self) -> str:
        marks = {CENTER: ".", LEFT: "-", RIGHT: "-", CUE: "?", LEFT + self.side: "+", self.location: "@"}
        return f"{marks[LEFT]}{marks[CENTER]}{marks[RIGHT]}\n . \n {marks[CUE]} \n"

    def _picture(self) -> drawing.Image:
        colors = np.full((3, 3, 3), drawing.WALL, dtype=np.uint8)
        colors[1, 1] = colors[PLACES[CENTER]] = drawing.FLOOR
        colors[PLACES[CUE]] = drawing.HINT
        colors[PLACES[LEFT + self.side]] = drawing.GOOD
        colors[PLACES[RIGHT - self.side]] = drawing.BAD
        return drawing.with_disc(drawing.tiled(colors), *PLACES[self.location], drawing.AGENT)
