"""Conditional probability tables as energies, linear in every one-hot argument.

So the energy at a probability vector is the expected energy, E_q[-log p], never -log of an average.
"""

from collections.abc import Sequence
from typing import Any, Self, final

import torch
from torch import Tensor

from agentic import Categorical, Conditional


class Costs:
    """-log p of a table, with zero probabilities counted as `floor`; `floor=0` gives exact infinities, never NaN."""

    def __init__(self, table: Tensor, floor: float) -> None:
        clamped = table.clamp(min=floor)
        self.floor = floor
        self.impossible = (clamped == 0).to(table.dtype)
        self.finite = -torch.where(clamped == 0, torch.ones_like(clamped), clamped).log()

    def contract(self, equation: str, *arguments: Tensor) -> Tensor:
        """The table's costs summed against the arguments; infinite where an impossible entry has probability."""
        energy = torch.einsum(equation, self.finite, *arguments)
        if self.floor > 0:
            return energy
        return torch.where(torch.einsum(equation, self.impossible, *arguments) > 0, torch.inf, energy)


@final
class CategoricalObservation(Conditional):
    """-log p(obs | z): `forward(z, obs)`, obs the modalities' blocks, independent of one another given z."""

    def __init__(self, A: Sequence[Tensor], floor: float) -> None:
        super().__init__()
        self.sizes, self.floor = tuple(len(a) for a in A), floor
        for i, a in enumerate(A):
            self.register_buffer(f"table_{i}", a.clone())

    @property
    def tables(self) -> list[Tensor]:
        """p(o | z) of every modality, (outcomes, n)."""
        return [self.get_buffer(f"table_{i}") for i in range(len(self.sizes))]

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return torch.stack([cost.contract("oi,...i,...o->...", x, o) for cost, o in self._modalities(z)]).sum(0)

    def costs(self, obs: Tensor) -> Tensor:
        """The energy of every state, (*s, b, n)."""
        return torch.stack([cost.contract("oi,...o->...i", o) for cost, o in self._modalities(obs)]).sum(0)

    def _modalities(self, obs: Tensor) -> "zip[tuple[Costs, Tensor]]":
        blocks = torch.split(obs, list(self.sizes), -1)
        return zip([Costs(table, self.floor) for table in self.tables], blocks, strict=True)

    def given(self, x: Tensor) -> Categorical:
        return Categorical(torch.cat([x @ table.T for table in self.tables], -1), self.sizes)

    @classmethod
    def example(cls) -> Self:
        """Two modalities over three states, for the conformance kit."""
        first = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.8, 0.9]], dtype=torch.float64)
        second = torch.tensor([[0.5, 0.1, 0.2], [0.3, 0.3, 0.2], [0.2, 0.6, 0.6]], dtype=torch.float64)
        return cls([first, second], 1e-16)


class _OneTable(Conditional):
    """A conditional given by one table."""

    def __init__(self, table: Tensor, floor: float) -> None:
        super().__init__()
        self.table: Tensor
        self.register_buffer("table", table.clone())
        self.floor = floor


@final
class CategoricalTransition(_OneTable):
    """-log p(z' | z, a): `forward((z, a), z')` from a table (next, previous, actions)."""

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        return Costs(self.table, self.floor).contract("ijk,...j,...k,...i->...", x[0], x[1], z)

    def given(self, x: tuple[Tensor, Tensor]) -> Categorical:
        return Categorical(torch.einsum("ijk,...j,...k->...i", self.table, x[0], x[1]))


@final
class CategoricalPrior(_OneTable):
    """-log p(z) at the start of an episode: `forward(c, z)` with a context c (b, 0) that only carries the batch."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return Costs(self.table, self.floor).contract("i,...i->...", z)

    def given(self, x: Tensor) -> Categorical:
        return Categorical(self.table.expand(*x.shape[:-1], -1))
