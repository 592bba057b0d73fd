"""Contrastive divergence: lower the energy of data, raise that of what a sampler makes of it.

The gradient of minus log likelihood is E_data[dE/dtheta] - E_model[dE/dtheta]; the second expectation is approximated
by a sampler that runs for a few steps and starts somewhere sensible. No normalizer is needed.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor

from agentic import Clamped, Energy, Loss, Particles, Real, Sampler, UserError, minimize
from agentic.engine import normal_like, uniform_like
from agentic_optimizers.langevin import Langevin
from agentic_optimizers.rows import Lowered, Rows, given_and_free


class Starts(ABC):
    """The rule by which negative samples get their start."""

    @abstractmethod
    def draw(self, module: Any, data: Tensor, *, generator: torch.Generator | None) -> Tensor:
        """One start per row of data, (n, *event)."""

    def keep(self, module: Any, ends: Tensor) -> None:  # noqa: B027  # most starts forget
        """Take note of where the sampler ended, (n, *event). Default: nothing is kept."""


@final
@dataclass(frozen=True)
class AtData(Starts):
    """Starts at the data themselves: k steps from there are CD-k (Hinton 2002)."""

    def draw(self, module: Any, data: Tensor, *, generator: torch.Generator | None) -> Tensor:
        return data


@final
@dataclass(frozen=True)
class AtNoise(Starts):
    """Starts at normal noise of a standard deviation: short runs that turn noise into data (Nijkamp et al. 2019)."""

    deviation: float = 1.0

    def draw(self, module: Any, data: Tensor, *, generator: torch.Generator | None) -> Tensor:
        return self.deviation * normal_like(data, generator)


@final
@dataclass(frozen=True)
class AtChains(Starts):
    """Starts where chains ended before, persistent ones (Tieleman 2008), of a module that is a `PersistentChains`.

    A `fresh` fraction begins again at normal noise of `deviation` (Du and Mordatch 2019 take .05). A batch takes
    consecutive chains in turn, so that all are used equally often.
    """

    fresh: float = 0.05
    deviation: float = 1.0

    def draw(self, module: Any, data: Tensor, *, generator: torch.Generator | None) -> Tensor:
        kept = _chains(module).take(len(data))
        anew = (uniform_like(data.flatten(1)[:, 0], generator) < self.fresh).reshape(-1, *[1] * (data.dim() - 1))
        return torch.where(anew, self.deviation * normal_like(data, generator), kept.to(data))

    def keep(self, module: Any, ends: Tensor) -> None:
        _chains(module).put(ends)


@final
class PersistentChains(Energy):
    """An energy with the places of the chains that sample from it: a buffer (m, *event) that learning moves along.

    As an energy it is the one it holds. Raises UserError where something is given: a chain belongs to no x.
    """

    def __init__(self, energy: Energy, chains: Tensor) -> None:
        super().__init__()
        self.energy, self.latent = energy, energy.latent
        self.chains: Tensor
        self.turn: Tensor
        self.register_buffer("chains", chains.clone())
        self.register_buffer("turn", torch.zeros((), dtype=torch.long))

    def forward(self, x: Any, z: Tensor) -> Tensor:
        if x is not None:
            raise UserError("kept chains belong to no x: start at the data, or at noise, where something is given")
        return self.energy(x, z)

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        return self.energy.gradient(x, z)

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.energy.value_and_gradient(x, z)

    def hessian(self, x: Any, z: Tensor) -> Tensor:
        return self.energy.hessian(x, z)

    def take(self, n: int) -> Tensor:
        """The places of the next `n` chains, (n, *event). Raises UserError for more than there are."""
        if n > len(self.chains):
            raise UserError(f"a batch of {n} needs as many chains, there are {len(self.chains)}: hold more of them")
        return self.chains[self._places(n)]

    def put(self, ends: Tensor) -> None:
        """Store the new places of the chains last taken (n, *event), and go on to the next chains."""
        self.chains[self._places(len(ends))] = ends.to(self.chains)
        self.turn = (self.turn + len(ends)) % len(self.chains)

    def _places(self, n: int) -> Tensor:
        return (self.turn + torch.arange(n, device=self.chains.device)) % len(self.chains)


@final
@dataclass(frozen=True)
class ContrastiveDivergence(Loss):
    """The contrastive divergence of rows (z,) or (x, z): mean E(data) - mean E(negatives), and a penalty on squares.

    The penalty is squares mean(E(data)^2 + E(negatives)^2). Negatives are the `sampler`'s belief after its steps from
    `starts`, held fixed; its mean energy is that of all draws it keeps (langevin with burn = steps - 1 keeps the last).
    `squares` keeps energies near 0 (Du and Mordatch 2019). The value is no bound on anything and may be negative: what
    tells is whether the `gap` E(data) - E(negatives) has come to 0. Info: `energy_data`, `energy_negatives`, `gap`, and
    `acceptance` where the sampler tells it.
    """

    sampler: Sampler = field(default_factory=lambda: Langevin(steps=20, rate=0.05, burn=19))
    starts: Starts = field(default_factory=AtData)
    squares: float = 0.0

    def __post_init__(self) -> None:
        if not self.squares >= 0:
            raise UserError(f"contrastive_divergence expects squares >= 0, got {self.squares}")

    def __call__(self, module: Any, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        x, data = given_and_free(rows)
        start = self.starts.draw(module, data, generator=generator)
        solution = minimize(Clamped(module, x, Real(data.shape[1:])), self.sampler, start, generator=generator)
        belief = solution.belief
        if not isinstance(belief, Particles):
            raise UserError(f"contrastive_divergence needs a sampler that gives particles, got {self.sampler}")
        self.starts.keep(module, belief.z[-1])
        real = module(x, data).mean()
        every = module(x, belief.z)
        made = belief.expected(every).mean()
        value = real - made
        if self.squares:
            value = value + self.squares * (module(x, data).square().mean() + belief.expected(every.square()).mean())
        low, high = real.detach(), made.detach()
        info = {"energy_data": low, "energy_negatives": high, "gap": low - high}
        reported = solution.diagnostics
        return value, {**info, "acceptance": reported["acceptance"]} if "acceptance" in reported else info


def _chains(module: Any) -> PersistentChains:
    if not isinstance(module, PersistentChains):
        name = type(module).__name__
        raise UserError(f"kept chains need a module that keeps them: give PersistentChains({name}, chains)")
    return module
