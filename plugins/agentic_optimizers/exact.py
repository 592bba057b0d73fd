"""Bayes' rule: the exact posterior of a finite latent, in one pass."""

from dataclasses import dataclass
from typing import Any, final

import torch

from agentic import Categorical, Iterate, Minimizer, Objective, Simplex, Solution, UserError


@final
@dataclass(frozen=True)
class Exact(Minimizer):
    """The lowest free energy over all distributions on one factor: q = exp(-E) / Z, where it is -log Z (Bayes).

    For energies linear in the probabilities, as those of categorical models on their joint state. Raises UserError for
    latents of several factors or continuous ones.
    """

    steps: int = 1

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Simplex) or len(f.domain.sizes) > 1:
            raise UserError(f"exact needs one discrete latent, got {f.domain}: use mirror for several")
        scores = -f.gradient(f.start(z))
        value = -torch.logsumexp(scores, -1)
        return Iterate(torch.softmax(scores, -1), value, torch.zeros_like(value), 1)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return iterate.solution(Categorical(iterate.z), kind="free_energy")
