"""Conditional probability tables as energies, linear in every one-hot argument.

So the energy at a probability vector is the expected energy, E_q[-log p], never -log of an average.
"""

from collections.abc import Sequence
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Categorical, ClosedForm, Conditional


@final
class Columns(nn.Module):
    """Probabilities with their costs -log p; zeros count as `floor`, and `floor=0` gives infinities, never NaN."""

    def __init__(self, table: Tensor, floor: float) -> None:
        super().__init__()
        self.floor = floor
        self.table, self.costs, self.impossible = (nn.Buffer(torch.zeros_like(table)) for _ in range(3))
        self.put(table)

    def put(self, table: Tensor) -> None:
        """Take new probabilities of the same shape."""
        clamped = table.clamp(min=self.floor)
        self.table.copy_(table)
        self.impossible.copy_(clamped == 0)
        self.costs.copy_(-torch.where(clamped == 0, torch.ones_like(clamped), clamped).log())

    def contract(self, equation: str, *arguments: Tensor) -> Tensor:
        """The costs summed against the arguments; infinite where an impossible entry has probability."""
        energy = torch.einsum(equation, self.costs, *arguments)
        if self.floor > 0:
            return energy
        return torch.where(torch.einsum(equation, self.impossible, *arguments) > 0, torch.inf, energy)


@final
class CategoricalObservation(Conditional):
    """The observation -log p(obs | z): `forward(z, obs)`, obs the modalities' blocks, independent given z."""

    def __init__(self, A: Sequence[Tensor], floor: float) -> None:
        super().__init__()
        self.sizes = tuple(len(a) for a in A)
        self.modalities = [Columns(a, floor) for a in A]
        for i, columns in enumerate(self.modalities):
            self.add_module(f"modality_{i}", columns)

    @property
    def tables(self) -> list[Tensor]:
        """The tables p(o | z), (outcomes, n), one per modality."""
        return [columns.table for columns in self.modalities]

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return torch.stack([columns.contract("oi,...i,...o->...", x, o) for columns, o in self._pairs(z)]).sum(0)

    def swapped(self) -> "SwappedCategorical":
        return SwappedCategorical(self)

    def costs(self, obs: Tensor) -> Tensor:
        """The energies -log p(obs | z) of every state, (*s, b, n)."""
        return torch.stack([columns.contract("oi,...o->...i", o) for columns, o in self._pairs(obs)]).sum(0)

    def _pairs(self, obs: Tensor) -> "zip[tuple[Columns, Tensor]]":
        return zip(self.modalities, torch.split(obs, list(self.sizes), -1), strict=True)

    def given(self, x: Tensor) -> Categorical:
        return Categorical(torch.cat([x @ table.T for table in self.tables], -1), self.sizes)

    @classmethod
    def example(cls) -> Self:
        """Two modalities over three states, for the conformance kit."""
        first = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.8, 0.9]], dtype=torch.float64)
        second = torch.tensor([[0.5, 0.1, 0.2], [0.3, 0.3, 0.2], [0.2, 0.6, 0.6]], dtype=torch.float64)
        return cls([first, second], 1e-16)


@final
class SwappedCategorical(ClosedForm):
    """The observation -log p(obs | z) as an energy of the latent: `forward(obs, z)`, linear in `z`."""

    def __init__(self, observation: CategoricalObservation) -> None:
        super().__init__()
        self.observation = observation

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.observation(z, x)

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return self.observation.costs(x).expand_as(z)


@final
class CategoricalTransition(Conditional):
    """The transition -log p(z' | z, a): `forward((z, a), z')` from a table (next, previous, actions)."""

    def __init__(self, table: Tensor, floor: float) -> None:
        super().__init__()
        self.columns = Columns(table, floor)

    @property
    def table(self) -> Tensor:
        """The table p(z' | z, a), (next, previous, actions)."""
        return self.columns.table

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        return self.columns.contract("ijk,...j,...k,...i->...", x[0], x[1], z)

    def given(self, x: tuple[Tensor, Tensor]) -> Categorical:
        moved: Tensor = torch.einsum("ijk,...j,...k->...i", self.table, x[0], x[1])
        return Categorical(moved)


@final
class CategoricalPrior(Conditional):
    """The prior -log p(z) at the start of an episode: `forward(c, z)` with a context c (b, 0) for the batch."""

    def __init__(self, table: Tensor, floor: float) -> None:
        super().__init__()
        self.columns = Columns(table, floor)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.columns.contract("i,...i->...", z)

    def given(self, x: Tensor) -> Categorical:
        return Categorical(self.columns.table.expand(*x.shape[:-1], -1))
