"""The built-in goals: expectations under every family of beliefs, and what each is about."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Categorical, Gaussian, Step
from agentic.planning.goal import expectation
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.reward import Reward

F64 = torch.float64


def gaussian(seed: int) -> Gaussian:
    draws = torch.Generator().manual_seed(seed)
    root = torch.randn(3, 2, 2, generator=draws, dtype=F64)
    return Gaussian(torch.randn(3, 2, generator=draws, dtype=F64), root @ root.transpose(-2, -1))


@given(st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_quadratics_are_exact_also_where_the_belief_is_singular(seed: int) -> None:
    belief, goal = gaussian(seed), QuadraticGoal([[2.0, 0.5], [0.5, 1.0]], [1.0, -1.0])
    flat = Gaussian(belief.mean, belief.covariance * torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=F64))
    for each in (belief, flat):
        gap = each.mean - goal.center
        second = each.covariance + gap.unsqueeze(-1) * gap.unsqueeze(-2)
        assert_close(expectation(goal, each), 0.5 * (goal.weights * second).sum((-2, -1)))


def test_probabilities_are_linear() -> None:
    probs = torch.tensor([[0.2, 0.8]], dtype=F64)
    assert expectation(LogPreferences([[1.0, -2.0]]), Categorical(probs)).item() == pytest.approx(1.4)


class TestScope:
    """What a goal is about says what is integrated."""

    model = LinearGaussian([[1.0]], [[1.0]], Q=[0.5], R=[2.0], C=[[3.0]])
    action = torch.ones(1, 1, dtype=F64)

    def step(self) -> Step:
        before = Gaussian(torch.ones(1, 1, dtype=F64), torch.ones(1, 1, 1, dtype=F64))
        return Step(before, self.action, self.model.predict(before, self.action))

    def test_observations_add_the_sensors_noise(self) -> None:
        value = QuadraticGoal([2.0]).expected(self.model, self.step())
        assert value.item() == pytest.approx(36 + 9 * 1.5 + 2)

    def test_entropy_is_that_of_what_the_goal_is_about(self) -> None:
        step = self.step()
        seen, latent = self.model.emit(step.after), step.after
        assert isinstance(seen, Gaussian)
        assert isinstance(latent, Gaussian)
        assert_close(QuadraticGoal([2.0]).outcome_entropy(self.model, step), seen.entropy())
        assert_close(QuadraticLatentGoal([2.0]).outcome_entropy(self.model, step), latent.entropy())

    def test_a_reward_is_of_the_latent_before_and_the_action(self) -> None:
        model, reward = CategoricalModel.example(), Reward([[1.0, 0.0], [0.0, 4.0]], scale=0.5)
        belief, action = model.begin(1), torch.tensor([[0.0, 1.0]], dtype=F64)
        step = Step(belief, action, model.predict(belief, action))
        assert reward.expected(model, step).item() == pytest.approx(-0.5 * 0.4 * 4)
        assert reward.outcome_entropy(model, step) is None
