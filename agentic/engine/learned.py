"""Energies that offer a loss more than their value: an amortized belief, or the representations they compare.

What `Elbo` and `Regularized` learn. An energy that is neither is learned at settled beliefs, or by its gradients.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from agentic.engine.belief import Belief
from agentic.engine.energy import Energy, Given


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
