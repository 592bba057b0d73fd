"""Expected energy with the built-in models, goals and gains, against what summing over every course gives."""

from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import (
    CertaintyEquivalentEnergy,
    ExpectedEnergy,
    Gain,
    Gaussian,
    Point,
    Purpose,
    Sequence,
    UserError,
    minimize,
)
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.cem import CrossEntropy
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.tree import TreeSearch
from tests.agentic.courses import ACTIONS, HORIZON, Courses, shared

F64 = torch.float64
SEEDS = st.integers(0, 10_000)


class World(Courses):
    """The same as a categorical model, and the value of a plan with one of the built-in gains."""

    def __init__(self, seed: int, gain: Gain | None, *, mortal: bool = True) -> None:
        super().__init__(seed, mortal=mortal)
        self.model = CategoricalModel([self.A], [self.B], [self.D], E=self.E, ends=self.ends)
        purpose = Purpose(
            LogPreferences([-self.costs], after=self.after),
            HORIZON,
            gain,
            Effort(2 * self.effort),
            LogPreferences([-self.last], after=self.last_after),
            self.discount,
        )
        self.objective = ExpectedEnergy(self.model, self.model.begin(1), purpose)
        self.gain = gain

    def informed(self, course: np.ndarray, t: int) -> float:
        """The gain credited to step t + 1 by enumeration, with p(states 0..t+1, outcomes 1..t+1 | alive)."""
        states, outcomes = list(range(t + 2)), list(range(t + 2, 2 * t + 3))
        if self.gain is None:
            return 0.0
        if isinstance(self.gain, SummedGain):
            return shared(course, [t + 1], outcomes[-1:])
        if self.gain.target == "final":  # type: ignore[attr-defined]
            return shared(course, [t + 1], outcomes) if t + 1 == HORIZON else 0.0
        about = states[1:] if self.gain.target == "trajectory" else [1]  # type: ignore[attr-defined]
        past = shared(course, about, outcomes[:-1]) if t else 0.0
        return shared(course, about, outcomes) - past


GAINS: list[Gain | None] = [None, SummedGain(), *(JointGain(name) for name in ("trajectory", "first", "final"))]


