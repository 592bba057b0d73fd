"""Points and weights that stand for a standard normal: expectations without chance."""

from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np
import torch
from torch import Tensor

from agentic import Quadrature, UserError


@final
@dataclass(frozen=True)
class GaussHermite(Quadrature):
    """`order` points along every axis: exact for polynomials of degree 2 order - 1 in each coordinate.

    order^size points; raises UserError for more than `limit`.
    """

    order: int = 5
    limit: int = 10_000

    def __post_init__(self) -> None:
        if self.order < 2:
            raise UserError(f"gauss_hermite expects an order of at least 2, got {self.order}")

    def points(self, size: int) -> tuple[Tensor, Tensor]:
        if self.order**size > self.limit:
            raise UserError(
                f"gauss_hermite would take {self.order**size} points in {size} dimensions, more than its limit of "
                f"{self.limit}: lower the order, or use sobol"
            )
        return _product(self.order, size)


@final
@dataclass(frozen=True)
class Sobol(Quadrature):
    """`count` equally weighted quasi-random points in pairs of opposite ones, scaled so that quadratics are exact.

    Mean 0 and covariance 1 hold to rounding, other moments roughly. Raises UserError for fewer than two points a
    dimension.
    """

    count: int = 128

    def __post_init__(self) -> None:
        if self.count < 2 or self.count % 2:
            raise UserError(f"sobol expects an even number of points, got {self.count}")

    def points(self, size: int) -> tuple[Tensor, Tensor]:
        if self.count < 2 * size:
            raise UserError(f"sobol needs at least {2 * size} points in {size} dimensions, got {self.count}")
        return _quasi_random(self.count, size)


@cache
def _product(order: int, size: int) -> tuple[Tensor, Tensor]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    along, mass = torch.as_tensor(nodes), torch.as_tensor(weights / weights.sum())
    shape = (-1, size)
    return (
        torch.cartesian_prod(*[along] * size).reshape(shape),
        torch.cartesian_prod(*[mass] * size).reshape(shape).prod(-1),
    )


@cache
def _quasi_random(count: int, size: int) -> tuple[Tensor, Tensor]:
    half = count // 2
    uniform = torch.quasirandom.SobolEngine(size, scramble=True, seed=0).draw(half, dtype=torch.float64)
    margin = 0.25 / half  # a draw may lie at the very edge of its cell, where the normal has no end
    points = torch.special.ndtri(uniform.clamp(margin, 1 - margin))
    points = torch.cat([points, -points])
    root = torch.linalg.cholesky(points.T @ points / count)
    points = torch.linalg.solve_triangular(root, points.T, upper=False).T
    return points, torch.full((count,), 1 / count, dtype=torch.float64)
