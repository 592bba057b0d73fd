"""Goals: preferences of an agent, as energies over what it expects to happen.

A goal scores one imagined step. Over outcomes or latents it is an energy of one variable; a reward is an improper
energy of latent and action. Lower is better, in nats.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple, Self

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Categorical, Density, Gaussian, Particles
from agentic.engine.domain import Simplex
from agentic.engine.energy import Energy, Given
from agentic.errors import UserError
from agentic.models.model import Model, Step

if TYPE_CHECKING:
    from agentic.environments.environment import Environment


class Quadratic(NamedTuple):
    """The quadratic `(y - center)' weights (y - center) / 2`: center (d,), weights (d, d), float64."""

    center: Tensor
    weights: Tensor


class Goal(Energy):
    """An energy of what is expected to happen in one step.

    `after` is the energy in nats of every step once the episode has ended (0: being over costs nothing).

    >>> import agentic, torch
    >>> class LeftIsBetter(agentic.ObservationGoal):
    ...     def forward(self, x, obs):
    ...         return obs[..., 0]
    >>> LeftIsBetter()(None, torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    tensor([ 1., -1.])
    """

    after: float = 0.0

    @abstractmethod
    def expected(self, model: Model, step: Step) -> Tensor:
        """The pragmatic value of one step: the goal energy expected under the beliefs of `step`, (*s, b)."""

    def outcome_entropy(self, model: Model, step: Step) -> Tensor | None:
        """The entropy (*s, b) of the variable the goal is about, by which risk is split off; None where it has none."""
        return None

    def log_normalizer(self, x: Given) -> Tensor | None:
        """The `log Z` for which `exp(-E - log Z)` is a probability, in nats; None where it is unknown or infinite."""
        return None

    def quadratic(self) -> Quadratic | None:
        """The goal as a quadratic of its variable, None where it is not one."""
        return None

    def for_env(self, env: "Environment") -> Self:
        """The goal in another world, which an intervention announces; by default this one."""
        return self


class Absorbing(ABC):
    """A goal that is over where it is reached; plans of open loop count that beside the ends the model knows."""

    @abstractmethod
    def alive(self, z: Tensor) -> Tensor | None:
        """The probability (*s, b) that it goes on where latent `z` (*s, b, *event) is entered; None for always."""


class GoalOverTime(Goal):
    """A goal that differs from step to step of a plan: only what imagines plans step by step can follow it."""

    @abstractmethod
    def at(self, t: int) -> Goal:
        """The goal of step `t` of a plan, counted from now."""


class ObservationGoal(Goal):
    """A goal over observations: `forward(None, obs)`."""

    def expected(self, model: Model, step: Step) -> Tensor:
        return expectation(self, model.emit(step.after))

    def outcome_entropy(self, model: Model, step: Step) -> Tensor | None:
        return _entropy(model.emit(step.after))


class LatentGoal(Goal):
    """A goal over latents: `forward(None, z)`."""

    def expected(self, model: Model, step: Step) -> Tensor:
        return expectation(self, step.after)

    def outcome_entropy(self, model: Model, step: Step) -> Tensor | None:
        return _entropy(step.after)


class CostToGo(LatentGoal):
    """A goal over where a course ends that is learned, `forward(None, z)`: the least energy still to come from there.

    Whoever learns it first says by `cover` between what the energies lie, then lowers `errors` over its weights.
    """

    @property
    def taught(self) -> bool:
        """Whether it was learned, or began as something that is worth having."""
        return True

    @abstractmethod
    def cover(self, z: Tensor, low: float, high: float, *, generator: torch.Generator) -> None:
        """Take scales from latents `z` (n, d), and that no energy to come lies below `low` or above `high`, in nats.

        What was learned stays. The first call draws the weights.
        """

    @abstractmethod
    def errors(self, z: Tensor, values: Tensor) -> Tensor:
        """The squared errors (n,) at latents `z` (n, d), in some unit, where the energies to come are `values` (n,)."""


class RewardGoal(Goal):
    """A goal over latent and action: `forward(z, action)`, linear in the latent where that is discrete.

    A latent of several discrete factors comes as the probabilities of its joint values.
    """

    def expected(self, model: Model, step: Step) -> Tensor:
        if isinstance(step.before, Gaussian):
            raise UserError(f"{self.name}: a reward over a Gaussian belief needs a goal over latents or observations")
        if isinstance(step.before, Particles):
            return step.before.expected(self(step.before.z, step.action))
        if isinstance(step.before, Categorical) and len(step.before.sizes) > 1:
            return self(Simplex(step.before.sizes).joint(step.before.mean), step.action)
        return self(step.before.mean, step.action)


class ActionGoal(Goal):
    """A goal over actions, the cost of acting: `forward(None, action)`."""

    def expected(self, model: Model, step: Step) -> Tensor:
        return self(None, step.action)


def expectation(goal: Goal, belief: Belief) -> Tensor:
    """The expected energy `E_belief[goal]` in nats, (*s, b).

    Discrete goals are linear, particles are averaged, a Gaussian is integrated. Quadratic goals under a Gaussian are
    exact; others by `Gaussian.cubature`, exact to the third degree in z.
    """
    if isinstance(belief, Particles):
        return belief.expected(goal(None, belief.z))
    if not isinstance(belief, Gaussian):
        return goal(None, belief.mean)
    form = goal.quadratic()
    if form is not None:
        return goal(None, belief.mean) + 0.5 * (form.weights * belief.covariance).sum((-2, -1))
    return goal(None, belief.cubature()).mean(0)


def _entropy(belief: Belief) -> Tensor | None:
    return belief.entropy() if isinstance(belief, Density) else None
