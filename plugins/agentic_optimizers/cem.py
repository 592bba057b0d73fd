"""The cross-entropy method: sample candidates, keep the best, refit, repeat (Rubinstein 1999)."""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Box, Domain, Iterate, Minimizer, Objective, Repeated, Simplex, UserError


class Proposal(NamedTuple):
    """What candidates are drawn from: means (b, *event), and standard deviations (None for discrete events)."""

    mean: Tensor
    spread: Tensor | None


@final
@dataclass(frozen=True)
class CrossEntropy(Minimizer):
    """Lower any objective over a bounded box or over one-hot vectors, planning included; the best seen is kept.

    `samples` candidates a step, the best `elites` refit the proposal, `smoothing` of the old one is kept. A previous
    plan, one step shifted, is a start. Raises UserError for unbounded domains.
    """

    samples: int = 256
    elites: int = 26
    steps: int = 5
    smoothing: float = 0.1
    tolerance: float = -1.0

    def __post_init__(self) -> None:
        if not 1 <= self.elites <= self.samples or self.steps < 1 or not 0 <= self.smoothing < 1:
            raise UserError(f"cem expects 1 <= elites <= samples, steps >= 1 and 0 <= smoothing < 1, got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        base = _base(f.domain)
        start = f.start(z)
        spread = None
        if isinstance(base, Box):
            spread = ((base.high - base.low) / 4).to(start).expand_as(start).clone()
        else:
            start = 0.5 * start + 0.5 * f.domain.center(len(start), start.dtype)
        best = f.domain.project(start)
        value = f(best.unsqueeze(0))[0]
        return Iterate(best, value, torch.full_like(value, torch.inf), 1, Proposal(start, spread))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        proposal: Proposal = iterate.memory
        fresh = self._draw(f.domain, proposal, generator)
        values = torch.cat([iterate.value.unsqueeze(0), f(fresh)]).nan_to_num(nan=torch.inf)
        drawn = torch.cat([iterate.z.unsqueeze(0), fresh])
        order = values.topk(self.elites, dim=0, largest=False).indices
        index = order.reshape(*order.shape, *[1] * (drawn.dim() - 2)).expand(-1, -1, *drawn.shape[2:])
        elites = drawn.gather(0, index)
        keep = self.smoothing
        mean = keep * proposal.mean + (1 - keep) * elites.mean(0)
        spread = proposal.spread
        if spread is not None:
            spread = keep * spread + (1 - keep) * elites.std(0, correction=0)
        moved = (mean - proposal.mean).flatten(1).norm(dim=-1)
        return Iterate(elites[0], values.amin(0), moved, iterate.evaluations + len(fresh), Proposal(mean, spread))

    def _draw(self, domain: Domain, proposal: Proposal, generator: torch.Generator | None) -> Tensor:
        shape = (self.samples, *proposal.mean.shape)
        if proposal.spread is not None:
            noise = torch.randn(shape, generator=generator, dtype=proposal.mean.dtype)
            return domain.project(proposal.mean + proposal.spread * noise)
        noise = torch.rand(shape, generator=generator, dtype=proposal.mean.dtype)
        gumbel = -(-noise.clamp(min=1e-300).log()).log()
        return domain.project(proposal.mean.clamp(min=1e-300).log() + gumbel)


def _base(domain: Domain) -> Box | Simplex:
    base = domain.base if isinstance(domain, Repeated) else domain
    if isinstance(base, Simplex):
        return base
    if isinstance(base, Box) and bool((torch.isfinite(base.low) & torch.isfinite(base.high)).all()):
        return base
    raise UserError(f"cem needs bounded boxes or discrete variables, got {base}: bound the action space")
