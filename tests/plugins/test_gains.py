"""Gains: bounds, how the two kinds compare, and what is refused."""

from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import ExpectedEnergy, Gain, Gaussian, Model, Particles, Purpose, UserError
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import LogPreferences, QuadraticGoal
from agentic_energies.linear_gaussian import LinearGaussian

F64 = torch.float64
SEEDS = st.integers(0, 10_000)
LINEAR = LinearGaussian(
    [[1.0, 0.3], [0.0, 0.8]], [[0.0], [1.0]], Q=[0.1, 0.2], R=[0.5], C=[[1.0, 0.0]], covariance=[1.0, 2.0]
)


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    table = draws.dirichlet(np.ones(shape[0]), shape[1:])
    return np.moveaxis(table, -1, 0)


def finite(seed: int, n: int = 3, *, still: bool = False) -> CategoricalModel:
    draws = np.random.default_rng(seed)
    moves = np.repeat(np.eye(n)[:, :, None], 2, 2) if still else columns(draws, n, n, 2)
    return CategoricalModel([columns(draws, 2, n), columns(draws, 3, n)], [moves], [columns(draws, n)])


def gain(model: Model, kind: Gain, actions: list[int] | Tensor) -> float:
    plan = torch.eye(2, dtype=F64)[actions] if isinstance(actions, list) else actions
    goal = LogPreferences([[0.0] * 2, [0.0] * 3]) if isinstance(model, CategoricalModel) else QuadraticGoal([1.0])
    objective = ExpectedEnergy(model, model.begin(1), Purpose(goal, len(plan), kind))
    return float(objective.terms(plan.unsqueeze(0))["state_gain"])


class TestFinite:
    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=15)
    def test_no_gain_exceeds_what_there_is_to_know_or_to_see(self, seed: int) -> None:
        model, plan = finite(seed), [0, 1, 1]
        for target in ("trajectory", "first", "final"):
            value = gain(model, JointGain(target), plan)
            assert -1e-12 <= value <= 3 * (log(2) + log(3))
            if target != "trajectory":
                assert value <= log(3) + 1e-12

    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=15)
    def test_trajectories_hold_more_than_one_of_their_states(self, seed: int) -> None:
        model, plan = finite(seed), [1, 0]
        whole = gain(model, JointGain("trajectory"), plan)
        assert gain(model, JointGain("first"), plan) <= whole + 1e-12
        assert gain(model, JointGain("final"), plan) <= whole + 1e-12
        assert gain(model, JointGain("static"), plan) <= whole + 1e-12

    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=15)
    def test_looks_at_a_state_that_never_changes_share_what_they_tell(self, seed: int) -> None:
        """Given the state the looks are independent: the sum counts at least as much as the joint gain."""
        model = finite(seed, still=True)
        joint = [gain(model, JointGain(target), [0, 1, 0]) for target in ("trajectory", "first", "final", "static")]
        assert max(joint) - min(joint) < 1e-10
        assert gain(model, SummedGain(), [0, 1, 0]) >= joint[0] - 1e-12

    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=10)
    def test_the_sum_is_at_least_the_joint_gain_about_the_trajectory(self, seed: int) -> None:
        """Outcomes depend on the trajectory one by one, so that their entropies can only overlap."""
        model = finite(seed)
        assert gain(model, SummedGain(), [0, 0, 1]) >= gain(model, JointGain(), [0, 0, 1]) - 1e-12

    def test_one_look_at_one_modality_is_worth_the_same_either_way(self) -> None:
        draws = np.random.default_rng(3)
        model = CategoricalModel([columns(draws, 5, 3)], [columns(draws, 3, 3, 2)], [columns(draws, 3)])
        objective = [
            ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([[0.0] * 5]), 1, kind))
            for kind in (SummedGain(), JointGain("trajectory"), JointGain("final"))
        ]
        plan = torch.eye(2, dtype=F64)[:1].unsqueeze(0)
        values = torch.stack([f.terms(plan)["state_gain"] for f in objective])
        assert_close(values, values[:1].expand(3, 1))

    @pytest.mark.parametrize("target", ["trajectory", "first", "final", "static"])
    def test_several_controls_are_one_of_their_joint_values(self, target: str) -> None:
        draws = np.random.default_rng(0)
        A, B, D = [columns(draws, 2, 3), columns(draws, 3, 3)], columns(draws, 3, 3, 2, 3), [columns(draws, 3)]
        two = CategoricalModel(A, [B], D, dependencies={"B_actions": [[0, 1]]})
        one = CategoricalModel(A, [B.reshape(3, 3, 6)], D)
        settings = torch.tensor([[1, 2], [0, 1], [1, 0]])
        plans = two.action.one_hot(settings), one.action.one_hot(settings[:, :1] * 3 + settings[:, 1:])
        assert gain(two, JointGain(target), plans[0]) == pytest.approx(
            gain(one, JointGain(target), plans[1]), abs=1e-12
        )

    def test_what_no_action_can_change_is_all_that_static_is_about(self) -> None:
        """Two factors: the first stays, the second is reset by every action; each has its own clear modality."""
        stay, mix = np.eye(2)[:, :, None].repeat(2, 2), np.full((2, 2, 2), 0.5)
        see = [np.eye(2)[:, :, None].repeat(2, 2), np.eye(3)[:, None, :2].repeat(2, 1)]
        model = CategoricalModel(see, [stay, mix], [[0.5, 0.5], [0.5, 0.5]])
        assert gain(model, JointGain("static"), [0, 0]) == pytest.approx(log(2))
        assert gain(model, JointGain("trajectory"), [0, 0]) == pytest.approx(3 * log(2))
        assert gain(model, JointGain("first"), [0, 0]) == pytest.approx(2 * log(2))


