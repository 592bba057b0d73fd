"""The Gaussian energy: its closed forms, and where it says no."""

import pytest
import torch
from torch.testing import assert_close

from agentic import Gaussian, UserError
from agentic_energies.gaussian import GaussianEnergy

F64 = torch.float64
PRECISION = torch.tensor([[2.0, 0.6], [0.6, 1.0]], dtype=F64)


def test_it_is_the_beliefs_energy() -> None:
    energy, z = GaussianEnergy([1.0, -1.0], PRECISION), torch.tensor([[0.3, 0.2], [2.0, 1.0]], dtype=F64)
    belief = Gaussian(torch.tensor([[1.0, -1.0]], dtype=F64), torch.linalg.inv(PRECISION).unsqueeze(0))
    assert_close(energy(None, z), belief.energy(z))
    value, slope = energy.value_and_gradient(None, z)
    assert_close(value, belief.energy(z))
    assert_close(slope, belief.gradient(z))
    assert_close(energy.given(None).covariance, belief.covariance)


def test_a_mean_that_is_loaded_counts() -> None:
    fresh, other = GaussianEnergy([0.0, 0.0], PRECISION), GaussianEnergy([1.0, -1.0], PRECISION)
    fresh.load_state_dict(other.state_dict())
    z = torch.zeros(1, 2, dtype=F64)
    assert_close(fresh.gradient(None, z), other.gradient(None, z))
    assert_close(fresh(None, z), other(None, z))


def test_doors() -> None:
    with pytest.raises(
        UserError, match=r"a mean of d numbers and a precision of d x d, got shapes \(2,\) and \(3, 3\)"
    ):
        GaussianEnergy([0.0, 0.0], [1.0, 1.0, 1.0])
    for wrong in ([[1.0, 0.5], [0.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]):
        with pytest.raises(UserError, match="must be symmetric and positive definite"):
            GaussianEnergy([0.0, 0.0], wrong)
