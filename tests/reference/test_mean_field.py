"""R23: mean-field inference needs coordinate steps; a simultaneous one can raise the free energy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from agentic import Categorical, Clamped, minimize
from agentic_energies.table import Table
from agentic_optimizers.mirror import Mirror

F64 = torch.float64


def objective(values: np.ndarray) -> Clamped:
    table = Table(values)
    return Clamped(table, None, table.domain)


def free_energy(f: Clamped, q: Tensor) -> float:
    return float(f(q) - Categorical(q).entropy())


def simultaneous(f: Clamped, q: Tensor, factors: int) -> Tensor:
    """One mirror step of size 1 on all binary factors at once: each answers the others' old beliefs."""
    return torch.softmax(-f.gradient(q).reshape(1, factors, 2), -1).reshape(1, -1)


def lowest(values: np.ndarray) -> float:
    """-log Z, the free energy of the exact joint posterior."""
    return -float(torch.logsumexp(-torch.from_numpy(values).flatten(), 0))


class TestTwoBinaryFactors:
    """A strongly coupled pair: each factor would follow the other, so both swap sides and meet at the worse corners."""

    values = np.array([[0.0, 4.0], [4.0, 0.0]]) + np.random.default_rng(23).normal(size=(2, 2))
    start = torch.tensor([[0.9, 0.1, 0.1, 0.9]], dtype=F64)

    def test_a_simultaneous_step_raises_the_free_energy(self) -> None:
        f = objective(self.values)
        start = self.start
        raised = [free_energy(f, start)]
        for _ in range(3):
            start = simultaneous(f, start, 2)
            raised.append(free_energy(f, start))
        assert max(np.diff(raised)) > 0.01

    def test_coordinate_sweeps_only_lower_it(self) -> None:
        solution = minimize(objective(self.values), Mirror(), self.start)
        assert float(solution.trace.diff(dim=0).max()) <= 1e-12
        assert float(solution.value) < float(solution.trace[0]) - 1
        assert bool(solution.converged is not None and solution.converged.all())
        assert float(solution.value) >= lowest(self.values)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(2, 4), min_size=1, max_size=4), st.sampled_from([1.0, 0.5, 0.1]))
def test_no_sweep_ever_raises_the_free_energy_nor_goes_below_minus_log_evidence(
    seed: int, sizes: list[int], rate: float
) -> None:
    """Asked of pymdp in its pull request 13; with one factor the bound is reached."""
    draws = np.random.default_rng(seed)
    values = draws.normal(scale=3.0, size=tuple(sizes))
    f = objective(values)
    start = np.concatenate([draws.dirichlet(np.ones(n)) for n in sizes])
    solution = minimize(f, Mirror(rate=rate, steps=30), torch.from_numpy(start).unsqueeze(0))
    assert float(solution.trace.diff(dim=0).max()) <= 1e-12
    assert float(solution.trace.min()) >= lowest(values) - 1e-12
    if len(sizes) == 1 and rate == 1:
        assert float(solution.value) == pytest.approx(lowest(values), abs=1e-12)
