"""Population energies against collapse: energies of a whole batch, low where representations are spread out.

An energy that only asks representations to agree is lowest where all are the same. These ask for the opposite, of a
population: only learning sees them. `collapse` tells whether it happened.
"""

from abc import ABC
from collections.abc import Mapping, Sequence
from math import inf
from typing import Protocol, Self, final, runtime_checkable

import torch
from torch import Tensor, nn

from agentic import PopulationEnergy, UserError
from agentic.engine import normal_like
from agentic_energies.network import Network


@runtime_checkable
class Initialized(Protocol):
    """A population energy with weights of its own."""

    def initialize(self, *, generator: torch.Generator) -> None: ...


@final
class Variance(PopulationEnergy):
    """The variance energy mean_j max(0, target - sqrt(var_j + floor)) over the coordinates of z (n, d).

    At most `target`, 0 where every standard deviation reaches it. Source: VICReg (Bardes, Ponce and LeCun 2022).
    """

    def __init__(self, target: float = 1.0, floor: float = 1e-4) -> None:
        super().__init__()
        if not (0 < target < inf and 0 < floor < inf):
            raise UserError(f"variance expects target and floor > 0, got {target} and {floor}")
        self.target, self.floor = float(target), float(floor)

    def forward(self, z: Tensor) -> Tensor:
        return (self.target - (_rows(z, "variance").var(0) + self.floor).sqrt()).clamp(min=0).mean()


@final
class Covariance(PopulationEnergy):
    """The covariance energy sum_{i != j} C_ij^2 / d of the covariance C (d, d) of z (n, d).

    0 where coordinates are uncorrelated. Source: VICReg (Bardes, Ponce and LeCun 2022).
    """

    def forward(self, z: Tensor) -> Tensor:
        spread = _covariance(_rows(z, "covariance"))
        return (spread.square().sum() - spread.diagonal().square().sum()) / len(spread)


@final
class SketchedGaussian(PopulationEnergy):
    """SIGReg: the distance of z (n, d) from N(0, I), by the Epps-Pulley test along random unit directions v.

    mean_v n int |mean_i exp(i t v'z_i) - exp(-t^2/2)|^2 exp(-t^2/2) dt over t in [-5, 5], by the trapezoidal rule at
    `points` values in [0, 5] (the integrand is even). On n rows of N(0, I) its expectation is sqrt(2 pi) (1 -
    1/sqrt(3)) = 1.0594, whatever n; where all rows are zero it is .4089 n. The `directions` (d, k) are a buffer:
    `renew` draws them anew, as learning does before each batch. `size` is d. Source: LeJEPA (Balestriero and LeCun
    2025); Epps and Pulley 1983.
    """

    def __init__(self, size: int, directions: int = 64, points: int = 9) -> None:
        super().__init__()
        if min(size, directions) < 1 or points < 3:
            given = f"{size}, {directions} and {points}"
            raise UserError(f"sigreg expects size and directions of at least 1 and points of at least 3, got {given}")
        self.points = points
        self.directions: Tensor = nn.Buffer(torch.zeros(size, directions))
        self.renew(generator=torch.Generator().manual_seed(0))

    @classmethod
    def example(cls) -> Self:
        """For representations of three numbers."""
        return cls(3)

    def renew(self, *, generator: torch.Generator | None) -> None:
        """Draw the directions anew, uniform on the sphere."""
        drawn = normal_like(self.directions, generator)
        self.directions = drawn / drawn.norm(dim=0)

    def forward(self, z: Tensor) -> Tensor:
        rows = _rows(z, "sigreg")
        if rows.shape[-1] != len(self.directions):
            raise UserError(f"sigreg was made for {len(self.directions)} numbers a row, got shape {tuple(z.shape)}")
        t = torch.linspace(0, 5, self.points, dtype=rows.dtype, device=rows.device)
        angles = (rows @ self.directions.to(rows)).unsqueeze(-1) * t
        normal = torch.exp(-0.5 * t**2)
        gap = (angles.cos().mean(0) - normal).square() + angles.sin().mean(0).square()
        return 2 * len(rows) * torch.trapezoid(gap * normal, t, dim=-1).mean()


class TransitionEnergy(PopulationEnergy, ABC):
    """A population energy whose rows are transitions: z, action and next z side by side, (n, d + a + d)."""


@final
class InverseDynamics(TransitionEnergy):
    """The inverse-dynamics energy mean |action - g(z, z')|^2 / 2 of transitions (n, d + a + d).

    -log N(action; g, I) up to a constant. What does not depend on the action it leaves free to collapse. Its network g
    has weights of its own, learned together with the encoder: `size` is that of z, `action` that of the action,
    `hidden` are the widths in between; `generator` draws the first weights, None: that of seed 0.

    Source: Pathak et al. 2017; PLDM (Sobal et al. 2025).
    """

    def __init__(
        self, size: int, action: int, hidden: Sequence[int] = (32,), *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.size, self.action = size, action
        source = torch.Generator().manual_seed(0) if generator is None else generator
        self.network = Network([2 * size, *hidden, action], "silu", generator=source)

    @classmethod
    def example(cls) -> Self:
        """Two numbers, one action."""
        return cls(2, 1, [4])

    def initialize(self, *, generator: torch.Generator) -> None:
        """Draw the weights afresh."""
        self.network.initialize(generator=generator)

    def forward(self, z: Tensor) -> Tensor:
        sizes = [self.size, self.action, self.size]
        if z.shape[-1] != sum(sizes):
            raise UserError(f"inverse_dynamics expects rows of {sizes} numbers side by side, got {tuple(z.shape)}")
        before, action, after = torch.split(z, sizes, -1)
        return 0.5 * (action - self.network(torch.cat([before, after], -1))).square().sum(-1).mean()


def collapse(z: Tensor, *, floor: float = 0.01, rank: float = 1.5) -> Mapping[str, Tensor]:
    """Measures of collapse of representations z (n, d), scalars by name.

    `effective_rank` is exp H of the covariance's eigenvalues as fractions of their sum (Roy and Vetterli 2007), those
    of a standard deviation below `floor` counted as none: from 0 (all rows the same) to d. `smallest_deviation` and
    `largest_deviation` are of principal directions. `collapsed` is 1 where the effective rank is below `rank` (below 1
    where d = 1).
    """
    with torch.no_grad():
        rows = _rows(z, "collapse")
        variances = torch.linalg.eigvalsh(_covariance(rows.double())).clamp(min=0)
        kept = torch.where(variances > floor**2, variances, 0)
        shares = kept / kept.sum().clamp(min=torch.finfo(kept.dtype).tiny)
        effective = torch.exp(torch.special.entr(shares).sum()) * (kept.sum() > 0)
        return {
            "effective_rank": effective,
            "smallest_deviation": variances[0].sqrt(),
            "largest_deviation": variances[-1].sqrt(),
            "collapsed": (effective < min(rank, float(z.shape[-1]))).to(effective.dtype),
        }


def _rows(z: Tensor, owner: str) -> Tensor:
    rows = z.flatten(1)
    if len(rows) < 2:
        raise UserError(f"{owner} is of a population: it expects at least 2 rows, got shape {tuple(z.shape)}")
    return rows


def _covariance(rows: Tensor) -> Tensor:
    centered = rows - rows.mean(0)
    return centered.T @ centered / (len(rows) - 1)
