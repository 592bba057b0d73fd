"""The Gaussian energy: its closed forms, its steps in place, and where it says no."""

import pytest
import torch
from torch.testing import assert_close

from agentic import Clamped, Gaussian, Real, UserError
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


@pytest.mark.parametrize("mean", [[0.0, 0.0], [1.0, -1.0]])
@pytest.mark.parametrize("shape", [(3, 2), (4, 3, 2)])
def test_a_kick_is_a_step_against_the_gradient(mean: list[float], shape: tuple[int, ...]) -> None:
    f = Clamped(GaussianEnergy(mean, PRECISION), None, Real((2,)))
    z, move = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=F64)
    expected = move - 0.3 * f.gradient(z)
    f.kick(z, move, 0.3)
    assert_close(move, expected)


def test_a_mean_that_is_loaded_counts() -> None:
    fresh, other = GaussianEnergy([0.0, 0.0], PRECISION), GaussianEnergy([1.0, -1.0], PRECISION)
    fresh.load_state_dict(other.state_dict())
    z = torch.zeros(1, 2, dtype=F64)
    move = torch.zeros_like(z)
    fresh.kick(None, z, move, 1.0)
    assert_close(move, -other.gradient(None, z))
    assert_close(fresh(None, z), other(None, z))


def test_doors() -> None:
    with pytest.raises(
        UserError, match=r"a mean of d numbers and a precision of d x d, got shapes \(2,\) and \(3, 3\)"
    ):
        GaussianEnergy([0.0, 0.0], [1.0, 1.0, 1.0])
    for wrong in ([[1.0, 0.5], [0.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]):
        with pytest.raises(UserError, match="must be symmetric and positive definite"):
            GaussianEnergy([0.0, 0.0], wrong)
