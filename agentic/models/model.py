"""Generative models written as energies: what is seen given a latent, how latents follow, how they start.

`predict` is the push-forward of a belief through the transition, never an argmin. Perceiving is lowering `Evidence`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self, final

import torch
from torch import Tensor, nn

from agentic.engine.belief import Belief
from agentic.engine.domain import Domain, Simplex
from agentic.engine.energy import Conditional

if TYPE_CHECKING:
    from agentic.environments.environment import Environment


class Step(NamedTuple):
    """One imagined step: the belief about the latent before acting, the action (*s, b, *event), the belief after."""

    before: Belief
    action: Tensor
    after: Belief


class Model(nn.Module, ABC):
    """A generative model: `prior` p(z), `observation` p(obs | z), `transition` p(z' | z, a), all normalized.

    `observation(z, obs)`, `transition((z, a), z')` and `prior(c, z)` with a context `c` (b, 0) that only carries the
    batch. `version` counts the changes of the weights.
    """

    observation: Conditional
    transition: Conditional
    prior: Conditional
    latent: Domain
    outcome: Domain
    action: Domain
    version: int = 0
    predicts_reward: bool = False
    """Whether the last latent is the reward of the step that led there."""
    log_habits: Tensor | None = None
    """ln E: the prior over the actions of every step, (actions,), where those are finite; None is uniform."""

    @abstractmethod
    def predict(self, belief: Belief, action: Tensor) -> Belief:
        """The push-forward q'(z') = E_q[p(z' | z, a)] of a belief under an action (*s, b, *event)."""

    @abstractmethod
    def emit(self, belief: Belief) -> Belief:
        """What it expects to observe: the push-forward through the observation."""

    @abstractmethod
    def ambiguity(self, belief: Belief) -> Tensor:
        """`E_q[H[p(obs | z)]]` in nats, (*s, b), summed over modalities."""

    def initial_belief(self, belief: Belief) -> Belief:
        """Where imagined courses start: the belief, in the family that this model carries through a plan.

        A model of many members may give a particle to each. Default: the belief itself.
        """
        return belief

    @property
    def alive(self) -> Callable[[Tensor], Tensor] | None:
        """Probability that the episode goes on once `z` (*s, b, *event) is entered, (*s, b); None: it always does.

        Override it by a method `alive(z)`, or by a property where only some models of a class end.
        """
        return None

    def condition_on_alive(self, belief: Belief) -> tuple[Belief, Tensor | None]:
        """The belief given that the episode goes on and the probability of that, None where it always does."""
        return (belief, None) if self.alive is None else belief.reweighted(self.alive)

    def parameter_gain(self, path: Sequence[Step]) -> Mapping[str, Tensor]:
        """Joint information a path is expected to give about the weights, in nats (*s, b), under its own name.

        `parameter_gain` where it is learned from what is observed, `latent_parameter_gain` where the transition is
        credited at the latents. Empty (the default) where the weights are certain.
        """
        return {}

    def begin(self, batch: int) -> Belief:
        """The prior belief of `batch` fresh episodes."""
        return self.prior.given(torch.empty(batch, 0))

    def for_env(self, env: "Environment") -> Self:
        """The model of another world, which an intervention announces. Default: it does not listen."""
        return self


class FiniteModel(Model):
    """A model whose latents, observations and actions are finite: what enumeration and belief trees open."""

    latent: Simplex
    outcome: Simplex
    action: Simplex

    @abstractmethod
    def likelihood(self) -> Tensor:
        """p(o | z) over joint outcomes, last modality fastest: (outcomes, n)."""

    @abstractmethod
    def dynamics(self) -> Tensor:
        """p(z' | z, a) over joint states: (n, n, actions)."""


@final
@dataclass(frozen=True)
class LinearSystem:
    """z' = A z + B a + c + w, w ~ N(0, Q); obs = C z + d + v, v ~ N(0, R). Unbatched float64 tensors."""

    A: Tensor
    B: Tensor
    c: Tensor
    Q: Tensor
    C: Tensor
    d: Tensor
    R: Tensor


class LinearModel(Model):
    """A linear-Gaussian model: what Riccati and covariance recursions open."""

    @abstractmethod
    def system(self) -> LinearSystem:
        """The matrices (at the mean of the weights, where those are uncertain)."""
