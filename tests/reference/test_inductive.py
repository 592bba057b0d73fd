"""R9: inductive goals, with the numbers of pymdp's tests of its inductive inference."""

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, EnergyAgent, ExpectedEnergy, Purpose, Sequence, UserError, make, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.inductive import Inductive
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact

F64 = torch.float64
HALF = 5e-7
ADVANCE, STAY = 0, 1


def chain(advance: float = 1.0, start: int = 0) -> CategoricalModel:
    """Three states in a row; an advance succeeds with some probability, the last state is never left."""
    moves = np.zeros((3, 3, 2))
    for state in range(3):
        moves[state, state, STAY] = 1
        moves[min(state + 1, 2), state, ADVANCE] += advance
        moves[state, state, ADVANCE] += 1 - advance
    return CategoricalModel([np.full((1, 3), 1.0)], [moves], [np.eye(3)[start]])


def energies(model: CategoricalModel, goal: Inductive, horizon: int = 1, belief: Tensor | None = None) -> Sequence:
    at = model.begin(1) if belief is None else Categorical(belief)
    plan = minimize(ExpectedEnergy(model, at, Purpose(goal, horizon)), Enumerate()).belief
    assert isinstance(plan, Sequence)
    return plan


def test_states_in_reach() -> None:
    goal = Inductive.toward(chain(), [2], depth=4)
    assert goal.reachable.tolist() == [[0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 1, 1]]


def test_to_advance_or_to_stay() -> None:
    plan = energies(chain(), Inductive.toward(chain(), [2], depth=4))
    assert_close(-plan.values[:, 0], torch.tensor([0, -6.907755], dtype=F64), atol=HALF, rtol=0)
    assert_close(plan.weights(1.0)[:, 0], torch.tensor([0.999001, 0.000999], dtype=F64), atol=HALF, rtol=0)


def test_a_quarter_off_the_way() -> None:
    model = chain(advance=0.75)
    goal = Inductive.toward(model, [2], depth=4)
    assert -float(energies(model, goal).values[ADVANCE]) == pytest.approx(-1.726939, abs=HALF)


def test_what_cannot_be_reached_costs_nothing() -> None:
    goal = Inductive.toward(chain(), [0], depth=4)
    assert energies(chain(start=2), goal).values.tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize(("advance", "there"), [(0.51, [1, 1, 1]), (0.49, [0, 0, 1]), (0.5, [0, 0, 1])])
def test_only_likely_transitions_are_relied_on(advance: float, there: list[int]) -> None:
    assert Inductive.toward(chain(advance), [2], depth=4).reachable[-1].tolist() == there


def test_every_step_of_a_plan_has_to_come_nearer_until_there() -> None:
    plan = energies(chain(), Inductive.toward(chain(), [2], depth=4), horizon=2)
    expected = {(ADVANCE, ADVANCE): 0, (ADVANCE, STAY): 1, (STAY, ADVANCE): 1, (STAY, STAY): 2}
    values = {tuple(a.argmax(-1).tolist()): float(v) for a, v in zip(plan.actions[:, 0], plan.values, strict=True)}
    assert values == pytest.approx({actions: wrong * log(1000) for actions, wrong in expected.items()})


@pytest.mark.parametrize("horizon", [1, 3])
def test_where_the_state_is_uncertain_its_expectation_counts(horizon: int) -> None:
    """So it is linear in the belief, which the folded form of enumeration relies on."""
    model = chain(advance=0.75)
    goal, belief = Inductive.toward(model, [2], depth=4), torch.tensor([[0.5, 0.3, 0.2]], dtype=F64)
    mixed = energies(model, goal, horizon, belief).values
    sure = [energies(model, goal, horizon, state).values for state in torch.eye(3, dtype=F64).split(1)]
    assert_close(mixed, sum(p * value for p, value in zip(belief[0], sure, strict=True)))
    f = ExpectedEnergy(model, Categorical(belief), Purpose(goal, horizon))
    assert_close(f(energies(model, goal, horizon, belief).actions), mixed)


def test_an_agent_goes_there() -> None:
    model = chain()
    agent = EnergyAgent(model, Purpose(Inductive.toward(model, [2]), 1, SummedGain()), Exact(), Enumerate())
    generator = torch.Generator().manual_seed(0)
    state = agent.start(1, generator=generator)
    for _ in range(2):
        decision = agent.decide(state, torch.ones(1, 1, dtype=F64), generator=generator)
        assert int(decision.action.argmax()) == ADVANCE
        state = decision.state


def test_what_is_refused() -> None:
    with pytest.raises(UserError, match="inductive expects states from 0 to 2 and depth >= 1, got"):
        Inductive.toward(chain(), [3])
    with pytest.raises(UserError, match=r"inductive expects reachable \(depth, states\) and 0 < epsilon < 1"):
        Inductive([[0, 1]], epsilon=0.0)
    with pytest.raises(UserError, match="inductive needs a belief about one of 2 states, got Categorical"):
        energies(chain(), Inductive([[0, 1]]))


def test_in_a_world_that_knows_its_truth() -> None:
    goal = Inductive.from_env(make("agentic_envs:agentic/TMaze-v0"), states=[2])
    assert goal.reachable.shape == (8, 8)
    assert float(goal.reachable[0].sum()) == 1
