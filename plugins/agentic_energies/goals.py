"""Goals as energies: log preferences over outcomes, quadratic distances, and the effort of acting."""

from collections.abc import Iterable, Sequence
from math import inf, log, pi
from typing import Any, Self, final

import numpy as np
import torch
from torch import Tensor, nn

from agentic import (
    ActionGoal,
    ClosedForm,
    Environment,
    Goal,
    LatentGoal,
    Model,
    ObservationGoal,
    Simplex,
    Step,
    UserError,
)
from agentic.errors import shown
from agentic.planning import GoalOverTime, Quadratic
from agentic_energies.arrays import check_finite, finite, numbers, tensors
from agentic_energies.pymdp_arrays import of_one_agent

POSSIBLE = 1e-12  # probabilities below it are rounding errors and floors


@final
class LogPreferences(ObservationGoal):
    """The energy -C[o], summed over modalities: `values` one list of log preferences C per modality, in nats.

    C is used raw, as a log preference up to a constant: the log normalizer sum_m log sum exp C_m is kept apart and
    never added where plan lengths can differ. A level of -inf is forbidden: what may lead there with a probability
    above `POSSIBLE` has infinite energy. `after` is the energy of every step after the episode's end.
    """

    def __init__(self, values: Sequence[Any], *, after: float = 0.0) -> None:
        super().__init__()
        preferences = tensors("values", values, 1)
        if not all(map(len, preferences)) or not preferences:
            raise UserError(f"values expects one list of log preferences per modality, none empty, got {values}")
        self.sizes = tuple(len(c) for c in preferences)
        costs = -torch.cat(preferences)
        if bool(torch.isnan(costs).any() | torch.isneginf(costs).any()):
            raise UserError(f"values expects log preferences, numbers or -inf, got {values}")
        forbidden = torch.isposinf(costs)
        self.costs = nn.Buffer(costs.masked_fill(forbidden, 0.0))
        self.forbidden = nn.Buffer(forbidden.to(costs.dtype)) if bool(forbidden.any()) else None
        self.after = finite("after", after)

    @property
    def values(self) -> tuple[Tensor, ...]:
        """The log preferences C, (levels,) per modality; gradients pass through those that are set."""
        blocked = self.costs if self.forbidden is None else self.costs.masked_fill(self.forbidden > 0, inf)
        return torch.split(-blocked, list(self.sizes))

    @values.setter
    def values(self, values: Sequence[Tensor]) -> None:
        costs = -torch.cat(list(values))
        self.register_buffer("costs", costs if self.forbidden is None else costs.masked_fill(self.forbidden > 0, 0.0))

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """Preferences over the observations of `env`, checked against its levels."""
        goal = cls(**parameters)
        if not isinstance(env.observation, Simplex) or env.observation.sizes != goal.sizes:
            raise UserError(
                f"log_preferences has one value per level {goal.sizes}, the observations of {env.id} are "
                f"{env.observation}: give one list per modality with one value per level"
            )
        return goal

    @classmethod
    def from_pymdp(cls, C: Sequence[Any], *, after: float = 0.0) -> "LogPreferences | LogPreferencesOverTime":
        """The preferences `C` of a pymdp Agent, each (outcomes,), (steps, outcomes) or such of a batch of one.

        Raises UserError where C is no list of such arrays, one for each modality.
        """
        if isinstance(C, str) or not isinstance(C, Iterable) or not all(np.ndim(c) for c in C):
            raise UserError(f"C is a list of arrays, one (outcomes,) or (steps, outcomes) per modality, got {shown(C)}")
        one = [of_one_agent(f"C[{m}]", c, 2) for m, c in enumerate(C)]
        if max((len(c) for c in one if c.ndim == 2), default=1) > 1:
            return LogPreferencesOverTime(one, after=after)
        return cls([c.reshape(-1) for c in one], after=after)

    @classmethod
    def example(cls) -> Self:
        """Two levels, the first preferred."""
        return cls([[1.0, 0.0]])

    def forward(self, x: Any, z: Tensor) -> Tensor:
        z = z.to(self.costs.dtype)
        if z.shape[-1] != len(self.costs):
            raise UserError(f"log preferences over levels {self.sizes} are asked about {z.shape[-1]} levels in all")
        energy = z @ self.costs
        return energy if self.forbidden is None else energy.masked_fill(z @ self.forbidden > POSSIBLE, inf)

    def log_normalizer(self, x: Any) -> Tensor:
        liked = -self.costs if self.forbidden is None else (-self.costs).masked_fill(self.forbidden > 0, -inf)
        blocks = torch.split(liked, list(self.sizes))
        return torch.stack([torch.logsumexp(block, 0) for block in blocks]).sum()


@final
class LogPreferencesOverTime(GoalOverTime, ObservationGoal):
    """Log preferences for the steps of a plan, counted from now: `values` one list (steps, outcomes) per modality.

    The last row of a list holds for all steps that follow, and a list (outcomes,) for all.
    """

    def __init__(self, values: Sequence[Any], *, after: float = 0.0) -> None:
        super().__init__()
        rows = [c if c.dim() == 2 else c.unsqueeze(0) for c in tensors("values", values)]
        if any(c.dim() != 2 or 0 in c.shape for c in rows):
            shapes = [tuple(c.shape) for c in rows]
            raise UserError(f"values expects lists (outcomes,) or (steps, outcomes), got shapes {shapes}")
        steps = range(max(len(c) for c in rows))
        self.goals = nn.ModuleList(LogPreferences([c[min(t, len(c) - 1)] for c in rows], after=after) for t in steps)
        self.after = float(after)

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """Preferences over the observations of `env`, checked against its levels."""
        goal = cls(**parameters)
        first = goal.at(0)
        LogPreferences.from_env(env, values=torch.split(-first.costs, list(first.sizes)))
        return goal

    @classmethod
    def example(cls) -> Self:
        """Two levels, the first preferred now and the second later."""
        return cls([[[1.0, 0.0], [0.0, 1.0]]])

    def at(self, t: int) -> LogPreferences:
        goal = self.goals[min(t, len(self.goals) - 1)]
        assert isinstance(goal, LogPreferences)
        return goal

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.at(0)(x, z)


