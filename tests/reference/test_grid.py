"""R5: one-step expected energy and a short walk on a fully observed 3 x 3 grid (pymdp's from-scratch notebook)."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import EnergyAgent, ExpectedEnergy, Purpose, Sequence, minimize
from agentic.planning import plan_posterior
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.mirror import Mirror

F64 = torch.float64
UP, DOWN, LEFT, RIGHT, STAY = range(5)
STEPS = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1), STAY: (0, 0)}
FLOOR = 1e-16  # what a zero probability counts as inside a logarithm


def place(row: int, column: int) -> int:
    return 3 * row + column


def grid(row: int, column: int) -> CategoricalModel:
    """The grid, fully observed, from a known place; a step against the wall goes nowhere."""
    moves = np.zeros((9, 9, 5))
    for here in range(9):
        for action, (down, right) in STEPS.items():
            r, c = np.clip(here // 3 + down, 0, 2), np.clip(here % 3 + right, 0, 2)
            moves[place(int(r), int(c)), here, action] = 1.0
    return CategoricalModel([np.eye(9)], [moves], [np.eye(9)[place(row, column)]], floor=FLOOR)


def wanting(row: int, column: int) -> LogPreferences:
    return LogPreferences([np.log(np.clip(np.eye(9)[place(row, column)], FLOOR, None))])


def one_hot(action: int) -> Tensor:
    return torch.eye(5, dtype=F64)[[action]]


def test_one_step_from_the_middle_toward_the_right() -> None:
    model = grid(1, 1)
    objective = ExpectedEnergy(model, model.begin(1), Purpose(wanting(1, 2), gain=SummedGain()))
    both = torch.stack([one_hot(LEFT), one_hot(RIGHT)])
    split = objective.split(objective.imagine(objective.belief, both))
    G = (split["risk"] + split["ambiguity"])[:, 0]
    assert_close(G, torch.tensor([36.841361487904734, 0.0], dtype=F64), atol=1e-14, rtol=0)
    assert_close(objective(both.unsqueeze(2))[:, 0], G, atol=1e-14, rtol=0)  # the log normalizer is 8e-16 here
    q = plan_posterior(G, 1.0)
    assert float(q[0]) == pytest.approx(9.999999999999965e-17, rel=2e-14)
    assert float(q[1]) == 1.0


def test_five_actions_and_four_steps_are_625_policies() -> None:
    model = grid(1, 2)
    plan = minimize(ExpectedEnergy(model, model.begin(1), Purpose(wanting(2, 2), 4)), Enumerate()).belief
    assert isinstance(plan, Sequence)
    assert len(plan.values) == 625
    assert_close(plan.first_action().mean, one_hot(DOWN))


def test_an_agent_reaches_its_goal_in_one_step_and_stays() -> None:
    model = grid(1, 2)
    agent = EnergyAgent(model, Purpose(wanting(2, 2), 4, SummedGain()), Mirror(), Enumerate())
    draws = torch.Generator()
    where, state, visited = place(1, 2), agent.start(1, generator=draws), []
    for _ in range(5):
        decision = agent.decide(state, torch.eye(9, dtype=F64)[[where]], generator=draws)
        where = int(model.dynamics()[:, where, int(decision.action.argmax())].argmax())
        visited.append(where)
        state = decision.state
    assert visited == [place(2, 2)] * 5
