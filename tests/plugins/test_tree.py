"""Tree search: dynamic programming where the state is seen, open loop where nothing is, and reuse."""

from math import inf
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Backup, Categorical, ExpectedEnergy, Plan, Purpose, Sequence, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import Effort, LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.reward import Reward
from agentic_optimizers.backups import Max, MeanUnderSoftmax, SoftMin
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64
SEEDS = st.integers(0, 10_000)
BACKUPS: list[Backup] = [Max(), SoftMin(2.0), MeanUnderSoftmax(2.0)]
N, ACTIONS = 4, 2


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)


def solved(f: ExpectedEnergy, backup: Backup, start: Any = None) -> Tree:
    plan = minimize(f, TreeSearch(backup), start).belief
    assert isinstance(plan, Tree)
    return plan


class Decisions:
    """A random fully observed decision process with ends, discount, effort, terminal goal and costs after the end."""

    def __init__(self, seed: int, horizon: int, habits: bool = False) -> None:
        draws = np.random.default_rng(seed)
        self.horizon, self.discount = horizon, 0.9
        self.B, self.ends, self.r = columns(draws, N, N, ACTIONS), draws.uniform(0, 0.5, N), draws.normal(size=(N, 2))
        self.after, self.last, self.last_after = draws.normal(), draws.normal(size=N), draws.normal()
        self.effort = draws.uniform(0, 1, ACTIONS)
        self.E = columns(draws, ACTIONS) if habits else None
        self.model = CategoricalModel([np.eye(N)], [self.B], [np.full(N, 1 / N)], E=self.E, ends=self.ends)
        terminal = LogPreferences([-self.last], after=self.last_after)
        goal = Reward(self.r, after=self.after)
        purpose = Purpose(goal, horizon, None, Effort(2 * self.effort), terminal, self.discount)
        self.objective = ExpectedEnergy(self.model, Categorical(torch.eye(N, dtype=F64)), purpose)

    def iterate(self, backup: Any) -> Tensor:
        """Values of the first actions in every state, (actions, states), by value iteration with numpy."""
        value, over = self.last, self.last_after
        energies = np.zeros((N, ACTIONS))
        for _ in range(self.horizon):
            ahead = (1 - self.ends) * value + self.ends * over
            energies = -self.r + self.effort + self.discount * np.einsum("ija,i->ja", self.B, ahead)
            value, over = backup(energies), self.after + self.discount * over
        return torch.as_tensor(energies.T)


class TestWhereTheStateIsSeen:
    @given(SEEDS, st.integers(1, 5))
    @settings(derandomize=True, deadline=None, max_examples=8)
    def test_the_best_is_value_iteration(self, seed: int, horizon: int) -> None:
        world = Decisions(seed, horizon)
        assert_close(solved(world.objective, Max()).values, world.iterate(lambda g: g.min(1)))

    @given(SEEDS, st.integers(1, 5))
    @settings(derandomize=True, deadline=None, max_examples=8)
    def test_the_soft_minimum_is_soft_value_iteration(self, seed: int, horizon: int) -> None:
        """With habits E: V = -(1 / precision) ln sum E exp(-precision G)."""
        world = Decisions(seed, horizon, habits=True)

        def soft(energies: np.ndarray) -> np.ndarray:
            return np.asarray(-np.log((world.E * np.exp(-2 * energies)).sum(1)) / 2)

        assert_close(solved(world.objective, SoftMin(2.0)).values, world.iterate(soft))

    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=5)
    def test_the_mean_under_softmax_expects_ones_own_later_choices(self, seed: int) -> None:
        world = Decisions(seed, 4)

        def mean(energies: np.ndarray) -> np.ndarray:
            q = np.exp(-2 * energies)
            return np.asarray((q * energies).sum(1) / q.sum(1))

        assert_close(solved(world.objective, MeanUnderSoftmax(2.0)).values, world.iterate(mean))

    @pytest.mark.parametrize("backup", [Max(), MeanUnderSoftmax(2.0)])
    def test_parts_add_up(self, backup: Backup) -> None:
        tree = solved(Decisions(1, 4).objective, backup)
        assert_close(ExpectedEnergy.total(tree.parts), tree.values)
        assert set(tree.parts) == {"pragmatic", "effort", "terminal"}

    def test_equal_beliefs_are_one_node(self) -> None:
        assert len(solved(Decisions(1, 6).objective, Max()).beliefs) == N


