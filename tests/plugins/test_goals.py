"""Goals: values, normalizers, and what is refused."""

from math import inf, log, pi
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import ExpectedEnergy, Point, Purpose, Sequence, Step, UserError, make, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import Effort, LogPreferences, LogPreferencesOverTime, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.inductive import Inductive
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_envs.pomdp import Pomdp
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.tree import TreeSearch

F64 = torch.float64


class TestLogPreferences:
    goal = LogPreferences([[0.0, 1.0], [2.0, -6.0, 0.5]], after=0.5)

    def test_preferences_of_modalities_add(self) -> None:
        seen = torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.0]], dtype=F64)
        assert self.goal(None, seen).tolist() == [5.0]
        assert self.goal.after == 0.5

    def test_what_is_forbidden_has_infinite_energy_as_soon_as_it_is_possible(self) -> None:
        goal = LogPreferences([[0.0, -inf], [1.0, 2.0]])
        seen = torch.tensor([[1.0, 0.0, 0.5, 0.5], [0.9, 0.1, 1.0, 0.0], [1.0, 1e-16, 1.0, 0.0]], dtype=F64)
        assert goal(None, seen).tolist() == [-1.5, inf, -1.0]
        assert float(goal.log_normalizer(None)) == pytest.approx(float(torch.logsumexp(torch.tensor([1.0, 2.0]), 0)))
        with pytest.raises(UserError, match="values expects log preferences, numbers or -inf"):
            LogPreferences([[inf, 0.0]])

    def test_with_its_normalizer_it_is_a_probability_of_joint_outcomes(self) -> None:
        corners = torch.stack([torch.cat([a, b]) for a in torch.eye(2, dtype=F64) for b in torch.eye(3, dtype=F64)])
        total = torch.exp(-self.goal(None, corners) - self.goal.log_normalizer(None)).sum()
        assert float(total) == pytest.approx(1)

    @given(st.lists(st.floats(-10, 10), min_size=1, max_size=5), st.floats(-5, 5))
    @settings(derandomize=True, deadline=None, max_examples=20)
    def test_a_constant_is_kept_apart(self, values: list[float], constant: float) -> None:
        goal, moved = LogPreferences([values]), LogPreferences([[v + constant for v in values]])
        assert_close(moved.log_normalizer(None) - goal.log_normalizer(None), torch.tensor(constant, dtype=F64))

    def test_preferences_over_the_steps_of_a_plan(self) -> None:
        """A plan earns at each step what is preferred then; the last row holds for later steps."""
        rows = [[0.0, 2.0], [0.0, -3.0]]
        model, goal = CategoricalModel.example(), LogPreferencesOverTime([rows])
        f = ExpectedEnergy(model, model.begin(2), Purpose(goal, 3, SummedGain()))
        plan = minimize(f, Enumerate()).belief
        assert isinstance(plan, Sequence)
        for actions, value in zip(plan.actions, plan.parts["pragmatic"], strict=True):
            belief, energy = model.begin(2), torch.zeros(2, dtype=F64)
            for action, row in zip(actions.unbind(-2), (rows[0], rows[1], rows[1]), strict=True):
                belief = model.predict(belief, action)
                energy -= model.emit(belief).mean @ torch.tensor(row, dtype=F64)
            assert_close(value, energy.expand_as(value))

    def test_rows_that_are_all_the_same_are_no_different_from_one(self) -> None:
        model, values = CategoricalModel.example(), []
        for goal in (LogPreferences([[0.0, 2.0]]), LogPreferencesOverTime([[[0.0, 2.0]] * 2])):
            f = ExpectedEnergy(model, model.begin(1), Purpose(goal, 3, SummedGain()))
            values.append(minimize(f, Enumerate()).belief)
        first, second = values
        assert isinstance(first, Sequence)
        assert isinstance(second, Sequence)
        assert_close(first.values, second.values)

    def test_a_tree_says_that_it_cannot_follow_them(self) -> None:
        model = CategoricalModel.example()
        f = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferencesOverTime([[[0.0, 2.0]] * 2]), 2))
        with pytest.raises(UserError, match=r"tree asks the same of every step, .* differs from step to step"):
            minimize(f, TreeSearch())

    def test_lists_that_are_none(self) -> None:
        with pytest.raises(UserError, match=r"values expects lists \(outcomes,\) or \(steps, outcomes\), got shapes"):
            LogPreferencesOverTime([[[[0.0, 1.0]]]])

    @pytest.mark.parametrize("kind", [LogPreferences, LogPreferencesOverTime])
    def test_other_levels_than_the_environments(self, kind: type[LogPreferences | LogPreferencesOverTime]) -> None:
        with pytest.raises(
            UserError, match=r"log_preferences has one value per level \(2,\), the observations of agen"
        ):
            kind.from_env(make("agentic_envs:agentic/TMaze-v0"), values=[[0.0, 1.0]])


