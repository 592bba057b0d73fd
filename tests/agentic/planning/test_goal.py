"""Goals: expectations under every family of beliefs."""

from math import exp
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Belief, Categorical, Gaussian, LatentGoal, Particles, Point, RewardGoal, Step, UserError
from agentic.planning.goal import expectation
from tests.agentic.standins import Finite, Levels, Linear, SeenSquare

F64 = torch.float64


class Cubic(LatentGoal):
    """A polynomial of the third degree with mixed terms."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        a, b = z[..., 0], z[..., 1]
        return 2 * a**3 - a**2 * b + 3 * a * b - b**2 + a - 4


class Wave(LatentGoal):
    """cos of the first coordinate: no polynomial."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z[..., 0].cos()


def gaussian(seed: int) -> Gaussian:
    draws = torch.Generator().manual_seed(seed)
    root = torch.randn(3, 2, 2, generator=draws, dtype=F64)
    return Gaussian(torch.randn(3, 2, generator=draws, dtype=F64), root @ root.transpose(-2, -1))


@given(st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_cubature_is_exact_to_the_third_degree(seed: int) -> None:
    """E[a^3] = m^3 + 3 m s, E[a^2 b] = m^2 n + s n + 2 m c, with means m, n, variances s, t and covariance c."""
    belief = gaussian(seed)
    m, n = belief.mean.unbind(-1)
    s, t, c = belief.covariance[:, 0, 0], belief.covariance[:, 1, 1], belief.covariance[:, 0, 1]
    cubic = 2 * (m**3 + 3 * m * s) - (m**2 * n + s * n + 2 * m * c)
    rest = 3 * (m * n + c) - (n**2 + t) + m - 4
    assert_close(expectation(Cubic(), belief), cubic + rest, rtol=1e-8, atol=1e-8)


@given(st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_quadratics_are_exact_also_where_the_belief_is_singular(seed: int) -> None:
    belief, goal = gaussian(seed), SeenSquare([[2.0, 0.5], [0.5, 1.0]], [1.0, -1.0])
    flat = Gaussian(belief.mean, belief.covariance * torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=F64))
    for each in (belief, flat):
        gap = each.mean - goal.center
        second = each.covariance + gap.unsqueeze(-1) * gap.unsqueeze(-2)
        assert_close(expectation(goal, each), 0.5 * (goal.weights * second).sum((-2, -1)))


def test_beyond_the_third_degree_cubature_approximates() -> None:
    narrow = Gaussian(torch.tensor([[0.3, 0.0]], dtype=F64), 0.01 * torch.eye(2, dtype=F64).unsqueeze(0))
    exact = exp(-0.005) * float(torch.tensor(0.3, dtype=F64).cos())
    assert float(expectation(Wave(), narrow)) == pytest.approx(exact, abs=1e-4)


def test_particles_are_averaged_points_are_evaluated_and_probabilities_are_linear() -> None:
    z = torch.tensor([[[1.0, 0.0]], [[3.0, 2.0]]], dtype=F64)
    weights = torch.tensor([[0.25], [0.75]], dtype=F64)
    values = Cubic()(None, z)
    assert_close(expectation(Cubic(), Particles(z, weights.log())), (weights * values).sum(0))
    assert_close(expectation(Cubic(), Point(z[1])), values[1])
    probs = torch.tensor([[0.2, 0.8]], dtype=F64)
    assert expectation(Levels([-1.0, 2.0]), Categorical(probs)).item() == pytest.approx(1.4)


class TestScope:
    """What a goal is about says what is integrated."""

    model = Linear([[1.0]], [[1.0]], Q=[0.5], R=[2.0], C=[[3.0]])
    action = torch.ones(1, 1, dtype=F64)

    def step(self) -> Step:
        before = Gaussian(torch.ones(1, 1, dtype=F64), torch.ones(1, 1, 1, dtype=F64))
        return Step(before, self.action, self.model.predict(before, self.action))

    def test_observations_add_the_sensors_noise(self) -> None:
        value = SeenSquare([2.0]).expected(self.model, self.step())
        assert value.item() == pytest.approx(36 + 9 * 1.5 + 2)

    def test_entropy_is_that_of_what_the_goal_is_about(self) -> None:
        step = self.step()
        seen, latent = self.model.emit(step.after), step.after
        assert isinstance(seen, Gaussian)
        assert isinstance(latent, Gaussian)
        assert_close(SeenSquare([2.0]).outcome_entropy(self.model, step), seen.entropy())
        assert_close(Cubic().outcome_entropy(self.model, step), latent.entropy())

    def test_a_reward_is_of_the_latent_before_and_the_action(self) -> None:
        class Pay(RewardGoal):
            """Half a nat for each unit: 1 for the first action in the first place, 4 for the second in the second."""

            def forward(self, x: Tensor, z: Tensor) -> Tensor:
                return -0.5 * (x * z * torch.tensor([1.0, 4.0], dtype=F64)).sum(-1)

        eye = torch.eye(2, dtype=F64)
        model, reward = Finite(eye, eye.unsqueeze(-1).expand(2, 2, 2), [0.6, 0.4]), Pay()
        belief, action = model.begin(1), torch.tensor([[0.0, 1.0]], dtype=F64)
        step = Step(belief, action, model.predict(belief, action))
        assert reward.expected(model, step).item() == pytest.approx(-0.5 * 0.4 * 4)
        assert reward.outcome_entropy(model, step) is None

    def test_a_reward_needs_latents_that_are_not_gaussian(self) -> None:
        class Bonus(RewardGoal):
            """Nothing."""

            def forward(self, x: Tensor, z: Tensor) -> Tensor:
                return x[..., 0] * z[..., 0]

        with pytest.raises(UserError, match="bonus: a reward over a Gaussian belief needs a goal over latents"):
            Bonus().expected(self.model, self.step())
        points: Belief = Particles(torch.tensor([[[1.0]], [[2.0]]], dtype=F64), torch.tensor([[0.5], [0.5]]).log())
        assert Bonus().expected(self.model, Step(points, self.action, points)).item() == pytest.approx(1.5)
