"""Bayes' rule: the exact posterior of discrete latents, in one pass; of several factors by variable elimination."""

from dataclasses import dataclass
from typing import Any, final

import torch

from agentic import Categorical, Iterate, Minimizer, Objective, Simplex, Solution, UserError
from agentic_optimizers.elimination import best_order, eliminate
from agentic_optimizers.factor_graph import Graph


@final
@dataclass(frozen=True)
class Exact(Minimizer):
    """The lowest free energy over all distributions: q = exp(-E) / Z, where it is -log Z (Bayes).

    For energies linear in the probabilities of one factor, as those of categorical models on their joint state, and for
    several factors whose energy is a sum of tables, as those of factored models. There the belief holds the factors'
    exact marginals, and leaves out how they depend on each other; the value is that of the joint distribution. The
    diagnostic `largest` is the number of entries of the largest table in between, for all rows. Raises UserError where
    that would be more than `limit`, before anything is computed, and for other energies and continuous latents.
    """

    steps: int = 1
    limit: int = 50_000_000

    def init(self, f: Objective, z: Any) -> Iterate:
        if isinstance(f.domain, Simplex) and len(f.domain.sizes) == 1:
            scores = -f.gradient(f.start(z))
            value = -torch.logsumexp(scores, -1)
            return Iterate(torch.softmax(scores, -1), value, torch.zeros_like(value), 1)
        graph = Graph.of(f, z)
        if graph is None:
            raise UserError(
                f"exact needs one discrete latent or a sum of tables, got {f.domain}: use mirror for several"
            )
        order = best_order(graph.sizes, graph.scopes)
        largest = order.largest * graph.rows
        if largest > self.limit:
            raise UserError(
                f"exact would need a table of {largest:,} entries ({order.largest:,} for each of {graph.rows} rows), "
                f"more than its limit of {self.limit:,}: use belief_propagation or mirror"
            )
        marginals, value = eliminate(graph, order)
        return Iterate(graph.belief(marginals), value, torch.zeros_like(value), 1, largest)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        assert isinstance(f.domain, Simplex)
        stated = {} if iterate.memory is None else {"largest": torch.tensor(iterate.memory)}
        return iterate.solution(Categorical(iterate.z, f.domain.sizes), kind="free_energy", diagnostics=stated)
