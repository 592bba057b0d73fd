"""Objectives: energies whose given part is fixed, as callable values with a domain, which solvers lower."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Point
from agentic.engine.derivatives import row_jacobian, row_value_and_gradient
from agentic.engine.domain import Domain
from agentic.engine.energy import Encoder, Energy, Given, LeastSquares


class Differentiable(ABC):
    """A function of one free variable, row by row, with its derivatives: by autograd unless they are written down."""

    @abstractmethod
    def __call__(self, z: Tensor) -> Tensor:
        """The function at `z` (*s, b, *event), in nats: (*s, b)."""

    def gradient(self, z: Tensor) -> Tensor:
        """Its gradient at `z`, shaped like `z`: the second of `value_and_gradient`."""
        return self.value_and_gradient(z)[1]

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Both at once, (*s, b) and shaped like `z`, by autograd; what to override where there is a closed form."""
        return row_value_and_gradient(self, z)

    def hessian(self, z: Tensor) -> Tensor:
        """Its second derivatives at `z` (*s, b, d): (*s, b, d, d)."""
        return row_jacobian(self.gradient, z)

    def residuals(self, z: Tensor) -> Tensor | None:
        """The r (*s, b, m) of an objective that is |r|^2 / 2 plus a constant; None for any other."""
        return None


class Objective(Differentiable):
    """What a solver lowers: a value, not a closure. Black-box solvers call it; white-box solvers look inside."""

    @property
    @abstractmethod
    def domain(self) -> Domain:
        """Where the free variable lives."""

    def start(self, z: Any) -> Tensor:
        """Where a solver begins (b, *event): at `z`; where that is None as proposed, else in the domain's middle."""
        begin: Tensor | None = self.proposal() if z is None else z
        return self.domain.center(1) if begin is None else begin

    def proposal(self) -> Tensor | None:
        """The start (b, *event) that an encoder gives; None where there is none."""
        return None

    def settled(self, z: Tensor, value: Tensor) -> Belief:
        """What a place (b, *event) of value (b,) means once a solver has ended there: a point unless it is more."""
        return Point(z)


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

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.energy.value_and_gradient(self.x, z)

    def hessian(self, z: Tensor) -> Tensor:
        return self.energy.hessian(self.x, z)

    def residuals(self, z: Tensor) -> Tensor | None:
        return self.energy.residuals(self.x, z) if isinstance(self.energy, LeastSquares) else None

    def start(self, z: Any) -> Tensor:
        """The same, the domain's middle for every row of `x`, in its dtype and on its device."""
        given = self.x[0] if isinstance(self.x, tuple) else self.x
        begin: Tensor | None = self.proposal() if z is None else z
        if begin is not None or not isinstance(given, Tensor):
            return super().start(begin)
        kind = given.dtype if given.is_floating_point() else torch.float64
        return self.over.center(len(given), kind).to(given.device)

    def proposal(self) -> Tensor | None:
        return self.energy.start(self.x) if isinstance(self.energy, Encoder) else None
