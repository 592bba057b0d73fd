"""Stochastic gradient Langevin dynamics: samples of weights from minibatches (Welling and Teh 2011)."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Iterate, Objective, Particles, Real, Sampler, Solution, UserError
from agentic.engine import normal_like
from agentic_optimizers.mixing import Diagnostics
from agentic_optimizers.weight_posterior import WeightPosterior


class Trail(NamedTuple):
    """The state of the chain: the gradient at its place, the draws kept, each with rate and energy, the steps taken."""

    gradient: Tensor
    kept: tuple[tuple[Tensor, float, Tensor], ...]
    taken: int


@final
@dataclass(frozen=True)
class StochasticLangevin(Sampler):
    """Langevin dynamics on minibatches: z <- z - rate_t gradient + sqrt(2 rate_t) noise.

    The gradient of a `WeightPosterior` is from `batch` rows of data, rate_t = rate (1 + t)^-decay; the draws after
    `burn` steps, each `thin`-th, are particles weighted by their rate (Teh, Thiery and Vollmer 2016 advise a decay of
    1/3). Uncorrected: the law is off by the step size, as Langevin's, and by the noise of the minibatches, which adds
    rate_t^2 Cov[gradient] to the 2 rate_t I that is meant. Values are the minibatches' estimates. Other objectives over
    real vectors are sampled by their full gradient.
    """

    steps: int = 2000
    rate: float = 0.01
    burn: int = 500
    batch: int = 32
    decay: float = 0.0
    thin: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.burn < self.steps or not self.rate > 0 or not 0 <= self.decay <= 1:
            raise UserError(f"sgld expects 0 <= burn < steps, rate > 0 and a decay between 0 and 1, got {self}")
        if min(self.batch, self.thin) < 1:
            raise UserError(f"sgld expects batch and thin of at least 1, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Real) or len(f.domain.event) != 1:
            raise UserError(f"sgld walks in real vectors, got {f.domain}")
        start = f.start(z)
        value, gradient = f.value_and_gradient(start)
        return Iterate(start, value, torch.full_like(value, torch.nan), 1, Trail(gradient, (), 0))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        trail: Trail = iterate.memory
        rate = self.rate * (1 + trail.taken) ** -self.decay
        noise = normal_like(iterate.z, generator)
        z = iterate.z - rate * trail.gradient + sqrt(2 * rate) * noise
        part = f.minibatch(self.batch, generator=generator) if isinstance(f, WeightPosterior) else f
        value, gradient = part.value_and_gradient(z)
        kept, count = trail.kept, trail.taken + 1
        if count > self.burn and (count - self.burn) % self.thin == 0:
            kept = (*kept, (z, rate, value))
        return Iterate(z, value, iterate.residual, iterate.evaluations + 1, Trail(gradient, kept, count))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        kept = iterate.memory.kept or ((iterate.z, 1.0, iterate.value),)
        places, rates, values = zip(*kept, strict=True)
        draws, energies = torch.stack(places), torch.stack(values)
        weights = torch.tensor(rates, dtype=draws.dtype, device=draws.device)
        weights = weights / weights.sum()
        belief = Particles(draws, weights.log().unsqueeze(-1).expand(draws.shape[:2]))
        value = weights.to(energies) @ energies
        return iterate.solution(belief, value, "mean_energy", Diagnostics(draws, False, {}))
