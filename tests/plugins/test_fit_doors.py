"""Fits at their doors: what people give that is no record, no parameter, or nothing that can be told from it."""

import time
from math import inf, isnan
from typing import Any

import numpy as np
import pytest
import torch

from agentic import EnergyAgent, Purpose, Softmax, UserError
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences
from agentic_energies.reward import Reward
from agentic_fit import Behavior, Bounded, Positive, Unbounded, fit_behaviour, fit_population
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact

RATE = "model.learned.parts.A[0].rate"
FORGETTING = "model.learned.parts.A[0].forgetting"
VALUE = "purpose.goal.values[0][0]"
PRECISION = "selection.precision"


def gambler(values: tuple[float, float] = (1.0, -1.0), learns: bool = False) -> EnergyAgent:
    """An agent with two levers; each shows what it gave, a win or a loss, and may have to be learned."""
    lamps = np.array([[0.7, 0.4], [0.3, 0.6]])
    model = CategoricalModel(
        **({"counts": [np.ones((2, 2))]} if learns else {"A": [lamps]}),
        B=[np.repeat(np.eye(2)[:, None], 2, 1)],
        D=[[0.5, 0.5]],
    )
    learner = ConjugateLearner(model) if learns else None
    return EnergyAgent(
        model, Purpose(LogPreferences([values])), Exact(), Enumerate(), selection=Softmax(1.5), learner=learner
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"reward": 1.0}, r"reward expects shape \(n,\)"),
        ({"reward": ["a", "b"]}, "reward expects numbers"),
        ({"reward": [0.0, np.nan]}, "rewards are finite numbers"),
        ({"reward": [0.0, inf]}, "rewards are finite numbers"),
        ({"subject": ["ann", None]}, "subject expects a label for each decision, and decision 1 has none"),
        ({"episode": [np.nan, 1.0]}, "episode expects a label for each decision, and decision 0 has none"),
        ({"subject": np.array(["ann", 3], dtype=object)}, "subject expects labels of one kind"),
        ({"learns": "no"}, "learns expects true or false"),
        ({"learns": [True, False, True]}, "learns expects true or false"),
        ({"learns": 1}, "learns expects true or false"),
    ],
)
def test_columns_that_say_nothing_clear(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Behavior.from_arrays([0, 1], [0, 1], **more)


@pytest.mark.parametrize("action", [inf, -inf, 1e30, np.nan, 0.25])
def test_actions_that_are_no_numbers_of_actions(action: float) -> None:
    with pytest.raises(UserError, match="actions are whole numbers from 0"):
        Behavior.from_arrays([0, 1], [0, action])


def test_learning_may_be_given_decision_by_decision() -> None:
    assert Behavior.from_arrays([0, 1], [0, 1], learns=[True, False]).learns.tolist() == [True, False]
    assert Behavior.from_arrays([0, 1], [0, 1], learns=True).learns.tolist() == [True, True]


def test_many_episodes_are_read_in_a_moment() -> None:
    count, begun = 100_000, time.perf_counter()
    choices = Behavior.from_arrays(
        np.arange(2 * count) % 3, np.zeros(2 * count), episode=np.repeat(np.arange(count), 2)
    )
    assert time.perf_counter() - begun < 20  # one pass over the record for each episode takes minutes
    assert choices.t[:4].tolist() == [0, 1, 0, 1]
    np.testing.assert_equal(choices.next_obs[:4, 0], [1, np.nan, 0, np.nan])


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Unbounded, ("a", "b")),
        (Positive, (None, 1.0)),
        (Positive, (0.0, 1.0)),
        (Unbounded, (-inf, 1.0)),
        (Unbounded, (-1e300, 1e300)),
        (Bounded, (0.1, 0.9, 0.0, inf)),
        (Bounded, (0.1, 0.9, 0.9, 0.1)),
        (Bounded, (0.1, 0.9, float("nan"), 1.0)),
    ],
)
def test_priors_that_are_none(kind: Any, given: tuple[Any, ...]) -> None:
    with pytest.raises(UserError, match="the middle 95 % of a prior"):
        kind(*given)


def test_a_prior_may_be_as_wide_as_it_likes_below_that() -> None:
    fit = fit_behaviour(gambler(), ([0] * 20, [0] * 14 + [1] * 6), {PRECISION: Positive(1e-250, 1e250)})
    assert 0 < fit.estimates[PRECISION] < 10


def test_places_are_texts() -> None:
    with pytest.raises(UserError, match="a place in the agent is a text"):
        fit_behaviour(gambler(), ([0], [0]), {3: Positive(0.3, 6.0)})  # type: ignore[dict-item]


