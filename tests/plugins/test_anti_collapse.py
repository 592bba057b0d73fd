"""Energies of populations: their known values, their gradients, and what tells that a population has collapsed."""

from math import pi, sqrt

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import PopulationEnergy, UserError
from agentic_energies.anti_collapse import Covariance, InverseDynamics, SketchedGaussian, Variance, collapse

F64 = torch.float64


def draws(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


class TestVariance:
    def test_known_value(self) -> None:
        """Deviations 1/2 and 3: the hinge counts what is missing of the first, nothing of the second."""
        z = torch.tensor([[-1.0, -6.0], [1.0, 6.0]], dtype=F64) / torch.tensor([2 * sqrt(2), 2 * sqrt(2)], dtype=F64)
        assert float(Variance(floor=1e-12)(z)) == pytest.approx(0.5 * (1 - 0.5), abs=1e-9)

    def test_rows_all_alike_score_highest(self) -> None:
        assert float(Variance(target=2.0)(torch.ones(5, 3, dtype=F64))) == pytest.approx(2 - 0.01)


class TestCovariance:
    def test_known_value(self) -> None:
        """Covariance ((4, 2), (2, 1)): 2 * 2^2 / 2."""
        z = torch.tensor([[-2.0, -1.0], [2.0, 1.0]], dtype=F64) / sqrt(2)
        assert float(Covariance()(z)) == pytest.approx(4)

    def test_independent_coordinates_of_any_size_score_zero(self) -> None:
        z = torch.tensor([[1.0, 5.0], [1.0, -5.0], [-1.0, 5.0], [-1.0, -5.0]], dtype=F64)
        assert float(Covariance()(z)) == pytest.approx(0, abs=1e-12)


class TestSketchedGaussian:
    def test_standard_normal_rows_score_the_expectation_whatever_their_number(self) -> None:
        """E = int (1 - exp(-t^2)) exp(-t^2 / 2) dt = sqrt(2 pi) (1 - 1 / sqrt(3))."""
        energy = SketchedGaussian(3, directions=16).double()
        expected = sqrt(2 * pi) * (1 - 1 / sqrt(3))
        for n in (2, 100):
            values = torch.stack([energy(z) for z in draws(n, 400, n, 3)])
            assert float(values.mean()) == pytest.approx(expected, abs=4 * float(values.std()) / 20)

    def test_zeros_score_in_proportion_to_their_number(self) -> None:
        each = sqrt(2 * pi) - 2 * sqrt(pi) + sqrt(2 * pi / 3)
        assert float(SketchedGaussian(4)(torch.zeros(50, 4, dtype=F64))) == pytest.approx(50 * each, rel=1e-5)

    def test_it_is_the_closed_form_of_the_epps_pulley_statistic(self) -> None:
        """The integral in closed form, a double sum over pairs (Epps and Pulley 1983)."""
        energy, z = SketchedGaussian(4, points=33).double(), 1.5 * draws(1, 30, 4) + 0.3
        y = z @ energy.directions
        pairs = torch.exp(-0.5 * (y.unsqueeze(0) - y.unsqueeze(1)) ** 2).mean((0, 1))
        exact = sqrt(2 * pi) * pairs - 2 * sqrt(pi) * torch.exp(-(y**2) / 4).mean(0) + sqrt(2 * pi / 3)
        assert float(energy(z)) == pytest.approx(30 * float(exact.mean()), rel=1e-4)

    def test_directions_are_unit_vectors_drawn_anew(self) -> None:
        energy = SketchedGaussian(3)
        before = energy.directions
        energy.renew(generator=torch.Generator().manual_seed(1))
        assert not torch.equal(before, energy.directions)
        assert_close(energy.directions.norm(dim=0), torch.ones(64))
        other = SketchedGaussian(3)
        other.renew(generator=torch.Generator().manual_seed(1))
        assert torch.equal(other.directions, energy.directions)

    def test_doors(self) -> None:
        with pytest.raises(UserError, match=r"made for 3 numbers a row, got shape \(4, 2\)"):
            SketchedGaussian(3)(torch.zeros(4, 2))
        with pytest.raises(UserError, match="points of at least 3, got 3, 64 and 2"):
            SketchedGaussian(3, points=2)


class TestInverseDynamics:
    def test_known_value(self) -> None:
        """Without hidden layers the guess is linear: here z' - z, and the actions are 1 more."""
        energy = InverseDynamics(1, 1, hidden=()).double()
        with torch.no_grad():
            energy.network.weights[0].copy_(torch.tensor([[-1.0, 1.0]]))
        rows = torch.tensor([[0.0, 3.0, 2.0], [1.0, 0.0, 0.0]], dtype=F64)  # z, action, z'
        assert energy(rows).item() == pytest.approx(0.5 * (1 + 1) / 2)

    def test_doors(self) -> None:
        with pytest.raises(UserError, match=r"rows of \[2, 1, 2\] numbers side by side, got \(4, 4\)"):
            InverseDynamics.example()(torch.zeros(4, 4))


@pytest.mark.parametrize("energy", [Variance(), Covariance(), SketchedGaussian(3)], ids=lambda e: type(e).__name__)
def test_descending_the_gradient_lowers_it(energy: PopulationEnergy) -> None:
    z = (
        draws(2, 64, 3) @ torch.tensor([[0.4, 0.4, 0.1], [0.0, 0.2, 0.0], [0.0, 0.0, 0.1]], dtype=F64)
    ).requires_grad_()
    first = energy(z)
    slope = torch.autograd.grad(first, z)[0]
    with torch.no_grad():
        after = energy(z - 0.01 * slope / slope.norm())
    assert after.item() < first.item()
    assert (first - after).item() == pytest.approx(0.01 * slope.norm().item(), rel=0.1)


class TestCollapse:
    def test_an_isotropic_population_has_full_rank(self) -> None:
        z = torch.cat([torch.eye(3, dtype=F64), -torch.eye(3, dtype=F64)])
        message = {name: float(value) for name, value in collapse(z).items()}
        assert message["effective_rank"] == pytest.approx(3)
        assert message["smallest_deviation"] == message["largest_deviation"] == pytest.approx(sqrt(2 / 5))
        assert message["collapsed"] == 0

    def test_effective_rank_is_the_exponential_of_an_entropy(self) -> None:
        """Variances in the proportion 3 to 1: exp(H(3/4, 1/4)) = 1.754765."""
        z = torch.tensor([[sqrt(3), 0], [-sqrt(3), 0], [0, 1], [0, -1]], dtype=F64)
        assert float(collapse(z)["effective_rank"]) == pytest.approx(1.754765, abs=1e-6)

    @pytest.mark.parametrize(
        ("z", "rank", "collapsed"),
        [
            (torch.ones(9, 4), 0, 1),  # one point
            (torch.linspace(0, 1, 9).unsqueeze(1) @ torch.ones(1, 4), 1, 1),  # a line in four dimensions
            (torch.linspace(0, 1, 9).unsqueeze(1), 1, 0),  # all there is
            (1e-3 * torch.linspace(0, 1, 9).unsqueeze(1), 0, 1),  # too little of it
            (1e-3 * torch.cat([torch.eye(4), -torch.eye(4)]), 0, 1),
        ],
    )
    def test_what_counts_as_collapsed(self, z: Tensor, rank: float, collapsed: int) -> None:
        message = collapse(z)
        assert float(message["effective_rank"]) == pytest.approx(rank, abs=1e-4)
        assert int(message["collapsed"]) == collapsed

    def test_a_single_row_is_no_population(self) -> None:
        for energy in (Variance(), Covariance(), SketchedGaussian(3)):
            with pytest.raises(UserError, match=r"expects at least 2 rows, got shape \(1, 3\)"):
                energy(torch.zeros(1, 3))
        with pytest.raises(UserError, match="collapse is of a population"):
            collapse(torch.zeros(1, 3))


def test_constructors_refuse_what_makes_no_sense() -> None:
    with pytest.raises(UserError, match=r"variance expects target and floor > 0, got 0\.0 and 0\.1"):
        Variance(0.0, 0.1)