class TestWhereNothingIsSeen:
    """Outcomes that do not depend on the state: watching cannot help."""

    def objective(self, seed: int, gain: SummedGain | None = None) -> ExpectedEnergy:
        draws = np.random.default_rng(seed)
        blind, clear = columns(draws, 2, 1).repeat(3, 1), columns(draws, 3, 3, 2)
        model = CategoricalModel([blind], [clear], [columns(draws, 3)], ends=draws.uniform(0, 0.3, 3))
        goal = Reward(draws.normal(size=(3, 2)), after=draws.normal())
        return ExpectedEnergy(model, model.begin(1), Purpose(goal, 4, gain, discount=0.9))

    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=8)
    def test_the_best_closed_loop_is_the_best_open_loop(self, seed: int) -> None:
        f = self.objective(seed)
        open_loop = minimize(f, Enumerate()).belief
        assert isinstance(open_loop, Sequence)
        first = open_loop.values.reshape(2, -1, 1).amin(1)
        assert_close(solved(f, Max()).values, first)

    def test_and_there_is_nothing_to_gain(self) -> None:
        parts = solved(self.objective(0, SummedGain()), Max()).parts
        assert_close(parts["state_gain"], torch.zeros(2, 1, dtype=F64), atol=1e-12, rtol=0)


def partly_seen(seed: int, horizon: int, gain: Any = None) -> ExpectedEnergy:
    draws = np.random.default_rng(seed)
    model = CategoricalModel([columns(draws, 2, 3)], [columns(draws, 3, 3, 2)], [columns(draws, 3)])
    return ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([draws.normal(size=2)]), horizon, gain))


class TestWherePartIsSeen:
    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=8)
    def test_seeing_helps_or_does_no_harm(self, seed: int) -> None:
        f = partly_seen(seed, 3)
        assert float(minimize(f, TreeSearch(Max())).value) <= float(minimize(f, Enumerate()).value) + 1e-12

    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=8)
    def test_gains_of_one_look_after_another_are_the_joint_gain(self, seed: int) -> None:
        """Nothing to choose: summed over outcomes the tree's gain is that of the trajectory."""
        draws = np.random.default_rng(seed)
        model = CategoricalModel([columns(draws, 2, 3)], [columns(draws, 3, 3, 1)], [columns(draws, 3)])
        purpose = Purpose(LogPreferences([[0.0, 0.0]]), 3, JointGain("trajectory"))
        f = ExpectedEnergy(model, model.begin(1), purpose)
        joint = f.terms(torch.ones(1, 3, 1, dtype=F64))["state_gain"]
        assert_close(solved(f, Max()).parts["state_gain"][0], joint)

    def test_later_choices_are_those_of_a_fresh_tree_there(self) -> None:
        """Every belief that one step and its outcome lead to, and the policy with one step less to go."""
        f = partly_seen(4, 3)
        tree = solved(f, Max())
        model = f.model
        assert isinstance(model, CategoricalModel)
        for action in torch.eye(2, dtype=F64):
            ahead = model.predict(f.belief, action.unsqueeze(0)).mean[0] * model.likelihood()
            beliefs = Categorical(ahead / ahead.sum(-1, keepdim=True))
            shorter = ExpectedEnergy(model, beliefs, Purpose(f.purpose.goal, 2))
            for precision in (1.0, inf):
                expected = solved(shorter, Max()).first_action(precision).mean
                assert_close(tree.act(beliefs, 1, precision).mean, expected)

    def test_what_it_does_not_visit_it_says(self) -> None:
        with pytest.raises(ValueError, match="this tree does not visit the given belief"):
            solved(partly_seen(4, 2), Max()).act(Categorical(torch.full((1, 3), 1 / 3, dtype=F64)), 1)

    def test_what_it_visits_later_only_is_not_visited_yet(self) -> None:
        tree = solved(partly_seen(4, 3), Max())
        with pytest.raises(ValueError, match="this tree does not visit the given belief"):
            tree.act(Categorical(tree.beliefs[-1:]), 1)


class TestReuse:
    world = Decisions(2, 4)

    @pytest.mark.parametrize("backup", BACKUPS, ids=str)
    def test_a_reused_tree_answers_as_a_fresh_one(self, backup: Backup) -> None:
        first = solved(self.world.objective, backup)
        elsewhere = self.world.objective.at(Categorical(torch.eye(N, dtype=F64)[[2, 0]]))
        again, fresh = solved(elsewhere, backup, first), solved(elsewhere, backup)
        assert again.beliefs is first.beliefs
        assert_close(again.values, fresh.values)
        for name, part in fresh.parts.items():
            assert_close(again.parts[name], part)

    def test_another_belief_grows_another(self) -> None:
        first = solved(self.world.objective, Max())
        unsure = self.world.objective.at(self.world.model.begin(1))
        assert_close(solved(unsure, Max(), first).values, solved(unsure, Max()).values)

    def test_another_backup_purpose_model_or_version_is_not_the_same_tree(self) -> None:
        f = self.world.objective
        first, other = solved(f, Max()), Decisions(3, 4)
        assert_close(solved(f, SoftMin(2.0), first).values, solved(f, SoftMin(2.0)).values)
        shorter = ExpectedEnergy(f.model, f.belief, Purpose(f.purpose.goal, 2))
        assert_close(solved(shorter, Max(), first).values, solved(shorter, Max()).values)
        swapped = ExpectedEnergy(other.model, f.belief, f.purpose)
        assert_close(solved(swapped, Max(), first).values, solved(swapped, Max()).values)
        relearned = Decisions(2, 4)
        before = solved(relearned.objective, Max())
        relearned.model.version += 1
        assert solved(relearned.objective, Max(), before).beliefs is not before.beliefs


