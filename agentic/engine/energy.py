"""Energies: the misfit of a free variable to what is given, in nats; the foundation of everything else.

`E(x, z)` is low where `z` (free) agrees with `x` (given). A normalized energy is a `Conditional`. An `Objective` is an
energy whose given part is fixed: a callable value with a domain, which solvers lower.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
from torch import Tensor, nn

from agentic.engine.belief import Belief
from agentic.engine.derivatives import row_jacobian, row_value_and_gradient
from agentic.engine.domain import Domain

Given = Any  # a Tensor (*s, b, ...), a tuple of them, or None


class Energy(nn.Module, ABC):
    """An energy `E(x, z)` in nats of `z` (*s, b, *event), free, with `x` (*s, b, ...) given; returns (*s, b).

    Rows are independent: the energy reduces its event axes and keeps the rest. Energies add (`a + b`) and scale
    (`2 * a`). Energies of discrete variables are linear in every one-hot argument, so that the energy at a
    probability vector is the expected energy. `latent` is where `z` lives, for an energy that knows; one
    that has no derivative by `z` says `differentiable = False`.

    >>> import agentic, torch
    >>> class Spring(agentic.Energy):
    ...     def forward(self, x, z):
    ...         return 0.5 * ((z - x) ** 2).sum(-1)
    >>> energy = 2 * Spring()
    >>> energy(torch.zeros(1, 2), torch.ones(1, 2)), energy.gradient(torch.zeros(1, 2), torch.ones(1, 2))
    (tensor([2.]), tensor([[2., 2.]]))
    """

    latent: Domain | None = None
    differentiable: bool = True

    @abstractmethod
    def forward(self, x: Given, z: Tensor) -> Tensor:
        """The energy of every row, (*s, b)."""

    if TYPE_CHECKING:  # nn.Module's own says Any

        def __call__(self, x: Given, z: Tensor) -> Tensor: ...

    @property
    @final
    def name(self) -> str:
        """The name of this energy among the terms of a sum."""
        return type(self).__name__.lower()

    def terms(self, x: Given, z: Tensor) -> Mapping[str, Tensor]:
        """The named parts, each (*s, b), that sum to the energy."""
        return {self.name: self(x, z)}

    def gradient(self, x: Given, z: Tensor) -> Tensor:
        """The gradient dE/dz of every row, shaped like `z`: the second of `value_and_gradient`."""
        return self.value_and_gradient(x, z)[1]

    def value_and_gradient(self, x: Given, z: Tensor) -> tuple[Tensor, Tensor]:
        """The energy (*s, b) and dE/dz in one evaluation, by autograd.

        Override it where a closed form shares work between the two. Where it shares none, derive from `ClosedForm` and
        write `gradient`.
        """
        return row_value_and_gradient(lambda free: self(x, free), z)

    def hessian(self, x: Given, z: Tensor) -> Tensor:
        """The Hessian d2E/dz2 of every row (*s, b, d, d), for vector events; override it by a closed form."""
        return row_jacobian(lambda free: self.gradient(x, free), z)

    def __add__(self, other: "Energy") -> "Energy":
        return Sum(self._weighted + other._weighted)

    def __mul__(self, weight: float) -> "Energy":
        return Sum([(weight, self)])

    __rmul__ = __mul__

    @property
    def _weighted(self) -> list[tuple[float, "Energy"]]:
        """The summands it brings into a sum, with their weights."""
        return [(1.0, self)]


class Encoder(ABC):
    """An energy or a model with an encoder, which reads a start of settling off what is given."""

    @abstractmethod
    def start(self, x: Given) -> Tensor | None:
        """The start of settling (*s, b, *event) with `x` given; None where there is nothing to read it off."""


class LeastSquares(ABC):
    """An energy that is a sum of squares, |r|^2 / 2 plus a constant, which Gauss-Newton lowers."""

    @abstractmethod
    def residuals(self, x: Given, z: Tensor) -> Tensor | None:
        """The residuals r (*s, b, m); None where an energy is no such sum with the parts it has."""


class FactorGraph(ABC):
    """An energy of discrete variables that is a sum of tables, each over few of them, as message passing needs it."""

    @abstractmethod
    def potentials(self, x: Given) -> Sequence[tuple[Tensor, tuple[int, ...]]]:
        """Every table as costs (*sizes, b) in nats with the numbers of the blocks of `z` that its axes are.

        A part of `x` that is None is not given but free: its blocks are counted before those of `z`.
        """


class Conditional(Energy):
    """A normalized `-log p(z | x)`, in nats: what evidence, ambiguity, gains and predictions need."""

    @abstractmethod
    def given(self, x: Given) -> Belief:
        """The distribution over `z` given `x`."""

    def swapped(self) -> Energy:
        """The energy of `x` with `z` given; override it where the derivatives by `x` have a closed form."""
        return Swapped(self)


class ClosedForm(Energy):
    """An energy whose gradient is written down; beside another contract it comes first in the list of bases."""

    @abstractmethod
    def gradient(self, x: Given, z: Tensor) -> Tensor:
        """The gradient dE/dz of every row, shaped like `z`."""

    def value_and_gradient(self, x: Given, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(x, z), self.gradient(x, z)


@final
class Swapped(Energy, LeastSquares):
    """An energy with its arguments exchanged: `E(z, x)` as an energy of `z` with `x` given, derived by autograd."""

    def __init__(self, energy: Energy) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, x: Given, z: Tensor) -> Tensor:
        return self.energy(z, x)

    def residuals(self, x: Given, z: Tensor) -> Tensor | None:
        return self.energy.residuals(z, x) if isinstance(self.energy, LeastSquares) else None


class PopulationEnergy(nn.Module, ABC):
    """An energy of a whole batch of latents (n, *event), one scalar in nats.

    Its rows are not independent (variances, covariances, distances between rows), so that it is no `Energy`: only
    learning accepts it, settling never sees it.
    """

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """The energy of the population `z` (n, *event), a scalar."""

    def renew(self, *, generator: torch.Generator | None) -> None:
        """Draw anew what is random, before each batch of learning. Default: nothing is."""

    if TYPE_CHECKING:

        def __call__(self, z: Tensor) -> Tensor: ...


class Amortized(Energy):
    """An energy with an amortized posterior: an encoder gives the belief about `z` that settling would look for."""

    @abstractmethod
    def given(self, x: Given) -> Belief:
        """The amortized belief about z given x."""

    @abstractmethod
    def free_energy(self, x: Given, belief: Belief, n: int = 1, *, generator: torch.Generator | None = None) -> Tensor:
        """The free energy E_q[E] - H[q] in nats, (*s, b), over `n` reparameterized draws without a closed form."""


class Study(NamedTuple):
    """One batch of learning: energies (n,), representations (n, d), and each population energy, a scalar."""

    energies: Tensor
    representations: Tensor
    populations: Mapping[str, Tensor]


class RepresentationEnergy(Energy):
    """An energy between representations that its own weights make, so that its minimum over weights is collapse."""

    @abstractmethod
    def study(self, x: Given, z: Tensor) -> Study:
        """One batch of learning: its energies, its representations, and the energies of their population."""

    @abstractmethod
    def renew(self, *, generator: torch.Generator | None) -> None:
        """Draw anew what is random and move what follows the weights, before each batch of learning."""

    @abstractmethod
    def collapse(self, representations: Tensor) -> Mapping[str, Tensor]:
        """Measures of collapse of representations (n, d), scalars by name."""


@final
class Sum(Energy, Encoder, LeastSquares):
    """A weighted sum of energies of the same variables, of pairs (weight, energy).

    Its terms are the weighted terms of its parts, numbered where names repeat.
    """

    def __init__(self, weighted: list[tuple[float, Energy]]) -> None:
        super().__init__()
        self.weights = [float(weight) for weight, _ in weighted]
        self.parts = nn.ModuleList([part for _, part in weighted])

    @property
    def members(self) -> list[Energy]:
        """The energies that are summed."""
        return [part for part in self.parts if isinstance(part, Energy)]

    @property
    def _weighted(self) -> list[tuple[float, Energy]]:
        return list(zip(self.weights, self.members, strict=True))

    def forward(self, x: Given, z: Tensor) -> Tensor:
        return self._total([part(x, z) for part in self.members])

    def terms(self, x: Given, z: Tensor) -> Mapping[str, Tensor]:
        named: dict[str, Tensor] = {}
        for weight, part in self._weighted:
            for name, value in part.terms(x, z).items():
                unique, number = name, 2
                while unique in named:
                    unique, number = f"{name}_{number}", number + 1
                named[unique] = weight * value
        return named

    def gradient(self, x: Given, z: Tensor) -> Tensor:
        return self._total([part.gradient(x, z) for part in self.members])

    def value_and_gradient(self, x: Given, z: Tensor) -> tuple[Tensor, Tensor]:
        values, slopes = zip(*[part.value_and_gradient(x, z) for part in self.members], strict=True)
        return self._total(values), self._total(slopes)

    def hessian(self, x: Given, z: Tensor) -> Tensor:
        return self._total([part.hessian(x, z) for part in self.members])

    def residuals(self, x: Given, z: Tensor) -> Tensor | None:
        parts = list[Tensor]()
        for weight, part in self._weighted:
            found = part.residuals(x, z) if isinstance(part, LeastSquares) and weight >= 0 else None
            if found is None:
                return None
            parts.append(weight**0.5 * found)
        rows = torch.broadcast_shapes(*[part.shape[:-1] for part in parts])
        return torch.cat([part.expand(*rows, -1) for part in parts], -1)

    def start(self, x: Given) -> Tensor | None:
        """The start of the first part that has one."""
        starts = (part.start(x) for part in self.members if isinstance(part, Encoder))
        return next((start for start in starts if start is not None), None)

    def _total(self, parts: Sequence[Tensor]) -> Tensor:
        """The weighted sum of what each part says, with sample axes that broadcast."""
        scaled = [part if weight == 1 else weight * part for weight, part in zip(self.weights, parts, strict=True)]
        return scaled[0] if len(scaled) == 1 else torch.stack(torch.broadcast_tensors(*scaled)).sum(0)
