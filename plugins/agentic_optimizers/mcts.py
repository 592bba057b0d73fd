"""Monte-Carlo tree search: closed-loop planning that looks deep where it is promising, and nowhere else."""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from agentic import Backup, Iterate, Minimizer, Objective, Solution, UserError
from agentic.engine import checked_generator
from agentic_optimizers.backups import Max
from agentic_optimizers.search_tree import SearchTree
from agentic_optimizers.tree import branching


@final
@dataclass(frozen=True)
class MonteCarloTree(Minimizer):
    """Monte-Carlo tree search over beliefs, the expected energy in place of reward, a tree for each row.

    A path follows at every belief the action u of the largest -G(u) / spread + `exploration` sqrt(ln(1 + N) / (1 + n))
    (UCT, Kocsis and Szepesvari 2006): N earlier paths were there, n took u, and the spread is that of the energies met
    in the row. With `puct` the bonus is `exploration` E(u) sqrt(1 + N) / (1 + n), E the model's habits (Rosin 2011).
    Outcomes are drawn by their chances, and where a path leaves what is known one more belief is expanded. G and V are
    backed up as by `TreeSearch` with the same `backup`, over what is expanded (Keller and Helmert 2013); where it ends,
    the terminal energy counts, or nothing. So the plan is the whole tree's once all is expanded, and the search stops.

    `simulations` paths a decision, `paths` of them before the beliefs they found are expanded together. The depth is
    the purpose's horizon. Raises UserError where `TreeSearch` does, but for `limit`.
    """

    simulations: int = 512
    paths: int = 8
    exploration: float = 1.0
    puct: bool = False
    backup: Backup = field(default_factory=Max)
    steps: int = field(init=False)

    def __post_init__(self) -> None:
        if self.simulations < 1 or self.paths < 1 or not 0 <= self.exploration < inf:
            raise UserError(
                "mcts expects simulations >= 1, paths >= 1 and a finite exploration >= 0, got "
                f"{self.simulations}, {self.paths} and {self.exploration}"
            )
        object.__setattr__(self, "steps", -(-self.simulations // self.paths))

    def init(self, f: Objective, z: Any) -> Iterate:
        tree = SearchTree(*branching("mcts", f), self.backup)
        value = _values(tree)
        return Iterate(torch.from_numpy(tree.roots), value, _residual(tree, value), len(tree.edges.node), tree)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        """A round of `paths`, which the tree remembers."""
        tree: SearchTree = iterate.memory
        shape = (self.paths, tree.f.purpose.horizon, len(tree.roots))
        draws = torch.rand(shape, generator=checked_generator(generator), dtype=torch.float64).numpy()
        priors = None
        if self.puct:
            actions = len(tree.allowed)
            priors = np.full(actions, 1 / actions) if tree.habits is None else tree.habits.exp().numpy()
        found = [tree.descend(each, self.exploration, priors) for each in draws]
        leaves, passed = (np.concatenate(each) for each in zip(*found, strict=True))
        tree.expand(leaves, passed)
        value = _values(tree)
        return replace(iterate, value=value, residual=_residual(tree, value), evaluations=len(tree.edges.node))

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        trace, taken = [iterate.value], 0
        while taken < steps and not iterate.memory.closed[iterate.memory.roots].all():
            iterate, taken = self.step(f, iterate, generator=generator), taken + 1
            trace.append(iterate.value)
        return replace(iterate, steps=taken, trace=tuple(trace))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        tree: SearchTree = iterate.memory
        expanded = np.bincount(tree.row[tree.edges.node], minlength=len(tree.roots))
        plan = tree.plan()
        value = self.backup.value(plan.values.T, plan.log_habits)
        return iterate.solution(plan, value, diagnostics={"beliefs": torch.from_numpy(expanded).to(value)})


def _values(tree: SearchTree) -> Tensor:
    """The roots' values, (b,)."""
    return torch.from_numpy(tree.value[tree.roots]).to(tree.beliefs[0].dtype)


def _residual(tree: SearchTree, value: Tensor) -> Tensor:
    """Zero where the tree is whole, and not known elsewhere."""
    return torch.where(torch.from_numpy(tree.closed[tree.roots]), torch.zeros_like(value), torch.nan)
