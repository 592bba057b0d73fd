"""A world model read off choices: agents that know the world, that do not, and that do not listen."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.stats import binom
from torch import Tensor

from agentic import Agent, Change, Decision, Simplex, Subject, UserError, measure
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_agents.rock import Rock
from agentic_metrics import EitherOr, Extraction, Tally, WorldModelExtraction
from agentic_metrics.responses.rooms import Field

Choose = Callable[[int, int, int, int, int], float]


def world(seed: int, states: int = 4, actions: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(states), size=(states, actions))


def knower(model: np.ndarray) -> Choose:
    """Prefers whatever its model makes more likely."""

    def choose(s: int, a: int, then: int, r: int, n: int) -> float:
        many = binom.sf(r - 1, n, model[s, a, then])
        return 1.0 if many > 0.5 else 0.0 if many < 0.5 else 0.5

    return choose


@given(seed=st.integers(0, 1000), depth=st.integers(1, 60))
@settings(max_examples=25, deadline=None)
def test_choices_without_regret_confine_the_truth(seed: int, depth: int) -> None:
    table = world(seed)
    found = Extraction.of(knower(table), table, depth)
    assert ((found.low <= found.truth + 1e-9) & (found.truth <= found.high + 1e-9)).all()
    assert (np.abs(found.estimate - found.truth) <= (found.high - found.low) / 2 + 1e-9).all()
    if depth > 4:
        assert (found.high - found.low).max() < 1.5 / depth


def test_the_error_falls_with_depth() -> None:
    table = world(0)
    errors = [Extraction.of(knower(table), table, depth).error for depth in (1, 4, 16, 64, 256)]
    assert all(later < earlier / 2 for earlier, later in pairwise(errors))
    assert errors[-1] < 0.5 / 256
    assert Extraction.of(knower(table), table, 256).skill > 0.98


def test_who_ignores_the_goal_leaves_the_prior() -> None:
    table = world(1)
    found = Extraction.of(lambda *_: 0.5, table, 32)
    np.testing.assert_array_equal(found.estimate, found.prior)
    assert found.skill == 0
    assert not found.switched.any()


def test_the_myopic_reveals_no_more_with_depth() -> None:
    table = world(2)
    myopic: Choose = lambda s, a, then, r, n: knower(table)(s, a, then, 1, 1)  # noqa: E731
    errors = [Extraction.of(myopic, table, depth).error for depth in (4, 64)]
    best = Extraction.of(knower(table), table, 64).error
    assert min(errors) > 10 * best
    assert errors[1] > errors[0]


@pytest.mark.parametrize(("better", "worst"), [(0.9, 0.02), (0.6, 0.02)])
def test_noise_with_known_odds_changes_nothing(better: float, worst: float) -> None:
    table = world(3)
    sure = knower(table)
    found = Extraction.of(lambda *q: better * sure(*q) + (1 - better) * (1 - sure(*q)), table, 40)
    assert found.error < worst


def test_noise_in_the_answers_costs_some() -> None:
    table, draws = world(4), np.random.default_rng(0)
    sure = knower(table)

    def noisy(*query: int) -> float:
        return float(draws.binomial(20, 0.8 * sure(*query) + 0.2 * (1 - sure(*query))) / 20)

    found = Extraction.of(noisy, table, 40, noise=(0.25 / 20) ** 0.5)
    assert found.skill > 0.7
    coin = Extraction.of(lambda *_: draws.binomial(20, 0.5) / 20, table, 40, noise=(0.25 / 20) ** 0.5)
    assert not coin.switched.any()


def test_the_skill_of_choices_lies_outside_chance() -> None:
    table, metric = world(8), WorldModelExtraction(surrogates=199)
    found = metric.estimate(knower(table), table, generator=np.random.default_rng(0))
    assert found.value > 0.9
    assert found.diagnostics["queries"] == 32
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    assert found.null is not None
    assert found.null.p_value == 1 / 200
    some = metric.estimate(knower(table), table, asked=[(0, 0, 1), (0, 0, 2)], generator=np.random.default_rng(0))
    assert some.diagnostics["queries"] == 2


def test_a_wrong_model_is_what_is_found() -> None:
    table, other = world(5), world(6)
    found = Extraction.of(knower(other), table, 200)
    s, a, then = np.array(found.queries).T
    assert np.abs(found.estimate - other[s, a, then]).max() < 0.005
    assert found.skill < 0.5


def test_the_clone_of_a_few_goals_fails_off_its_list() -> None:
    table = world(7)
    known = {(0, 0, then) for then in range(4)}
    found = Extraction.of(lambda *q: knower(table)(*q) if q[:3] in known else 0.5, table, 64)
    inside = np.array([query in known for query in found.queries])
    np.testing.assert_array_equal(found.switched, inside)
    assert np.abs(found.estimate - found.truth)[inside].max() < 0.01
    np.testing.assert_array_equal(found.estimate[~inside], found.prior[~inside])


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(UserError, match="nothing to ask"):
        Extraction.of(lambda *_: 0.5, np.eye(3)[:, None], 4)
    with pytest.raises(UserError, match="depth"):
        Extraction.of(lambda *_: 0.5, world(0), 0)
    with pytest.raises(UserError, match="sum to 1"):
        Extraction.of(lambda *_: 0.5, np.ones((2, 2, 2)), 4)


class Bettor(Agent):
    """Told of two tallies, it bets on the one that its model makes likelier."""

    def __init__(self, model: np.ndarray) -> None:
        self.model, self.goal = model, None

    def informed(self, change: Change) -> "Bettor":
        self.goal = change.goal
        return self

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        goal: Any = self.goal
        assert isinstance(goal, EitherOr)
        answer = int(self.chance(goal.second) > self.chance(goal.first))
        return Decision(torch.eye(2)[torch.full((len(obs),), answer)])

    def chance(self, tally: Tally) -> float:
        p = self.model[tally.state, tally.action, tally.successor]
        return float(binom.cdf(tally.high, tally.tries, p) - binom.cdf(tally.low - 1, tally.tries, p))


PLACES = np.array([[[1.0, 0.0], [0.1, 0.9]], [[0.9, 0.1], [0.0, 1.0]]])  # (s, a, s')


def test_an_agent_that_knows_two_places_discloses_them() -> None:
    found = measure(WorldModelExtraction(depth=32), Subject(agent=Bettor(PLACES), environment=TwoPlaces))
    assert found.diagnostics["queries"] == 8
    assert found.diagnostics["error"] < 0.02
    assert found.value > 0.95
    assert found.outside_null


def test_an_agent_that_has_them_the_wrong_way_round_misleads() -> None:
    found = measure(WorldModelExtraction(), Subject(agent=Bettor(PLACES[:, ::-1]), environment=TwoPlaces))
    assert found.value < -0.5
    assert found.outside_null is False


@pytest.mark.parametrize("agent", [Coin(), Rock(Simplex((2,))), Rock(Simplex((2,)), 1)])
def test_who_does_not_listen_scores_nothing(agent: Agent) -> None:
    found = measure(WorldModelExtraction(), Subject(agent=agent, environment=TwoPlaces))
    assert found.value == 0
    assert found.outside_null is False


class Proud(Agent):
    """Takes no goals."""

    def informed(self, change: Change) -> Agent:
        raise UserError("no goals of this kind")

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(obs)


def test_who_refuses_such_goals_scores_nothing_and_it_is_said() -> None:
    found = measure(WorldModelExtraction(), Subject(agent=Proud(), environment=TwoPlaces))
    assert found.value == 0
    assert "refuses goals" in found.warnings[0]


def test_a_world_that_is_not_seen_is_refused() -> None:
    with pytest.raises(UserError, match="looks different ways"):
        measure(WorldModelExtraction(), Subject(agent=Coin(), environment=Field))
