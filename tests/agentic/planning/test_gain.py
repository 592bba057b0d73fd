"""The gain of one look: mutual information of what is seen and where one is."""

from math import log
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Belief, ExpectedEnergy, Gaussian, Model, Particles, Purpose, UserError
from agentic.planning.gain import state_gain
from tests.agentic.standins import Finite, Levels, Linear, Look

F64 = torch.float64
SEEDS = st.integers(0, 10_000)
LINEAR = Linear([[1.0, 0.3], [0.0, 0.8]], [[0.0], [1.0]], Q=[0.1, 0.2], R=[0.5], C=[[1.0, 0.0]], covariance=[1.0, 2.0])


class Blurred(Model):
    """A model that emits particles."""

    def predict(self, belief: Belief, action: Tensor) -> Belief:
        return belief

    def emit(self, belief: Belief) -> Particles:
        return Particles(torch.zeros(2, 1, 2), torch.zeros(2, 1))

    def ambiguity(self, belief: Belief) -> Tensor:
        return torch.zeros(1)


def finite(seed: int, n: int = 3, outcomes: int = 2) -> Finite:
    draws = np.random.default_rng(seed)

    def columns(*shape: int) -> Any:
        return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)

    return Finite(columns(outcomes, n), columns(n, n, 2), columns(n))


class TestStateGain:
    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=15)
    def test_it_is_the_mutual_information_of_the_joint_table(self, seed: int) -> None:
        model = finite(seed)
        belief = model.begin(1)
        joint = model.likelihood() * belief.mean[0]
        apart = joint.sum(1, keepdim=True) * joint.sum(0)
        assert_close(state_gain(model, belief), (joint * (joint / apart).log()).sum().unsqueeze(0))

    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=15)
    def test_no_gain_exceeds_what_there_is_to_know_or_to_see(self, seed: int) -> None:
        value = float(state_gain(finite(seed), finite(seed).begin(1)))
        assert -1e-12 <= value <= min(log(2), log(3))

    def test_a_gaussian_look_is_worth_half_a_difference_of_log_determinants(self) -> None:
        belief = LINEAR.begin(1)
        assert isinstance(belief, Gaussian)
        spread = belief.covariance[0, 0, 0] + 0.5
        assert_close(state_gain(LINEAR, belief), 0.5 * (spread.log() - torch.tensor(0.5, dtype=F64).log()).unsqueeze(0))

    def test_a_prediction_without_an_entropy(self) -> None:
        with pytest.raises(UserError, match="state gain needs a categorical or Gaussian prediction, got Particles"):
            state_gain(Blurred(), None)


def test_gains_of_single_steps_add_up_unless_a_gain_says_otherwise() -> None:
    assert Look().additive
    model, plan = finite(0), torch.eye(2, dtype=F64)[[0, 1]].unsqueeze(0)
    terms = ExpectedEnergy(model, model.begin(1), Purpose(Levels([0.0, 0.0]), 2, Look())).terms(plan)
    first = model.predict(model.begin(1), plan[:, 0])
    second = model.predict(first, plan[:, 1])
    assert_close(terms["state_gain"], state_gain(model, first) + state_gain(model, second))
