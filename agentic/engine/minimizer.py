"""The engine: one `minimize` for perceiving, acting and learning.

What is lowered is an `Objective`; how is a `Minimizer`, a frozen dataclass of plain numbers; what it remembers is an
`Iterate`. A minimizer is a fold: `init`, then `step` until every row has converged or the steps are used up.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief
from agentic.engine.objective import Objective
from agentic.engine.state import select
from agentic.errors import RunError, UserError

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
    is None for samplers, which converge in law only. `trace` (n, b) holds the values met on the way, the start first:
    every iterate's, unless the solver runs many steps at a stretch. `diagnostics` are the solver's own, by name.
    """

    belief: Belief
    value: Tensor
    kind: Kind
    steps: int
    evaluations: int
    converged: Tensor | None
    residual: Tensor
    trace: Tensor
    diagnostics: Mapping[str, Tensor] = field(default_factory=dict)


class Minimizer(ABC):
    """A way to lower an objective. Concrete ones are frozen dataclasses with a default number of `steps`.

    `kind` names what a solution's value is. `tolerance` is the residual below which a row counts as converged; a
    converged row is frozen. `check_every` is the number of steps between two looks at value and residual.
    """

    kind: ClassVar[Kind] = "energy"
    steps: int
    tolerance: float = 0.0
    check_every: int = 1

    @abstractmethod
    def init(self, f: Objective, z: Any) -> Iterate:
        """The first iterate, at `z` (b, *event). No place is evaluated twice."""

    @abstractmethod
    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        """The next iterate of every row."""

    def run(
        self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None
    ) -> tuple[Iterate, int, list[Tensor]]:
        """From an iterate up to `steps` steps on: where it ends, the steps taken, the values (b,) met on the way.

        Ends early once all rows have converged; looks at them after every `check_every` steps. Override where a loop of
        many steps can be made faster; the law and the minimum must be the same.
        """
        trace, taken, done = list[Tensor](), 0, iterate.residual <= self.tolerance
        while taken < steps and not bool(done.all()):
            count = min(self.check_every, steps - taken)
            after = self.unroll(f, iterate, count, generator=generator)
            if bool(done.any()):
                kept = select(done, replace(iterate, evaluations=after.evaluations), after)
                after = replace(kept, evaluations=after.evaluations)
            iterate, taken = after, taken + count
            done = iterate.residual <= self.tolerance
            trace.append(iterate.value)
        return iterate, taken, trace

    def unroll(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        """The iterate `steps` steps on. Override where they need not be taken one by one."""
        for _ in range(steps):
            iterate = self.step(f, iterate, generator=generator)
        return iterate

    def diagnostics(self, f: Objective, iterate: Iterate) -> Mapping[str, Tensor]:
        """What is worth knowing about how it went (acceptance, effective samples), by name; each (b,) or a scalar."""
        return {}

    def belief(self, f: Objective, iterate: Iterate) -> Belief:
        """The belief the iterate stands for; what its objective makes of the place unless the solver knows better."""
        return f.settled(iterate.z, iterate.value)

    def value(self, f: Objective, iterate: Iterate, belief: Belief) -> Tensor:
        """What the solution reports, of the solver's `kind`, (b,)."""
        return iterate.value


class Sampler(Minimizer):
    """A minimizer in law: its draws follow `exp(-f)`, which lowers the free energy of their distribution.

    What it wants to report it keeps in the iterate's memory; `belief` returns the draws as `Particles`. The value is
    their mean energy, or a free energy where `kind` says so; `converged` is None.
    """

    kind: ClassVar[Kind] = "mean_energy"

    def run(
        self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None
    ) -> tuple[Iterate, int, list[Tensor]]:
        trace = []
        for _ in range(steps):
            iterate = self.step(f, iterate, generator=generator)
            trace.append(iterate.value)
        return iterate, steps, trace


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
    first = solver.init(f, z)
    iterate, taken, trace = solver.run(f, first, limit, generator=generator)
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
        converged=None if isinstance(solver, Sampler) else iterate.residual <= solver.tolerance,
        residual=iterate.residual,
        trace=torch.stack([first.value, *trace]),
        diagnostics=solver.diagnostics(f, iterate),
    )
