"""Expected energy of open-loop plans, against what summing over every course of events gives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Belief,
    CertaintyEquivalentEnergy,
    ExpectedEnergy,
    Gain,
    Gaussian,
    Plan,
    Point,
    Purpose,
    Sequence,
    UserError,
    minimize,
)
from agentic.testing.parts import AllPlans
from tests.agentic.courses import ACTIONS, HORIZON, Courses, shared
from tests.agentic.standins import Descent, Finite, LatentSquare, Levels, Linear, Look, Mortal, SeenSquare, Toil

F64 = torch.float64
SEEDS = st.integers(0, 10_000)


class World(Courses):
    """The same as a model, and the value of a plan whose looks are credited or not."""

    def __init__(self, seed: int, gain: Gain | None, *, mortal: bool = True) -> None:
        super().__init__(seed, mortal=mortal)
        self.model = Mortal(self.A, self.B, self.D, self.ends) if mortal else Finite(self.A, self.B, self.D)
        goal, last = Levels(self.costs, after=self.after), Levels(self.last, after=self.last_after)
        purpose = Purpose(goal, HORIZON, gain, Toil(2 * self.effort), last, self.discount)
        self.objective = ExpectedEnergy(self.model, self.model.begin(1), purpose)
        self.gain = gain

    def information(self, course: np.ndarray, t: int) -> float:
        return 0.0 if self.gain is None else shared(course, [t + 1], [2 * t + 2])

    def every(self) -> Tensor:
        """All plans (plans, 1, steps, actions)."""
        return torch.eye(ACTIONS, dtype=F64)[torch.tensor(self.plans())].unsqueeze(1)


@pytest.mark.parametrize("gain", [None, Look()], ids=str)
class TestAgainstEveryCourse:
    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=6)
    def test_each_plan_alone_and_all_together(self, gain: Gain | None, seed: int) -> None:
        """A gain is what a look adds among those still alive, and counts with the chance to be among them."""
        world = World(seed, gain)
        expected = torch.tensor([world.value(plan, world.information) for plan in world.plans()], dtype=F64)
        assert_close(world.objective(world.every())[:, 0], expected)
        assert_close(torch.cat([world.objective(plan) for plan in world.every()]), expected)
        found = minimize(world.objective, AllPlans()).belief
        assert isinstance(found, Sequence)
        assert_close(found.values[:, 0], expected)
        assert_close(ExpectedEnergy.total(found.parts), found.values)

    def test_a_prefix_tree_has_the_parts_of_the_plans_one_by_one(self, gain: Gain | None) -> None:
        """One leading axis more for every step: each prefix is imagined once."""
        world = World(7, gain)
        corners = torch.eye(ACTIONS, dtype=F64).unsqueeze(1)
        steps = [corners.view(ACTIONS, *[1] * t, 1, ACTIONS) for t in range(HORIZON)]
        tree = world.objective.unroll(steps)
        for name, part in world.objective.terms(world.every()).items():
            axes = [ACTIONS] * HORIZON
            whole = tree[name].expand(*axes, 1).permute(*reversed(range(HORIZON)), HORIZON)
            assert_close(whole.reshape(-1, 1), part.expand(ACTIONS**HORIZON, 1))


class TestAlive:
    """Safe (cost 1, goes on), risky (cost 2, half of all episodes end there), over (always ends)."""

    SAFE, RISKY = 0, 1
    model = Mortal(
        np.eye(3),
        np.stack([np.eye(3)[:, [0, 0, 2]], np.eye(3)[:, [1, 1, 2]]], -1),
        [1.0, 0.0, 0.0],
        [0.0, 0.5, 1.0],
    )

    def parts(self, *actions: int, terminal: bool = False) -> dict[str, float]:
        goal = Levels([1.0, 2.0, 10.0], after=3.0)
        end = Levels([4.0, 8.0, 0.0], after=20.0) if terminal else None
        purpose = Purpose(goal, len(actions), Look(), Toil([2.0, 2.0]), end, 0.5)
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
    model = Linear([[1.0, 0.1], [0.0, 0.9]], [[0.0], [0.5]], Q=[0.1, 0.2], R=[0.3], C=[[1.0, 0.0]])
    belief = Gaussian(torch.tensor([[1.0, -1.0]], dtype=F64), torch.eye(2, dtype=F64).unsqueeze(0))
    plan = torch.tensor([[[[0.5], [-1.0], [2.0]]]], dtype=F64)[0]
    weights = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=F64)

    def test_it_is_the_goal_along_the_mean_course(self) -> None:
        goal, z, total = LatentSquare(self.weights), self.belief.mean, torch.zeros(1, dtype=F64)
        for t in range(3):
            z = self.model.transition.given((z, self.plan[:, t])).mean
            total = total + goal(None, z)
        objective = CertaintyEquivalentEnergy(self.model, self.belief, Purpose(goal, 3))
        assert_close(objective(self.plan), total)

    def test_under_the_belief_each_step_adds_a_trace(self) -> None:
        goal, covariance, traces = LatentSquare(self.weights), self.belief.covariance[0], 0.0
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
        assert_close(objective(world.every()), world.objective(world.every()))

    def test_a_point_is_all_there_is_to_be_uncertain_about(self) -> None:
        objective = CertaintyEquivalentEnergy(self.model, self.belief, Purpose(SeenSquare([1.0]), 1))
        assert isinstance(objective.root().belief, Point)


class Law(Plan):
    """A plan that is no sequence of actions."""

    version = 0

    def first_action(self, precision: float = torch.inf) -> Point:
        return Point(torch.zeros(1, ACTIONS, dtype=F64))

    def act(self, belief: Belief, t: int, precision: float = torch.inf) -> Point:
        return self.first_action()

    def terms(self, precision: float = torch.inf) -> dict[str, Tensor]:
        return {}


class TestDoors:
    world = World(0, None)

    @pytest.mark.parametrize("horizon", [0, -3, 1.5, None, "2"])
    def test_a_horizon_that_is_no_number_of_steps(self, horizon: object) -> None:
        with pytest.raises(UserError, match=f"horizon must be at least 1 step, got {horizon!r}"):
            Purpose(Levels([0.0, 1.0]), horizon)  # type: ignore[arg-type]

    @pytest.mark.parametrize("discount", [0.0, -1.0, 1.5])
    def test_a_discount_outside_its_interval(self, discount: float) -> None:
        with pytest.raises(UserError, match=r"discount must lie in \(0, 1\]"):
            Purpose(Levels([0.0, 1.0]), discount=discount)

    def test_a_plan_of_another_length(self) -> None:
        with pytest.raises(UserError, match=r"a plan of 3 steps was expected, got shape \(1, 2, 2\)"):
            self.world.objective(torch.zeros(1, 2, 2, dtype=F64))

    def test_open_loop_planning_starts_from_a_sequence(self) -> None:
        assert_close(self.world.objective.start(None), torch.full((1, HORIZON, ACTIONS), 0.5, dtype=F64))
        with pytest.raises(UserError, match="open-loop planning starts from a sequence of actions, got Law"):
            self.world.objective.start(Law())

    def test_a_previous_plan_is_a_start(self) -> None:
        plan = minimize(self.world.objective, AllPlans()).belief
        assert isinstance(plan, Sequence)
        shifted = plan.shifted()
        assert isinstance(shifted, Sequence)
        assert_close(self.world.objective.start(shifted), shifted.actions[0])


def test_descent_settles_on_one_sequence_with_its_parts() -> None:
    model = Linear([[1.0, 0.3], [0.0, 0.9]], [[0.0], [0.5]], Q=[0.1, 0.1], R=[0.2], C=[[1.0, 0.0]])
    purpose = Purpose(SeenSquare([2.0], [1.0]), 4, Look(), Toil([0.3]))
    objective = ExpectedEnergy(model, model.begin(2), purpose)
    found = minimize(objective, Descent(steps=2000, rate=0.2))
    plan = found.belief
    assert isinstance(plan, Sequence)
    assert found.converged is not None
    assert bool(found.converged.all())
    assert plan.actions.shape == (1, 2, 4, 1)
    assert_close(ExpectedEnergy.total(plan.parts), plan.values)
    assert bool((plan.values[0] < objective(objective.start(None))).all())
    assert_close(objective.gradient(plan.actions[0]), torch.zeros(2, 4, 1, dtype=F64), atol=1e-7, rtol=0)


def test_total_subtracts_gains_and_adds_the_rest() -> None:
    def one(value: float) -> Tensor:
        return torch.tensor([value])

    parts = {"pragmatic": one(10), "state_gain": one(1), "parameter_gain": one(2), "effort": one(3)}
    assert ExpectedEnergy.total({**parts, "latent_parameter_gain": one(4), "terminal": one(5)}).item() == 11
    assert ExpectedEnergy.total({**parts, "a gain by a third party": one(4)}).item() == 6
