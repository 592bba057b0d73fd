"""Mirror descent on the simplex: the minimization behind Bayes' rule and mean-field inference.

One step of size 1 on the joint categorical free energy is Bayes' rule from any interior start, and the free energy
there is minus log evidence. Several factors are settled one after another, so that no sweep raises the free energy.
"""

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import Categorical, Iterate, Minimizer, Objective, Simplex, Solution, UserError
from agentic_optimizers.rounding import above_rounding


@final
@dataclass(frozen=True)
class Mirror(Minimizer):
    """Mirror descent: q_f <- q_f^(1 - rate) exp(-rate dE/dq_f), normalized, for one factor f after another.

    Lowers F(q) = E(q) - H[q] for energies linear in every factor. Residual: the largest change of a probability that
    another sweep of size 1 would make at once. Raises UserError where what is impossible leaves no factor a choice.
    """

    steps: int = 16
    rate: float = 1.0
    tolerance: float = 1e-12

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0 < self.rate <= 1:
            raise UserError(f"mirror expects steps >= 0 and a rate in (0, 1], got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Simplex):
            raise UserError(f"mirror needs discrete latents, got {f.domain}: use newton or gradient")
        start = f.start(z)
        return self._at(f, f.domain, start, 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        assert isinstance(f.domain, Simplex)
        blocks, slope, evaluations = list(f.domain.blocks(iterate.z)), iterate.memory, iterate.evaluations
        for i, block in enumerate(blocks):
            if i > 0:
                slope, evaluations = f.gradient(torch.cat(blocks, -1)), evaluations + 1
            costs = f.domain.blocks(slope)[i]
            kept = 0.0 if self.rate == 1 else (1 - self.rate) * block.log()
            scores = kept - self.rate * costs  # of a factor whose values are all impossible even ones, and no NaN
            blocks[i] = torch.softmax(scores.clamp(min=torch.finfo(scores.dtype).min), -1)
        return self._at(f, f.domain, torch.cat(blocks, -1), evaluations + 1)

    def _at(self, f: Objective, domain: Simplex, q: Tensor, evaluations: int) -> Iterate:
        slope = f.gradient(q)
        value = f(q) - Categorical(q, domain.sizes).entropy()
        best = [torch.softmax(-costs, -1) for costs in domain.blocks(slope)]
        residual = (torch.cat(best, -1) - q).abs().amax(-1)
        return Iterate(q, value, above_rounding(residual, lambda: 1 + value.abs()), evaluations, slope)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        assert isinstance(f.domain, Simplex)
        return iterate.solution(Categorical(iterate.z, f.domain.sizes), kind="free_energy")