class TestDoors:
    def test_its_limit_of_distinct_beliefs(self) -> None:
        with pytest.raises(
            UserError, match=r"tree met \d+ different beliefs within 3 of 6 steps, more than its limit of"
        ):
            minimize(partly_seen(0, 6), TreeSearch(Max(), limit=60))

    def test_gains_that_need_more_than_the_belief(self) -> None:
        with pytest.raises(UserError, match=r"outcome by outcome, which JointGain\(target='final'\) cannot follow"):
            minimize(partly_seen(0, 2, JointGain("final")), TreeSearch())

    def test_finite_models_only(self) -> None:
        linear = LinearGaussian([[1.0]], [[1.0]], Q=[1.0], R=[1.0])
        f = ExpectedEnergy(linear, linear.begin(1), Purpose(QuadraticGoal([1.0])))
        with pytest.raises(UserError, match=r"tree needs the expected energy of a finite model, got .* LinearGaussian"):
            minimize(f, TreeSearch())

    @pytest.mark.parametrize("backup", [SoftMin, MeanUnderSoftmax])
    @pytest.mark.parametrize("precision", [0.0, -1.0, inf])
    def test_precisions_are_positive_and_finite(self, backup: Any, precision: float) -> None:
        with pytest.raises(UserError, match="expects a precision > 0 and finite"):
            backup(precision)


class TestForbidden:
    """Two rooms, of which the first is forbidden: action 0 stays, 1 changes over; from the third nothing leads out."""

    moves = np.stack([np.eye(3), np.eye(3)[[1, 0, 2]]], -1)
    model = CategoricalModel([np.eye(3)], [moves], [np.full(3, 1 / 3)])

    def objective(self, *states: int, values: Any = (-inf, 0.0, -1.0), horizon: int = 3) -> ExpectedEnergy:
        belief = Categorical(torch.eye(3, dtype=F64)[list(states)])
        return ExpectedEnergy(self.model, belief, Purpose(LogPreferences([list(values)]), horizon))

    @pytest.mark.parametrize("solver", [*map(TreeSearch, BACKUPS), Enumerate()])
    @pytest.mark.parametrize("precision", [1.0, inf])
    def test_what_may_lead_there_is_never_done(self, solver: Any, precision: float) -> None:
        plan = minimize(self.objective(0, 1), solver).belief
        assert isinstance(plan, Plan)
        policy = plan.first_action(precision).mean
        assert_close(policy, torch.eye(2, dtype=F64).flip(0))
        assert plan.terms(precision)["pragmatic"].tolist() == [0.0, 0.0]

    @pytest.mark.parametrize("solver", [TreeSearch(), Enumerate()])
    def test_what_might_is_as_bad(self, solver: Any) -> None:
        slips = np.array([[1.0, 0.1, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 1.0]])
        model = CategoricalModel([np.eye(3)], [np.stack([slips, np.eye(3)], -1)], [[0.0, 1.0, 0.0]])
        goal = LogPreferences([[-inf, 0.0, 0.0]])
        f = ExpectedEnergy(model, Categorical(torch.eye(3, dtype=F64)[[1]]), Purpose(goal, 2))
        plan = minimize(f, solver).belief
        assert isinstance(plan, Plan)
        assert plan.first_action(1.0).mean.tolist() == [[0.0, 1.0]]

    @pytest.mark.parametrize("solver", [TreeSearch(), Enumerate()])
    def test_where_nothing_else_is_left_it_says_so(self, solver: Any) -> None:
        with pytest.raises(UserError, match=r"the energy is infinite everywhere \w+ looked, in rows \[1\]"):
            minimize(self.objective(1, 2, values=(0.0, 0.0, -inf)), solver)

    def test_what_happens_after_the_end_is_not_counted(self) -> None:
        """Who is certain to be dead cannot come to harm."""
        model = CategoricalModel([np.eye(3)], [self.moves], [np.full(3, 1 / 3)], ends=[0.0, 1.0, 0.0])
        goal = LogPreferences([[-inf, 0.0, 0.0]])
        f = ExpectedEnergy(model, Categorical(torch.eye(3, dtype=F64)[[0]]), Purpose(goal, 3))
        for solver in (TreeSearch(Max()), Enumerate()):
            plan = minimize(f, solver).belief
            assert isinstance(plan, Plan)
            assert plan.first_action(inf).mean.tolist() == [[0.0, 1.0]]


def test_a_horizon_that_no_tree_gets_to_is_one_sentence() -> None:
    model = CategoricalModel([np.eye(2)], [np.eye(2)[..., None]], [[0.5, 0.5]])
    f = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([[0.0, 1.0]]), 10**9))
    with pytest.raises(UserError, match="tree looks at most 100,000 steps ahead, got a horizon of 1,000,000,000"):
        minimize(f, TreeSearch())
