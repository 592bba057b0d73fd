"""Any energy of several discrete variables, as one table: the multilinear extension to the simplices."""

from math import prod
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from agentic import Energy, Simplex, UserError
from agentic.engine import FactorGraph
from agentic_energies.arrays import check_finite, tensors


@final
class Table(Energy, FactorGraph):
    """An energy of `values` (n_1, ..., n_k) in nats; z (*s, b, n_1 + ... + n_k) the factors' blocks, at most 8 factors.

    At probabilities the energy is the expectation under independent factors.
    """

    LETTERS = "abcdefgh"

    def __init__(self, values: Any) -> None:
        super().__init__()
        table = tensors("values", [values])[0]
        if not 1 <= table.dim() <= len(self.LETTERS) or prod(table.shape) == 0:
            raise UserError(f"a table expects 1 to {len(self.LETTERS)} factors, got shape {tuple(table.shape)}")
        self.values = nn.Buffer(check_finite("values", table))
        self.domain = Simplex(tuple(table.shape))

    @classmethod
    def example(cls) -> Self:
        """Two binary factors."""
        return cls([[0.0, 1.0], [2.0, 0.5]])

    def forward(self, x: Any, z: Tensor) -> Tensor:
        axes = self.LETTERS[: self.values.dim()]
        value: Tensor = self.values
        for i, block in enumerate(self.domain.blocks(z)):
            value = torch.einsum(f"...{axes[i:]},...{axes[i]}->...{axes[i + 1 :]}", value, block)
        return value

    def potentials(self, x: Any) -> list[tuple[Tensor, tuple[int, ...]]]:
        return [(self.values.unsqueeze(-1), tuple(range(self.values.dim())))]
