"""Score matching: each loss is lowest at the precision of a Gaussian's data, and sliced is implicit on average."""

from typing import Any, final

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import Energy, Loss, UserError, fit
from agentic_energies.perceptron_energy import EnergyNetwork
from agentic_optimizers.score_matching import DenoisingScoreMatching, ImplicitScoreMatching, SlicedScoreMatching

F64 = torch.float64


@final
class Quadratic(Energy):
    """z' W z / 2 with all of W learned."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights.clone())

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return 0.5 * ((z @ (self.weights + self.weights.T) / 2) * z).sum(-1)


def correlated(n: int) -> Tensor:
    mix = torch.tensor([[1.0, 0.6], [0.0, 0.5]], dtype=F64)
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=F64) @ mix


def moment(rows: Tensor) -> Tensor:
    return rows.T @ rows / len(rows)


def slope(loss: Loss, module: Quadratic, rows: Tensor) -> Tensor:
    value, _ = loss(module, (rows,), generator=torch.Generator().manual_seed(1))
    derivative: Tensor = torch.autograd.grad(value, module.weights)[0]
    return derivative


class TestImplicit:
    rows = correlated(100)

    def test_it_is_stationary_exactly_at_the_precision_of_the_data(self) -> None:
        """J = tr(W M W) / 2 - tr W, M the second moments: dJ/dW = W M - I for symmetric W, zero at W = M^-1."""
        precision = torch.linalg.inv(moment(self.rows))
        derivative = slope(ImplicitScoreMatching(), Quadratic(precision), self.rows)
        assert_close(derivative, torch.zeros(2, 2, dtype=F64), rtol=0, atol=1e-12)
        other = slope(ImplicitScoreMatching(), Quadratic(torch.eye(2, dtype=F64)), self.rows)
        assert_close(other, moment(self.rows) - torch.eye(2, dtype=F64), rtol=0, atol=1e-12)

    def test_known_value(self) -> None:
        """At the minimum it is -tr(M^-1) / 2."""
        precision = torch.linalg.inv(moment(self.rows))
        value, info = ImplicitScoreMatching()(Quadratic(precision), (self.rows,), generator=None)
        assert_close(value, -0.5 * precision.trace())
        assert_close(info["curvature"], precision.trace())
        assert_close(info["slope"], precision.trace())

    def test_rows_must_be_vectors(self) -> None:
        with pytest.raises(UserError, match=r"expects rows of vectors, got shape \(2, 3, 1\)"):
            ImplicitScoreMatching()(Quadratic(torch.eye(1)), (torch.zeros(2, 3, 1),), generator=None)


class TestSliced:
    def test_its_mean_over_directions_is_the_implicit_one(self) -> None:
        module, rows = EnergyNetwork(3, hidden=[8]).double(), torch.randn(20, 3, dtype=F64, generator=torch.Generator())
        exact, _ = ImplicitScoreMatching()(module, (rows,), generator=None)
        drawn = [
            SlicedScoreMatching(8)(module, (rows,), generator=torch.Generator().manual_seed(s))[0] for s in range(60)
        ]
        values = torch.stack(drawn).detach()
        assert float(values.mean()) == pytest.approx(exact.item(), abs=4 * float(values.std()) / 60**0.5)
        assert float(values.std()) > 0

    def test_on_a_diagonal_quadratic_signs_make_it_exact(self) -> None:
        module, rows = Quadratic(torch.diag(torch.tensor([2.0, 3.0], dtype=F64))), correlated(30)
        sliced, _ = SlicedScoreMatching()(module, (rows,), generator=torch.Generator().manual_seed(0))
        exact, _ = ImplicitScoreMatching()(module, (rows,), generator=None)
        assert_close(sliced, exact)

    def test_doors(self) -> None:
        with pytest.raises(UserError, match="slices of at least 1, got 0"):
            SlicedScoreMatching(0)


class TestDenoising:
    @pytest.mark.parametrize("deviation", [0.3, 1.0])
    def test_it_is_stationary_at_the_precision_of_the_blurred_data(self, deviation: float) -> None:
        """1 / (1 + deviation^2) for unit data, and not 1."""
        rows = torch.randn(100_000, 1, generator=torch.Generator().manual_seed(0), dtype=F64)
        blurred = torch.tensor([[1 / (float(rows.square().mean()) + deviation**2)]], dtype=F64)
        loss = DenoisingScoreMatching(deviation)
        per_row = float(blurred) / deviation + 1  # of the order of the standard deviation of a row's derivative
        error = 4 * per_row * (1 + deviation**2) / 100_000**0.5
        assert float(slope(loss, Quadratic(blurred), rows)) == pytest.approx(0, abs=error)
        assert float(slope(loss, Quadratic(1.3 * blurred), rows)) > error

    def test_known_value(self) -> None:
        """Of a flat energy it is d / (2 deviation^2) on average; here the draws are known."""
        rows = torch.zeros(4, 2, dtype=F64)
        unit = torch.randn(4, 2, generator=torch.Generator().manual_seed(3), dtype=F64)
        flat = Quadratic(torch.zeros(2, 2, dtype=F64))
        value, info = DenoisingScoreMatching(0.5)(flat, (rows,), generator=torch.Generator().manual_seed(3))
        assert_close(value, 0.5 * (unit / 0.5).square().sum(-1).mean())
        assert float(info["slope"]) == 0

    def test_doors(self) -> None:
        with pytest.raises(UserError, match="deviation > 0, got 0"):
            DenoisingScoreMatching(0)


@pytest.mark.parametrize(
    "loss",
    [DenoisingScoreMatching(0.3), SlicedScoreMatching(), ImplicitScoreMatching()],
    ids=lambda loss: type(loss).__name__,
)
def test_a_network_learns_the_slope_of_a_gaussian(loss: Loss) -> None:
    """Of N(1, 0.5^2): dE/dz = 4 (z - 1), blurred 1 / (0.25 + 0.09) = 2.94 (z - 1)."""
    source = torch.Generator().manual_seed(0)
    rows = 1 + 0.5 * torch.randn(512, 1, generator=source)
    module = EnergyNetwork(1, hidden=[32], generator=source)
    fit(
        module,
        loss,
        (rows,),
        optimizer=torch.optim.Adam(module.parameters(), lr=2e-2),
        epochs=40,
        batch=128,
        generator=source,
    )
    left, middle, right = module.gradient(None, torch.tensor([[0.5], [1.0], [1.5]])).flatten().tolist()
    steepness = 1 / (0.25 + (0.09 if isinstance(loss, DenoisingScoreMatching) else 0))
    assert middle == pytest.approx(0, abs=0.25 * steepness)
    assert right - left == pytest.approx(steepness, rel=0.25)


def test_given_parts_are_passed_on() -> None:
    module = EnergyNetwork.example().double()
    x, z = torch.ones(5, 1, dtype=F64), torch.ones(5, 2, dtype=F64)
    _, info = ImplicitScoreMatching()(module, (x, z), generator=None)
    assert_close(info["slope"], module.gradient(x, z).square().sum(-1).mean())


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "gelu", "silu"])
def test_second_derivatives_of_every_smooth_activation_reach_the_weights(activation: str) -> None:
    """The loss's derivative by the weights against finite differences: a third derivative of the network."""
    module = EnergyNetwork(2, hidden=[3], activation=activation).double()
    rows = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=F64)
    weights = list(module.parameters())[:-1]  # the last bias adds a constant to the energy

    def value() -> Tensor:
        return ImplicitScoreMatching()(module, (rows,), generator=None)[0]

    slopes = torch.autograd.grad(value(), weights)
    push = [torch.randn(w.shape, generator=torch.Generator().manual_seed(1), dtype=F64) for w in weights]
    along = sum(float((s * p).sum()) for s, p in zip(slopes, push, strict=True))
    ends = []
    for sign in (1, -2):
        with torch.no_grad():
            for weight, by in zip(weights, push, strict=True):
                weight.add_(by, alpha=sign * 1e-5)
        ends.append(value().item())
    assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(along, rel=1e-6)
