"""The engine: one `minimize` for perceiving, acting and learning.

What is lowered is an `Objective`; how is a `Minimizer`, a frozen dataclass of plain numbers; what it remembers is an
`Iterate`. A minimiser is a fold: `init`, then `step` until every row has converged or the steps are used up.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor

from agentic.belief import Belief
from agentic.energy import Objective
from agentic.errors import RunError, UserError
from agentic.state import select

Kind = Literal["energy", "free_energy", "mean_energy"]


@final
@dataclass(frozen=True)
class Iterate:
    """Where a solver stands: the place, what was computed there, and its own memory.

    `z` (b, *event); `value` (b,) the objective there, in nats; `residual` (b,) how far from stationary (a gradient or
    step norm; NaN where a solver has none); `evaluations` so far, of value with gradient; `memory` the solver's own.
    """

    z: Any
    value: Tensor
    residual: Tensor
    evaluations: int
    memory: Any = None


@final
@dataclass(frozen=True)
class Solution:
    """What `minimize` found.

    `value` (b,) in nats is an energy, a free energy or (samplers) a mean energy: `kind` says which. `converged` (b,)
    is None for samplers, which converge in law only. `trace` (steps + 1, b) holds the iterates' values.
    """

    belief: Belief
    value: Tensor
    kind: Kind
    steps: int
    evaluations: int
    converged: Tensor | None
    residual: Tensor
    trace: Tensor


class Minimizer(ABC):
    """A way to lower an objective. Concrete ones are frozen dataclasses with a default number of `steps`.

    `kind` names what a solution's value is. `tolerance` is the residual below which a row counts as converged; a
    converged row is frozen.
    """

    kind: ClassVar[Kind] = "energy"
    steps: int
    tolerance: float = 0.0

    @abstractmethod
    def init(self, f: Objective, z: Any) -> Iterate:
        """The first iterate, at `z` (b, *event). No place is evaluated twice."""

    @abstractmethod
    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        """The next iterate of every row."""

    def belief(self, f: Objective, iterate: Iterate) -> Belief:
        """The belief the iterate stands for; what its objective makes of the place unless the solver knows better."""
        return f.settled(iterate.z, iterate.value)

    def value(self, f: Objective, iterate: Iterate, belief: Belief) -> Tensor:
        """What the solution reports, of the solver's `kind`, (b,)."""
        return iterate.value


class Sampler(Minimizer):
    """A minimiser in law: its draws follow `exp(-f)`, which lowers the free energy of their distribution.

    `init` keeps every draw it wants to report in the iterate's memory; `belief` returns them as `Particles`. The value
    is the draws' mean energy, `converged` is None.
    """

    kind: ClassVar[Kind] = "mean_energy"


@torch.no_grad()
def minimize(
    f: Objective,
    solver: Minimizer,
    z: Any = None,
    *,
    steps: int | None = None,
    generator: torch.Generator | None = None,
) -> Solution:
    """Lower `f` from `z` with `solver` for at most `steps` steps (default: the solver's own).

    No gradient passes through: learning takes that of the energy at the settled belief.

    `z` is a start (b, *event), or what the solver's page says it can start from (planners take a previous plan).
    Raises UserError for a negative number of steps, RunError where the energy is not a number in the end.
    """
    limit = solver.steps if steps is None else steps
    if limit < 0:
        raise UserError(f"minimize expects steps >= 0, got {limit}")
    iterate = solver.init(f, z)
    sampling = isinstance(solver, Sampler)
    done = iterate.residual <= solver.tolerance
    trace, taken = [iterate.value], 0
    while taken < limit and (sampling or not bool(done.all())):
        after = solver.step(f, iterate, generator=generator)
        if not sampling and bool(done.any()):
            kept = select(done, replace(iterate, evaluations=after.evaluations), after)
            after = replace(kept, evaluations=after.evaluations)
        iterate, taken = after, taken + 1
        done = iterate.residual <= solver.tolerance
        trace.append(iterate.value)
    if bool(iterate.value.isnan().any()):
        rows = iterate.value.isnan().nonzero().flatten().tolist()
        raise RunError(
            f"{type(solver).__name__} met an energy that is not a number in rows {rows}: check f and its start"
        )
    belief = solver.belief(f, iterate)
    return Solution(
        belief=belief,
        value=solver.value(f, iterate, belief),
        kind=solver.kind,
        steps=taken,
        evaluations=iterate.evaluations,
        converged=None if sampling else done,
        residual=iterate.residual,
        trace=torch.stack(trace),
    )
