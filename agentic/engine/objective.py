"""Objectives: energies whose given part is fixed, as callable values with a domain, which solvers lower."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Point
from agentic.engine.derivatives import real, row_jacobian, row_value_and_gradient
from agentic.engine.domain import Domain
from agentic.engine.energy import Encoder, Energy, Given, LeastSquares


class Differentiable(ABC):
    """A row-wise function of one free variable with its derivatives, by autograd unless a closed form is written."""

    @abstractmethod
    def __call__(self, z: Tensor) -> Tensor:
        """The function at `z` (*s, b, *event), in nats: (*s, b)."""

    def gradient(self, z: Tensor) -> Tensor:
        """The gradient at `z`, shaped like `z`: the second of `value_and_gradient`."""
        return self.value_and_gradient(z)[1]

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The value (*s, b) and the gradient, shaped like `z`, by autograd; override it by a closed form."""
        return row_value_and_gradient(self, z)

    def hessian(self, z: Tensor) -> Tensor:
        """The Hessian (*s, b, d, d) at `z` (*s, b, d)."""
        return row_jacobian(self.gradient, z)

    def residuals(self, z: Tensor) -> Tensor | None:
        """The residuals r (*s, b, m) of a function that is |r|^2 / 2 plus a constant; None for any other."""
        return None


class Objective(Differentiable):
    """A function that a solver lowers, as a value. Black-box solvers call it; white-box solvers look inside."""

    @property
    @abstractmethod
    def domain(self) -> Domain:
        """The domain of the free variable."""

    def start(self, z: Any) -> Tensor:
        """The place (b, *event) where a solver begins: `z`, without it the proposal, else the domain's middle."""
        begin: Tensor | None = self.proposal() if z is None else z
        return self.domain.center(1) if begin is None else begin

    def proposal(self) -> Tensor | None:
        """The start (b, *event) that an encoder gives; None where there is none."""
        return None

    def settled(self, z: Tensor, value: Tensor) -> Belief:
        """The belief that a solver's last place (b, *event), of value (b,), stands for: a point by default."""
        return Point(z)


@final
@dataclass(frozen=True)
class Clamped(Objective):
    """An energy with its given part fixed: `z -> E(x, z)` over the domain `over`."""

    energy: Energy
    x: Given
    over: Domain

    @property
    def domain(self) -> Domain:
        return self.over

    def __call__(self, z: Tensor) -> Tensor:
        return real(self.energy(self.x, z))

    def gradient(self, z: Tensor) -> Tensor:
        return self.energy.gradient(self.x, z)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.energy.value_and_gradient(self.x, z)

    def hessian(self, z: Tensor) -> Tensor:
        return self.energy.hessian(self.x, z)

    def residuals(self, z: Tensor) -> Tensor | None:
        return self.energy.residuals(self.x, z) if isinstance(self.energy, LeastSquares) else None

    def start(self, z: Any) -> Tensor:
        """The place where a solver begins; the middle is one for every row of `x`, typed and placed as `x` is."""
        given = self.x[0] if isinstance(self.x, tuple) else self.x
        begin: Tensor | None = self.proposal() if z is None else z
        if begin is not None or not isinstance(given, Tensor):
            return super().start(begin)
        kind = given.dtype if given.is_floating_point() else torch.float64
        return self.over.center(len(given), kind).to(given.device)

    def proposal(self) -> Tensor | None:
        return self.energy.start(self.x) if isinstance(self.energy, Encoder) else None