class TestLinear:
    def plan(self, steps: int) -> Tensor:
        return torch.zeros(steps, 1, dtype=F64)

    def test_chain_rule_against_the_covariance_of_everything(self) -> None:
        """All latents and all looks are jointly Gaussian: the gain is half a difference of log determinants."""
        system, steps = LINEAR.system(), 3
        start = LINEAR.begin(1)
        assert isinstance(start, Gaussian)
        noise = [start.covariance[0]]
        latents = [torch.cat([torch.eye(2, dtype=F64), torch.zeros(2, 2 * steps, dtype=F64)], 1)]
        for t in range(steps):
            fresh = torch.zeros(2, 2 + 2 * steps, dtype=F64)
            fresh[:, 2 + 2 * t : 4 + 2 * t] = torch.eye(2, dtype=F64)
            latents.append(system.A @ latents[-1] + fresh)
            noise.append(system.Q)
        source = torch.block_diag(*noise)
        seen = torch.cat([system.C @ z for z in latents[1:]])
        sensor = 0.5 * torch.eye(steps, dtype=F64)
        spread = seen @ source @ seen.T + sensor

        def information(target: Tensor) -> float:
            cross = target @ source @ seen.T
            before = target @ source @ target.T
            after = before - cross @ torch.linalg.solve(spread, cross.T)
            return float(0.5 * (torch.logdet(before) - torch.logdet(after)))

        assert gain(LINEAR, JointGain("first"), self.plan(steps)) == pytest.approx(information(latents[1]))
        assert gain(LINEAR, JointGain("final"), self.plan(steps)) == pytest.approx(information(latents[-1]))
        whole = 0.5 * float(torch.logdet(spread) - torch.logdet(sensor))
        assert gain(LINEAR, JointGain("trajectory"), self.plan(steps)) == pytest.approx(whole)
        assert gain(LINEAR, SummedGain(), self.plan(steps)) >= whole

    def test_there_is_nothing_static(self) -> None:
        with pytest.raises(UserError, match=r"JointGain\(target='static'\) needs a finite model"):
            gain(LINEAR, JointGain("static"), self.plan(1))


class TestRefusals:
    def test_an_unknown_target_names_those_there_are(self) -> None:
        with pytest.raises(UserError, match="SummedGain expects a target among states, weights, both, got 'state'"):
            SummedGain("state")
        with pytest.raises(UserError, match="JointGain expects a target among trajectory, first, final, static, weig"):
            JointGain("states")

    def test_what_is_not_affordable_says_how_much_it_needs(self) -> None:
        with pytest.raises(UserError, match=r"JointGain needs \d+ outcome sequences, more than it enumerates: shorten"):
            gain(finite(0), JointGain(), [0] * 9)

    def test_the_number_of_outcome_sequences_is_the_one_of_the_step_that_is_too_much(self) -> None:
        with pytest.raises(UserError, match=f"JointGain needs {6**8} outcome sequences"):
            gain(finite(0), JointGain(), [0] * 9)

    def test_a_belief_it_cannot_follow(self) -> None:
        blurred = Particles(torch.zeros(2, 1, 2, dtype=F64), torch.zeros(2, 1).log_softmax(0))
        with pytest.raises(UserError, match="needs a finite or a linear-Gaussian model, got LinearGaussian: use Summe"):
            JointGain().start(LINEAR, blurred)
