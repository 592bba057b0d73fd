"""Stand-ins for what plugins bring: models, goals, gains, solvers and agents, each as plain as it can be.

Two models of any arrays (the worlds of `agentic.testing.worlds` have fixed ones), goals over them, one gain, and
solvers in a few lines: the core is tried with these, so that its tests need no plugin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import (
    ActionGoal,
    Agent,
    Belief,
    Categorical,
    ClosedForm,
    Conditional,
    Decision,
    Domain,
    Energy,
    FiniteModel,
    Gain,
    Gaussian,
    Goal,
    Iterate,
    LatentGoal,
    Learner,
    Minimizer,
    Model,
    Objective,
    ObservationGoal,
    Particles,
    Point,
    Real,
    Sampler,
    Simplex,
    Solution,
    Step,
    Tick,
)
from agentic.planning import Quadratic, state_gain
from agentic.testing.worlds import Cart, Ladder, Normal as NormalFactor, Tabular

F64 = torch.float64


def table(values: Any) -> Tensor:
    """Float64, whatever holds the numbers."""
    return torch.as_tensor(values, dtype=F64)


class Finite(FiniteModel):
    """One factor and one modality: A (outcomes, n), B (n, n, actions), D (n,)."""

    observation: Tabular
    transition: Tabular

    def __init__(self, A: Any, B: Any, D: Any) -> None:
        super().__init__()
        self.observation, self.transition, self.prior = Tabular(table(A)), Tabular(table(B)), Tabular(table(D))
        (outcomes, n), actions = self.observation.table.shape, self.transition.table.shape[2]
        self.latent, self.outcome, self.action = Simplex((n,)), Simplex((outcomes,)), Simplex((actions,))

    def predict(self, belief: Belief, action: Tensor) -> Categorical:
        return self.transition.given((belief.mean, action.to(F64)))

    def emit(self, belief: Belief) -> Categorical:
        return self.observation.given(belief.mean)

    def ambiguity(self, belief: Belief) -> Tensor:
        noise: Tensor = -torch.special.xlogy(self.likelihood(), self.likelihood()).sum(0)
        return belief.mean @ noise

    def likelihood(self) -> Tensor:
        return self.observation.table

    def dynamics(self) -> Tensor:
        return self.transition.table


@final
class Mortal(Finite):
    """The same where an episode ends with probability `ends` (n,) in each state that is entered."""

    def __init__(self, A: Any, B: Any, D: Any, ends: Any) -> None:
        super().__init__(A, B, D)
        self.ends: Tensor
        self.register_buffer("ends", table(ends))

    def alive(self, z: Tensor) -> Tensor:
        return z @ (1 - self.ends)


@final
class Linear(Cart):
    """z' = A z + B a + c + w, w ~ N(0, Q); obs = C z + d + v, v ~ N(0, R); z starts as N(mean, covariance)."""

    def __init__(self, A: Any, B: Any, Q: Any, R: Any, C: Any, **more: Any) -> None:
        super().__init__()
        A, B, C = table(A), table(B), table(C)
        self.latent, self.outcome, self.action = Real((len(A),)), Real((len(C),)), Real((B.shape[1],))
        c, d = table(more.get("c", [0.0] * len(A))), table(more.get("d", [0.0] * len(C)))
        mean, spread = table(more.get("mean", [0.0] * len(A))), table(more.get("covariance", [1.0] * len(A)))
        self.observation, self.transition = NormalFactor(d, _matrix(R), C), NormalFactor(c, _matrix(Q), A, B)
        self.prior = NormalFactor(mean, _matrix(spread))


@final
class Levels(ObservationGoal):
    """`costs` (outcomes,) in nats of seeing each level, `after` of every step once the episode has ended."""

    def __init__(self, costs: Any, *, after: float = 0.0) -> None:
        super().__init__()
        self.costs: Tensor
        self.register_buffer("costs", table(costs))
        self.after = after

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z.to(F64) @ self.costs

    def log_normalizer(self, x: Any) -> Tensor:
        return torch.logsumexp(-self.costs, 0)


class _Square(Goal):
    """(y - center)' weights (y - center) / 2 of some variable y (*s, b, d), in nats."""

    def __init__(self, weights: Any, center: Any = None) -> None:
        super().__init__()
        self.weights: Tensor
        self.center: Tensor
        self.register_buffer("weights", _matrix(weights))
        self.register_buffer("center", table([0.0] * len(self.weights) if center is None else center))

    def forward(self, x: Any, z: Tensor) -> Tensor:
        gap = z.to(F64) - self.center
        return 0.5 * ((gap @ self.weights) * gap).sum(-1)

    def quadratic(self) -> Quadratic:
        return Quadratic(self.center, self.weights)

    def log_normalizer(self, x: Any) -> Tensor:
        return 0.5 * torch.logdet(2 * torch.pi * torch.linalg.inv(self.weights))


@final
class SeenSquare(_Square, ObservationGoal):
    """A quadratic of the observation."""


@final
class LatentSquare(_Square, LatentGoal):
    """A quadratic of the latent."""


@final
class Toil(_Square, ActionGoal):
    """A quadratic of the action."""


