"""Belief propagation: sum-product messages on a factor graph, exact on trees, an approximation where it has loops."""

from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple, Self, final

import torch
from torch import Tensor

from agentic import Categorical, Iterate, Minimizer, Objective, Simplex, Solution, UserError
from agentic_optimizers.factor_graph import Graph, summed, together
from agentic_optimizers.rounding import above_rounding
from agentic_optimizers.window import Scoped

Messages = dict[tuple[int, int], Tensor]  # from table i to variable v, costs (size, b)


class Memory(NamedTuple):
    """The graph and the messages on it."""

    graph: Graph
    messages: Messages

    def where(self, mask: Tensor, other: Self) -> Self:
        """The messages of this one in rows where `mask` (b,) is true, those of `other` elsewhere."""
        return self._replace(
            messages={key: torch.where(mask, said, other.messages[key]) for key, said in self.messages.items()}
        )


@final
@dataclass(frozen=True)
class BeliefPropagation(Minimizer):
    """Sum-product on tables over discrete variables: one sweep asks every table in turn, there and back.

    A message is -ln sum exp(-costs) over the other variables of a table; `damping` is the share of the old message that
    a new one keeps. The belief holds the variables' marginals. The value is the Bethe free energy: the costs of tables
    less their entropies, in which every variable is counted once. Where the graph is a tree it is minus the log
    evidence, and a few sweeps find it; else it is no bound, and the diagnostic `loopy` says so. Residual: the largest
    change of a probability in a message. Where loops oscillate, damp. Raises UserError for what is no sum of tables.
    """

    steps: int = 64
    damping: float = 0.0
    tolerance: float = 1e-12

    def __post_init__(self) -> None:
        if self.steps < 0 or not 0 <= self.damping < 1:
            raise UserError(f"belief_propagation expects steps >= 0 and damping in [0, 1), got {self}")

    def init(self, f: Objective, z: Any) -> Iterate:
        graph = Graph.of(f, z)
        if graph is None:
            raise UserError(
                f"belief_propagation needs one discrete latent or a sum of tables, got {f.domain}: use mirror"
            )
        messages: Messages = {}
        for i, (costs, over) in enumerate(graph.tables):
            for v in over:  # one that looks at nothing else has said all
                even = costs.new_zeros(graph.sizes[v], graph.rows)
                messages[i, v] = _message(graph, messages, i, v) if len(over) == 1 else even
        start = _at(graph, messages)
        return replace(start, residual=torch.full_like(start.value, inf))

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        graph, old = iterate.memory
        new, linking = dict(old), [i for i, over in enumerate(graph.scopes) if len(over) > 1]
        for i in [*linking, *linking[-2::-1]]:
            for v in graph.scopes[i]:
                sent = _message(graph, new, i, v)
                new[i, v] = (1 - self.damping) * sent + self.damping * new[i, v] if self.damping else sent
        changes = [(torch.exp(-new[key]) - torch.exp(-old[key])).abs().amax(0) for key in new]
        after = _at(graph, new)
        residual = above_rounding(torch.stack(changes).amax(0), lambda: 1 + after.value.abs())
        return replace(after, residual=residual)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        assert isinstance(f.domain, Simplex)
        belief, loopy = Categorical(iterate.z, f.domain.sizes), torch.tensor(_loopy(iterate.memory.graph))
        return iterate.solution(belief, kind="free_energy", diagnostics={"loopy": loopy})


def _at(graph: Graph, messages: Messages) -> Iterate:
    """Beliefs and Bethe free energy, sum over variables of (tables - 1) ln Z less that over tables of ln Z."""
    marginals, parts = list[Tensor](), list[Tensor]()
    for v in range(len(graph.sizes)):
        total = _heard(graph, messages, v)
        marginals.append(torch.softmax(-total, 0))
        parts.append((len(graph.near[v]) - 1) * torch.logsumexp(-total, 0))
    for i, (costs, over) in enumerate(graph.tables):
        whole = together([(costs, over), *((_heard(graph, messages, v, i), (v,)) for v in over)], over)
        parts.append(summed(whole, over, ()))
    every = torch.stack(parts)
    value = torch.where(every.isinf().any(0), inf, every.sum(0))  # the one infinity there is: what is impossible
    return Iterate(graph.belief(marginals), value, value, 1, Memory(graph, messages))


def _message(graph: Graph, messages: Messages, i: int, v: int) -> Tensor:
    """What table i says of variable v, exp(-costs) summing to one where anything is possible."""
    costs, over = graph.tables[i]
    heard: list[Scoped] = [(_heard(graph, messages, u, i), (u,)) for u in over if u != v]
    sent = summed(together([(costs, over), *heard], over), over, (v,)).reshape(graph.sizes[v], -1)
    total = torch.logsumexp(-sent, 0)
    return (sent + torch.where(total.isinf(), 0.0, total)).expand(-1, graph.rows)


def _heard(graph: Graph, messages: Messages, v: int, but: int | None = None) -> Tensor:
    """The costs (size, b) that all tables but one say of a variable."""
    said = [messages[i, v] for i in graph.near[v] if i != but]
    return torch.stack(said).sum(0) if said else graph.tables[0][0].new_zeros(graph.sizes[v], graph.rows)


def _loopy(graph: Graph) -> bool:
    """Whether variables and tables are linked in a circle."""
    group = list(range(len(graph.sizes)))
    for over in graph.scopes:
        for v in over[1:]:
            if group[v] == group[over[0]]:
                return True
            group = [group[over[0]] if each == group[v] else each for each in group]
    return False
