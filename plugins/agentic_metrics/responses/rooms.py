"""Small worlds and agents whose answers are known in closed form, to try metrics on."""

from collections.abc import Callable
from typing import Any, final

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from agentic import Agent, Decision, Point

Seen = tuple[Any, dict[str, Any]]


@final
class Room(gymnasium.Env[Any, Any]):
    """A temperature in a noisy room, seen and heated: x' = `persistence` x + u + w, with w standard normal.

    Starts at 0; never ends.
    """

    def __init__(self, persistence: float = 0.95) -> None:
        self.observation_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.action_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.persistence, self.state = persistence, np.zeros(1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Seen:
        super().reset(seed=seed)
        self.state = np.zeros(1)
        return self.state, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.state = self.persistence * self.state + action + self.np_random.standard_normal(1)
        return self.state, -float(self.state[0] ** 2), False, False, {}


@final
class Reflex(Agent):
    """An agent without memory, whose action is a function `act` of what it sees, both (b, *event)."""

    def __init__(self, act: Callable[[Tensor], Tensor]) -> None:
        self.act = act

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(self.act(obs))


def thermostat(gain: float) -> Agent:
    """The linear controller u = -`gain` x of a room."""
    return Reflex(lambda obs: -gain * obs)


def forager() -> Agent:
    """An agent that goes where it sees the food: to the place that the observation names."""
    return Reflex(lambda obs: obs)


@final
class Field(gymnasium.Env[Any, Any]):
    """A field where food lies left or right, a fair coin at every step, and is seen; on the other side one starves.

    Whoever eats is paid 1; nobody starves where it is not `deadly`. Truncated after `steps` steps.
    """

    def __init__(self, steps: int = 1, deadly: bool = True) -> None:
        self.observation_space, self.action_space = Discrete(2), Discrete(2)
        self.steps, self.deadly, self.food, self.count = steps, deadly, np.int64(0), 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Seen:
        super().reset(seed=seed)
        self.food, self.count = np.int64(self.np_random.integers(2)), 0
        return self.food, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        ate = bool(action == self.food)
        starved = self.deadly and not ate
        self.food, self.count = np.int64(self.np_random.integers(2)), self.count + 1
        return self.food, float(ate), starved, not starved and self.count == self.steps, {}

    def true_model(self) -> dict[str, Any]:
        """The truth, with the states food left, food right and starved; the food moves whatever is done."""
        moves = np.zeros((3, 3, 2))
        moves[2, 2] = 1.0
        for food in range(2):
            moves[:2, food] = 0.5
            if self.deadly:
                moves[:, food, 1 - food] = [0.0, 0.0, 1.0]
        seen = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
        rewards = np.concatenate([np.eye(2), np.zeros((1, 2))])
        return {"A": [seen], "B": [moves], "D": [np.array([0.5, 0.5, 0.0])], "rewards": rewards, "ends": np.eye(3)[2]}


@final
class Committed(Agent):
    """An agent that always knows its next `ahead` moves, fair coins, whatever it sees; its belief is that plan."""

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.randint(2, (batch, self.ahead + 1), generator=generator)

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        new = torch.randint(2, (len(obs), 1), generator=generator)
        action = torch.nn.functional.one_hot(state[:, 0], 2).to(obs.dtype)
        return Decision(action, torch.cat([state[:, 1:], new], 1), belief=Point(state[:, 1:].to(obs.dtype)))