class _QuadraticForm(ClosedForm, Goal):
    """(y - center)' W (y - center) / 2 of some variable y (*s, b, d)."""

    def __init__(self, weights: Any, center: Any = None, *, after: float = 0.0) -> None:
        super().__init__()
        matrix = numbers("weights", weights)
        matrix = torch.diag(matrix) if matrix.dim() == 1 else matrix
        square = matrix.dim() == 2 and matrix.shape[0] == matrix.shape[1]
        if not square or not len(matrix) or not torch.equal(check_finite("weights", matrix), matrix.T):
            raise UserError(f"weights expects a list of numbers or a symmetric matrix, got shape {tuple(matrix.shape)}")
        spread = torch.linalg.eigvalsh(matrix)
        if float(spread.min()) < -1e-12 * float(matrix.abs().max()):
            raise UserError("weights must not have a negative direction: the goal would have no minimum")
        point = torch.zeros(len(matrix), dtype=matrix.dtype) if center is None else numbers("center", center)
        if point.shape != matrix.shape[:1]:
            raise UserError(f"center expects {len(matrix)} numbers as weights has, got shape {tuple(point.shape)}")
        self.weights = nn.Buffer(matrix)
        self.center = nn.Buffer(check_finite("center", point))
        proper = float(spread.min()) > 0
        self.log_z = 0.5 * (len(spread) * log(2 * pi) - float(spread.log().sum())) if proper else None
        self.after = finite("after", after)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        gap = z.to(self.weights.dtype) - self.center
        return 0.5 * ((gap @ self.weights) * gap).sum(-1)

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        return (z.to(self.weights.dtype) - self.center) @ self.weights

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        return self.weights.expand(*z.shape, z.shape[-1])

    def quadratic(self) -> Quadratic:
        return Quadratic(self.center, self.weights)

    def log_normalizer(self, x: Any) -> Tensor | None:
        return None if self.log_z is None else torch.tensor(self.log_z, dtype=self.weights.dtype)


@final
class QuadraticGoal(_QuadraticForm, ObservationGoal):
    """The goal (obs - center)' W (obs - center) / 2 in nats, with `weights` W a diagonal or a matrix.

    `center` defaults to 0. `after` is the energy of every step after the episode's end.
    """

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """The goal, checked against the size of the observations of `env`."""
        goal = cls(**parameters)
        if isinstance(env.observation, Simplex) or env.observation.size != len(goal.center):
            raise UserError(
                f"a quadratic goal of {len(goal.center)} weights does not fit the observations of {env.id}, "
                f"{env.observation}: give one weight per continuous observation"
            )
        return goal

    @classmethod
    def example(cls) -> Self:
        """Two observations toward (1, 0)."""
        return cls([2.0, 1.0], [1.0, 0.0])


@final
class QuadraticLatentGoal(_QuadraticForm, LatentGoal):
    """The goal (z - center)' W (z - center) / 2 over the latent, in nats, with `weights` W a diagonal or a matrix.

    `center` defaults to 0. `after` is the energy of every step after the episode's end.
    """

    @classmethod
    def example(cls) -> Self:
        """Two latents toward zero."""
        return cls([[2.0, 0.5], [0.5, 1.0]])


@final
class PredictedReward(LatentGoal):
    """The goal -scale x the last latent, the reward that a model predicts (`ensemble` with `reward = true`).

    `scale` is in nats per unit of reward, `after` the energy of every step after the episode's end.
    """

    def __init__(self, *, scale: float = 1.0, after: float = 0.0) -> None:
        super().__init__()
        if not 0 < scale < inf:
            raise UserError(f"predicted_reward expects scale > 0 nats per unit of reward, got {scale}")
        self.scale, self.after = float(scale), finite("after", after)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return -self.scale * z[..., -1]

    def expected(self, model: Model, step: Step) -> Tensor:
        if not model.predicts_reward:
            raise UserError(
                f"predicted_reward needs a model that predicts rewards, got {type(model).__name__}: "
                "use an ensemble with reward = true, or another goal"
            )
        return LatentGoal.expected(self, model, step)


@final
class Effort(_QuadraticForm, ActionGoal):
    """The effort scale |a - center|^2 / 2 of actions, in nats; the center defaults to that of the action space."""

    @classmethod
    def from_env(cls, env: Environment, *, scale: float = 1.0) -> Self:
        """Effort of acting in `env`, counted from the middle of its action space."""
        if not 0 <= scale < inf:
            raise UserError(f"effort expects scale >= 0 nats per squared unit of action, got {scale}")
        center = env.action.center(1)[0].flatten()
        return cls(scale * torch.eye(len(center), dtype=torch.float64), center)

    @classmethod
    def example(cls) -> Self:
        """Two actions."""
        return cls([1.0, 1.0])
