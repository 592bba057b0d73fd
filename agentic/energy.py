"""Energies: how badly a free variable fits what is given, in nats; the foundation of everything else.

`E(x, z)` is low where `z` (free) agrees with `x` (given). A normalised energy is a `Conditional`. An `Objective` is an
energy whose given part is fixed: a callable value with a domain, which solvers lower.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from agentic.belief import Belief, Point
from agentic.domain import Domain

Given = Any  # a Tensor (*s, b, ...), a tuple of them, or None


class Energy(nn.Module, ABC):
    """`E(x, z)` in nats: `x` (*s, b, ...) given, `z` (*s, b, *event) free; returns (*s, b).

    Rows are independent: the energy reduces its event axes and keeps the rest. Energies add (`a + b`) and scale
    (`2 * a`). Energies of discrete variables are linear in every one-hot argument, so that the energy at a
    probability vector is the expected energy.
    """

    @abstractmethod
    def forward(self, x: Given, z: Tensor) -> Tensor:
        """The energy of every row, (*s, b)."""

    if TYPE_CHECKING:  # nn.Module's own says Any

        def __call__(self, x: Given, z: Tensor) -> Tensor: ...

    @property
    def name(self) -> str:
        """What this energy is called among the terms of a sum."""
        return type(self).__name__.lower()

    def terms(self, x: Given, z: Tensor) -> Mapping[str, Tensor]:
        """Named parts, each (*s, b), that sum to the energy."""
        return {self.name: self(x, z)}

    def gradient(self, x: Given, z: Tensor) -> Tensor:
        """dE/dz of every row, shaped like `z`; override with the closed form where there is one."""
        return row_gradient(lambda free: self(x, free), z)

    def kick(self, x: Given, z: Tensor, move: Tensor, rate: float) -> None:
        """move <- move - rate dE/dz, in place: a descent's or a momentum's step; override where it is one kernel."""
        move.sub_(self.gradient(x, z), alpha=rate)

    def value_and_gradient(self, x: Given, z: Tensor) -> tuple[Tensor, Tensor]:
        """The energy (*s, b) and dE/dz in one evaluation; override where a closed form shares work between the two."""
        if type(self).gradient is not Energy.gradient:
            return self(x, z), self.gradient(x, z)
        return row_value_and_gradient(lambda free: self(x, free), z)

    def hessian(self, x: Given, z: Tensor) -> Tensor:
        """d2E/dz2 of every row (*s, b, d, d) for vector events; override with the closed form where there is one."""
        return row_jacobian(lambda free: self.gradient(x, free), z)

    def residuals(self, x: Given, z: Tensor) -> Tensor | None:
        """The r (*s, b, m) of an energy that is |r|^2 / 2 plus what does not depend on `z`; None for any other."""
        return None

    def start(self, x: Given) -> Tensor | None:
        """Where settling may start (*s, b, *event), read off `x` by an encoder; None where there is nothing to read."""
        return None

    def log_normalizer(self, x: Given) -> Tensor | None:
        """The `log Z` for which `exp(-E - log Z)` is a probability, or None where it is unknown or infinite.

        A `Conditional` has 0; a sum of factors of one joint distribution adds its parts'; a multiple has none.
        """
        return None

    def __add__(self, other: "Energy") -> "Energy":
        return Sum([self, other])

    def __mul__(self, weight: float) -> "Energy":
        return Multiple(self, weight)

    __rmul__ = __mul__


class Conditional(Energy):
    """A normalised `-log p(z | x)`, in nats: what evidence, ambiguity, gains and predictions need."""

    def log_normalizer(self, x: Given) -> Tensor | None:
        return torch.zeros(())

    @abstractmethod
    def given(self, x: Given) -> Belief:
        """The distribution over `z` given `x`."""


class PopulationEnergy(nn.Module, ABC):
    """An energy of a whole batch, in nats: latents (n, *event) to one scalar.

    Its rows are not independent (variances, covariances, distances between rows), so that it is no `Energy`: only
    learning accepts it, settling never sees it.
    """

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """The energy of the population `z` (n, *event), a scalar."""

    def renew(self, *, generator: torch.Generator | None) -> None:
        """Told before each batch of learning: draw anew what is drawn. Default: nothing is."""

    if TYPE_CHECKING:

        def __call__(self, z: Tensor) -> Tensor: ...


@final
class Sum(Energy):
    """The sum of energies of the same variables; its terms are its parts' terms, numbered where names repeat."""

    def __init__(self, parts: list[Energy]) -> None:
        super().__init__()
        leaves = [leaf for part in parts for leaf in (part.members if isinstance(part, Sum) else [part])]
        self.parts = nn.ModuleList(leaves)

    @property
    def members(self) -> list[Energy]:
        """The energies that are summed."""
        return [part for part in self.parts if isinstance(part, Energy)]

    def forward(self, x: Given, z: Tensor) -> Tensor:
        return torch.stack(torch.broadcast_tensors(*[part(x, z) for part in self.members])).sum(0)

    def terms(self, x: Given, z: Tensor) -> Mapping[str, Tensor]:
        named: dict[str, Tensor] = {}
        for part in self.members:
            for name, value in part.terms(x, z).items():
                unique, number = name, 2
                while unique in named:
                    unique, number = f"{name}_{number}", number + 1
                named[unique] = value
        return named

    def gradient(self, x: Given, z: Tensor) -> Tensor:
        return torch.stack([part.gradient(x, z) for part in self.members]).sum(0)

    def value_and_gradient(self, x: Given, z: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes = zip(*[part.value_and_gradient(x, z) for part in self.members], strict=True)
        return torch.stack(torch.broadcast_tensors(*values)).sum(0), torch.stack(slopes).sum(0)

    def hessian(self, x: Given, z: Tensor) -> Tensor:
        return torch.stack([part.hessian(x, z) for part in self.members]).sum(0)

    def residuals(self, x: Given, z: Tensor) -> Tensor | None:
        parts = [r for part in self.members if (r := part.residuals(x, z)) is not None]
        return _side_by_side(parts) if len(parts) == len(self.members) else None

    def start(self, x: Given) -> Tensor | None:
        """That of the first part that has one."""
        return next((start for part in self.members if (start := part.start(x)) is not None), None)

    def log_normalizer(self, x: Given) -> Tensor | None:
        logs = [log for part in self.members if (log := part.log_normalizer(x)) is not None]
        return torch.stack(torch.broadcast_tensors(*logs)).sum(0) if len(logs) == len(self.members) else None


@final
class Multiple(Energy):
    """An energy times a constant; no longer normalised."""

    def __init__(self, part: Energy, weight: float) -> None:
        super().__init__()
        self.part, self.weight = part, float(weight)

    def forward(self, x: Given, z: Tensor) -> Tensor:
        return self.weight * self.part(x, z)

    def terms(self, x: Given, z: Tensor) -> Mapping[str, Tensor]:
        return {name: self.weight * value for name, value in self.part.terms(x, z).items()}

    def gradient(self, x: Given, z: Tensor) -> Tensor:
        return self.weight * self.part.gradient(x, z)

    def value_and_gradient(self, x: Given, z: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = self.part.value_and_gradient(x, z)
        return self.weight * value, self.weight * slope

    def hessian(self, x: Given, z: Tensor) -> Tensor:
        return self.weight * self.part.hessian(x, z)

    def residuals(self, x: Given, z: Tensor) -> Tensor | None:
        parts = self.part.residuals(x, z) if self.weight >= 0 else None
        return None if parts is None else self.weight**0.5 * parts

    def start(self, x: Given) -> Tensor | None:
        return self.part.start(x)


class Objective(ABC):
    """What a solver lowers: a value, not a closure. Black-box solvers call it; white-box solvers look inside."""

    @property
    @abstractmethod
    def domain(self) -> Domain:
        """Where the free variable lives."""

    @abstractmethod
    def __call__(self, z: Tensor) -> Tensor:
        """The objective at `z` (*s, b, *event), in nats: (*s, b)."""

    def start(self, z: Any) -> Tensor:
        """Where a solver begins (b, *event): at `z`; where that is None as proposed, else in the middle."""
        begin: Tensor | None = self.proposal() if z is None else z
        return self.middle() if begin is None else begin

    def middle(self) -> Tensor:
        """The start (b, *event) where nothing is known: the domain's middle, unless the objective has one per row."""
        return self.domain.center(1)

    def proposal(self) -> Tensor | None:
        """A start (b, *event) that the objective itself can give, by an encoder; None where it has none."""
        return None

    def settled(self, z: Tensor, value: Tensor) -> Belief:
        """What a place (b, *event) of value (b,) means once a solver has ended there: a point unless it is more."""
        return Point(z)

    def gradient(self, z: Tensor) -> Tensor:
        """Its gradient at `z`, shaped like `z`."""
        return row_gradient(self, z)

    def kick(self, z: Tensor, move: Tensor, rate: float) -> None:
        """move <- move - rate gradient(z), in place; `move` is shaped like `z`."""
        move.sub_(self.gradient(z), alpha=rate)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Both at once, (*s, b) and shaped like `z`: one evaluation where the gradient has no closed form."""
        if type(self).gradient is not Objective.gradient:
            return self(z), self.gradient(z)
        return row_value_and_gradient(self, z)

    def hessian(self, z: Tensor) -> Tensor:
        """Its second derivatives at `z` (*s, b, d): (*s, b, d, d)."""
        return row_jacobian(self.gradient, z)

    def residuals(self, z: Tensor) -> Tensor | None:
        """The r (*s, b, m) of an objective that is |r|^2 / 2 plus a constant; None for any other."""
        return None


@final
@dataclass(frozen=True)
class Clamped(Objective):
    """The energy of `z` with `x` clamped: `z -> E(x, z)`."""

    energy: Energy
    x: Given
    over: Domain

    @property
    def domain(self) -> Domain:
        return self.over

    def __call__(self, z: Tensor) -> Tensor:
        return self.energy(self.x, z)

    def gradient(self, z: Tensor) -> Tensor:
        return self.energy.gradient(self.x, z)

    def kick(self, z: Tensor, move: Tensor, rate: float) -> None:
        self.energy.kick(self.x, z, move, rate)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.energy.value_and_gradient(self.x, z)

    def hessian(self, z: Tensor) -> Tensor:
        return self.energy.hessian(self.x, z)

    def residuals(self, z: Tensor) -> Tensor | None:
        return self.energy.residuals(self.x, z)

    def middle(self) -> Tensor:
        """The domain's middle for every row of `x`, in its dtype and on its device."""
        given = self.x[0] if isinstance(self.x, tuple) else self.x
        if not isinstance(given, Tensor):
            return self.over.center(1)
        kind = given.dtype if given.is_floating_point() else torch.float64
        return self.over.center(len(given), kind).to(given.device)

    def proposal(self) -> Tensor | None:
        return self.energy.start(self.x)


def row_gradient(function: Any, z: Tensor) -> Tensor:
    """Row-wise gradient of a function that maps (*s, b, *event) to (*s, b); differentiable where `z` already is."""
    if torch.compiler.is_compiling():  # which cannot follow autograd.grad
        slope: Tensor = torch.func.grad(lambda free: function(free).sum())(z)
        return slope
    with torch.enable_grad():
        free = z if z.requires_grad else z.detach().requires_grad_()
        return torch.autograd.grad(function(free).sum(), free, create_graph=z.requires_grad)[0]


def row_value_and_gradient(function: Any, z: Tensor) -> tuple[Tensor, Tensor]:
    """The same with the function's value, from one evaluation; both differentiable where `z` already is."""
    if torch.compiler.is_compiling():
        slope, value = torch.func.grad(lambda free: _total_and_rows(function(free)), has_aux=True)(z)
        return value, slope
    with torch.enable_grad():
        free = z if z.requires_grad else z.detach().requires_grad_()
        value = function(free)
        slope = torch.autograd.grad(value.sum(), free, create_graph=z.requires_grad)[0]
    return (value, slope) if z.requires_grad else (value.detach(), slope)


def _total_and_rows(value: Tensor) -> tuple[Tensor, Tensor]:
    return value.sum(), value


def _side_by_side(parts: list[Tensor]) -> Tensor:
    """Vectors (*s, b, m_i) in one, with sample axes that broadcast."""
    rows = torch.broadcast_shapes(*[part.shape[:-1] for part in parts])
    return torch.cat([part.expand(*rows, -1) for part in parts], -1)


def row_jacobian(gradient: Any, z: Tensor) -> Tensor:
    """Row-wise derivative of a gradient (*s, b, d): (*s, b, d, d), one backward pass per column."""
    with torch.enable_grad():
        free = z.detach().requires_grad_()
        slope = gradient(free)
        if not slope.requires_grad:
            return torch.zeros(*z.shape, z.shape[-1], dtype=z.dtype, device=z.device)
        rows = [
            torch.autograd.grad(
                slope[..., i].sum(), free, retain_graph=True, materialize_grads=True, allow_unused=True
            )[0]
            for i in range(z.shape[-1])
        ]
    return torch.stack(rows, -2)