@pytest.mark.parametrize("gain", GAINS, ids=str)
class TestAgainstEveryCourse:
    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=4)
    def test_each_plan_alone_and_the_prefix_tree(self, gain: Gain | None, seed: int) -> None:
        """A gain is what a look adds among those still alive, and counts with the chance to be among them."""
        world = World(seed, gain)
        expected = torch.tensor([world.value(plan, world.informed) for plan in world.plans()], dtype=F64)
        actions = torch.eye(ACTIONS, dtype=F64)[torch.tensor(world.plans())].unsqueeze(1)
        assert_close(world.objective(actions)[:, 0], expected)
        plan = minimize(world.objective, Enumerate()).belief
        assert isinstance(plan, Sequence)
        assert torch.equal(plan.actions, actions)
        assert_close(plan.values[:, 0], expected)
        assert_close(ExpectedEnergy.total(plan.parts), plan.values)

    def test_the_prefix_tree_has_the_parts_of_the_plans_one_by_one(self, gain: Gain | None) -> None:
        world = World(7, gain)
        actions = torch.eye(ACTIONS, dtype=F64)[torch.tensor(world.plans())].unsqueeze(1)
        one_by_one = world.objective.terms(actions)
        plan = minimize(world.objective, Enumerate()).belief
        assert isinstance(plan, Sequence)
        for name, part in plan.parts.items():
            assert_close(part, one_by_one[name].expand_as(part))

    def test_habits_are_a_prior_over_plans(self, gain: Gain | None) -> None:
        world = World(3, gain)
        plan = minimize(world.objective, Enumerate()).belief
        values = world.objective(torch.eye(ACTIONS, dtype=F64)[torch.tensor(world.plans())].unsqueeze(1))[:, 0]
        habits = torch.tensor([sum(log(world.E[a]) for a in each) for each in world.plans()], dtype=F64)
        q = torch.softmax(habits - 2 * values, 0)
        assert isinstance(plan, Sequence)
        assert_close(plan.first_action(2.0).mean[0, 0], q[: len(q) // 2].sum())


class TestAlive:
    """Safe (cost 1, goes on), risky (cost 2, half of all episodes end there), over (always ends)."""

    SAFE, RISKY = 0, 1
    model = CategoricalModel(
        [np.eye(3)],
        [np.stack([np.eye(3)[:, [0, 0, 2]], np.eye(3)[:, [1, 1, 2]]], -1)],
        [[1.0, 0.0, 0.0]],
        ends=[0.0, 0.5, 1.0],
    )

    def parts(self, *actions: int, terminal: bool = False) -> dict[str, float]:
        goal = LogPreferences([[-1.0, -2.0, -10.0]], after=3.0)
        end = LogPreferences([[-4.0, -8.0, 0.0]], after=20.0) if terminal else None
        purpose = Purpose(goal, len(actions), SummedGain(), Effort([2.0, 2.0]), end, 0.5)
        plan = torch.eye(2, dtype=F64)[list(actions)].unsqueeze(0)
        terms = ExpectedEnergy(self.model, self.model.begin(1), purpose).terms(plan)
        return {name: float(part) for name, part in terms.items()}

    def test_steps_count_with_the_chance_of_being_there(self) -> None:
        assert self.parts(self.SAFE, self.SAFE)["pragmatic"] == pytest.approx(1 + 0.5)
        assert self.parts(self.SAFE, self.RISKY)["pragmatic"] == pytest.approx(1 + 0.5 * 2)

    def test_after_the_end_the_goal_says_what_a_step_costs(self) -> None:
        risky = self.parts(self.RISKY, self.RISKY, self.RISKY)
        assert risky["pragmatic"] == pytest.approx(2 + 0.5 * (0.5 * 2 + 0.5 * 3) + 0.25 * (0.25 * 2 + 0.75 * 3))

    def test_nobody_makes_an_effort_after_the_end(self) -> None:
        assert self.parts(self.RISKY, self.SAFE)["effort"] == pytest.approx(1 + 0.5 * 0.5)

    def test_the_terminal_goal_has_its_own(self) -> None:
        assert self.parts(self.SAFE, self.SAFE, terminal=True)["terminal"] == pytest.approx(0.25 * 4)
        assert self.parts(self.SAFE, self.RISKY, terminal=True)["terminal"] == pytest.approx(0.25 * (4 + 10))


class TestCertaintyEquivalent:
    model = LinearGaussian([[1.0, 0.1], [0.0, 0.9]], [[0.0], [0.5]], Q=[0.1, 0.2], R=[0.3], C=[[1.0, 0.0]])
    belief = Gaussian(torch.tensor([[1.0, -1.0]], dtype=F64), torch.eye(2, dtype=F64).unsqueeze(0))
    plan = torch.tensor([[[[0.5], [-1.0], [2.0]]]], dtype=F64)[0]
    weights = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=F64)

    def test_it_is_the_goal_along_the_mean_course(self) -> None:
        goal, z, total = QuadraticLatentGoal(self.weights), self.belief.mean, torch.zeros(1, dtype=F64)
        for t in range(3):
            z = self.model.transition.mean(z, self.plan[:, t])
            total = total + goal(None, z)
        objective = CertaintyEquivalentEnergy(self.model, self.belief, Purpose(goal, 3))
        assert_close(objective(self.plan), total)

    def test_under_the_belief_each_step_adds_a_trace(self) -> None:
        goal, covariance, traces = QuadraticLatentGoal(self.weights), self.belief.covariance[0], 0.0
        system = self.model.system()
        for _ in range(3):
            covariance = system.A @ covariance @ system.A.T + system.Q
            traces += 0.5 * float((self.weights * covariance).sum())
        purpose = Purpose(goal, 3)
        under = ExpectedEnergy(self.model, self.belief, purpose)(self.plan)
        mean = CertaintyEquivalentEnergy(self.model, self.belief, purpose)(self.plan)
        assert float(under - mean) == pytest.approx(traces)

    def test_finite_goals_are_linear_so_that_nothing_changes(self) -> None:
        world = World(5, None, mortal=False)
        objective = CertaintyEquivalentEnergy(world.model, world.objective.belief, world.objective.purpose)
        actions = torch.eye(ACTIONS, dtype=F64)[torch.tensor(world.plans())].unsqueeze(1)
        assert_close(objective(actions), world.objective(actions))

    def test_a_point_is_all_there_is_to_be_uncertain_about(self) -> None:
        objective = CertaintyEquivalentEnergy(self.model, self.belief, Purpose(QuadraticGoal([1.0]), 1))
        assert isinstance(objective.root().belief, Point)


class TestDoors:
    world = World(0, None)

    def test_open_loop_planning_starts_from_a_sequence(self) -> None:
        assert_close(self.world.objective.start(None), torch.full((1, HORIZON, ACTIONS), 0.5, dtype=F64))
        tree = minimize(self.world.objective, TreeSearch()).belief
        with pytest.raises(UserError, match="open-loop planning starts from a sequence of actions, got Tree"):
            self.world.objective.start(tree)

    def test_a_previous_plan_is_a_start(self) -> None:
        plan = minimize(self.world.objective, CrossEntropy(32, 4), generator=torch.Generator().manual_seed(0)).belief
        assert isinstance(plan, Sequence)
        shifted = plan.shifted()
        assert isinstance(shifted, Sequence)
        assert_close(self.world.objective.start(shifted), shifted.actions[0])
