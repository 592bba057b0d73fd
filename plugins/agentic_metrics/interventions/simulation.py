"""Environments simulated from a truth, so that any finite world and any change of it can be lived in."""

from collections.abc import Callable
from typing import Any, Self, final

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space

from agentic import Truth, UserError
from agentic_metrics.interventions.changes import joined

AnyEnv = gymnasium.Env[Any, Any]
Maker = Callable[[], AnyEnv]
Wrapper = Callable[[AnyEnv], AnyEnv]
Wrapping = tuple[str, Wrapper]  # with its name


@final
class Simulation(gymnasium.Env[Any, Any]):
    """A world simulated from its truth, with the spaces of the environment whose truth was changed.

    Rewards are the expected ones of state and action. Truncated after `steps` actions, None: never. Without spaces,
    those of the truth's sizes. Raises UserError for spaces of other sizes.
    """

    def __init__(
        self,
        truth: Truth,
        *,
        observation_space: Space[Any] | None = None,
        action_space: Space[Any] | None = None,
        steps: int | None = None,
    ) -> None:
        self.truth, self.steps = joined(truth), steps
        sizes = [len(levels) for levels in truth["A"]]
        plain = Discrete(sizes[0]) if len(sizes) == 1 else MultiDiscrete(sizes)
        actions = truth["rewards"].shape[-1]
        self.observation_space = plain if observation_space is None else observation_space
        self.action_space = Discrete(actions) if action_space is None else action_space
        _fits(self.observation_space, sizes, "observation")
        _fits(self.action_space, [actions], "action")
        self._seen = [_cumulative(levels) for levels in self.truth["A"]]
        self._moves, self._start = _cumulative(self.truth["B"][0]), _cumulative(self.truth["D"][0])
        self._first = np.asarray(getattr(self.observation_space, "start", 0))
        self._state, self._time = 0, 0

    @classmethod
    def like(cls, env: AnyEnv, truth: Truth) -> Self:
        """The world `truth` with the spaces and the step limit of `env`, which is closed."""
        steps = env.spec.max_episode_steps if env.spec else None
        steps = steps or getattr(env.unwrapped, "steps", None)
        made = cls(truth, observation_space=env.observation_space, action_space=env.action_space, steps=steps)
        env.close()
        return made

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._state, self._time = self._drawn(self._start), 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise ValueError(f"the action must be in {self.action_space}, got {action!r}.")
        choice = int(np.ravel(action)[0] - np.ravel(getattr(self.action_space, "start", 0))[0])
        reward = float(self.truth["rewards"][self._state, choice])
        self._state, self._time = self._drawn(self._moves[:, self._state, choice]), self._time + 1
        chance = self.truth["ends"][self._state]
        terminated = bool(chance == 1 or (chance > 0 and self.np_random.random() < chance))
        return self._observe(), reward, terminated, not terminated and self._time == self.steps, {}

    def true_model(self) -> Truth:
        """The truth that is simulated, its factors joined in one."""
        return self.truth

    def _observe(self) -> Any:
        levels = [self._drawn(seen[:, self._state]) for seen in self._seen]
        if isinstance(self.observation_space, Discrete):
            return np.int64(levels[0] + self._first)
        return np.array(levels + self._first, dtype=self.observation_space.dtype)

    def _drawn(self, cumulative: Any) -> int:
        if cumulative[0] == 1:  # certain to be the first: nothing to draw
            return 0
        return int(np.searchsorted(cumulative, self.np_random.random(), side="right"))


def _cumulative(columns: Any) -> Any:
    """Sums along the first axis, ending in exactly 1 from the last level that has any probability."""
    sums = np.cumsum(columns, axis=0)
    return np.where(sums > 1 - 1e-9, 1.0, sums)


def _fits(space: Space[Any], sizes: list[int], kind: str) -> None:
    if isinstance(space, Discrete):
        found: list[int] = [int(space.n)]
    elif isinstance(space, MultiDiscrete):
        found = space.nvec.ravel().tolist()
    else:
        raise UserError(f"a simulated world needs a Discrete or MultiDiscrete {kind} space, got {space}")
    if found != sizes:
        raise UserError(f"the {kind} space of this world must have sizes {sizes}, as its truth has, got {space}")
