"""Joint gain along histories that can happen: affordable where the table of all sequences is not."""

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import ExpectedEnergy, Purpose, UserError, make, minimize
from agentic_energies import histories
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import JointGain
from agentic_energies.goals import LogPreferences
from agentic_envs.cuechain import CueChain
from agentic_optimizers.enumerate import Enumerate

F64 = torch.float64
TARGETS = ["trajectory", "first", "final", "static"]


def gain(model: CategoricalModel, target: str, plan: Tensor) -> Tensor:
    """The gain of a plan (*s, 1, T, actions), (*s, 1)."""
    flat = [[0.0] * size for size in model.outcome.sizes]
    purpose = Purpose(LogPreferences(flat), plan.shape[-2], JointGain(target))
    return ExpectedEnergy(model, model.begin(1), purpose).terms(plan)["state_gain"]


@pytest.mark.parametrize("target", TARGETS)
def test_only_histories_that_can_happen_are_followed(target: str) -> None:
    """Six cells that stay and are seen: six histories of twelve looks, and not 6^12."""
    model = CategoricalModel([np.eye(6)], [np.eye(6)[:, :, None]], [np.full(6, 1 / 6)])
    assert float(gain(model, target, torch.ones(1, 12, 1, dtype=F64))) == pytest.approx(log(6))


@pytest.mark.parametrize("target", TARGETS)
def test_many_modalities_that_say_little(target: str) -> None:
    """Two steps to the cue, which says where the next one is: 1575 joint outcomes, few of them possible."""
    model = CategoricalModel.from_env(make(CueChain()))
    plan = model.action.one_hot(torch.tensor([[1], [1], [4], [4]]))
    expected = {"final": log(4), "static": log(4)}.get(target, log(4))
    assert float(gain(model, target, plan.unsqueeze(0))) == pytest.approx(expected)


@pytest.mark.parametrize("target", TARGETS)
def test_episodes_that_end_and_samples_of_plans(target: str) -> None:
    """The plans of a batch are what each is alone, mixtures of actions too."""
    draws = np.random.default_rng(1)
    A, B = draws.dirichlet(np.ones(3), 4).T, np.moveaxis(draws.dirichlet(np.ones(4) / 2, (4, 2)), -1, 0)
    model = CategoricalModel([A], [B], [draws.dirichlet(np.ones(4))], ends=[0, 0.5, 0, 1])
    plans = torch.from_numpy(draws.dirichlet(np.ones(2), (5, 1, 3)))
    whole = gain(model, target, plans)
    assert_close(whole, torch.stack([gain(model, target, plan) for plan in plans]))
    assert bool((whole > 0).all()) or target == "static"


def test_what_all_courses_need_together_is_counted_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Courses that can be held one by one may be too many at once."""
    draws = np.random.default_rng(0)
    seen, moves = (np.moveaxis(draws.dirichlet(np.ones(3), shape), -1, 0) for shape in ((3,), (3, 4)))
    model = CategoricalModel([seen], [moves], [np.full(3, 1 / 3)])
    f = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([[0.0, 1.0, 2.0]]), 4, JointGain()))
    whole = minimize(f, Enumerate()).value
    needed = 4**4 * 3**4 * 3
    monkeypatch.setattr(histories, "HELD", needed - 1)
    with pytest.raises(UserError, match=rf"JointGain needs {needed:,} numbers .* of 256 courses, .*: shorten"):
        minimize(f, Enumerate())
    monkeypatch.setattr(histories, "HELD", 4**4 * 3**3 * 3 - 1)
    with pytest.raises(UserError, match=f"JointGain needs {4**4 * 3**3 * 3:,} numbers"):
        minimize(f, Enumerate())
    monkeypatch.setattr(histories, "HELD", needed)
    assert torch.equal(minimize(f, Enumerate()).value, whole)