@final
@dataclass(frozen=True)
class Look(Gain):
    """What the look after each step tells about the state there."""

    def start(self, model: Model, belief: Any) -> Any:
        return None

    def step(self, model: Model, memory: Any, step: Step, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        return None, {"state_gain": state_gain(model, step.after)}


@final
@dataclass(frozen=True)
class Descent(Minimizer):
    """z <- z - rate gradient; its residual is the gradient's norm."""

    steps: int = 300
    rate: float = 0.1
    tolerance: float = 1e-8

    def init(self, f: Objective, z: Any) -> Iterate:
        return self._at(f, f.start(z), 0)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return self._at(f, iterate.z - self.rate * iterate.memory[0], iterate.evaluations)

    def _at(self, f: Objective, z: Tensor, evaluations: int) -> Iterate:
        value, gradient = f.value_and_gradient(z)
        return Iterate(z, value, gradient.flatten(1).norm(dim=-1), evaluations + 1, (gradient,))


@final
@dataclass(frozen=True)
class Bell(Minimizer):
    """z <- z - H^-1 gradient; the belief is N(z, H^-1), the value its free energy where the energy is quadratic."""

    steps: int = 20
    tolerance: float = 1e-9

    def init(self, f: Objective, z: Any) -> Iterate:
        return self._at(f, f.start(z), 0)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        move = torch.linalg.solve(f.hessian(iterate.z), iterate.memory[0].unsqueeze(-1)).squeeze(-1)
        return self._at(f, iterate.z - move, iterate.evaluations)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        belief = Gaussian(iterate.z, torch.linalg.inv(f.hessian(iterate.z)))
        value = iterate.value + 0.5 * belief.mean.shape[-1] - belief.entropy()
        return iterate.solution(belief, value, "free_energy")

    def _at(self, f: Objective, z: Tensor, evaluations: int) -> Iterate:
        value, gradient = f.value_and_gradient(z)
        return Iterate(z, value, gradient.norm(dim=-1), evaluations + 1, (gradient,))


@final
@dataclass(frozen=True)
class Wander(Sampler):
    """Unadjusted Langevin steps, each of them a draw."""

    steps: int = 20
    rate: float = 0.05

    def init(self, f: Objective, z: Any) -> Iterate:
        return Iterate(f.start(z), f(f.start(z)), torch.full_like(f(f.start(z)), torch.nan), 1, ())

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        noise = torch.randn(iterate.z.shape, dtype=iterate.z.dtype, generator=generator)
        z = iterate.z - self.rate * f.gradient(iterate.z) + (2 * self.rate) ** 0.5 * noise
        value = f(z)
        return Iterate(z, value, iterate.residual, iterate.evaluations + 1, (*iterate.memory, (z, value)))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        draws = torch.stack([z for z, _ in iterate.memory])
        belief = Particles(draws, torch.zeros(draws.shape[:2], dtype=draws.dtype).log_softmax(0))
        return iterate.solution(belief, torch.stack([value for _, value in iterate.memory]).mean(0), "mean_energy")


@final
class Same(Agent):
    """Always the first value of a discrete action, or the middle of a box; `action` names another value."""

    def __init__(self, domain: Domain, action: int = 0) -> None:
        event = domain.center(1)
        self.event = domain.one_hot(torch.full((1, 1), action)) if isinstance(domain, Simplex) else event

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(self.event.to(obs.dtype).expand(len(obs), -1))


@final
class Absorbing(Learner):
    """Has a ladder absorb every tick."""

    def __init__(self, model: Ladder) -> None:
        self.model = model

    def update(self, tick: Tick) -> Mapping[str, float]:
        return self.model.condition(tick)


class Bowl(ClosedForm):
    """|z - x|^2, with derivatives in closed form."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.gradient(x, z).square().sum(-1) / 4

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        gap: Tensor = z - x
        return 2 * gap

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        return 2 * torch.eye(z.shape[-1], dtype=z.dtype).expand(*z.shape, -1)


class Quartic(Energy):
    """(sum z)^4 / 4, with derivatives by autograd."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z.sum(-1) ** 4 / 4


class Normal(Conditional):
    """-log N(z; x, 1)."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.given(x).energy(z)

    def given(self, x: Any) -> Gaussian:
        return Gaussian(x, torch.eye(x.shape[-1], dtype=x.dtype).expand(*x.shape, -1))


def point(*numbers: float) -> Point:
    """One row."""
    return Point(table([list(numbers)]))


def _matrix(values: Any) -> Tensor:
    """A square matrix, or a diagonal one of as many numbers."""
    square = table(values)
    return torch.diag(square) if square.dim() == 1 else square


FINITE = Finite([[0.9, 0.2], [0.1, 0.8]], [[[1.0, 0.3], [0.2, 0.5]], [[0.0, 0.7], [0.8, 0.5]]], [0.6, 0.4])
LINEAR = Linear(
    [[1.0, 0.1], [0.0, 0.9]],
    [[0.0], [0.5]],
    Q=[[0.2, 0.05], [0.05, 0.1]],
    R=[0.3],
    C=[[1.0, 0.5]],
    c=[0.1, -0.2],
    d=[0.4],
    mean=[1.0, -1.0],
    covariance=[0.5, 2.0],
)
