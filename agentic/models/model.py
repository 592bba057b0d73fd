"""Generative models written as energies: observation, transition and prior.

`predict` is the push-forward of a belief through the transition, never an argmin. Perceiving is lowering `Evidence`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

import torch
from torch import Tensor, nn

from agentic.engine.belief import Belief, Categorical
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
    batch. `version` counts the changes of the weights: learning and loading add to it.

    >>> import agentic
    >>> model = agentic.load().resolve("energies", "categorical").example()
    >>> model.latent, model.outcome, model.action
    (Simplex(sizes=(2,)), Simplex(sizes=(2,)), Simplex(sizes=(2,)))
    >>> model.emit(model.begin(1)).mean
    tensor([[0.6200, 0.3800]], dtype=torch.float64)
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
        """The expected observation: the push-forward of a belief through `observation`."""

    @abstractmethod
    def ambiguity(self, belief: Belief) -> Tensor:
        """The ambiguity `E_q[H[p(obs | z)]]` in nats, (*s, b), summed over modalities."""

    def alive(self, z: Tensor) -> Tensor | None:
        """The probability (*s, b) that an episode goes on in which `z` (*s, b, *event) is entered; None for always."""
        return None

    @final
    def condition_on_alive(self, belief: Belief) -> tuple[Belief, Tensor | None]:
        """The belief given that the episode goes on, and the probability of that, None where it always does."""
        if isinstance(self, Branching) and isinstance(belief, Categorical):
            return self.survivors(belief)
        return belief.reweighted(self.alive)

    @final
    def begin(self, batch: int) -> Belief:
        """The prior belief of `batch` fresh episodes."""
        return self.prior.given(torch.empty(batch, 0))

    def for_env(self, env: "Environment") -> Self:
        """The model of another world, which an intervention announces; by default this one."""
        return self

    def _load_from_state_dict(self, *given: Any) -> None:
        super()._load_from_state_dict(*given)
        self.version += 1


class UncertainWeights(ABC):
    """A model with a belief about its weights, which says what a path is expected to teach about them."""

    @abstractmethod
    def parameter_gain(self, path: Sequence[Step]) -> Mapping[str, Tensor]:
        """The joint information that a path is expected to give about the weights, in nats (*s, b), under its own name.

        `parameter_gain` where it is learned from what is observed, `latent_parameter_gain` where the transition is
        credited at the latents. Empty while the weights are certain.
        """

    def initial_belief(self, belief: Belief) -> Belief:
        """The belief at the start of imagined courses, which may give each of many members a particle of its own."""
        return belief


class Courses(ABC):
    """A model that imagines whole courses of particles at once, each on its own."""

    @abstractmethod
    def course(self, z: Tensor, actions: Tensor) -> Tensor:
        """The latents (k, T, *s, b, d) after each of `actions` (T, *s, b, *event) where particles begin at `z`.

        `z` is (k, *s, b, d), or broadcasts to that; equal to T predictions one after the other.
        """


NEGLIGIBLE = 1e-14  # outcomes less likely than this are left out


class Branches(NamedTuple):
    """The possible futures of some beliefs, one step on: k of them, each a belief, an action and an outcome.

    `chance` (k,) of going on with that outcome; `node` (k,) the belief's row, `action` (k,) the number of the joint
    action, `outcome` (k, modalities) what is seen, `after` (k, n) the belief that has seen it.
    """

    chance: Tensor
    node: Tensor
    action: Tensor
    outcome: Tensor
    after: Tensor


class Branching(ABC):
    """A model of finitely many actions that lists what can follow a belief, which trees of beliefs are made of."""

    latent: Simplex
    action: Simplex

    @abstractmethod
    def branch(self, beliefs: Tensor) -> Branches:
        """What can follow beliefs (m, n): every joint action, and every joint outcome that is not negligible."""

    @abstractmethod
    def survivors(self, belief: Categorical) -> tuple[Belief, Tensor | None]:
        """The belief given that the episode goes on, and the probability of that, None where it always does."""


class FiniteModel(Model, Branching):
    """A model with finitely many latents, observations and actions, which enumeration and belief trees need."""

    latent: Simplex
    outcome: Simplex
    action: Simplex

    @abstractmethod
    def likelihood(self) -> Tensor:
        """The table p(o | z) over joint outcomes, last modality fastest: (outcomes, n)."""

    @abstractmethod
    def dynamics(self) -> Tensor:
        """The table p(z' | z, a) over joint states: (n, n, actions)."""

    def transported(self, mass: Tensor) -> Tensor:
        """The push-forward of `mass` (n, p), states first, under every joint action: (n, actions, p)."""
        table = self.dynamics()
        return (table.transpose(1, 2).reshape(-1, len(mass)) @ mass).view(len(mass), -1, mass.shape[-1])

    def successors(self) -> tuple[Tensor, Tensor]:
        """The states that can follow, and how likely: each (n, actions, k), padded with probability zero."""
        table = self.dynamics().permute(1, 2, 0)
        width = int((table != 0).sum(-1).max())
        order = (table != 0).to(torch.int8).argsort(dim=-1, descending=True, stable=True)[..., :width]
        return order, table.gather(-1, order)

    def ahead(self, values: Tensor) -> Tensor:
        """The mean of `values` (n,) of the state that follows each state and joint action, (n, actions)."""
        reached, chances = self.successors()
        return (chances * values[reached]).sum(-1)

    def changed(self, since: int) -> Tensor | None:
        """The states whose one-step energies may differ from those of version `since`; None for any of them."""
        return None

    def survival(self) -> Tensor | None:
        """The probability that an episode goes on where a state is entered, (n,); None where it always does."""
        return self.alive(torch.eye(self.latent.count, dtype=self.begin(1).mean.dtype))

    @final
    def survivors(self, belief: Categorical) -> tuple[Belief, Tensor | None]:
        survival = self.survival()
        return (belief, None) if survival is None else belief.given(survival)

    def revealing(self) -> bool:
        """Whether every joint outcome is known to give its state away, so that plans may stay with states."""
        return bool(((self.likelihood() != 0).sum(-1) <= 1).all())

    def outcomes(self, mass: Tensor, least: float = NEGLIGIBLE) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The joint outcomes likelier than `least` where the states have `mass` (n, p), in order.

        Their numbers, the columns they are of and their chances, (k,), and what the states have of each, (k, n).
        """
        likelihood = self.likelihood()
        chances = likelihood @ mass
        outcome, column = (chances > least).nonzero(as_tuple=True)
        return outcome, column, chances[outcome, column], mass.T[column] * likelihood[outcome]

    @final
    def branch(self, beliefs: Tensor) -> Branches:
        moved, survival = self.transported(beliefs.T), self.survival()
        moved = moved if survival is None else moved * survival.view(-1, 1, 1)
        outcome, column, chance, joint = self.outcomes(moved.flatten(1))
        count, seen = moved.shape[-1], torch.stack(torch.unravel_index(outcome, self.outcome.sizes), -1)
        return Branches(chance, column % count, column // count, seen, joint / chance.unsqueeze(-1))

    def seen(self, mass: Tensor) -> Tensor:
        """What is expected to be observed where the states have `mass` (n, p): modalities' blocks, (outcomes, p)."""
        return self.emit(Categorical(mass.T)).mean.T


@final
@dataclass(frozen=True)
class LinearSystem:
    """The matrices, float64, of z' = A z + B a + c + w, w ~ N(0, Q), and obs = C z + d + v, v ~ N(0, R)."""

    A: Tensor
    B: Tensor
    c: Tensor
    Q: Tensor
    C: Tensor
    d: Tensor
    R: Tensor


class LinearModel(Model):
    """A linear-Gaussian model, which Riccati and covariance recursions need."""

    @abstractmethod
    def system(self) -> LinearSystem:
        """The matrices (at the mean of the weights, where those are uncertain)."""
