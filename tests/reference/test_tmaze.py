"""R6: the simplified T-maze of pymdp's sophisticated-inference notebook, open loop and closed loop.

Preferences 0, 2 and -6 for nothing, reward and punishment, precision 3, horizon 2. The numbers are the notebook's, and
were reproduced by hand; those that it does not print (risk, ambiguity, joint gain, two more backups) are derived.
"""

from math import inf, log

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Backup,
    Belief,
    Categorical,
    EnergyAgent,
    Evidence,
    ExpectedEnergy,
    Gain,
    Purpose,
    Sequence,
    Tick,
    minimize,
    ticks,
)
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import LogPreferences
from agentic_envs.tmaze import CUE, LEFT, RIGHT, TMaze
from agentic_optimizers.backups import Max, MeanUnderSoftmax, SoftMin
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64
HALF = 5e-7  # half a unit of the sixth printed digit
TRUTH = TMaze().true_model()
MODEL = CategoricalModel(TRUTH["A"], TRUTH["B"], TRUTH["D"])
GOAL = LogPreferences([[0.0] * 5, [0.0, 2.0, -6.0]])
ACTIONS = torch.eye(4, dtype=F64).unsqueeze(1)  # (4, b, 4): center, left, right, cue
LOG_Z = log(5) + log(1 + np.exp(2) + np.exp(-6))


def expected_energy(horizon: int, belief: Belief | None = None, gain: Gain | None = None) -> ExpectedEnergy:
    purpose = Purpose(GOAL, horizon, SummedGain() if gain is None else gain)
    return ExpectedEnergy(MODEL, MODEL.begin(1) if belief is None else belief, purpose)


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=F64)


def seen(place: int, outcome: int = 0) -> Tensor:
    return MODEL.outcome.one_hot(torch.tensor([[place, outcome]]))


class TestOneStep:
    objective = expected_energy(1)
    parts = objective.terms(ACTIONS.unsqueeze(2))

    def test_information_gain_and_utility_of_each_action(self) -> None:
        gain, utility = self.parts["state_gain"][:, 0], -self.parts["pragmatic"][:, 0]
        assert_close(gain, numbers(0, 0.693147, 0.693147, 0.494632), atol=HALF, rtol=0)
        assert_close(utility, numbers(0, -2, -2, 0), atol=HALF, rtol=0)

    def test_their_sum_is_minus_the_expected_energy(self) -> None:
        value = -self.objective(ACTIONS.unsqueeze(2))[:, 0]
        assert_close(value, numbers(0, -1.306853, -1.306853, 0.494632), atol=HALF, rtol=0)

    def test_risk_and_ambiguity_add_up_to_the_same_with_normalized_preferences(self) -> None:
        split = self.objective.split(self.objective.imagine(self.objective.belief, ACTIONS))
        total = (split["risk"] + split["ambiguity"])[:, 0]
        assert_close(total, numbers(3.736661, 5.043514, 5.043514, 3.242029), atol=HALF, rtol=0)
        assert_close(total, self.objective(ACTIONS.unsqueeze(2))[:, 0] + LOG_Z)
        assert float(GOAL.log_normalizer(None)) == pytest.approx(1.609438 + 2.127223, abs=1e-6)
        assert float(split["risk"][CUE]) == pytest.approx(0.916291 + 2.127223, abs=1e-6)
        assert float(split["ambiguity"][CUE]) == pytest.approx(0.198515, abs=HALF)


def open_loop(gain: Gain | None = None) -> Sequence:
    plan = minimize(expected_energy(2, gain=gain), Enumerate()).belief
    assert isinstance(plan, Sequence)
    return plan


class TestOpenLoop:
    def test_sixteen_plans_each_worth_the_sum_of_its_steps(self) -> None:
        plan = open_loop()
        one_step = -TestOneStep.objective(ACTIONS.unsqueeze(2))[:, 0]
        assert_close(-plan.values[:, 0], (one_step.unsqueeze(1) + one_step).flatten())
        assert float(-plan.values[4 * CUE + LEFT, 0]) == pytest.approx(-0.812221, abs=HALF)
        assert float(-plan.values[4 * CUE + CUE, 0]) == pytest.approx(0.989264, abs=HALF)

    def test_marginal_of_the_first_action(self) -> None:
        marginal = open_loop().first_action(3.0).mean[0]
        assert_close(marginal, numbers(0.183495, 0.003639, 0.003639, 0.809228), atol=HALF, rtol=0)

    @pytest.mark.parametrize("target", ["static", "first", "trajectory", "final"])
    def test_the_sum_credits_two_looks_at_one_cue_with_more_than_there_is_to_know(self, target: str) -> None:
        """The joint gain is about the side, whatever target it is asked for: the location is known all along."""
        plan = ACTIONS[[CUE, CUE], 0].unsqueeze(0)
        summed = float(expected_energy(2).terms(plan)["state_gain"])
        joint = float(expected_energy(2, gain=JointGain(target)).terms(plan)["state_gain"])
        assert summed == pytest.approx(0.989264, abs=HALF)
        assert joint == pytest.approx(0.610073, abs=HALF)
        assert joint < log(2) < summed

    def test_marginal_of_the_first_action_with_the_joint_gain(self) -> None:
        marginal = open_loop(JointGain("static")).first_action(3.0).mean[0]
        assert_close(marginal, numbers(0.336109, 0.002452, 0.002452, 0.658987), atol=HALF, rtol=0)


