"""Score matching: fit the slope of an energy to that of the data's, which needs neither normalizer nor sampler.

The score of exp(-E) is -dE/dz. Each loss here has, up to a constant in the weights, the mean of |score - data score|^2
/ 2 over data or blurred data. Rows are (z,) or (x, z), z (n, d); the energy must be smooth in z.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import Loss, UserError
from agentic.engine import normal_like, uniform_like
from agentic_optimizers.rows import Lowered, Rows, given_and_free


@final
@dataclass(frozen=True)
class DenoisingScoreMatching(Loss):
    """Denoising score matching (Vincent 2011): mean |dE/dz(z + noise) - noise / deviation^2|^2 / 2.

    The noise is N(0, deviation^2 I). Its minimum is the energy of the data blurred by the noise, not of the data. First
    derivatives only: cheap.
    """

    deviation: float = 0.1

    def __post_init__(self) -> None:
        if not self.deviation > 0:
            raise UserError(f"denoising_score_matching expects deviation > 0, got {self.deviation}")

    def __call__(self, module: Any, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        x, data = given_and_free(rows)
        unit = normal_like(data, generator)
        slope = module.gradient(x, (data + self.deviation * unit).requires_grad_())
        value = 0.5 * (slope - unit / self.deviation).square().flatten(1).sum(-1).mean()
        return value, {"slope": slope.detach().square().flatten(1).sum(-1).mean()}


@final
@dataclass(frozen=True)
class SlicedScoreMatching(Loss):
    """Sliced score matching (Song et al. 2019, SSM-VR): mean |dE/dz|^2 / 2 - v' d2E/dz2 v over random directions v.

    There are `slices` directions of signs per row. The expectation over v is `ImplicitScoreMatching`, at the price of
    one second derivative per slice.
    """

    slices: int = 1

    def __post_init__(self) -> None:
        if self.slices < 1:
            raise UserError(f"sliced_score_matching expects slices of at least 1, got {self.slices}")

    def __call__(self, module: Any, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        x, data = given_and_free(rows)
        signs = (torch.where(uniform_like(data, generator) < 0.5, -1.0, 1.0).to(data) for _ in range(self.slices))
        return _implicit(module, x, data, signs, self.slices)


@final
@dataclass(frozen=True)
class ImplicitScoreMatching(Loss):
    """Implicit score matching (Hyvarinen 2005): mean |dE/dz|^2 / 2 - tr d2E/dz2.

    Exact, at the price of one second derivative per number in z (n, d).
    """

    def __call__(self, module: Any, rows: Rows, *, generator: torch.Generator | None) -> Lowered:
        x, data = given_and_free(rows)
        if data.dim() != 2:
            raise UserError(f"implicit_score_matching expects rows of vectors, got shape {tuple(data.shape)}")
        axes = torch.eye(data.shape[-1], dtype=data.dtype, device=data.device)
        return _implicit(module, x, data, (axis.expand_as(data) for axis in axes), 1)


def _implicit(module: Any, x: Any, data: Tensor, directions: Iterable[Tensor], count: int) -> Lowered:
    """mean |dE/dz|^2 / 2 less the mean over rows of the sum of v' d2E/dz2 v / count over directions v."""
    free = data.detach().clone().requires_grad_()
    slope = module.gradient(x, free)
    curve = torch.zeros(len(data), dtype=data.dtype, device=data.device)
    for v in directions:
        along = torch.autograd.grad(
            slope, free, v, create_graph=True, retain_graph=True, allow_unused=True, materialize_grads=True
        )[0]
        curve = curve + (v * along).flatten(1).sum(-1) / count
    square = slope.square().flatten(1).sum(-1).mean()
    return 0.5 * square - curve.mean(), {"slope": square.detach(), "curvature": curve.detach().mean()}
