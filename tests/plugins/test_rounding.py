"""In float32 solvers converge where they do in float64: their residuals know what rounding leaves."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Domain, Evidence, ExpectedEnergy, Minimizer, Model, Objective, Purpose, Real, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.goals import LogPreferences
from agentic_optimizers.amortized import Amortized
from agentic_optimizers.belief_propagation import BeliefPropagation
from agentic_optimizers.gauss_newton import GaussNewton
from agentic_optimizers.gradient import Adam, GradientDescent
from agentic_optimizers.lbfgs import LBFGS
from agentic_optimizers.mean_field import MeanField
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.newton import Newton
from agentic_optimizers.rounding import above_rounding, largest
from agentic_optimizers.shooting import Shooting
from agentic_optimizers.structured import StructuredMeanField
from agentic_optimizers.value_iteration import ValueIteration
from agentic_optimizers.window import Window

F32, F64 = torch.float32, torch.float64


@dataclass(frozen=True)
class Squares(Objective):
    """|A z - b|^2 / 2 + constant for b (b, m) of each row."""

    A: Tensor
    b: Tensor
    constant: float

    @property
    def domain(self) -> Domain:
        return Real((self.A.shape[1],))

    def residuals(self, z: Tensor) -> Tensor:
        return z @ self.A.T - self.b

    def __call__(self, z: Tensor) -> Tensor:
        return 0.5 * self.residuals(z).square().sum(-1) + self.constant

    def proposal(self) -> Tensor:
        return torch.zeros(len(self.b), self.A.shape[1], dtype=self.b.dtype)


def squares(dtype: torch.dtype, scale: float, far: float, constant: float) -> Squares:
    source = torch.Generator().manual_seed(1)
    A = torch.randn(4, 3, generator=source, dtype=F64) + torch.eye(4, 3, dtype=F64)
    b = far * torch.randn(8, 4, generator=source, dtype=F64)
    return Squares((scale * A).to(dtype), (scale * b).to(dtype), constant)


SOLVERS: dict[str, Callable[[float], Minimizer]] = {
    "newton": lambda bend: Newton(),
    "gauss_newton": lambda bend: GaussNewton(),
    "lbfgs": lambda bend: LBFGS(),
    "gradient": lambda bend: GradientDescent(steps=6000, rate=0.9 / bend),
    "momentum": lambda bend: GradientDescent(steps=6000, rate=0.4 / bend, momentum=0.8),
    "shooting": lambda bend: Shooting(steps=300),
    "amortized": lambda bend: Amortized(LBFGS(), steps=100),
    "mean_field": lambda bend: MeanField(LBFGS()),
}


@pytest.mark.parametrize(("scale", "far", "constant"), [(1, 1, 0), (1, 1, 1000), (0.1, 30, 0), (3, 30, -1000)])
@pytest.mark.parametrize("name", SOLVERS)
def test_sums_of_squares(name: str, scale: float, far: float, constant: float) -> None:
    """Far away or near, stiff or flat, with a constant that drowns the rest: every row converges, at the minimum."""
    found = {}
    for dtype in (F64, F32):
        f = squares(dtype, scale, far, constant)
        bend = float(torch.linalg.matrix_norm(f.A.T @ f.A, 2))
        solution = minimize(f, SOLVERS[name](bend), torch.ones(8, 3, dtype=dtype))
        assert solution.converged is not None
        found[dtype] = solution
        if dtype == F32 or not isinstance(SOLVERS[name](bend), Shooting):  # which in float64 would need more steps
            assert bool(solution.converged.all())
    gap = squares(F64, scale, far, 0)(found[F32].belief.mean.double()) - squares(F64, scale, far, 0)(
        found[F64].belief.mean
    )
    value = found[F64].value.abs().max()
    assert float(gap.max()) <= 1e-4 * (1 + float(value))


def test_adam() -> None:
    for dtype in (F64, F32):
        solution = minimize(squares(dtype, 1, 1, 0), Adam(steps=1500), torch.ones(8, 3, dtype=dtype))
        assert solution.converged is not None
        assert bool(solution.converged.all())


@pytest.mark.parametrize("solver", [Mirror(), BeliefPropagation()], ids=["mirror", "belief_propagation"])
@pytest.mark.parametrize("make", [CategoricalModel.example, FactoredModel.example])
def test_discrete_beliefs(solver: Minimizer, make: Callable[[], Model]) -> None:
    means = []
    for dtype in (F64, F32):
        model = make().to(dtype)
        begin = model.begin(3)
        obs = model.emit(begin).mean.to(dtype)
        solution = minimize(Evidence(model, obs, begin), solver, begin.mean, steps=200)
        assert solution.converged is not None
        assert bool(solution.converged.all())
        means.append(solution.belief.mean.double())
    assert_close(means[1], means[0], atol=1e-5, rtol=0)


def test_windows() -> None:
    for dtype in (F64, F32):
        model = FactoredModel.example().to(dtype)
        obs = model.emit(model.begin(2)).mean.expand(4, -1, -1).to(dtype)
        action = model.action.draw(2, generator=torch.Generator().manual_seed(0)).to(dtype).expand(3, -1, -1)
        solution = minimize(Window(model, obs, action), StructuredMeanField(steps=200))
        assert solution.converged is not None
        assert bool(solution.converged.all())


def test_value_iteration_ends() -> None:
    """Values of 1e6 have no digits left for a tolerance of 1e-3 nats: the sweeps end where they no longer change."""
    B = [[[[0.9, 0.2], [0.3, 0.6]], [[0.1, 0.8], [0.7, 0.4]]]]
    sweeps = []
    for dtype in (F64, F32):
        model = CategoricalModel(A=[torch.eye(2).tolist()], B=B, D=[[1.0, 0.0]]).to(dtype)
        purpose = Purpose(LogPreferences([[0.0, 1e4]]).to(dtype), 1, discount=0.99)
        f = ExpectedEnergy(model, model.begin(1), purpose)
        sweeps.append(minimize(f, ValueIteration()).evaluations)
    assert sweeps[1] <= sweeps[0]


def test_what_rounding_leaves_is_nothing() -> None:
    small = torch.tensor([1e-7, 1e-5, 1e-5, 1e-5])
    size = torch.tensor([1.0, 1.0, 100.0, torch.inf])
    assert above_rounding(small, lambda: size).tolist() == [0.0, small[1].item(), 0.0, small[3].item()]
    assert above_rounding(small, lambda: size, order=2).tolist() == small.tolist()
    assert torch.equal(above_rounding(small.double(), lambda: size), small.double())
    assert largest(torch.tensor([[[1.0], [-3.0]], [[0.5], [0.0]]])).tolist() == [3.0, 0.5]
