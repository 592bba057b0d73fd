"""Mirror descent: fixed points of mean field, sweeps that never rise, zeros."""

from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Categorical, Clamped, ClosedForm, Evidence, Real, UserError, minimize
from agentic_energies.factored import FactoredModel
from agentic_energies.goals import QuadraticGoal
from agentic_energies.table import Table
from agentic_optimizers.mirror import Mirror

F64 = torch.float64
SEEDS = st.integers(0, 10_000)


def table(seed: int, *sizes: int) -> tuple[Clamped, torch.Tensor]:
    values = 3 * torch.randn(*sizes, generator=torch.Generator().manual_seed(seed), dtype=F64)
    energy = Table(values.tolist())
    return Clamped(energy, None, energy.domain), values


@given(SEEDS)
@settings(derandomize=True, deadline=None, max_examples=15)
def test_one_factor_is_settled_in_one_step(seed: int) -> None:
    f, values = table(seed, 4)
    solution = minimize(f, Mirror())
    assert solution.steps == 1
    assert_close(solution.belief.mean[0], torch.softmax(-values, 0))
    assert_close(solution.value[0], -torch.logsumexp(-values, 0))


@given(SEEDS, st.floats(0.1, 1.0))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_sweeps_never_raise_the_free_energy_and_bound_the_evidence(seed: int, rate: float) -> None:
    f, values = table(seed, 3, 2, 2)
    solution = minimize(f, Mirror(steps=60, rate=rate))
    assert bool((solution.trace.diff(dim=0) <= 1e-10).all())
    assert float(solution.value) >= float(-torch.logsumexp(-values.flatten(), 0)) - 1e-10


@given(SEEDS)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_where_it_ends_no_factor_can_do_better_alone(seed: int) -> None:
    f, _ = table(seed, 3, 2)
    solution = minimize(f, Mirror(steps=5000, tolerance=1e-10))
    assert isinstance(solution.belief, Categorical)
    q = solution.belief.mean
    costs = f.domain.blocks(f.gradient(q))  # type: ignore[attr-defined]
    for block, cost in zip(solution.belief.blocks, costs, strict=True):
        assert_close(block, torch.softmax(-cost, -1), atol=1e-7, rtol=0)


def test_rows_start_where_they_are_reported() -> None:
    """Two factors that want to agree: each row keeps to the side it begins on."""
    energy = Table([[0.0, 4.0], [4.0, 0.0]])
    start = torch.tensor([[0.9, 0.1, 0.9, 0.1], [0.1, 0.9, 0.1, 0.9]], dtype=F64)
    q = minimize(Clamped(energy, None, energy.domain), Mirror(steps=200), start).belief.mean
    assert float(q[0, 0]) > 0.9
    assert float(q[1, 1]) > 0.9


def test_infinite_energies_get_no_probability() -> None:
    class Barred(ClosedForm):
        """Three states, the last one impossible."""

        def forward(self, x: object, z: torch.Tensor) -> torch.Tensor:
            costs = torch.tensor([0.0, log(3), 0.0], dtype=z.dtype)
            return torch.where(z[..., 2] > 0, torch.inf, z @ costs)

        def gradient(self, x: object, z: torch.Tensor) -> torch.Tensor:
            return torch.tensor([0.0, log(3), torch.inf], dtype=z.dtype).expand_as(z)

    solution = minimize(Clamped(Barred(), None, Table([0.0, 0.0, 0.0]).domain), Mirror())
    assert solution.belief.mean[0].tolist() == pytest.approx([0.75, 0.25, 0.0])
    assert solution.value.item() == pytest.approx(-log(4 / 3))


def test_doors() -> None:
    with pytest.raises(UserError, match="mirror needs discrete latents, got Real"):
        minimize(Clamped(QuadraticGoal([1.0]), None, Real((1,))), Mirror())
    with pytest.raises(UserError, match=r"mirror expects steps >= 0 and a rate in \(0, 1\]"):
        Mirror(rate=0.0)


def test_factors_that_rule_each_other_out_are_named_as_such() -> None:
    """Two bits of which exactly one is set: on average over either, no value of the other is possible."""
    apart = np.array([[0.0, 1.0], [1.0, 0.0]])
    model = FactoredModel([np.stack([1 - apart, apart])], [np.eye(2)[..., None]] * 2, [[0.5, 0.5]] * 2, floor=0.0)
    f = Evidence(model, torch.tensor([[0.0, 1.0]], dtype=F64), model.begin(1))
    with pytest.raises(UserError, match=r"infinite everywhere Mirror looked, in rows \[0\]: .* forbid less"):
        minimize(f, Mirror())
    sided = torch.tensor([[1.0, 0.0, 0.0, 1.0]], dtype=F64)
    assert torch.equal(minimize(f, Mirror(), sided).belief.mean, sided)
