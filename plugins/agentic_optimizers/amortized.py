"""Amortized settling: an encoder says where to start, a solver takes it from there (Kim et al. 2018)."""

from dataclasses import dataclass, field
from typing import Any, final

import torch

from agentic import Iterate, Minimizer, Objective, Sampler, Solution, UserError
from agentic_optimizers.checks import modules_in
from agentic_optimizers.gradient import GradientDescent


class Around(Minimizer):
    """A solver around another that converges, its `inner`, which lowers what `over` makes of the objective."""

    inner: Minimizer

    def check(self, name: str) -> None:
        """Raise UserError, in the `name` of the solver around, where the inner one does not converge."""
        if isinstance(self.inner, Sampler) or not isinstance(self.inner, Minimizer):
            raise UserError(f"{name} takes a solver that converges as inner, got {type(self.inner).__name__}")

    def over(self, f: Objective) -> Objective:
        """The objective that the inner solver lowers."""
        return f

    @property
    def tolerance(self) -> float:
        return self.inner.tolerance

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return self.inner.step(self.over(f), iterate, generator=generator)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        return self.inner.run(self.over(f), iterate, steps, generator=generator)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return self.inner.solution(self.over(f), iterate)


@final
@dataclass(frozen=True)
class Amortized(Around):
    """Settling from an encoder's start: `steps` steps of the `inner` solver from there, whatever start is given.

    That is `start(x)` of the energy, or `start(obs)` of the model whose evidence is lowered, where it is an `Encoder`.
    With 0 steps it is amortized inference alone; the trace tells what settling adds. Kind, tolerance, belief and
    diagnostics are the inner solver's. Raises UserError for a sampler within, and where no start is offered.
    """

    inner: Minimizer = field(default_factory=GradientDescent)
    steps: int = 10

    def __post_init__(self) -> None:
        self.check("amortized")
        if self.steps < 0:
            raise UserError(f"amortized expects steps >= 0, got {self.steps}")

    def init(self, f: Objective, z: Any) -> Iterate:
        start = f.proposal()
        if start is None:
            raise UserError(
                f"amortized needs an energy or a model that is an Encoder, with a start(x) or a start(obs), got "
                f"{type(f).__name__} of {modules_in(f)}: use its inner solver"
            )
        return self.inner.init(f, start)
