"""The part of a tree of beliefs that a Monte-Carlo search has visited, one tree for each row of a batch.

A node is a belief at a level of one row's tree; equal beliefs there are one node. Values are backed up as in a whole
tree, over all outcomes with their chances: a node that is met in several ways is one value, not counted twice.
"""

from collections.abc import Mapping
from typing import NamedTuple, Self, TypeVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agentic import Backup, Categorical, ExpectedEnergy
from agentic.models import Branching
from agentic_optimizers.graph import keys_of, parts_of
from agentic_optimizers.tree import after_the_end
from agentic_optimizers.tree_plan import Tree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)


@final
class Edges(NamedTuple):
    """What follows each action at the nodes `node` (e,) that are expanded, (e, a).

    `energies` are backed up, `cost` is that of one step and of what follows the end, of which `ended` is the latter;
    `tries` count paths; `children` and `chances` (e, a, k) are the nodes that follow, padded with chance zero.
    """

    node: Ints
    energies: Floats
    cost: Floats
    ended: Floats
    tries: Floats
    children: Ints
    chances: Floats
    parts: Mapping[str, Floats]

    def and_those(self, more: Self) -> Self:
        """These and `more`."""
        return type(self)(
            _joined(self.node, more.node),
            _joined(self.energies, more.energies),
            _joined(self.cost, more.cost),
            _joined(self.ended, more.ended),
            _joined(self.tries, more.tries),
            _joined(self.children, more.children),
            _joined(self.chances, more.chances),
            {name: _joined(self.parts[name], more.parts[name]) for name in self.parts},
        )