class TestQuadratic:
    def test_known_value(self) -> None:
        goal = QuadraticGoal([[2.0, 1.0], [1.0, 4.0]], [1.0, 0.0])
        assert goal(None, torch.tensor([[2.0, 1.0]], dtype=F64)).tolist() == [0.5 * (2 + 2 + 4)]

    def test_derivatives(self) -> None:
        goal, z = QuadraticLatentGoal.example(), torch.tensor([[2.0, -1.0]], dtype=F64).requires_grad_()
        slope = torch.autograd.grad(goal(None, z).sum(), z)[0]
        assert_close(goal.gradient(None, z.detach()), slope)
        assert_close(goal.hessian(None, z.detach()), goal.weights.unsqueeze(0))

    def test_it_is_a_gaussian_where_every_direction_counts(self) -> None:
        goal = QuadraticGoal([2.0, 0.5])
        assert float(goal.log_normalizer(None)) == pytest.approx(log(2 * pi))  # type: ignore[arg-type]
        assert QuadraticGoal([2.0, 0.0]).log_normalizer(None) is None

    @pytest.mark.parametrize(
        ("weights", "center", "sentence"),
        [
            ([[1.0, 2.0], [0.0, 1.0]], None, "a list of numbers or a symmetric matrix"),
            ([[1.0, 2.0, 3.0]], None, r"symmetric matrix, got shape \(1, 3\)"),
            ([1.0, -1.0], None, "must not have a negative direction: the goal would have no minimum"),
            ([1.0, 1.0], [0.0], r"center expects 2 numbers as weights has, got shape \(1,\)"),
        ],
    )
    def test_doors(self, weights: Any, center: Any, sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            QuadraticGoal(weights, center)

    def test_the_environments_observations_must_fit(self) -> None:
        with pytest.raises(
            UserError, match="a quadratic goal of 2 weights does not fit the observations of CartPole-v1"
        ):
            QuadraticGoal.from_env(make("CartPole-v1"), weights=[1.0, 1.0])


class TestEffort:
    def test_it_is_counted_from_the_middle_of_the_action_space(self) -> None:
        effort = Effort.from_env(make("CartPole-v1"), scale=2.0)
        assert effort.center.tolist() == [0.5, 0.5]
        assert effort(None, torch.eye(2, dtype=F64)).tolist() == [0.5, 0.5]

    def test_as_a_goal_it_looks_at_the_action(self) -> None:
        model = LinearGaussian([[1.0]], [[1.0]], Q=[1.0], R=[1.0])
        here = Point(torch.zeros(1, 1, dtype=F64))
        assert Effort([2.0]).expected(model, Step(here, torch.full((1, 1), 3.0, dtype=F64), here)).item() == 9.0

    def test_a_negative_scale(self) -> None:
        with pytest.raises(UserError, match="effort expects scale >= 0"):
            Effort.from_env(make("CartPole-v1"), scale=-1.0)


def test_the_ways_to_wanted_states_are_those_of_an_announced_world() -> None:
    arrays: dict[str, Any] = {"A": [np.eye(3)], "D": [[1, 0, 0]]}
    chain = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1]], float)
    worlds = [make(Pomdp(**arrays, B=[moves[..., None]])) for moves in (chain, np.eye(3))]
    goal, other = (Inductive.from_env(env, states=[2], depth=3) for env in worlds)
    assert_close(goal.for_env(worlds[1]).reachable, other.reachable)
    assert not torch.equal(goal.reachable, other.reachable)
    given = Inductive.example()
    assert given.for_env(worlds[1]) is given


@pytest.mark.parametrize("given", [None, 3, "ab", np.zeros(3), [0.0, 1.0], [np.zeros(3), None]])
def test_preferences_of_pymdp_are_a_list_of_arrays(given: Any) -> None:
    with pytest.raises(UserError, match=r"C is a list of arrays, one .* per modality, got "):
        LogPreferences.from_pymdp(given)
