"""A population of subjects: what is known in closed form, and what the subjects gain from each other."""

from math import log

import numpy as np
import pytest
import torch

from agentic import EnergyAgent, Purpose, Softmax, UserError
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences
from agentic_fit import Behavior, Unbounded, fit_behaviour, fit_population
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact

NAME = "model.log_habits[0]"
PRIOR = {NAME: Unbounded(-4.0, 4.0)}


def agent() -> EnergyAgent:
    """An agent of habits alone: both arms end alike."""
    model = CategoricalModel(A=[[[1.0]]], B=[np.ones((1, 1, 2))], D=[[1.0]], E=[0.5, 0.5])
    return EnergyAgent(model, Purpose(LogPreferences([[0.0]])), Exact(), Enumerate(), selection=Softmax())


def choices(lefts: list[int], of: int) -> Behavior:
    """The first arm so often, for each subject."""
    action = np.concatenate([[0] * left + [1] * (of - left) for left in lefts])
    subject = np.repeat(np.arange(len(lefts)), of)
    return Behavior.from_arrays(np.zeros(len(action)), action, subject=subject, episode=np.arange(len(action)))


def test_subjects_with_much_to_tell_keep_to_it() -> None:
    lefts, many = [200, 300, 120, 250], 400
    fit = fit_population(agent(), choices(lefts, many), PRIOR)
    logits = torch.tensor([log(left / (many - left)) for left in lefts], dtype=torch.float64) + log(0.5)
    assert fit.typical[NAME] == pytest.approx(float(logits.mean()), abs=0.01)
    assert float(fit.spread[0]) == pytest.approx(float(logits.std(correction=0)), abs=0.02)
    for each, logit in zip(fit.subjects, logits.tolist(), strict=True):
        assert each.estimates[NAME] == pytest.approx(logit, abs=0.05)
    assert fit.converged
    low, high = fit.intervals[NAME]
    assert low < fit.typical[NAME] < high
    assert str(fit).splitlines()[1].startswith(NAME)


def test_equal_subjects_have_no_spread_and_are_drawn_together() -> None:
    fit = fit_population(agent(), choices([8, 7, 8, 7, 8, 7], 10), PRIOR)
    alone = [fit_behaviour(agent(), each, PRIOR).estimates[NAME] for each in choices([8, 7], 10).of_subjects()]
    together = [each.estimates[NAME] for each in fit.subjects[:2]]
    assert abs(together[0] - together[1]) < 0.2 * abs(alone[0] - alone[1])
    assert float(fit.spread[0]) < 0.3
    assert fit.log_evidence == pytest.approx(sum(each.log_evidence for each in fit.subjects))


def test_one_subject_is_no_population() -> None:
    with pytest.raises(UserError, match="at least two subjects, got 1"):
        fit_population(agent(), choices([3], 10), PRIOR)
