"""Plans: weights of candidates, marginals, warm starts."""

from math import inf, log

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Particles, Point, Real, Sequence, Simplex
from agentic.planning import plan_posterior

F64 = torch.float64
ENERGIES = st.lists(st.floats(-20, 20) | st.just(inf), min_size=2, max_size=6)


class TestPlanPosterior:
    @given(ENERGIES, st.floats(0, 50) | st.just(inf))
    @settings(derandomize=True, deadline=None, max_examples=60)
    def test_weights_are_probabilities_and_better_is_never_rarer(self, energies: list[float], precision: float) -> None:
        values = torch.tensor(energies, dtype=F64)
        q = plan_posterior(values, precision)
        assert q.sum().item() == pytest.approx(1)
        order = values.argsort()
        assert bool((q[order].diff() <= 1e-12).all())
        if bool(values.isfinite().any()):
            assert bool((q[values.isinf()] == 0).all())

    @given(ENERGIES, st.floats(-5, 5))
    @settings(derandomize=True, deadline=None, max_examples=30)
    def test_a_constant_changes_nothing(self, energies: list[float], constant: float) -> None:
        values = torch.tensor(energies, dtype=F64)
        assert_close(plan_posterior(values + constant, 2.0), plan_posterior(values, 2.0))

    def test_known_weights(self) -> None:
        energies, prior = torch.tensor([0.0, log(2)], dtype=F64), torch.tensor([0.25, 0.75], dtype=F64).log()
        assert plan_posterior(energies, 1.0).tolist() == pytest.approx([2 / 3, 1 / 3])
        assert plan_posterior(energies, 2.0, prior).tolist() == pytest.approx([0.25 / 0.4375, 0.1875 / 0.4375])
        assert plan_posterior(energies, 0.0, prior).tolist() == pytest.approx([0.25, 0.75])

    def test_ties_share_at_infinite_precision(self) -> None:
        energies = torch.tensor([[1.0, 1.0 + 1e-12, 2.0]], dtype=F64).T
        assert plan_posterior(energies, inf)[:, 0].tolist() == [0.5, 0.5, 0.0]

    @pytest.mark.parametrize("offset", [-1e9, 0.0, 1e9])
    @pytest.mark.parametrize("unit", [1.0, 3.0])
    def test_half_a_nat_is_no_tie_whatever_is_added_to_all(self, offset: float, unit: float) -> None:
        energies = torch.tensor([0.5, 0.0, 0.0], dtype=F64) * unit + offset
        assert plan_posterior(energies, inf).tolist() == [0.0, 0.5, 0.5]

    @pytest.mark.parametrize("precision", [0.0, 1.0, inf])
    def test_what_habit_excludes_is_not_done_unless_there_is_nothing_else(self, precision: float) -> None:
        prior = torch.tensor([-inf, 0.0], dtype=F64)
        assert plan_posterior(torch.tensor([0.0, 9.0], dtype=F64), precision, prior).tolist() == [0, 1]
        assert plan_posterior(torch.tensor([inf, inf], dtype=F64), precision).tolist() == [0.5, 0.5]


class TestSequence:
    """Three plans of two steps in two rows; the second is best in the first row, the third in the second."""

    actions = torch.eye(2, dtype=F64)[torch.tensor([[0, 0], [0, 1], [1, 0]])].unsqueeze(1)
    values = torch.tensor([[1.0, 3.0], [0.0, 3.0], [2.0, 1.0]], dtype=F64)
    parts = {"pragmatic": values, "effort": torch.ones(3, 1, dtype=F64)}  # noqa: RUF012
    plan = Sequence(actions, values, Simplex((2,)), parts)

    def test_marginals_sum_over_plans(self) -> None:
        q = torch.softmax(-self.values, 0)
        assert_close(self.plan.first_action(1.0).mean[:, 0], q[0] + q[1])
        assert_close(self.plan.act(self.plan, 1, 1.0).mean[:, 1], q[1])
        assert self.plan.first_action().mean.tolist() == [[1, 0], [0, 1]]
        assert self.plan.mean.tolist() == [[1, 0], [0, 1]]

    def test_terms_are_means_over_plans(self) -> None:
        q = torch.softmax(-self.values, 0)
        assert_close(self.plan.terms(1.0)["pragmatic"], (q * self.values).sum(0))
        assert self.plan.terms()["pragmatic"].tolist() == [0, 1]
        assert self.plan.terms(1.0)["effort"].tolist() == pytest.approx([1, 1])

    def test_an_infinite_plan_without_weight_makes_no_nan(self) -> None:
        values = torch.tensor([[0.0], [inf]], dtype=F64)
        plan = Sequence(self.actions[:2], values, Simplex((2,)), {"pragmatic": values})
        assert plan.terms(2.0)["pragmatic"].tolist() == [0]

    def test_one_step_later_the_best_plan_has_begun(self) -> None:
        shifted = self.plan.shifted()
        assert isinstance(shifted, Sequence)
        assert shifted.actions.shape == (1, 2, 2, 2)
        assert shifted.actions[0, :, :, 1].tolist() == [[1, 1], [0, 0]]

    def test_rows_that_begin_anew_forget_it(self) -> None:
        shifted, same = self.plan.shifted(), self.plan.shifted(torch.tensor([False, False]))
        assert isinstance(shifted, Sequence)
        assert isinstance(same, Sequence)
        assert torch.equal(same.actions, shifted.actions)
        fresh = self.plan.shifted(torch.tensor([True, False]))
        assert isinstance(fresh, Sequence)
        assert fresh.actions[0, :, :, 1].tolist() == [[0.5, 0.5], [0, 0]]

    def test_one_continuous_plan_is_a_point_and_several_are_particles(self) -> None:
        actions = torch.randn(3, 2, 4, 1, dtype=F64, generator=torch.Generator().manual_seed(0))
        one = Sequence(actions[:1], self.values[:1], Real((1,))).first_action()
        assert isinstance(one, Point)
        assert_close(one.mean, actions[0, :, 0])
        several = Sequence(actions, self.values, Real((1,))).first_action(1.0)
        assert isinstance(several, Particles)
        assert_close(several.mean, (torch.softmax(-self.values, 0).unsqueeze(-1) * actions[:, :, 0]).sum(0))

    def test_plans_are_not_merged_row_by_row(self) -> None:
        with pytest.raises(TypeError, match="see shifted"):
            self.plan.where(torch.tensor([True, False]), self.plan)
