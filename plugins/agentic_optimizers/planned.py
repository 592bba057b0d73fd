"""The base of planners that solve the whole problem at once, without steps, and when a solved problem is another."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self, final

import torch
from torch import Tensor

from agentic import ExpectedEnergy, Iterate, Minimizer, Objective, Solution


class Planned(Minimizer):
    """A planner whose first iterate has the plan as its memory, for all rows at once, and is stationary."""

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return iterate.solution(iterate.memory)


@final
class Snapshot(NamedTuple):
    """What the model and the goals of an expected energy are made of, to tell whether they are still the same.

    `held` are entries of modules, each with its name and where it stands: numbers, tensors and modules. `changes` is
    how often the `tensors` among them were written to.
    """

    held: list[tuple[Mapping[str, Any], str, Any]]
    tensors: list[Tensor]
    changes: int
    graded: bool

    @classmethod
    def of(cls, f: ExpectedEnergy) -> Self:
        """Of the model of `f`, its goals and its effort, as they are now."""
        purpose = f.purpose
        owners = [part for part in (f.model, purpose.goal, purpose.effort, purpose.terminal) if part is not None]
        held = list[tuple[Mapping[str, Any], str, Any]]()
        for part in [part for owner in owners for part in owner.modules()]:
            plain = {name: each for name, each in vars(part).items() if type(each) in (bool, int, float, Tensor)}
            held += [(vars(part), name, each) for name, each in plain.items()]
            for table in (part._parameters, part._buffers, part._modules):
                held += [(table, name, each) for name, each in table.items()]
        tensors = [each for _, _, each in held if isinstance(each, Tensor)]
        return cls(held, tensors, _changes(tensors), torch.is_grad_enabled())

    def stands(self) -> bool:
        """Whether nothing of it was replaced or written to, and gradients that are wanted are there."""
        if torch.is_grad_enabled() and not self.graded and any(each.requires_grad for each in self.tensors):
            return False
        same = all(_same(place.get(name), each) for place, name, each in self.held)
        return same and _changes(self.tensors) == self.changes


def _same(now: Any, before: Any) -> bool:
    """Whether an entry is what it was; numbers by what they say, for a resumed run has other objects."""
    return now is before or (type(now) is type(before) and type(now) in (bool, int, float) and bool(now == before))


def _changes(tensors: list[Tensor]) -> int:
    """How often the tensors were written to."""
    return sum(tensor._version for tensor in tensors)