class TestSophisticated:
    """Every outcome is expanded, and what is done next may depend on it."""

    def search(self, backup: Backup) -> Tree:
        plan = minimize(expected_energy(2), TreeSearch(backup)).belief
        assert isinstance(plan, Tree)
        return plan

    @pytest.mark.parametrize(
        ("backup", "expected"),
        [
            (MeanUnderSoftmax(3.0), [0.390760, 0.683281, 0.683281, 2.274397]),
            (Max(), [0.494632, 0.693147, 0.693147, 2.293147]),
            (SoftMin(3.0), [0.565190, 0.694796, 0.694796, 2.296778]),
        ],
    )
    def test_values_of_the_first_actions_by_backup(self, backup: Backup, expected: list[float]) -> None:
        assert_close(-self.search(backup).values[:, 0], numbers(*expected), atol=HALF, rtol=0)

    def test_policy_of_the_first_action(self) -> None:
        policy = self.search(MeanUnderSoftmax(3.0)).first_action(3.0).mean[0]
        assert_close(policy, numbers(0.003444, 0.008283, 0.008283, 0.979990), atol=HALF, rtol=0)

    def test_the_parts_add_up_to_the_values(self) -> None:
        for backup in (MeanUnderSoftmax(3.0), Max()):
            tree = self.search(backup)
            assert_close(ExpectedEnergy.total(tree.parts), tree.values)


class TestAfterTheCue:
    belief = minimize(
        Evidence(MODEL, seen(CUE), MODEL.predict(MODEL.begin(1), ACTIONS[CUE])), Mirror(), MODEL.begin(1).mean
    ).belief

    def test_the_side_is_known_as_well_as_the_cue_is_valid(self) -> None:
        side = self.belief.mean.reshape(4, 2).sum(0)
        assert_close(side, numbers(0.95, 0.05), atol=1e-12, rtol=0)

    def test_one_step_values_and_the_choice(self) -> None:
        objective = expected_energy(1, self.belief)
        value = -objective(ACTIONS.unsqueeze(2))[:, 0]
        assert_close(value, numbers(0, 1.798515, -5.401485, 0.115441), atol=HALF, rtol=0)
        plan = minimize(objective, TreeSearch(MeanUnderSoftmax(3.0))).belief
        assert isinstance(plan, Tree)
        assert_close(plan.first_action(inf).mean, ACTIONS[LEFT])


class TestWholeRun:
    """Four moves in the environment: the cue first, then the arm it named, then stay if that was right."""

    def episode(self, seed: int) -> list[Tick]:
        agent = EnergyAgent(MODEL, expected_energy(2).purpose, Mirror(), TreeSearch(MeanUnderSoftmax(3.0)))
        return list(ticks(agent, TMaze(), seed=seed, episodes=1, dtype=F64))

    def places(self, run: list[Tick]) -> list[int]:
        return [int(tick.action.argmax()) for tick in run]

    def test_cue_left_left_left_with_rewards(self) -> None:
        """The first seed whose cue truly says left is a run like the one that the notebook shows."""
        runs = (self.episode(seed) for seed in range(20))
        run = next(r for r in runs if r[0].native.next_obs[0].tolist() == [CUE, 0] and r[1].reward[0] > 0)
        assert self.places(run) == [CUE, LEFT, LEFT, LEFT]
        assert [float(tick.reward[0]) for tick in run] == [0, 1, 1, 1]
        assert bool(run[-1].truncated[0])

    def test_every_run_asks_the_cue_and_believes_it_until_it_is_refuted(self) -> None:
        for seed in range(12):
            run = self.episode(seed)
            named = int(run[0].native.next_obs[0, 0]) - CUE
            arms = [LEFT + named, RIGHT - named]
            right = arms[0] if run[1].reward[0] > 0 else arms[1]
            assert self.places(run) == [CUE, arms[0], right, right]

    def test_free_energy_of_the_run_is_minus_log_of_what_was_seen(self) -> None:
        run = self.episode(0)
        spent = torch.cat([tick.decision.energies["free_energy"] for tick in run])
        lied = run[1].reward[0] < 0
        assert_close(spent, numbers(0, log(2), -log(0.05 if lied else 0.95), 0))
        final = run[-1].decision.belief
        assert isinstance(final, Categorical)
        assert float(final.mean.max()) == pytest.approx(1.0, abs=1e-12)
