"""Variable elimination: exact marginals and evidence of a factor graph, without the joint state where that is sparse.

Variables are summed out one after the other; what is left of each is a table over its neighbors. The same tables,
handed back, give every variable's marginal (a tree of clusters, Shenoy and Shafer 1990).
"""

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from agentic_optimizers.factor_graph import Graph, summed, together
from agentic_optimizers.window import Scoped

Scope = tuple[int, ...]
Neighbors = dict[int, set[int]]


class Order(NamedTuple):
    """An order of elimination: per variable the cluster that is summed over, and the next cluster in which that ends.

    `clusters` in order, by variable; `largest` numbers, for each row, in the largest table between.
    """

    clusters: dict[int, Scope]
    into: dict[int, int | None]
    largest: int


@lru_cache(256)
def best_order(sizes: Scope, scopes: tuple[Scope, ...]) -> Order:
    """The better of two greedy orders: fewest links added, and smallest table (min-fill and min-weight)."""

    def weight(v: int, linked: Neighbors) -> tuple[int, int]:
        return prod(sizes[u] for u in {v} | linked[v]), v

    def fill(v: int, linked: Neighbors) -> tuple[int, ...]:
        missing = sum(len(linked[v] - linked[u]) - 1 for u in linked[v])
        return missing, *weight(v, linked)

    found = [_greedy(sizes, scopes, score) for score in (weight, fill)]
    return min(found, key=lambda order: order.largest)


def _greedy(sizes: Scope, scopes: tuple[Scope, ...], score: Callable[[int, Neighbors], tuple[int, ...]]) -> Order:
    linked: Neighbors = {v: {u for over in scopes if v in over for u in over} - {v} for v in range(len(sizes))}
    clusters: dict[int, Scope] = {}
    while linked:
        v = min(linked, key=lambda each: score(each, linked))
        around = linked.pop(v)
        clusters[v] = tuple(sorted({v} | around))
        for u in around:
            linked[u] = (linked[u] | around) - {u, v}
    place = {v: i for i, v in enumerate(clusters)}
    into = {v: min((u for u in over if u != v), key=place.__getitem__, default=None) for v, over in clusters.items()}
    return Order(clusters, into, max(prod(sizes[u] for u in over) for over in clusters.values()))


def eliminate(graph: Graph, order: Order) -> tuple[list[Tensor], Tensor]:
    """Every variable's probabilities (size, b), and minus the log of the sum of exp(-costs), (b,)."""
    clusters, place = order.clusters, {v: i for i, v in enumerate(order.clusters)}
    parts: dict[int, list[Scoped]] = {v: [] for v in clusters}
    for costs, over in graph.tables:
        parts[min(over, key=place.__getitem__)].append((costs, over))
    passed: dict[int, dict[int, Scoped]] = {v: {} for v in clusters}  # what each cluster got, from which one
    value = graph.tables[0][0].new_zeros(graph.rows)
    for v, over in clusters.items():
        rest, into = tuple(u for u in over if u != v), order.into[v]
        message = summed(together([*parts[v], *passed[v].values()], over), over, rest)
        if into is None:
            value = value + message
        else:
            passed[into][v] = message, rest
    marginals = dict[int, Tensor]()
    for v, over in reversed(clusters.items()):
        whole = together([*parts[v], *passed[v].values()], over)
        marginals[v] = torch.softmax(-summed(whole, over, (v,)), 0)
        for child in [u for u in passed[v] if order.into[u] == v]:
            shared = passed[v][child][1]
            others = [*parts[v], *(part for u, part in passed[v].items() if u != child)]
            if others:
                passed[child][v] = summed(together(others, over), over, shared), shared
    return [marginals[v] for v in range(len(graph.sizes))], value
