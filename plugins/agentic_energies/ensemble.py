"""Probabilistic ensemble dynamics: several networks learned from the same experience.

Planning follows every member's own course (trajectory sampling, Chua et al. 2018); what the members disagree about is
what experience would teach.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import (
    Belief,
    Box,
    Domain,
    Environment,
    Gaussian,
    Loss,
    Model,
    Particles,
    Real,
    Replay,
    Simplex,
    Step,
    Trainable,
    UncertainWeights,
    UserError,
)
from agentic.learning import Experience, Recalling
from agentic.models import Courses
from agentic_energies.arrays import side_by_side
from agentic_energies.ensemble_gain import matched_gain
from agentic_energies.ensemble_network import EnsembleNetwork, EnsembleTransition
from agentic_energies.latent_layout import Layout
from agentic_energies.linear_factors import GaussianPrior, LinearObservation
from agentic_energies.units import check_size, warn_of_small

APART = 1e-5  # share of every variance that belongs to no other: keeps covariances invertible in float32


@final
@dataclass(frozen=True)
class EnsembleLoss(Loss):
    """The ensemble's loss: squared error of every member's mean, plus -log likelihood of the rest by its variance.

    Errors are in units of the spread. The variance sees the mean held fixed, so that no member can explain an error
    away as noise before it has learned (the beta-NLL of Seitzer et al. 2022 at beta = 1). Rows: inputs, what is left of
    the differences, members' shares, observations entered, and whether the episode ended there (their cross entropy is
    added where that is learned).
    """

    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        x, target, share, entered, ended = rows
        mean, log_variance = module.transition.answers(x.expand(module.transition.members, *x.shape))
        square = (mean - target).square()
        likelihood = 0.5 * (square.detach() * (-log_variance).exp() + log_variance)
        weight = share.T.unsqueeze(-1)
        value = (weight * (0.5 * square + 0.1 * likelihood)).sum(-1).mean()
        if module.ending is not None:
            score = module.ending_score(entered)
            value = value + torch.nn.functional.binary_cross_entropy_with_logits(score, ended)
        return value, {"squared_error": square.detach().mean()}


@final
class Ensemble(Model, UncertainWeights, Courses, Recalling, Trainable):
    """An ensemble model: `members` networks of `hidden` units for z' = z + f_k(z, a) + w, with w of a learned variance.

    The latent is the observation; with `memory` also those of so many steps before and the actions then, for worlds
    that hide part of their state; with `reward` the reward comes last. With `mortal` another network learns where
    episodes end. A Gaussian belief is pushed forward by its moments (cubature, approximate where a member is not
    linear), particle i by the mean of member i mod `members`. Discrete actions enter one-hot. `outcome` and `action`
    are the domains of what is seen and done. `sensor_noise` is the variance of what is observed in units of its
    variance in experience (absolute before there is any), `bootstrap` shares experience out among the members with
    replacement. Without the `linear` part, which all members share, they doubt more of what they have not seen, and
    need more experience. Raises UserError for discrete observations.
    """

    observation: LinearObservation
    transition: EnsembleTransition
    prior: GaussianPrior
    loss = EnsembleLoss()

    def __init__(
        self,
        outcome: Domain,
        action: Domain,
        *,
        members: int = 5,
        hidden: Sequence[int] = (32, 32),
        memory: int = 0,
        reward: bool = False,
        mortal: bool = False,
        sensor_noise: float = 1e-8,
        bootstrap: bool = False,
        linear: bool = True,
    ) -> None:
        super().__init__()
        if isinstance(outcome, Simplex) or len(outcome.event) != 1:
            raise UserError(f"an ensemble needs observations that are vectors of real numbers, got {outcome}")
        if members < 1 or not hidden or min(hidden) < 1 or memory < 0 or not 1e-12 <= sensor_noise <= 1e6:
            given = f"{members}, {list(hidden)}, {memory} and {sensor_noise}"
            raise UserError(
                f"expected members and hidden units > 0, memory >= 0, 1e-12 <= sensor_noise <= 1e6, got {given}"
            )
        self.predicts_reward = reward
        d, layout = outcome.size, Layout(outcome.size, action.size, memory, reward)
        n = layout.size
        self.outcome, self.action, self.latent = outcome, action, Real((n,))
        self.bootstrap, self.sensor_noise = bootstrap, sensor_noise
        edge = torch.full((d,), torch.inf)
        low, high = (outcome.low, outcome.high) if isinstance(outcome, Box) else (-edge, edge)
        eye = torch.eye(d, n, dtype=torch.float64)
        self.observation = LinearObservation(eye, eye.new_zeros(d), sensor_noise * eye[:, :d]).float()
        self.transition = EnsembleTransition(members, hidden, layout, low.float(), high.float(), linear)
        self.prior = GaussianPrior(torch.zeros(n), torch.eye(n))
        self.ending = EnsembleNetwork(1, [d, 32, 1]) if mortal else None

    @classmethod
    def from_env(cls, env: Environment, **parameters: Any) -> Self:
        """An ensemble to be learned from `env`."""
        return cls(env.observation, env.action, **parameters)

    @classmethod
    def example(cls) -> Self:
        """Three members for two observations and one force, not yet taught, of a narrow start."""
        model = cls(Real((2,)), Real((1,)), members=3, hidden=(8,), sensor_noise=2**-6)
        model.initialize(generator=torch.Generator().manual_seed(0))
        model.prior.covariance.mul_(0.01)
        model = model.double()
        model.observation.take_noise(torch.full((2,), 2**-6, dtype=torch.float64))
        return model

    def initialize(self, *, generator: torch.Generator) -> None:
        self.transition.network.initialize(generator=generator)
        if self.ending is not None:
            self.ending.initialize(generator=generator)

    def dataset(self, replay: Replay, *, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Scales from all experience, then the rows that the loss takes; none while episodes are too short."""
        t, layout = self.transition, self.transition.layout
        seen = self._experience(replay)
        if not len(seen.obs):
            return (seen.obs,)
        check_size("observation", torch.cat([seen.obs[:, -1], seen.next_obs[:, -1]]))
        if layout.reward:
            check_size("reward", seen.reward[:, -1:])
        if not t.taught:
            warn_of_small("observation", seen.obs[:, -1])
        z, action = _latents(seen, layout), seen.action[:, -1]
        change = torch.cat([seen.next_obs[:, -1] - seen.obs[:, -1], seen.reward[:, -1:]], -1)[:, : layout.learned]
        d, taught = layout.obs, bool(t.taught)
        center, scale = t.center[:d].clone(), t.scale[:d].clone()
        inputs, left = t.rescale(z, action, change)
        if self.ending is not None and taught:  # it sees observations in the same units
            self.ending.fold_inputs(t.scale[:d] / scale, (t.center[:d] - center) / scale)
        self.prior.mean.copy_(z.mean(0))
        spread = z.var(0, correction=0).clamp(min=1e-6)
        noise = self.sensor_noise * spread
        t.floor.copy_(noise)
        self.observation.take_noise(noise[: layout.obs])
        self.prior.covariance.copy_(z.T.cov(correction=0) + torch.diag(noise + APART * spread))
        shares = torch.ones(len(z), t.members, dtype=z.dtype)
        if self.bootstrap:
            shares = torch.poisson(shares, generator=generator)
        ended = seen.terminated[:, -1]
        return inputs, left, shares, seen.next_obs[:, -1], ended

    def _experience(self, replay: Replay) -> Experience:
        """Windows of experience in the model's own dtype and on its device."""
        return Experience(
            *(part.to(self.transition.center) for part in replay.windows(self.transition.layout.memory + 1))
        )

    def recalled(self, replay: Replay) -> Tensor:
        return _latents(self._experience(replay), self.transition.layout)

    def alive(self, z: Tensor) -> Tensor | None:
        return None if self.ending is None else torch.sigmoid(-self.ending_score(z))

    def ending_score(self, z: Tensor) -> Tensor:
        """The log odds (*s, b) that an episode ends where it enters latents or observations `z`."""
        assert self.ending is not None
        d, t = self.transition.layout.obs, self.transition
        x = (z[..., :d] - t.center[:d]) / t.scale[:d]
        score: Tensor = self.ending(x.reshape(1, -1, d)).reshape(z.shape[:-1])
        return score

    def parameter_gain(self, path: Sequence[Step]) -> Mapping[str, Tensor]:
        """The joint information about the member, of the path's steps at their beliefs' means, credited at the latents.

        An upper bound (the mixture's entropy is that of a Gaussian of its moments), capped at ln members.
        """
        looks = [self.transition.shared(step.before.mean, step.action) for step in path]
        means, variances = (side_by_side(*each) for each in zip(*looks, strict=True))
        return {"latent_parameter_gain": matched_gain(means, variances)}

    def initial_belief(self, belief: Belief) -> Particles:
        """The belief at the start of imagined courses: a particle for each member, at the belief's mean."""
        z = belief.mean.expand(self.transition.members, *belief.mean.shape)
        return Particles(z, torch.full(z.shape[:-1], -log(len(z)), dtype=z.dtype, device=z.device))

    def predict(self, belief: Belief, action: Tensor) -> Belief:
        if isinstance(belief, Particles):
            return self._moved(belief, action)
        points = belief.cubature() if isinstance(belief, Gaussian) else belief.mean.unsqueeze(0)
        points = points.view(len(points), *[1] * (action.dim() - belief.mean.dim()), *belief.mean.shape)
        means, variances = self.transition.shared(points, action)
        gap = means - means.mean((0, 1))
        spread = (gap.unsqueeze(-1) * gap.unsqueeze(-2)).mean((0, 1)) + torch.diag_embed(variances.mean((0, 1)))
        apart = torch.diag_embed(APART * spread.diagonal(dim1=-2, dim2=-1))
        return Gaussian(means.mean((0, 1)), spread + apart)

    def _moved(self, belief: Particles, action: Tensor) -> Particles:
        z, members = belief.z, self.transition.members
        if len(z) == members:
            after = self.transition.own(z, action)
        elif len(z) % members:
            raise UserError(f"{len(z)} particles cannot be shared by {members} members: take a multiple of them")
        else:
            grouped = z.reshape(-1, members, *z.shape[1:]).movedim(1, 0)
            after = self.transition.own(grouped, action).movedim(0, 1).flatten(0, 1)
        return Particles(after, belief.log_weights.expand(after.shape[:-1]))

    def course(self, z: Tensor, actions: Tensor) -> Tensor:
        return self.transition.course(z, actions)

    def emit(self, belief: Belief) -> Belief:
        if isinstance(belief, Particles):  # what is seen is the first part of a latent
            return Particles(belief.z[..., : self.transition.layout.obs], belief.log_weights)
        return self.observation.push(belief)

    def ambiguity(self, belief: Belief) -> Tensor:
        return self.observation.ambiguity(belief)


def _latents(seen: Experience, layout: Layout) -> Tensor:
    """Latents (n, size) at the last step of windows (n, memory + 1, *event), their reward 0."""
    recent = [seen.obs[:, -1 - lag] for lag in range(layout.memory + 1)]
    done = [seen.action[:, -1 - lag] for lag in range(1, layout.memory + 1)]
    z = torch.cat([*recent, *done], -1)
    return torch.nn.functional.pad(z, (0, int(layout.reward)))
