"""The tiger problem: two doors, a tiger behind one, and a choice between listening and opening.

The classical small partially observed problem: listening is cheap and noisy, a wrong door is very expensive.
"""

from collections.abc import Mapping
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

from agentic import Truth
from agentic_envs import drawing
from agentic_envs.checks import checked_action, checked_probability, checked_render_mode, checked_steps

LISTEN, OPEN_LEFT, OPEN_RIGHT = range(3)
LISTEN_REWARD, TREASURE_REWARD, TIGER_REWARD = -1.0, 10.0, -100.0


@final
class Tiger(gymnasium.Env[Any, Any]):
    """A tiger behind the left or the right door, a treasure behind the other; listen, or open one.

    Hidden state: `tiger` (0 left, 1 right), drawn uniformly at reset and drawn anew whenever a door is opened, so
    the problem goes on; and `listening`, whether the last action was to listen.

    Actions, Discrete(3): 0 listen, 1 open the left door, 2 open the right door.
    Observations, Discrete(2): 0 heard on the left, 1 heard on the right. After listening it names the tiger's door
    with probability `hearing`. At reset and after opening a door it is drawn uniformly and says nothing, as in the
    classical model; an agent that reads those as hearings is fooled.
    Reward: listening -1, the treasure +10, the tiger -100.
    Never terminated; truncated after `steps` actions. `render_mode` is "rgb_array", "ansi" or None.

    Source: Cassandra, Kaelbling and Littman 1994, "Acting optimally in partially observable stochastic domains".
    """

    metadata = drawing.RENDERING | {
        "words": {
            "actions": ["listen", "open left", "open right"],
            "observations": ["heard"],
            "factors": ["tiger", "listening"],
        }
    }

    def __init__(self, steps: int = 200, hearing: float = 0.85, render_mode: str | None = None) -> None:
        self.steps = steps
        self.hearing = hearing
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.action_space = Discrete(3)
        self.observation_space = Discrete(2)
        self.tiger, self.listening, self.time = 0, False, 0
        self._check()

    def _check(self) -> None:
        """Numbers are checked again at every reset: a wrapper may have changed them."""
        checked_steps(self.steps)
        checked_probability("hearing", self.hearing)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._check()
        self.tiger, self.listening, self.time = int(self.np_random.integers(2)), False, 0
        return self._observe(), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        action = checked_action(self.action_space, action)
        self.time += 1
        self.listening = action == LISTEN
        if self.listening:
            reward = LISTEN_REWARD
        else:
            reward = TIGER_REWARD if action - OPEN_LEFT == self.tiger else TREASURE_REWARD
            self.tiger = int(self.np_random.integers(2))
        return self._observe(), reward, False, self.time >= self.steps, {}

    def _observe(self) -> int:
        right = self.hearing if self.listening else 0.5
        return self.tiger if self.np_random.random() < right else 1 - self.tiger

    def world_state(self) -> Mapping[str, Any]:
        """Where the tiger is, and whether the last action was to listen."""
        return {"tiger": self.tiger, "listening": self.listening}

    def true_model(self) -> Truth:
        """The world as arrays; factors are tiger (2) and listening (no, yes), the one modality is the sound (2).

        The factor `listening` exists because what is heard depends on the last action, and A only sees states.
        """
        sound = np.full((2, 2, 2), 0.5)
        sound[:, :, 1] = [[self.hearing, 1 - self.hearing], [1 - self.hearing, self.hearing]]
        place, listening = np.full((2, 2, 3), 0.5), np.zeros((2, 2, 3))
        place[:, :, LISTEN] = np.eye(2)
        listening[1, :, LISTEN] = listening[0, :, OPEN_LEFT] = listening[0, :, OPEN_RIGHT] = 1.0
        pays = np.array(
            [[LISTEN_REWARD, TIGER_REWARD, TREASURE_REWARD], [LISTEN_REWARD, TREASURE_REWARD, TIGER_REWARD]]
        )
        return {
            "A": [sound],
            "B": [place, listening],
            "D": [np.full(2, 0.5), np.array([1.0, 0.0])],
            "rewards": np.repeat(pays[:, None], 2, axis=1),
            "ends": np.zeros((2, 2)),
        }

    def render(self) -> Any:
        """The two doors. The tiger is shown where it is, which the agent does not see."""
        return drawing.rendered(self.render_mode, self._text, self._picture)

    def _text(self) -> str:
        doors = "[T][$]" if self.tiger == 0 else "[$][T]"
        return f"{doors}{' listening' if self.listening else ''}\n"

    def _picture(self) -> drawing.Image:
        colors = np.full((1, 2, 3), drawing.GOOD, dtype=np.uint8)
        colors[0, self.tiger] = drawing.BAD
        image = drawing.tiled(colors)
        return drawing.with_disc(image, 0, self.tiger, drawing.HINT) if self.listening else image
