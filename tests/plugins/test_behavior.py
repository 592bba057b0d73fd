"""Behavior from columns: of whom, in which episode, and what came next."""

from typing import Any

import numpy as np
import pytest
import torch

from agentic import UserError
from agentic_fit import Behavior, Bounded, Positive, Unbounded
from agentic_fit.parameters import Prior
from agentic_fit.places import keys_of


def test_columns_are_cut_into_episodes_of_subjects() -> None:
    subject, episode = ["ann", "ann", "bob", "ann", "bob"], [1, 1, 1, 2, 1]
    choices = Behavior.from_arrays([0, 1, 2, 3, 4], [0, 1, 0, 1, 0], subject=subject, episode=episode)
    assert choices.t.tolist() == [0, 1, 0, 0, 1]
    np.testing.assert_equal(choices.next_obs[:, 0], [1, np.nan, 4, np.nan, np.nan])
    assert choices.truncated.tolist() == [False, True, False, True, True]
    ann, bob = choices.of_subjects()
    assert (len(ann), len(bob)) == (3, 2)
    assert bob.obs[:, 0].tolist() == [2, 4]
    assert [stage.tolist() for stage in choices.stages(one_by_one=False)] == [[0, 2, 3], [1, 4]]
    assert [stage.tolist() for stage in choices.stages(one_by_one=True)] == [[0, 2], [1, 4], [3]]


@pytest.mark.parametrize(
    ("obs", "action", "more", "sentence"),
    [
        ([0, 1], [0], {}, "have 2, 1 and 1 rows"),
        ([], [], {}, "have 0, 0 and 0 rows"),
        ([0], [0.5], {}, "actions are whole numbers from 0"),
        ([0], [np.nan], {}, "actions are whole numbers from 0"),
        (["a"], [0], {}, "obs expects numbers"),
        ([[[0]]], [0], {}, r"obs expects shape \(n,\) or \(n, parts\)"),
        ([0], [0], {"subject": [1, 2]}, "subject expects a label for each of 1 decisions"),
    ],
)
def test_columns_that_do_not_fit(obs: list[float], action: list[float], more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Behavior.from_arrays(obs, action, **more)


def test_what_is_no_behavior() -> None:
    with pytest.raises(UserError, match="a Record, a Behavior, or a pair"):
        Behavior.of([0, 1])


@pytest.mark.parametrize("parameter", [Unbounded(-2.0, 5.0), Positive(0.1, 7.0), Bounded(2.0, 2.5, 1.0, 4.0)])
def test_95_percent_of_a_prior_lie_where_it_says(parameter: Unbounded | Positive | Bounded) -> None:
    draws = Prior.of([parameter]).sample(20_000, torch.Generator().manual_seed(0))[:, 0]
    inside = ((draws > parameter.low) & (draws < parameter.high)).double().mean()
    assert float(inside) == pytest.approx(0.95, abs=0.006)
    assert float((draws < parameter.low).double().mean()) == pytest.approx(0.025, abs=0.004)
    least, most = parameter.limits
    assert bool(((draws > least) & (draws < most)).all())


@pytest.mark.parametrize(
    ("make", "low", "high"), [(Unbounded, 1, 1), (Unbounded, 0, np.inf), (Positive, 0, 1), (Bounded, 0.2, 1.0)]
)
def test_priors_without_a_middle(make: type, low: float, high: float) -> None:
    with pytest.raises(UserError, match="the middle 95 % of a prior"):
        make(low, high)


def test_paths() -> None:
    assert keys_of("purpose.goal.values[1][2]") == ("purpose", "goal", "values", (1,), (2,))
    assert keys_of("model.counts_0[1, 2]") == ("model", "counts_0", (1, 2))