def test_a_single_action_says_nothing_and_is_no_fault() -> None:
    model = CategoricalModel(A=[np.eye(2)], B=[np.eye(2)[:, :, None]], D=[[0.5, 0.5]])
    agent = EnergyAgent(model, Purpose(LogPreferences([[1.0, 0.0]])), Exact(), Enumerate(), selection=Softmax())
    fit = fit_behaviour(agent, ([0, 1], [0, 0]), {PRECISION: Positive(0.3, 6.0)})
    assert isnan(fit.pseudo_r2)
    assert "does not tell selection.precision" in str(fit)


@pytest.mark.parametrize(
    ("path", "prior", "learns"),
    [
        (PRECISION, Unbounded(-4.0, 1.0), False),
        ("purpose.discount", Positive(0.5, 3.0), False),
        (RATE, Unbounded(-3.0, 1.0), True),
        (FORGETTING, Positive(0.5, 3.0), True),
        (FORGETTING, Unbounded(-3.0, 1.0), True),
    ],
)
def test_numbers_that_the_agent_would_refuse_are_named(path: str, prior: Any, learns: bool) -> None:
    choices = Behavior.from_arrays([0] * 6, [0, 1, 0, 0, 1, 0], learns=learns)
    with pytest.raises(UserError, match=r"was tried at .*: .*; state a prior that keeps it where it may be"):
        fit_behaviour(gambler(learns=learns), choices, {path: prior})


def test_a_reward_is_worth_more_than_nothing() -> None:
    agent = EnergyAgent(
        gambler().model, Purpose(Reward([[0.0, 1.0], [1.0, 0.0]])), Exact(), Enumerate(), selection=Softmax()
    )
    with pytest.raises(UserError, match=r"purpose.goal.scale was tried at -2: reward expects scale > 0"):
        fit_behaviour(agent, ([0, 1], [0, 1]), {"purpose.goal.scale": Unbounded(-4.0, 0.0)})
    assert isinstance(agent.purpose.goal, Reward)
    with pytest.raises(UserError, match="reward expects scale > 0"):
        agent.purpose.goal.scale = 0.0


@pytest.mark.slow
def test_a_learning_rate_is_fitted_beside_a_precision_and_a_preference() -> None:
    """Wins of the first lever only: whoever learns from them at all moves there. The agent stays as it was."""
    agent = gambler((1.0, 0.0), learns=True)
    before = {name: value.clone() for name, value in agent.model.state_dict().items()}
    draws = np.random.default_rng(4)
    action = np.where(draws.random(24) < np.linspace(0.5, 0.95, 24), 0, 1)
    choices = Behavior.from_arrays([np.nan, *action[:-1]], action, learns=True)
    priors = {PRECISION: Positive(0.5, 8.0), VALUE: Unbounded(-1.0, 4.0), RATE: Positive(0.1, 4.0)}
    fit = fit_behaviour(agent, choices, priors)
    assert fit.smooth
    assert fit.converged
    assert fit.log_likelihood > fit.chance
    for name, (low, high) in fit.intervals.items():
        assert low < fit.estimates[name] < high
    assert fit.estimates[RATE] > 0.2
    assert agent.model.version == 0
    assert all(torch.equal(value, before[name]) for name, value in agent.model.state_dict().items())


@pytest.mark.parametrize(
    "records", [pytest.param([([0], [0]), ([0], [1])], marks=pytest.mark.slow), [([0] * 9, [0] * 9)] * 2]
)
def test_a_population_that_tells_nothing_stays_near_what_was_stated(records: list[Any]) -> None:
    """Without a prior of its center and a bound of its spread it would run away, and be sure of where it ended."""
    priors = {VALUE: Unbounded(-3.0, 3.0)} | ({PRECISION: Positive(0.3, 6.0)} if len(records[0][0]) == 1 else {})
    fit = fit_population(gambler((1.0, 0.0)), records, priors)
    assert 0.02 < fit.typical.get(PRECISION, 1.0) < 100
    assert -9 < fit.typical[VALUE] < 9


def test_of_a_population_too_only_the_product_is_known() -> None:
    """The interval of its middle is over all parameters: along a flat direction it is as wide as the prior."""
    priors = {PRECISION: Positive(0.3, 6.0), VALUE: Unbounded(-3.0, 3.0)}
    fit = fit_population(gambler((1.0, 0.0)), [([0] * 20, [0] * 13 + [1] * 7)] * 3, priors)
    low, high = fit.intervals[PRECISION]
    assert high / low > 8


def test_what_is_no_list_of_records() -> None:
    with pytest.raises(UserError, match="behavior is a Record"):
        fit_population(gambler(), 3, {PRECISION: Positive(0.3, 6.0)})  # type: ignore[arg-type]
