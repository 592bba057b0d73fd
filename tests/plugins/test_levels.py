"""Levels of plans: prefixes that lead to the same belief are one node, whatever plans are then worth."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, ExpectedEnergy, Purpose
from agentic_energies.categorical import CategoricalModel
from agentic_energies.cpt import Dense
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_optimizers import levels, one_pass
from agentic_optimizers.folded import fold
from agentic_optimizers.levels import of_plans

F64 = torch.float64
LIKE = torch.empty(0, dtype=F64)


def walk(side: int, *, over: bool = False) -> CategoricalModel:
    """A square in which four moves and waiting succeed in nine of ten times; its last place may end the episode."""
    states, moves = side * side, np.zeros((side * side, side * side, 5))
    for row, column in np.ndindex(side, side):
        here = row * side + column
        for action, (down, right) in enumerate(((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))):
            there = np.clip(row + down, 0, side - 1) * side + np.clip(column + right, 0, side - 1)
            moves[there, here, action] += 0.9
            moves[here, here, action] += 0.1
    seen = 0.8 * np.eye(states) + 0.2 / states
    return CategoricalModel(
        [seen], [moves], [np.full(states, 1 / states)], ends=0.5 * np.eye(states)[-1] if over else None
    )


def kinds(model: CategoricalModel, horizon: int) -> list[int]:
    """The number of distinct nodes after every step."""
    found = of_plans(model, horizon, LIKE)
    return [len(level.kind) if level.first is None else len(level.first) for level in found]


def test_moves_that_commute_lead_to_one_belief() -> None:
    rows_and_columns = [sum((k + 1) * 2**k for k in range(t + 1)) for t in (1, 2, 3)]  # words of each, and waiting
    assert kinds(walk(5), 3) == rows_and_columns == [5, 17, 49]
    assert kinds(walk(5, over=True), 2)[1] > 17  # who may be over on the way is not there in the end


def test_a_random_world_has_no_two_prefixes_alike() -> None:
    moves = np.moveaxis(np.random.default_rng(0).dirichlet(np.ones(4), (4, 3)), -1, 0)
    assert kinds(CategoricalModel([np.eye(4)], [moves], [np.full(4, 0.25)]), 3) == [3, 9, 27]


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("largest", [levels.LARGEST, 0, 9 * 8 * 5])
def test_plans_are_worth_what_they_are_course_by_course(
    over: bool, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "LARGEST", largest)
    monkeypatch.setattr(one_pass, "LARGEST", 0)
    model = walk(3, over=over)
    beliefs = torch.rand(2, 9, generator=torch.Generator().manual_seed(0), dtype=F64)
    goal = LogPreferences([[0.0] * 8 + [2.0]], after=0.3)
    belief = Categorical(beliefs / beliefs.sum(-1, keepdim=True))
    f = ExpectedEnergy(model, belief, Purpose(goal, 3, SummedGain(), terminal=goal, discount=0.9))
    whole, corners = fold(f), model.action.corners()
    assert whole is not None
    plans = torch.cartesian_prod(*[torch.arange(5)] * 3)
    by_hand = f.terms(corners[plans].unsqueeze(1))
    for name, part in whole.plans(model, belief.mean.T).items():
        assert_close(part, by_hand[name].expand_as(part), rtol=1e-12, atol=1e-12)


def test_levels_are_made_anew_where_transitions_or_endings_change() -> None:
    model = walk(3, over=True)
    before = of_plans(model, 2, LIKE)
    seen = model.observation.cpts[0]
    assert isinstance(seen, Dense)
    seen.values.copy_(seen.values.flip(0))
    assert of_plans(model, 2, LIKE) is before
    assert of_plans(model, 3, LIKE) is not before
    before = of_plans(model, 2, LIKE)
    model.going_on.fill_(1.0)
    assert kinds(model, 2)[1] == 17 < len(before[1].kind)
    buffer = next(model.transition.buffers())
    buffer.copy_(buffer.roll(1, 0))
    assert of_plans(model, 2, LIKE) is not before
