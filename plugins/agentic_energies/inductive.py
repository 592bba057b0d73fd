"""The inductive goal: of the ways to wanted states only steps that come nearer cost nothing (Friston et al. 2023)."""

from collections.abc import Sequence
from math import log
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Categorical, Environment, FiniteModel, Goal, Model, Step, UserError
from agentic_energies.arrays import tensors
from agentic_energies.categorical import CategoricalModel


@final
class Inductive(Goal):
    """The energy -ln epsilon of every step that does not come nearer to a wanted state.

    `reachable` (depth, n) says with 1 from which states the wanted ones, row 0, are in reach within so many steps. A
    step from a state that is h steps away may lead to those of row h - 1; states from which none is in reach cost
    nothing. Expected over the states of the belief, where pymdp takes its most likely one, and asked anew at every step
    of a plan.
    """

    def __init__(self, reachable: Any, *, epsilon: float = 1e-3, after: float = 0.0) -> None:
        super().__init__()
        rows = tensors("reachable", [reachable])[0]
        if rows.dim() != 2 or not 0 < epsilon < 1:
            raise UserError(
                f"inductive expects reachable (depth, states) and 0 < epsilon < 1, got shape {tuple(rows.shape)} and "
                f"{epsilon}"
            )
        self.reachable, self.epsilon, self.after = nn.Buffer(rows), epsilon, float(after)
        self.wanted: dict[str, Any] | None = None

    @classmethod
    def toward(
        cls, model: FiniteModel, states: Sequence[int], *, threshold: float = 0.5, depth: int = 8, epsilon: float = 1e-3
    ) -> Self:
        """The goal of entering one of the `states`, where transitions likelier than `threshold` can be relied on."""
        count = model.latent.count
        if depth < 1 or any(not 0 <= state < count for state in states):
            raise UserError(f"inductive expects states from 0 to {count - 1} and depth >= 1, got {states} and {depth}")
        reached, chances = model.successors()
        rows = [torch.zeros(count, dtype=torch.bool)]
        rows[0][list(states)] = True
        for _ in range(depth - 1):
            rows.append(((chances > threshold) & rows[-1][reached]).flatten(1).any(-1))
        return cls(torch.stack(rows).double(), epsilon=epsilon)

    @classmethod
    def from_env(
        cls, env: Environment, *, states: Sequence[int], threshold: float = 0.5, depth: int = 8, epsilon: float = 1e-3
    ) -> Self:
        """The goal of entering one of the joint `states` of an environment that knows its truth."""
        wanted: dict[str, Any] = {"states": states, "threshold": threshold, "depth": depth, "epsilon": epsilon}
        goal = cls.toward(CategoricalModel.from_env(env), **wanted)
        goal.wanted = wanted
        return goal

    def for_env(self, env: Environment) -> Self:
        """The ways to the same states in a world that is announced; those not made by `from_env` stay as they are."""
        return self if self.wanted is None else type(self).from_env(env, **self.wanted)

    @classmethod
    def example(cls) -> Self:
        """A chain of three states, toward the last."""
        return cls([[0, 0, 1], [0, 1, 1], [1, 1, 1]])

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """The energy of going from states `x` to states `z`, probabilities (*s, b, n), where these are independent."""
        costs = [(part.sum(-1) * (z @ wrong)) for part, wrong in self._parts(x)]
        return torch.stack(torch.broadcast_tensors(*costs)).sum(0)

    def expected(self, model: Model, step: Step) -> Tensor:
        before = step.before
        if not isinstance(before, Categorical) or before.sizes != (len(self.reachable[0]),):
            raise UserError(
                f"inductive needs a belief about one of {len(self.reachable[0])} states, got {type(before).__name__} "
                f"{tuple(before.mean.shape)}"
            )
        parts = self._parts(before.mean)
        costs = [model.predict(Categorical(part), step.action).mean @ wrong for part, wrong in parts]
        return torch.stack(costs).sum(0)

    def _parts(self, before: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The probabilities of the states that are h steps away, with the costs of where a step can lead from there."""
        known, parts = torch.zeros_like(self.reachable[0]), []
        for h, row in enumerate(self.reachable):
            new = row * (1 - known)
            known = known + new
            parts.append((before * new, -log(self.epsilon) * (1 - self.reachable[max(h - 1, 0)])))
        return parts
