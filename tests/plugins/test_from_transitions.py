"""Models of observed worlds from Gymnasium's tables: the same as from arrays, without tables of all pairs of states."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, ExpectedEnergy, Purpose, UserError, make, minimize
from agentic.environments import Successors
from agentic_energies.categorical import CategoricalModel
from agentic_energies.cpt import Listed
from agentic_energies.gains import SummedGain
from agentic_energies.reward import Reward
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.tree import TreeSearch


@pytest.mark.parametrize(("name", "kwargs"), [("FrozenLake-v1", {}), ("CliffWalking-v1", {}), ("Taxi-v4", {})])
def test_it_is_the_model_of_the_truth(name: str, kwargs: dict[str, Any]) -> None:
    world: Any = gymnasium.make(name, **kwargs).unwrapped
    whole = CategoricalModel.from_env(make(name, kwargs=kwargs))
    model = CategoricalModel.from_transitions(world.P, world.initial_state_distrib)
    assert isinstance(model.transition.cpt, Listed)
    assert_close(model.dynamics(), whole.dynamics())
    assert_close(model.likelihood(), whole.likelihood())
    assert_close(model.begin(1).mean, whole.begin(1).mean)
    assert_close(model.going_on, whole.going_on)
    found = Successors.of(world.P, world.initial_state_distrib)
    values = []
    for each in (model, whole):
        f = ExpectedEnergy(each, Categorical(each.begin(1).mode), Purpose(Reward(found.rewards), 5))
        values.append(minimize(f, TreeSearch()).value)
    assert_close(values[0], values[1])


def ring(states: int) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
    """Steps either way that slip one time in ten."""
    steps = (-1, 1)
    return {
        s: {a: [(0.9, (s + step) % states, 0.0, False), (0.1, s, 0.0, False)] for a, step in enumerate(steps)}
        for s in range(states)
    }


def test_thousands_of_states_need_no_table_of_pairs() -> None:
    states = 3000
    model = CategoricalModel.from_transitions(ring(states), np.full(states, 1 / states))
    assert sum(buffer.numel() for buffer in model.buffers()) < 30 * states
    belief = Categorical(torch.eye(states, dtype=torch.float64)[:1])
    f = ExpectedEnergy(model, belief, Purpose(Reward(np.eye(states)[:, 2:4].repeat(1, 0)), 2, SummedGain()))
    solution = minimize(f, Enumerate())
    surprises = [p * np.log(p) for p in (0.9, 0.1, 0.82, 0.09, 0.09)]  # there and back: two looks at where one is
    assert float(solution.value[0]) == pytest.approx(sum(surprises))


def test_a_table_that_does_not_add_up_is_refused() -> None:
    table = ring(3)
    table[1][0] = [(0.5, 0, 0.0, False)]
    with pytest.raises(UserError, match="the outcomes of each state and action in P must be probabilities"):
        CategoricalModel.from_transitions(table, [1.0, 0.0, 0.0])
