"""The engine: one `minimize` for perceiving, acting and learning.

What is lowered is an `Objective`; how is a `Minimizer`, a frozen dataclass of plain numbers; what it remembers is an
`Iterate`. A minimizer is a fold: `init`, then `step` until every row has converged or the steps are used up.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Particles
from agentic.engine.objective import Objective
from agentic.engine.state import select
from agentic.errors import RunError, UserError
from agentic.showing import Shown

Kind = Literal["energy", "free_energy", "mean_energy"]


@final
@dataclass(frozen=True, repr=False)
class Solution(Shown):
    """The outcome of a minimization.

    `value` (b,) in nats is an energy, a free energy or (samplers) a mean energy: `kind` says which. `converged` (b,)
    is None for samplers, which converge in law only. `trace` (n, b) holds the values met on the way, the start first:
    every iterate's, unless the solver runs many steps at a stretch. `diagnostics` are the solver's own, by name, each
    (b,) or a scalar: acceptance, effective samples.

    >>> import agentic, torch
    >>> class Bowl(agentic.Energy):
    ...     def forward(self, x, z):
    ...         return ((z - x) ** 2).sum(-1)
    >>> objective = agentic.Clamped(Bowl(), torch.ones(2, 1), agentic.Real((1,)))
    >>> agentic.minimize(objective, agentic.load().make(agentic.Minimizer, {"name": "newton"}), torch.zeros(2, 1))
    Solution(belief='Gaussian', free_energy=-0.5724, rows=2, converged='2 of 2 rows', steps=1, evaluations=2)
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

    def brief(self) -> Mapping[str, object]:
        """The belief's kind, the mean value over rows, and what it took."""
        done = None if self.converged is None else f"{int(self.converged.sum())} of {self.converged.numel()} rows"
        value = float(f"{self.value.detach().mean():.4g}")
        said = {"belief": type(self.belief).__name__, self.kind: value, "rows": self.value.numel(), "converged": done}
        return {**said, "steps": self.steps, "evaluations": self.evaluations, "diagnostics": [*self.diagnostics]}


@final
@dataclass(frozen=True)
class Iterate:
    """The state of a solver: the place, what was computed there, and its own memory.

    `z` (b, *event); `value` (b,) the objective there, in nats; `residual` (b,) how far from stationary (a gradient or
    step norm; NaN where a solver has none); `evaluations` so far, of value with gradient; `memory` the solver's own.
    Where a run ended, `steps` are those it took and `trace` the values (b,) it met, its start's first.
    """

    z: Any
    value: Tensor
    residual: Tensor
    evaluations: int
    memory: Any = None
    steps: int = 0
    trace: tuple[Tensor, ...] = ()

    def solution(
        self,
        belief: Belief,
        value: Tensor | None = None,
        kind: Kind = "energy",
        diagnostics: Mapping[str, Tensor] | None = None,
    ) -> Solution:
        """The solution of a solver that ends here; `value` (b,) is the iterate's where it is None."""
        return Solution(
            belief=belief,
            value=self.value if value is None else value,
            kind=kind,
            steps=self.steps,
            evaluations=self.evaluations,
            converged=None,
            residual=self.residual,
            trace=torch.stack(self.trace) if self.trace else self.value.unsqueeze(0),
            diagnostics={} if diagnostics is None else diagnostics,
        )


