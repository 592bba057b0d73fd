"""What is asked of quadratures: points and weights that stand for a standard normal, the same at every call."""

from collections.abc import Iterator

import torch
from torch import Tensor

from agentic.engine.draws import Quadrature
from agentic.errors import UserError
from agentic.testing.common import assert_close, assert_same
from agentic.testing.kit import Make, NotApplicable, Run


def _sizes(quadrature: Quadrature) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Points and weights in one, two and three dimensions, where it does not refuse."""
    found = False
    for size in (1, 2, 3):
        try:
            points, weights = quadrature.points(size)
        except UserError:
            continue
        found = True
        yield size, points, weights
    if not found:
        raise NotApplicable("it refuses one, two and three dimensions")


def exercise(quadrature: Quadrature, source: torch.Generator) -> list[Tensor]:
    """All points and weights."""
    return [part for _, points, weights in _sizes(quadrature) for part in (points, weights)]


def gives_points_and_weights(make: Make) -> None:
    """points(size) is (k, size) and weights (k,), both float64."""
    for size, points, weights in _sizes(make()):
        shapes = tuple(points.shape), tuple(weights.shape)
        wanted = (len(weights), size), (len(weights),)
        assert shapes == wanted, f"points and weights in {size} dimensions must be {wanted}, got {shapes}"
        kinds = {points.dtype, weights.dtype}
        assert kinds == {torch.float64}, f"points and weights must be float64, got {points.dtype} and {weights.dtype}"


def weights_sum_to_one(make: Make) -> None:
    """The weights sum to 1."""
    for _, _, weights in _sizes(make()):
        assert_close(weights.sum(), torch.ones((), dtype=torch.float64), "the sum of the weights")


def has_the_moments(make: Make) -> None:
    """The weighted mean is 0 and the weighted covariance 1, as those of N(0, 1) are."""
    for size, points, weights in _sizes(make()):
        weights = weights / weights.sum()  # that they sum to 1 is asked elsewhere
        assert_close(weights @ points, torch.zeros(size, dtype=torch.float64), f"the mean in {size} dimensions", 1e-6)
        spread = (weights.unsqueeze(-1) * points).T @ points
        assert_close(spread, torch.eye(size, dtype=torch.float64), f"the covariance in {size} dimensions", 1e-6)


def is_the_same_every_time(make: Make) -> None:
    """A second call gives the same points."""
    quadrature = make()
    first = exercise(quadrature, torch.Generator())
    assert_same(first, exercise(quadrature, torch.Generator()), "a second call's answer")


CHECKS: tuple[Run, ...] = (
    gives_points_and_weights,
    weights_sum_to_one,
    has_the_moments,
    is_the_same_every_time,
)
