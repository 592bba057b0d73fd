"""Agents whose every property is known: tables that are deaf, planners that listen, and a habit that keeps learning."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from agentic import Agent, Categorical, Change, Decision, Environment, Learner, Tick
from agentic_metrics import World, planner


def choose(policy: Any, obs: Tensor, generator: torch.Generator) -> Decision:
    """An action drawn from the row of a policy (states, actions) that the one-hot `obs` (b, states) names."""
    rows = torch.as_tensor(np.asarray(policy), dtype=torch.float64)[obs.argmax(-1)]
    action = torch.nn.functional.one_hot(torch.multinomial(rows, 1, generator=generator)[:, 0], rows.shape[-1])
    return Decision(action.to(obs.dtype), policy=Categorical(rows))


@final
class Table(Agent):
    """A policy (states, actions), whatever happens: a rock, a reflex, a clone."""

    def __init__(self, policy: ArrayLike) -> None:
        self.policy = np.asarray(policy, dtype=np.float64)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return choose(self.policy, obs, generator)


@final
class Planner(Agent):
    """Looks `depth` steps ahead in the world as it believes it to be; told of another, it plans anew."""

    def __init__(self, world: World, depth: int, discount: float = 0.9) -> None:
        self.world, self.depth, self.discount = world, depth, discount
        self.policy = planner(world, depth=depth, discount=discount)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return choose(self.policy, obs, generator)

    def told(self, change: Change) -> "Planner":
        goal = World.of(change.goal.truth()) if isinstance(change.goal, Environment) else self.world
        model = World.of(change.model.truth()) if isinstance(change.model, Environment) else self.world
        believed = World(model.dynamics, goal.rewards, self.world.start, self.world.ended)
        return Planner(believed, self.depth, self.discount)


@final
class Habit(Agent):
    """Takes the action of the largest value, one in ten times any; values (states, actions) come from experience."""

    def __init__(self, values: ArrayLike, discount: float = 0.9, rate: float = 0.5) -> None:
        self.values = np.array(values, dtype=np.float64)
        self.learner = Temporal(self.values, discount, rate)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        actions = self.values.shape[1]
        best = np.eye(actions)[self.values.argmax(-1)]
        return choose(0.9 * best + 0.1 / actions, obs, generator)


@final
class Temporal(Learner):
    """Q-learning (Watkins 1989): values move towards the reward and the discounted value of what follows."""

    def __init__(self, values: Any, discount: float, rate: float) -> None:
        self.values, self.discount, self.rate = values, discount, rate

    def update(self, tick: Tick) -> Mapping[str, float]:
        before, action, after = (int(x[0].argmax()) for x in (tick.obs, tick.action, tick.next_obs))
        future = 0.0 if tick.terminated[0] else self.discount * self.values[after].max()
        error = float(tick.reward[0]) + future - self.values[before, action]
        self.values[before, action] += self.rate * error
        return {"error": float(error)}
