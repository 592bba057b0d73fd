"""The particle filter: a prior's particles, weighed by what is observed (Gordon, Salmond and Smith 1993)."""

from dataclasses import dataclass
from math import log
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Belief, Evidence, Iterate, Objective, Particles, Point, Sampler, Solution, UserError
from agentic.engine import Either, PushForward, uniform_like


class Weighing(NamedTuple):
    """The effective sample size of the weights (b,), and which rows were resampled (b,)."""

    ess: Tensor
    resampled: Tensor


@final
@dataclass(frozen=True)
class ParticleFilter(Sampler):
    """The particle filter: each particle of the prior belief is weighed by exp(-energy of the observation).

    It opens `Evidence`. Particles are taken as they come; the mixture that particles become under a transition moves
    each of them once; of any other belief `particles` are drawn. Rows whose effective sample size 1 / sum w^2 falls
    below `threshold` of their number are resampled systematically (Kitagawa 1996). The value is minus the logarithm of
    the mean weight, which estimates the evidence without bias. One step is all there is to do.
    """

    steps: int = 1
    particles: int = 1000
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.steps < 0 or self.particles < 1 or not 0 <= self.threshold <= 1:
            raise UserError(f"particle_filter expects particles >= 1 and threshold in [0, 1], got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, Evidence):
            raise UserError(
                f"particle_filter weighs a prior belief by an observation: expected Evidence, got {type(f).__name__}"
            )
        place = f.prior.mean
        value = f.model.observation(place, f.obs)
        return Iterate(place, value, torch.full_like(value, torch.nan), 1)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        return super().run(f, iterate, min(steps, 1), generator=generator)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        assert isinstance(f, Evidence)
        prior = _particles(f.prior, self.particles, generator)
        joint = prior.log_weights - f.model.observation(prior.z, f.obs)
        log_evidence = torch.logsumexp(joint, 0)
        possible = log_evidence.isfinite()
        weights = torch.where(possible, joint - log_evidence, prior.log_weights)
        ess = 1 / weights.exp().square().sum(0)
        short = ess < self.threshold * len(weights)
        belief = Particles(prior.z, weights)
        if bool(short.any()):
            belief = _resampled(belief, generator).where(short, belief)
        return Iterate(belief, -log_evidence, iterate.residual, iterate.evaluations + 1, Weighing(ess, short))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        shown = {} if iterate.memory is None else iterate.memory._asdict()
        belief = iterate.z if isinstance(iterate.z, Particles) else Point(iterate.z)
        return iterate.solution(belief, kind="free_energy", diagnostics=shown)


def _particles(belief: Belief, count: int, generator: Any) -> Particles:
    """The belief as particles: `count` of them, unless it consists of particles."""
    if isinstance(belief, Particles):
        return belief
    if isinstance(belief, PushForward):
        return belief.moved(generator)
    if isinstance(belief, Either):
        first, second = (_particles(part, count, generator) for part in (belief.first, belief.second))
        if len(first.z) != len(second.z):
            first, second = (_drawn(part, count, generator, len(belief.mask)) for part in (first, second))
        return first.where(belief.mask, second)
    return _drawn(belief, count, generator, len(belief.mean))


def _drawn(belief: Belief, count: int, generator: Any, batch: int) -> Particles:
    z = belief.sample(count, generator)
    return Particles(z, torch.full((count, batch), -log(count), dtype=z.dtype, device=z.device))


def _resampled(belief: Particles, generator: Any) -> Particles:
    """As many particles of equal weight: of each row's cumulated weights, one every 1/k from a random start on."""
    weights = belief.log_weights
    count, cumulated = len(weights), weights.exp().cumsum(0).T.contiguous()
    start = uniform_like(weights[:1].T, generator)
    places = (start + torch.arange(count, dtype=weights.dtype, device=weights.device)) / count
    chosen = torch.searchsorted(cumulated, places, right=True).clamp(max=count - 1).T
    index = chosen.view(*chosen.shape, *[1] * (belief.z.dim() - 2)).expand_as(belief.z)
    return Particles(torch.gather(belief.z, 0, index), torch.full_like(weights, -log(count)))