class Minimizer(ABC):
    """A way to lower an objective. Concrete ones are frozen dataclasses; `steps` are those it takes at most.

    `init` and `step` must be written; `run`, `solution` and `tolerance` have a default.

    >>> import agentic, torch
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Descent(agentic.Minimizer):
    ...     steps: int = 200
    ...     def init(self, f, z):
    ...         return agentic.Iterate(z, f(z), torch.ones(len(z)), 1)
    ...     def step(self, f, iterate, *, generator):
    ...         value, slope = f.value_and_gradient(iterate.z)
    ...         z = f.domain.project(iterate.z - 0.1 * slope)
    ...         return agentic.Iterate(z, f(z), slope.norm(dim=-1), iterate.evaluations + 1)
    >>> class Bowl(agentic.Energy):
    ...     def forward(self, x, z):
    ...         return ((z - x) ** 2).sum(-1)
    >>> objective = agentic.Clamped(Bowl(), torch.ones(1, 2), agentic.Real((2,)))
    >>> agentic.minimize(objective, Descent(), torch.zeros(1, 2)).belief.mean.round(decimals=3)
    tensor([[1., 1.]])
    """

    steps: int

    @property
    def tolerance(self) -> float:
        """The residual at which a row counts as converged and is frozen. Default: 0."""
        return 0.0

    @abstractmethod
    def init(self, f: Objective, z: Any) -> Iterate:
        """The first iterate, at `z` (b, *event). No place is evaluated twice."""

    @abstractmethod
    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        """The next iterate of every row."""

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        """The iterate after up to `steps` steps, with its `steps` and `trace`.

        Default: one step at a time until all rows have converged. Override where a loop of many steps can be made
        faster; the law and the minimum must be the same.
        """
        return self.fold(iterate, steps, lambda now, count: self.step(f, now, generator=generator))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        """The solution that an iterate stands for: belief, reported value and its kind, diagnostics by name.

        Default: what the objective makes of the place, and its energy. Write it as `iterate.solution(...)`.
        """
        return iterate.solution(f.settled(iterate.z, iterate.value))

    @final
    def fold(self, now: Iterate, steps: int, advance: Callable[[Iterate, int], Iterate], every: int = 1) -> Iterate:
        """A run by `advance(iterate, count)`, checked `every` so many steps; converged rows are frozen."""
        iterate = replace(now, steps=0, trace=())
        trace, taken, done = [iterate.value], 0, iterate.residual <= self.tolerance
        while taken < steps and not bool(done.all()):
            count = min(every, steps - taken)
            after = advance(iterate, count)
            if bool(done.any()):
                kept = select(done, replace(iterate, evaluations=after.evaluations), after)
                after = replace(kept, evaluations=after.evaluations)
            iterate, taken = after, taken + count
            done = iterate.residual <= self.tolerance
            trace.append(iterate.value)
        return replace(iterate, steps=taken, trace=tuple(trace))


class Sampler(Minimizer):
    """A minimizer in law: its draws follow `exp(-f)`, which lowers the free energy of their distribution.

    What it wants to report it keeps in the iterate's memory; its solution's belief are the draws, `Particles`, and its
    value their mean energy (`kind` "mean_energy") or a free energy; `converged` is None.
    """

    tolerance = -1.0  # no residual stops a chain


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
    Raises UserError for a negative number of steps, for an energy that is not one number per row, and where it is
    infinite wherever the solver looked; RunError where it is not a number in the end, or has no minimum.

    >>> import agentic, torch
    >>> class Bowl(agentic.Energy):
    ...     def forward(self, x, z):
    ...         return ((z - x) ** 2).sum(-1)
    >>> objective = agentic.Clamped(Bowl(), torch.tensor([[1.0, 2.0]]), agentic.Real((2,)))
    >>> solver = agentic.load().make(agentic.Minimizer, {"name": "newton"})
    >>> agentic.minimize(objective, solver, torch.zeros(1, 2)).belief.mean
    tensor([[1., 2.]])
    """
    if torch.is_grad_enabled():
        with torch.no_grad():
            return minimize(f, solver, z, steps=steps, generator=generator)
    limit = solver.steps if steps is None else steps
    if limit < 0:
        raise UserError(f"minimize expects steps >= 0, got {limit}")
    first, who = solver.init(f, z), type(solver).__name__
    if first.value.dim() != 1:
        raise UserError(
            f"{who} met an energy of shape {tuple(first.value.shape)} where (batch,) is wanted: an energy sums over "
            "the axes of its variable alone, as .sum(-1) does"
        )
    iterate = solver.run(f, first, limit, generator=generator)
    solution, value = solver.solution(f, iterate), iterate.value
    finite = isfinite(abs(value.sum().item())) or bool(value.isfinite().all())  # sums may overflow
    if not finite:
        _check_numbers(who, value)
    impossible = solution.kind == "free_energy" and isinstance(solution.belief, Particles)  # the observation, for all
    if limit and not impossible and not (finite and solution.value is value):
        _check_finite(who, solution.value)
    converged = None if isinstance(solver, Sampler) else iterate.residual <= solver.tolerance
    return replace(solution, converged=converged)


def _check_numbers(who: str, value: Tensor) -> None:
    wrong = value.isnan()
    if bool(wrong.any()):
        raise RunError(f"{who} met an energy that is not a number in rows {_rows(wrong)}: check f and its start")


def _check_finite(who: str, value: Tensor) -> None:
    if bool(value.isfinite().all()):
        return
    _check_numbers(who, value)
    infinite = torch.isposinf(value)
    if bool(infinite.any()):
        raise UserError(
            f"the energy is infinite everywhere {who} looked, in rows {_rows(infinite)}: start where it is finite, or "
            "forbid less"
        )
    raise RunError(f"{who} met an energy of -inf in rows {_rows(~value.isfinite())}: it has no minimum there")


def _rows(mask: Tensor) -> list[int]:
    return [int(row) for row in mask.nonzero().flatten()]