@final
class SearchTree:
    """Nodes (m,) with their `value`, `level` and `row`; those expanded have a `slot` among the `edges`, others -1.

    A node is `closed` where nothing is left to expand below: its value is exact. `lowest` and `highest` (b,) are the
    energies met in each row.
    """

    def __init__(self, f: ExpectedEnergy, model: Branching, backup: Backup) -> None:
        self.f, self.model, self.backup = f, model, backup
        habits, rows = f.model.log_habits, len(f.belief.mean)
        self.habits = None if habits is None else habits.double()
        self.allowed = np.ones(model.action.count, bool) if habits is None else ~habits.isneginf().numpy()
        self.beliefs, self.known = list[Tensor](), dict[tuple[int, int, bytes], int]()
        self.value, self.closed = np.zeros(0), np.zeros(0, bool)
        self.level, self.row, self.slot = (np.zeros(0, np.int64) for _ in range(3))
        self.lowest, self.highest = np.full(rows, np.inf), np.full(rows, -np.inf)
        self.roots = self._nodes(f.belief.mean, np.arange(rows), np.zeros(rows, np.int64))
        self.edges = self._edges(self.roots)
        self._back_up(np.arange(rows))

    def expand(self, leaves: Ints, passed: Ints) -> None:
        """Give `leaves` their edges, and back up from them through the slots `passed`."""
        first = len(self.edges.node)
        if len(leaves):
            self.edges = self.edges.and_those(self._edges(leaves))
        self._back_up(np.concatenate([passed, np.arange(first, len(self.edges.node))]))

    def descend(self, draws: Floats, exploration: float, priors: Floats | None) -> tuple[Ints, Ints]:
        """One path in every row that is not closed, by uniform `draws` (horizon, b): the leaves, and slots passed.

        The leaves count as closed until they are expanded, so that the next paths go elsewhere.
        """
        edges, node, passed = self.edges, self.roots.copy(), [np.zeros(0, np.int64)]
        rows = np.flatnonzero(~self.closed[node])
        for draw in draws:
            rows = rows[self.slot[node[rows]] >= 0]
            slot, each = self.slot[node[rows]], np.arange(len(rows))
            going_on = np.where(self.closed[edges.children[slot]], 0.0, edges.chances[slot])
            free = (going_on > 0).any(-1) & self.allowed
            action = np.where(free, self._scores(slot, rows, exploration, priors), -np.inf).argmax(-1)
            passed.append(slot)
            some = free[each, action]
            node[rows[~some]] = self.roots[rows[~some]]  # what is left there, other paths are about to expand
            rows, slot, action, mass = rows[some], slot[some], action[some], going_on[each, action][some].cumsum(-1)
            if not len(rows):
                break
            edges.tries[slot, action] += 1
            place = (mass <= draw[rows, None] * mass[:, -1:]).sum(-1)
            node[rows] = edges.children[slot, action, place]
        leaves = node[(self.slot[node] < 0) & ~self.closed[node]]
        self.closed[leaves] = True
        return leaves, np.concatenate(passed)

    def _scores(self, slot: Ints, rows: Ints, exploration: float, priors: Floats | None) -> Floats:
        """How promising actions are, (r, a): of low energy in units of the spread met, and seldom tried."""
        low, spread = self.lowest[rows, None], (self.highest - self.lowest)[rows, None]
        energies, tries = self.edges.energies[slot], self.edges.tries[slot]
        with np.errstate(invalid="ignore"):
            worth = (low - energies) / np.where(spread > 0, spread, 1.0)
        total = tries.sum(-1, keepdims=True)
        if priors is None:
            bonus = np.sqrt(np.log1p(total) / (1 + tries))
        else:
            bonus = priors * np.sqrt(1 + total) / (1 + tries)
        scores: Floats = np.where(np.isfinite(energies), worth, -1e9) + exploration * bonus
        return scores

    def _edges(self, leaves: Ints) -> Edges:
        """The edges of nodes that had none."""
        f, purpose, beliefs = self.f, self.f.purpose, torch.stack([self.beliefs[leaf] for leaf in leaves])
        self.slot[leaves] = np.arange(len(leaves)) + (self.slot >= 0).sum()
        parts = {name: part.double() for name, part in parts_of(f, self.model, beliefs).items()}
        left = purpose.horizon - 1 - self.level[leaves]
        deeper = np.flatnonzero(left > 0) if purpose.terminal is None else np.arange(len(leaves))
        children, chances = self._followed(leaves, beliefs, deeper)
        charges = [purpose.discount * after_the_end(purpose, steps) for steps in range(purpose.horizon)]
        ended = np.array(charges)[left, None] * (1 - chances.sum(-1))
        cost = f.total(parts).numpy() + ended
        by_name = {name: part.numpy() for name, part in parts.items()}
        return Edges(leaves, cost.copy(), cost, ended, np.zeros_like(cost), children, chances, by_name)

    def _followed(self, leaves: Ints, beliefs: Tensor, deeper: Ints) -> tuple[Ints, Floats]:
        """The nodes that follow those at the places `deeper`, and how likely, (leaves, a, k)."""
        count, actions = len(leaves), self.model.action.count
        if not len(deeper):
            return np.zeros((count, actions, 1), np.int64), np.zeros((count, actions, 1))
        found = self.model.branch(beliefs[torch.from_numpy(deeper)])
        source = deeper[found.node.numpy()]
        place = source * actions + found.action.numpy()
        order = place.argsort(kind="stable")
        counts = np.bincount(place, minlength=count * actions)
        rank = np.arange(len(place)) - (counts.cumsum() - counts)[place[order]]
        shape = (count * actions, max(1, int(counts.max())))
        children, chances = np.zeros(shape, np.int64), np.zeros(shape)
        origin = leaves[source]
        led = self._nodes(found.after, self.row[origin], self.level[origin] + 1)
        children[place[order], rank], chances[place[order], rank] = led[order], found.chance.numpy()[order]
        whole = (count, actions, -1)
        return children.reshape(whole), chances.reshape(whole)

    def _nodes(self, beliefs: Tensor, rows: Ints, levels: Ints) -> Ints:
        """The nodes of `beliefs` (k, n) at `levels` of the trees of `rows`, made where there are none."""
        fresh, nodes, first = list[int](), list[int](), len(self.beliefs)
        for i, key in enumerate(zip(rows.tolist(), levels.tolist(), keys_of(beliefs.numpy()), strict=True)):
            if key not in self.known:
                self.known[key] = len(self.known)
                fresh.append(i)
            nodes.append(self.known[key])
        self.beliefs += beliefs[fresh].unbind(0)
        value, many = np.zeros(len(fresh)), len(self.beliefs) - first
        if self.f.purpose.terminal is not None and many:
            leaves = self.f.at(Categorical(beliefs[fresh], self.model.latent.sizes))
            value = leaves.terminal(leaves.root()).double().numpy()
        self.value = np.concatenate([self.value, value])
        self.row, self.level = np.concatenate([self.row, rows[fresh]]), np.concatenate([self.level, levels[fresh]])
        self.slot = np.concatenate([self.slot, np.full(many, -1)])
        self.closed = np.concatenate([self.closed, levels[fresh] == self.f.purpose.horizon])
        return np.array(nodes, np.int64)

    def _back_up(self, slots: Ints) -> None:
        """Compute the nodes of some slots anew from what follows them, the deepest first."""
        slots = np.unique(slots)
        levels = self.level[self.edges.node[slots]]
        for level in np.unique(levels)[::-1]:
            own = slots[levels == level]
            node, chances, children = self.edges.node[own], self.edges.chances[own], self.edges.children[own]
            energies = self.edges.cost[own] + self.f.purpose.discount * _mean(chances, self.value[children])
            self.edges.energies[own] = energies
            self.value[node] = self.backup.value(torch.from_numpy(energies), self.habits).numpy()
            self.closed[node] = ((chances == 0) | self.closed[children]).all(-1)[:, self.allowed].all(-1)
            finite = np.isfinite(energies)
            np.minimum.at(self.lowest, self.row[node], np.where(finite, energies, np.inf).min(-1))
            np.maximum.at(self.highest, self.row[node], np.where(finite, energies, -np.inf).max(-1))

    def plan(self) -> Tree:
        """The closed-loop plan of what is expanded: see `Tree`."""
        self._back_up(np.arange(len(self.edges.node)))
        edges, horizon, dtype = self.edges, self.f.purpose.horizon, self.beliefs[0].dtype
        parts, scales = self._accounts()
        first, (where, beliefs) = self.slot[self.roots], self._distinct()
        depths, sizes = np.full((2, horizon, len(beliefs), len(self.allowed)), np.inf)
        order = edges.tries.sum(-1).argsort(kind="stable")  # of equals in several rows the one that was tried most
        left = horizon - 1 - self.level[edges.node[order]]
        depths[left, where[order]], sizes[left, where[order]] = edges.energies[order], scales[order]

        def typed(array: Floats) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(dtype)

        return Tree(
            values=typed(edges.energies[first].T),
            parts={name: typed(part[first].T) for name, part in parts.items()},
            beliefs=beliefs,
            roots=torch.from_numpy(where[first]),
            depths=typed(depths).unbind(0),
            domain=self.model.action,
            log_habits=self.f.model.log_habits,
            version=self.f.model.version,
            scales=typed(sizes).unbind(0),
        )

    def _accounts(self) -> tuple[dict[str, Floats], Floats]:
        """The parts of the energies by name, and how large what was added up is, each (e, a)."""
        edges, purpose, leaves = self.edges, self.f.purpose, np.where(self.slot < 0, self.value, 0.0)
        names = [*edges.parts, *(["terminal"] if purpose.terminal is not None else [])]
        below = {name: leaves if name == "terminal" else np.zeros_like(leaves) for name in names} | {"": np.abs(leaves)}
        found = {name: np.zeros_like(edges.cost) for name in below}
        size = sum((np.abs(part) for part in edges.parts.values()), np.abs(edges.ended))
        steps = {**edges.parts, "pragmatic": edges.parts["pragmatic"] + edges.ended, "": size}
        levels = self.level[edges.node]
        for level in range(purpose.horizon - 1, -1, -1):
            own = np.flatnonzero(levels == level)
            node, chances, children = edges.node[own], edges.chances[own], edges.children[own]
            q = self.backup.policy(torch.from_numpy(edges.energies[own]), self.habits).numpy()
            for name, values in below.items():
                step = steps[name][own] if name in steps else 0.0
                found[name][own] = step + purpose.discount * _mean(chances, values[children])
                values[node] = _mean(q, found[name][own])
        return {name: found[name] for name in names}, found[""]

    def _distinct(self) -> tuple[Ints, Tensor]:
        """The distinct beliefs that are expanded, (k, n), and which of them each slot is of, (e,)."""
        beliefs = torch.stack([self.beliefs[node] for node in self.edges.node])
        known = dict[bytes, int]()
        where = np.array([known.setdefault(key, len(known)) for key in keys_of(beliefs.numpy())])
        return where, beliefs[np.unique(where, return_index=True)[1]]


def _joined(one: NDArray[Number], other: NDArray[Number]) -> NDArray[Number]:
    """One array after the other, with zeros where its last axis is shorter."""
    width = max(one.shape[-1], other.shape[-1]) if one.ndim == 3 else 0
    pairs = [(0, 0)] * (one.ndim - 1)
    return np.concatenate([np.pad(each, [*pairs, (0, max(0, width - each.shape[-1]))]) for each in (one, other)])


def _mean(chances: Floats, values: Floats) -> Floats:
    """The mean (...) of `values` (..., k), without what has no chance."""
    value: Floats = (chances * np.where(chances > 0, values, 0.0)).sum(-1)
    return value
