"""Reward as an energy."""

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from agentic import UserError, make
from agentic_energies.reward import Reward

F64 = torch.float64


def test_it_is_minus_scale_times_the_expected_reward() -> None:
    reward = Reward([[0.0, 1.0], [2.0, -1.0]], scale=3.0)
    state, action = torch.tensor([[0.25, 0.75]], dtype=F64), torch.tensor([[0.5, 0.5]], dtype=F64)
    assert reward(state, action).item() == pytest.approx(-3 * (0.125 + 0.75 - 0.375))
    assert reward.log_normalizer(None) is None


def test_factors_are_flattened_as_the_model_does() -> None:
    table = torch.arange(12, dtype=F64).reshape(2, 3, 2)
    flat = Reward(table.reshape(6, 2))
    corner = torch.eye(6, dtype=F64)
    assert_close(
        Reward(table)(corner, torch.eye(2, dtype=F64)[[1] * 6]), flat(corner, torch.eye(2, dtype=F64)[[1] * 6])
    )


def test_an_environment_knows_its_rewards() -> None:
    goal = Reward.from_env(make("agentic_envs:agentic/TMaze-v0"), after=0.5)
    assert goal.costs.shape == (8, 4)
    assert goal.after == 0.5


@pytest.mark.parametrize("unit", [1.0, 0.1, 250.0])
def test_a_relative_scale_is_free_of_units(unit: float) -> None:
    goal = Reward(unit * torch.tensor([[-1.0, 0.0], [-3.0, 1.0]]), scale=2.0, relative=True)
    assert_close(goal.costs, torch.tensor([[0.5, 0.0], [1.5, -0.5]], dtype=F64))  # rewards from -3 to 1 are 2 nats
    assert_close(Reward([[5.0, 4.0]], relative=True).costs, torch.tensor([[-1.0, -0.8]], dtype=F64))  # from 0 to 5
    assert not Reward([[0.0, 0.0]], relative=True).costs.any()


@pytest.mark.parametrize(
    ("rewards", "scale", "sentence"),
    [
        ([[1.0]], 0.0, "reward expects scale > 0 nats per unit of reward, got 0.0"),
        ([1.0, 2.0], 1.0, r"finite numbers \(\*state factors, actions\), got shape \(2,\)"),
        ([[float("inf")]], 1.0, "finite numbers"),
    ],
)
def test_doors(rewards: Any, scale: float, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Reward(rewards, scale=scale)
