"""Small worlds whose every answer is known: what solvers, models and agents are tried on.

Two models (finite, linear-Gaussian), goals for them, and an environment of two places that the finite one describes.
"""

from collections.abc import Sequence
from typing import Any, final

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Discrete
from torch import Tensor, nn

from agentic.agents.agent import Agent
from agentic.engine.belief import Belief, Categorical, Gaussian
from agentic.engine.domain import Box, Domain, Real, Simplex
from agentic.engine.energy import Conditional
from agentic.learning.learner import Conjugate, Hindsight
from agentic.models.model import FiniteModel, LinearModel, LinearSystem
from agentic.planning.goal import ActionGoal, Goal, LatentGoal, ObservationGoal, Quadratic
from agentic.tick import Decision, Tick


@final
class Tabular(Conditional):
    """The conditional -log p(y | parents) from a table (y, *parents); linear in every one-hot argument."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Buffer(table)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self._with(x, -self.table.log(), z)

    def given(self, x: Any) -> Categorical:
        if self.table.dim() == 1:  # no parents: x only carries the batch
            return Categorical(self.table.expand(*x.shape[:-1], -1))
        return Categorical(self._with(x, self.table))

    def _with(self, x: Any, table: Tensor, *z: Tensor) -> Tensor:
        parents = () if self.table.dim() == 1 else x if isinstance(x, tuple) else (x,)
        axes = "ijk"[: self.table.dim()]
        for axis, given in zip(axes[1:] + "i", (*parents, *z), strict=bool(z)):
            left = axes.replace(axis, "")
            table, axes = torch.einsum(f"...{axes},...{axis}->...{left}", table, given), left
        return table


@final
class Normal(Conditional):
    """The conditional -log N(y; sum_i W_i x_i + b, S) given the parents x_i."""

    def __init__(self, bias: Tensor, spread: Tensor, *weights: Tensor) -> None:
        super().__init__()
        for i, weight in enumerate(weights):
            self.register_buffer(f"weight_{i}", weight)
        self.parents = len(weights)
        self.bias = nn.Buffer(bias)
        self.spread = nn.Buffer(spread)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.given(x).energy(z)

    def given(self, x: Any) -> Gaussian:
        parents = x if isinstance(x, tuple) else (x,)
        mean: Tensor = self.bias
        for i in range(self.parents):
            mean = mean + parents[i] @ self.get_buffer(f"weight_{i}").T
        if not self.parents:  # x only carries the batch
            mean = mean.expand(*parents[0].shape[:-1], -1)
        return Gaussian(mean, self.spread.expand(*mean.shape, -1))


class Ladder(FiniteModel, Conjugate, Hindsight):
    """Four places seen with 5 % error; from the first, action 0 leads to the second and action 1 to the third.

    Who is at the third goes on to the fourth; the others stay. Nine moves in ten succeed, the tenth leaves all as is.
    """

    observation: Tabular
    transition: Tabular

    def __init__(self) -> None:
        super().__init__()
        seen = 0.95 * _eye(4) + 0.05 / 3 * (1 - _eye(4))
        self.latent, self.outcome, self.action = Simplex((4,)), Simplex((4,)), Simplex((2,))
        self.observation = Tabular(seen)
        moves = torch.stack([_moves([1, 1, 3, 3]), _moves([2, 1, 3, 3])], -1)
        self.transition = Tabular(0.9 * moves + 0.1 * _eye(4).unsqueeze(-1) * (1 - 4e-3) + 0.1 * 1e-3)
        self.prior = Tabular(torch.tensor([0.7, 0.1, 0.1, 0.1], dtype=torch.float64))

    def predict(self, belief: Belief, action: Tensor) -> Categorical:
        return self.transition.given((belief.mean, action.double()))

    def emit(self, belief: Belief) -> Categorical:
        return self.observation.given(belief.mean)

    def ambiguity(self, belief: Belief) -> Tensor:
        noise: Tensor = -torch.special.xlogy(self.likelihood(), self.likelihood()).sum(0)
        return belief.mean @ noise

    def likelihood(self) -> Tensor:
        return self.observation.table

    def dynamics(self) -> Tensor:
        return self.transition.table

    def condition(self, tick: Tick) -> dict[str, float]:
        """The number of rows that were seen; nothing else is learned."""
        self.version += 1
        return {"seen": float(tick.valid.sum())}

    def condition_on(self, ticks: Sequence[Tick], row: int, beliefs: Tensor, pairs: Tensor) -> dict[str, float]:
        """The number of steps that were seen; nothing else is learned."""
        self.version += 1
        return {"seen": float(len(ticks))}


class Cart(LinearModel):
    """Position and speed, pushed by one action, seen through the position."""

    observation: Normal
    transition: Normal

    def __init__(self, action: Domain | None = None) -> None:
        super().__init__()
        self.latent, self.outcome, self.action = Real((2,)), Real((1,)), action or Real((1,))
        A = torch.tensor([[1.0, 0.5], [0.0, 0.9]], dtype=torch.float64)
        B = torch.tensor([[0.0], [0.5]], dtype=torch.float64)
        C = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
        zero, noise = torch.zeros(2, dtype=torch.float64), torch.diag(torch.tensor([0.01, 0.02], dtype=torch.float64))
        self.observation = Normal(torch.zeros(1, dtype=torch.float64), _eye(1), C)
        self.transition = Normal(zero, noise, A, B)
        self.prior = Normal(zero, 2 * _eye(2))

    def system(self) -> LinearSystem:
        t, o = self.transition, self.observation
        A, B, C = t.get_buffer("weight_0"), t.get_buffer("weight_1"), o.get_buffer("weight_0")
        return LinearSystem(A, B, t.bias, t.spread, C, o.bias, o.spread)

    def predict(self, belief: Belief, action: Tensor) -> Gaussian:
        A, moved = self.system().A, self.transition.given((belief.mean, action.double()))
        return self._spread(moved, A @ _covariance(belief) @ A.T)

    def emit(self, belief: Belief) -> Gaussian:
        C, seen = self.system().C, self.observation.given(belief.mean)
        return self._spread(seen, C @ _covariance(belief) @ C.T)

    def ambiguity(self, belief: Belief) -> Tensor:
        return self.observation.given(belief.mean).entropy()

    def _spread(self, moved: Gaussian, more: Tensor) -> Gaussian:
        covariance = moved.covariance + more
        return Gaussian(moved.mean, covariance.expand(*moved.mean.shape, -1))


@final
class Costs(ObservationGoal):
    """The goal of `costs` (n,) in nats of observing each level."""

    def __init__(self, costs: list[float]) -> None:
        super().__init__()
        self.costs = nn.Buffer(torch.tensor(costs, dtype=torch.float64))

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z @ self.costs


class _Distance(Goal):
    """Half the weighted squared distance to `center`, in nats."""

    def __init__(self, center: list[float], weights: list[float]) -> None:
        super().__init__()
        self.center = nn.Buffer(torch.tensor(center, dtype=torch.float64))
        self.weights = nn.Buffer(torch.diag(torch.tensor(weights, dtype=torch.float64)))

    def forward(self, x: Any, z: Tensor) -> Tensor:
        gap = z - self.center
        return 0.5 * ((gap @ self.weights) * gap).sum(-1)

    def quadratic(self) -> Quadratic:
        return Quadratic(self.center, self.weights)


@final
class Distance(_Distance, LatentGoal):
    """Half the weighted squared distance of the latent to `center`, in nats."""


@final
class Exertion(_Distance, ActionGoal):
    """Half the weighted squared distance of the action to `center`, in nats."""


@final
class TwoPlaces(gymnasium.Env[np.int64, np.int64]):
    """Two places; the action names where to go and succeeds nine times in ten; being at the second pays 1.

    What is seen is the place. Ten steps, then truncated.
    """

    def __init__(self) -> None:
        self.observation_space, self.action_space = Discrete(2), Discrete(2)
        self.place, self.count = np.int64(0), 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.int64, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.count = np.int64(self.np_random.integers(2)), 0
        return self.place, {}

    def step(self, action: Any) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        if self.np_random.random() < 0.9:
            self.place = np.int64(action)
        self.count += 1
        return self.place, float(self.place), False, self.count == 10, {}

    def true_model(self) -> dict[str, Any]:
        """The arrays A, B, D, rewards and ends, as exact agents and metrics read them."""
        moves = np.stack([0.9 * np.eye(2)[:, [a, a]] + 0.1 * np.eye(2) for a in range(2)], -1)
        pays = np.array([[0.1 * place + 0.9 * action for action in range(2)] for place in range(2)])
        return {"A": [np.eye(2)], "B": [moves], "D": [np.full(2, 0.5)], "rewards": pays, "ends": np.zeros(2)}


@final
class Coin(Agent):
    """An agent that chooses one of two actions by a fair coin."""

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        action = Simplex((2,)).draw(len(obs), generator=generator, dtype=obs.dtype)
        return Decision(action, policy=Categorical(torch.full_like(action, 0.5)))


def interior(domain: Domain, batch: int, generator: torch.Generator) -> Tensor:
    """Random events (b, *event) float64: probabilities inside the simplex, draws elsewhere."""
    if isinstance(domain, Simplex):
        noise = torch.randn(batch, *domain.event, generator=generator, dtype=torch.float64)
        return torch.cat([torch.softmax(block, -1) for block in domain.blocks(noise)], -1)
    return domain.draw(batch, generator=generator)


def bounded(low: float, high: float, size: int = 1) -> Box:
    """A box of equal bounds."""
    return Box(torch.full((size,), low, dtype=torch.float64), torch.full((size,), high, dtype=torch.float64))


def _eye(n: int) -> Tensor:
    return torch.eye(n, dtype=torch.float64)


def _moves(targets: list[int]) -> Tensor:
    """(next, previous): where each place leads."""
    return torch.nn.functional.one_hot(torch.tensor(targets), 4).double().T


def _covariance(belief: Belief) -> Tensor:
    if not isinstance(belief, Gaussian):
        return torch.zeros(*belief.mean.shape, belief.mean.shape[-1], dtype=torch.float64)
    return belief.covariance
