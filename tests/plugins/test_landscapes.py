"""Landscapes: moments and weights by quadrature, exact draws, R21's double well."""

from math import exp, sqrt

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import UserError
from agentic_energies.landscapes import Banana, DoubleWell

F64 = torch.float64
LINE = torch.linspace(-8, 8, 801, dtype=F64)
STEP = float(LINE[1] - LINE[0])


def within_error(draws: Tensor, expected: float) -> None:
    assert float(draws.mean()) == pytest.approx(expected, abs=4 * float(draws.std()) / sqrt(len(draws)))


def test_the_bananas_moments_and_normalizer() -> None:
    banana = Banana(scale=0.6, bend=0.4)
    z = torch.cartesian_prod(LINE, LINE)
    mass = (-banana(None, z) - banana.log_normalizer(None)).exp() * STEP**2
    assert float(mass.sum()) == pytest.approx(1, abs=1e-8)
    assert_close(mass @ z, torch.zeros(2, dtype=F64), atol=1e-8, rtol=0)
    assert_close(mass @ z.square(), torch.tensor(banana.variance, dtype=F64), atol=1e-8, rtol=0)


def test_the_bananas_draws() -> None:
    banana = Banana(scale=0.8, bend=0.7)
    z = banana.sample(50_000, torch.Generator().manual_seed(1))
    for i in range(2):
        within_error(z[:, i], 0)
        within_error(z[:, i].square(), banana.variance[i])
    within_error(z[:, 1] - 0.7 * z[:, 0].square(), -0.7 * 0.64)


def test_r21_the_double_well_at_barrier_two() -> None:
    """(z^2 - 1)^2 / .5 has -ln Z -.3442."""
    assert -DoubleWell(barrier=2.0).log_mass == pytest.approx(-0.3442, abs=5e-5)


def test_the_double_wells_moments_and_weights() -> None:
    well = DoubleWell(barrier=1.5, tilt=0.4)
    mass = torch.softmax(-well(None, LINE.unsqueeze(-1)), 0)
    assert well.mean == pytest.approx(float(mass @ LINE), abs=1e-9)
    assert well.variance == pytest.approx(float(mass @ LINE.square() - (mass @ LINE).square()), abs=1e-9)
    assert well.right == pytest.approx(float(mass[401:].sum() + mass[400] / 2), abs=1e-5)
    assert well.right < 0.5
    assert DoubleWell(barrier=1.5).right == pytest.approx(0.5)


def test_a_tilt_weighs_the_modes() -> None:
    """Of deep narrow wells at -1 and 1, the right one weighs exp(-2 tilt) times the left, nearly."""
    well = DoubleWell(barrier=200.0, tilt=0.5)
    assert well.right / (1 - well.right) == pytest.approx(exp(-1), rel=1e-2)


def test_the_double_wells_draws() -> None:
    well = DoubleWell(barrier=1.5, tilt=0.4)
    z = well.sample(50_000, torch.Generator().manual_seed(2), 3)
    within_error(z[:, 0], well.mean)
    within_error((z[:, 0] > 0).double(), well.right)
    within_error(z[:, 0].square(), well.variance + well.mean**2)
    within_error(z[:, 2].square(), 1)


def test_doors() -> None:
    with pytest.raises(UserError, match="a banana expects scale > 0, got 0"):
        Banana(scale=0)
    with pytest.raises(UserError, match="a double well expects barrier > 0, got -1"):
        DoubleWell(barrier=-1)
