"""Closed-loop planning over beliefs: every outcome is expanded, and later choices see it.

Sophisticated inference (Friston et al. 2021) with the mean-under-softmax backup, Bayes-optimal with `Max`.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from agentic import Backup, Categorical, ExpectedEnergy, Iterate, Objective, Purpose, UserError
from agentic.models import Branching
from agentic.planning import GoalOverTime
from agentic_optimizers.backups import MeanUnderSoftmax
from agentic_optimizers.graph import BeliefGraph, grow
from agentic_optimizers.planned import Planned, Snapshot
from agentic_optimizers.tree_plan import Tree

DEEPEST = 100_000  # steps that are looked ahead: each takes some fraction of a millisecond, and memory for all beliefs
REMEMBERED = 64  # solved graphs a plan carries along


class Search(NamedTuple):
    """A solved graph: `values[d]` (m, a) with d + 1 steps left, as their `scales`, and the root's parts, (m, a)."""

    graph: BeliefGraph
    values: tuple[Tensor, ...]
    scales: tuple[Tensor, ...]
    parts: dict[str, Tensor]
    roots: Tensor


@final
@dataclass(frozen=True)
class TreeSearch(Planned):
    """Closed-loop tree search: G(u) = one step + discount x sum_o P(o) V(belief after o), V by `backup`.

    Finite models only; equal beliefs are expanded once. A previous tree is used again while the model's version and the
    purpose stand and it knows the belief. Raises UserError beyond `limit` distinct beliefs, and for gains that need
    more than the belief.
    """

    backup: Backup = field(default_factory=MeanUnderSoftmax)
    limit: int = 200_000
    steps: int = 1

    def init(self, f: Objective, z: Any) -> Iterate:
        f, model = branching("tree", f)
        earlier = self._earlier(f, z)
        search = _known(earlier, f.belief.mean) or self._search(f, model)
        values = search.values[-1][search.roots]
        value = self.backup.value(values, f.model.log_habits)
        kept = (search, *(other for other in earlier if other.graph is not search.graph))[:REMEMBERED]
        plan = Tree(
            values=values.T,
            parts={name: part[search.roots].T for name, part in search.parts.items()},
            beliefs=search.graph.beliefs,
            roots=search.roots,
            depths=search.values,
            scales=search.scales,
            domain=model.action,
            log_habits=f.model.log_habits,
            version=f.model.version,
            memory=(Snapshot.of(f), f.model, f.purpose, self.backup, kept),
        )
        return Iterate(search.roots, value, torch.zeros_like(value), len(search.graph.beliefs), plan)

    def _earlier(self, f: ExpectedEnergy, plan: Any) -> tuple[Search, ...]:
        """What a previous tree has solved, as long as model, version, purpose and backup stand."""
        if not isinstance(plan, Tree) or plan.version != f.model.version:
            return ()
        before, model, purpose, backup, searches = plan.memory
        same = model is f.model and purpose is f.purpose and backup == self.backup and before.stands()
        return searches if same else ()

    def _search(self, f: ExpectedEnergy, model: Branching) -> Search:
        if f.purpose.horizon > DEEPEST:
            raise UserError(
                f"tree looks at most {DEEPEST:,} steps ahead, got a horizon of {f.purpose.horizon:,}: shorten it, or "
                "use value_iteration, which has none"
            )
        graph, purpose, habits = grow(f, model, self.limit), f.purpose, f.model.log_habits
        roots = graph.find(f.belief.mean)
        assert roots is not None
        one_step, parts = f.total(graph.parts), dict(graph.parts)
        value = torch.zeros(len(graph.beliefs), dtype=graph.beliefs.dtype)
        below = {name: value for name in parts}
        if purpose.terminal is not None:
            leaves = f.at(Categorical(graph.beliefs, model.latent.sizes))
            value = leaves.terminal(leaves.root())
            below["terminal"] = value
        size, sizes = value.abs(), torch.stack([part.abs() for part in graph.parts.values()]).sum(0)
        values, scales = list[Tensor](), list[Tensor]()
        for left in range(1, purpose.horizon + 1):
            rows = graph.rows(purpose.horizon - left)
            ended = purpose.discount * after_the_end(purpose, left - 1) * (1 - graph.chances[rows].sum(-1))
            ahead = {name: purpose.discount * graph.expected(rows, part) for name, part in below.items()}
            energies = one_step[rows] + purpose.discount * graph.expected(rows, value) + ended
            parts = {name: ahead[name] + (graph.parts[name][rows] if name in graph.parts else 0) for name in below}
            parts["pragmatic"] = parts["pragmatic"] + ended
            q = self.backup.policy(energies, habits)
            below = {name: torch.where(q > 0, q * part, 0.0).sum(-1) for name, part in parts.items()}
            scale = sizes[rows] + purpose.discount * graph.expected(rows, size) + ended.abs()
            value, size = self.backup.value(energies, habits), torch.where(q > 0, q * scale, 0.0).sum(-1)
            values.append(energies)
            scales.append(scale)
        return Search(graph, tuple(values), tuple(scales), parts, roots)


def _known(searches: tuple[Search, ...], beliefs: Tensor) -> Search | None:
    """The search that already has all of `beliefs` (b, n) solved to the full horizon."""
    for search in searches:
        roots = search.graph.find(beliefs)
        if roots is not None and int(roots.max()) < len(search.values[-1]):
            return search._replace(roots=roots)
    return None


def after_the_end(purpose: Purpose, steps: int) -> float:
    """What the goals charge for `steps` steps in which the episode is over, discounted to the first of them."""
    charge = purpose.goal.after * sum(purpose.discount**t for t in range(steps))
    return charge + (0.0 if purpose.terminal is None else purpose.discount**steps * purpose.terminal.after)


def branching(planner: str, f: Objective) -> tuple[ExpectedEnergy, Branching]:
    """The expected energy `f` and its model, where a tree of beliefs can follow both. Raises UserError otherwise."""
    if not isinstance(f, ExpectedEnergy) or not isinstance(f.model, Branching):
        what = f"{type(f).__name__} of {type(getattr(f, 'model', None)).__name__}"
        raise UserError(f"{planner} needs the expected energy of a finite model, got {what}")
    gain, goal = f.purpose.gain, f.purpose.goal
    if isinstance(goal, GoalOverTime):
        raise UserError(f"{planner} asks the same of every step, {goal.name} differs from step to step: use enumerate")
    if gain is not None and not gain.additive:
        raise UserError(f"{planner} counts gains outcome by outcome, which {gain} cannot follow")
    return f, f.model
