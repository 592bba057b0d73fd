"""What states are worth if they are seen, as the end of a plan that cannot see to the end."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, ExpectedEnergy, Minimizer, Purpose, UserError, World, make, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.qmdp import Qmdp
from agentic_energies.reward import Reward
from agentic_envs.gridworld import GridWorld
from agentic_envs.pomdp import Pomdp
from agentic_envs.tiger import Tiger
from agentic_optimizers.backups import Max
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.mcts import MonteCarloTree
from agentic_optimizers.tree import TreeSearch


def test_where_states_are_seen_a_step_ahead_is_as_good_as_all_of_them() -> None:
    env = make(GridWorld())
    model, goal = CategoricalModel.from_env(env), Reward.from_env(env, scale=2.0)
    sure = Categorical(torch.eye(model.latent.count, dtype=torch.float64)[World.of(env.truth()).alive])
    ends = Purpose(goal, 1, terminal=Qmdp.from_env(env, discount=0.9, scale=2.0), discount=0.9)
    near, far = (
        minimize(ExpectedEnergy(model, sure, purpose), TreeSearch(Max())).value
        for purpose in (ends, Purpose(goal, 60, discount=0.9))
    )
    assert_close(near, far, atol=1e-2, rtol=0)


def test_the_tiger_if_it_were_seen() -> None:
    """Who sees it takes the treasure at every step."""
    goal = Qmdp.from_env(make(Tiger()), discount=0.9, scale=0.5)
    assert_close(
        goal(None, torch.full((4,), 0.25, dtype=torch.float64)), torch.tensor(-50.0).double(), atol=1e-3, rtol=0
    )


def test_states_in_which_an_episode_ends_now_and_then_are_one() -> None:
    moves = np.stack([np.eye(2), np.eye(2)[::-1]], -1)
    env = make(Pomdp(A=[np.ones((1, 2))], B=[moves], D=[[1, 0]], rewards=[[1, 0], [0, 0]], ends=[0.5, 0]))
    goal = Qmdp.from_env(env, discount=0.8)
    assert_close(goal.costs, -torch.tensor([1 / 0.6, 0.4 / 0.6]).double(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("planner", [Enumerate(), TreeSearch(), MonteCarloTree(simulations=400)], ids=repr)
def test_beliefs_of_several_factors_are_asked_about_joint_states(planner: Minimizer) -> None:
    """Two factors of two values have as many joint states as numbers side by side."""
    eye, moves = np.eye(2), np.stack([np.eye(2), np.eye(2)[::-1]], -1)
    seen = [np.einsum("oi,j->oij", eye, np.ones(2)), np.einsum("oj,i->oij", eye, np.ones(2))]
    rewards = np.arange(8.0).reshape(2, 2, 2)
    env = make(Pomdp(A=seen, B=[moves, moves], D=[[0.7, 0.3], [0.2, 0.8]], rewards=rewards))
    purpose = Purpose(Reward.from_env(env), 2, terminal=Qmdp.from_env(env), discount=0.95)
    values = [
        minimize(ExpectedEnergy(model, model.begin(1), purpose), planner, generator=torch.Generator().manual_seed(0))
        for model in (CategoricalModel.from_env(env), FactoredModel.from_env(env))
    ]
    assert_close(values[0].value, values[1].value)


def test_an_announced_world_has_values_of_its_own() -> None:
    arrays: dict[str, Any] = {"A": [np.ones((1, 2))], "B": [np.stack([np.eye(2), np.eye(2)[::-1]], -1)], "D": [[1, 0]]}
    worlds = [make(Pomdp(**arrays, rewards=rewards)) for rewards in ([[1, 0], [0, 0]], [[0, 0], [0, 3]])]
    goal, other = (Qmdp.from_env(env, discount=0.9, scale=0.5) for env in worlds)
    assert_close(goal.for_env(worlds[1]).costs, other.costs, atol=0, rtol=0)
    assert not torch.equal(goal.costs, other.costs)
    given = Qmdp([1.0])
    assert given.for_env(worlds[1]) is given


def test_errors_say_what_to_do() -> None:
    with pytest.raises(UserError, match="qmdp looks ahead without end and needs 0 < discount < 1, got 1"):
        Qmdp.from_env(make(Tiger()), discount=1)
    with pytest.raises(UserError, match="qmdp expects scale > 0 nats per unit of reward, got 0"):
        Qmdp([1.0], scale=0)
    with pytest.raises(UserError, match=r"values\[0\] is nan: finite numbers are expected"):
        Qmdp([float("nan")])
    with pytest.raises(UserError, match="qmdp knows the values of 2 states, and is asked about 3"):
        Qmdp.example()(None, torch.ones(3))
