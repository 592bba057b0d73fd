"""Energies: sums, multiples, terms, derivatives, arguments swapped."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, ClosedForm, Energy, LeastSquares, Real
from agentic.engine.energy import Swapped
from tests.agentic.standins import Bowl, Normal, Quartic

F64 = torch.float64
ENERGIES = st.recursive(
    st.sampled_from(["bowl", "quartic", "normal"]),
    lambda inner: st.tuples(inner, inner) | st.tuples(st.floats(-2, 2), inner),
    max_leaves=5,
)


def built(recipe: Any) -> Energy:
    if isinstance(recipe, str):
        return {"bowl": Bowl(), "quartic": Quartic(), "normal": Normal()}[recipe]
    first, second = recipe
    return built(first) + built(second) if isinstance(first, str | tuple) else first * built(second)


def points(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=F64)


X, Z = points(4, 3), points(5, 4, 3)


@given(ENERGIES)
@settings(derandomize=True, deadline=None, max_examples=30)
def test_terms_of_any_combination_sum_to_it(recipe: Any) -> None:
    energy = built(recipe)
    terms = energy.terms(X, Z)
    assert energy(X, Z).shape == (5, 4)
    assert_close(torch.stack(list(terms.values())).sum(0), energy(X, Z))


@given(ENERGIES)
@settings(derandomize=True, deadline=None, max_examples=15)
def test_derivatives_of_any_combination_are_those_of_autograd(recipe: Any) -> None:
    energy = built(recipe)

    def total(z: Tensor) -> Tensor:
        return energy(X, z.unsqueeze(0)).sum()

    z = Z[0]
    by_row = torch.autograd.functional.jacobian(total, z)
    assert_close(energy.gradient(X, z), by_row)
    whole = torch.autograd.functional.hessian(total, z)
    assert_close(energy.hessian(X, z), torch.stack([whole[row, :, row] for row in range(4)]))


class TestSums:
    def test_repeated_names_are_numbered(self) -> None:
        energy = Bowl() + (Quartic() + Bowl()) + Bowl()
        assert list(energy.terms(X, Z)) == ["bowl", "quartic", "bowl_2", "bowl_3"]

    def test_known_numbers(self) -> None:
        x, z = torch.zeros(1, 2, dtype=F64), torch.tensor([[1.0, 1.0]], dtype=F64)
        energy = Bowl() + 2 * Quartic()
        assert energy.terms(x, z) == {"bowl": 2.0, "quartic": 8.0}
        assert energy.gradient(x, z).tolist() == [[18.0, 18.0]]
        assert energy.hessian(x, z).tolist() == [[[26.0, 24.0], [24.0, 26.0]]]

    def test_sums_hold_what_their_parts_learn(self) -> None:
        energy = Bowl() + 0.5 * Normal()
        energy.register_parameter("own", torch.nn.Parameter(torch.zeros(1)))
        assert {type(module).__name__ for module in energy.modules()} >= {"Bowl", "Normal"}


class Watched(Bowl):
    """A bowl that notes whether autograd followed it."""

    def __init__(self) -> None:
        super().__init__()
        self.followed = list[bool]()

    def forward(self, x: Any, z: Tensor) -> Tensor:
        self.followed.append(z.requires_grad)
        return super().forward(x, z)


class Forwarding(Energy):
    """Another energy, of which it passes on one method beside its value."""

    def __init__(self, energy: Energy) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.energy(x, z)

    def value_and_gradient(self, x: Any, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.energy.value_and_gradient(x, z)


class TestClosedForms:
    def test_are_what_solvers_get_at_any_depth(self) -> None:
        watched = Watched()
        energy = 2 * Forwarding(Forwarding(watched) + Forwarding(Bowl()))
        value, slope = Clamped(energy, X, Real((3,))).value_and_gradient(Z)
        assert_close(value, 4 * Bowl()(X, Z))
        assert_close(slope, 4 * Bowl().gradient(X, Z))
        assert_close(energy.gradient(X, Z), slope)
        assert watched.followed
        assert not any(watched.followed)

    def test_must_be_written_where_they_are_promised(self) -> None:
        class Unwritten(ClosedForm):
            """Promises a closed form."""

            def forward(self, x: Any, z: Tensor) -> Tensor:
                return z.sum(-1)

        with pytest.raises(TypeError, match="gradient"):
            Unwritten()  # type: ignore[abstract]


class TestSwapped:
    def test_what_was_given_is_free(self) -> None:
        energy, free = Normal().swapped(), X.clone().requires_grad_()
        assert_close(energy(Z, X), Normal()(X, Z))
        slope = torch.autograd.grad(Normal()(free, Z[0]).sum(), free)[0]
        assert_close(energy.gradient(Z[0], X), slope)
        assert_close(energy.hessian(Z[0], X), torch.eye(3, dtype=F64).expand(4, 3, 3))

    def test_squares_stay_squares(self) -> None:
        class Squares(Energy, LeastSquares):
            """|z - 2 x|^2 / 2."""

            def forward(self, x: Any, z: Tensor) -> Tensor:
                return 0.5 * self.residuals(x, z).square().sum(-1)

            def residuals(self, x: Any, z: Tensor) -> Tensor:
                r: Tensor = z - 2 * x
                return r

        assert_close(Swapped(Squares()).residuals(Z, X), Z - 2 * X)
        assert Swapped(Normal()).residuals(Z, X) is None


@pytest.mark.parametrize("energy", [Bowl(), Bowl() + Quartic(), 3 * Normal()])
def test_rows_are_independent(energy: Energy) -> None:
    together = energy(X, Z[0])
    alone = torch.cat([energy(X[[row]], Z[0, [row]]) for row in range(4)])
    assert_close(together, alone)
