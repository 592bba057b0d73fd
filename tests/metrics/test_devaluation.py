"""Outcome devaluation and contingency degradation: levers, a mouse on ice, and who changes what it does."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from numpy.typing import ArrayLike
from scipy.special import softmax
from scipy.stats import binom

from agentic import Agent, Change, Decision, Intervention, Subject, UserError, measure
from agentic.testing.worlds import Coin
from agentic_agents.planner import Planner
from agentic_envs.changes import RemapActions
from agentic_metrics import (
    ContingencyDegradation,
    OutcomeDevaluation,
    Simulation,
    World,
    battery_policies,
    battery_truth,
    choice_shift,
    contingency,
    greedy,
    intervention,
    planner,
)
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.battery import CHANGES
from agentic_metrics.interventions.probes import Shift, divergence
from tests.metrics.agents import Table, choose
from tests.metrics.test_adaptation import BATTERY, LEVERS, Balance

FOOD, WATER = 0, 1
BEFORE, AFTER = np.array([[1.0, 0.8]]), np.array([[0.0, 0.8]])


class Soft(Agent):
    """Weighs levers by softmax(5 x reward), the rewards it is told of."""

    def __init__(self, rewards: Any) -> None:
        self.policy = softmax(5 * rewards, axis=-1)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        return choose(self.policy, obs, generator)

    def informed(self, change: Change) -> "Soft":
        return Soft(change.goal.truth()["rewards"])


def shift(before: ArrayLike, after: ArrayLike, weights: ArrayLike | None = None) -> float:
    return float(OutcomeDevaluation().of_policies(before, after, weights))


def levers() -> Simulation:
    return Simulation(LEVERS)


class TestTwoLevers:
    def test_the_greedy_planner_changes_all_it_does(self) -> None:
        assert shift(greedy(BEFORE), greedy(AFTER)) == 1
        assert choice_shift(greedy(AFTER), valued=WATER, devalued=FOOD) == 1
        assert choice_shift(greedy(BEFORE), valued=WATER, devalued=FOOD) == -1

    def test_a_policy_that_does_not_change_is_the_null(self) -> None:
        for policy, p_value in ((greedy(BEFORE), 1.0), (greedy(AFTER), 0.0)):
            found = OutcomeDevaluation().of_policies(greedy(BEFORE), policy)
            dropped = ContingencyDegradation().of_policies(greedy(BEFORE), policy, [[True, False]])
            assert found.null is not None
            assert dropped.null is not None
            assert (found.null.p_value, dropped.null.p_value) == (p_value, p_value)
            assert (found.value, dropped.value) == (1 - p_value, 1 - p_value)

    def test_the_soft_planner_changes_some(self) -> None:
        before, after = softmax(5 * BEFORE, axis=-1), softmax(5 * AFTER, axis=-1)
        assert before[0, FOOD] == pytest.approx(0.731059, abs=1e-6)
        assert after[0, FOOD] == pytest.approx(0.017986, abs=1e-6)
        assert shift(before, after) == pytest.approx(0.469121, abs=1e-6)

    @pytest.mark.parametrize(
        ("agent", "value"), [(Planner(World.of(LEVERS), 1), 1.0), (Soft(LEVERS["rewards"]), 0.469121)]
    )
    def test_who_wants_changes_when_informed(self, agent: Agent, value: float) -> None:
        found = measure(OutcomeDevaluation(), Subject(None, agent, levers))
        assert found.value == pytest.approx(value, abs=1e-6)
        assert found.outside_null
        assert found.interval is None
        assert found.diagnostics["probe_states"] == 1
        assert found.frame.interventions == ("what pays 1 pays 0",)

    def test_a_habit_goes_on(self) -> None:
        found = measure(OutcomeDevaluation(), Subject(None, Table(planner(World.of(LEVERS), depth=1)), levers))
        assert (found.value, found.outside_null) == (0.0, False)

    def test_free_food_is_no_longer_worked_for(self) -> None:
        found = measure(ContingencyDegradation(), Subject(None, Planner(World.of(LEVERS), 1), levers))
        assert (found.value, found.outside_null) == (1.0, True)
        assert found.diagnostics["contingency"] == 1
        habit = Table(planner(World.of(LEVERS), depth=1))
        found = measure(ContingencyDegradation(), Subject(None, habit, levers))
        assert (found.value, found.outside_null) == (0.0, False)

    def test_the_second_outcome_can_be_devalued_too(self) -> None:
        found = measure(OutcomeDevaluation(outcome=1), Subject(None, Planner(World.of(LEVERS), 1), levers))
        assert found.value == 0
        assert "leaves nothing to gain" in found.warnings[0]
        assert not found.outside_null


def test_a_mouse_on_ice_turns_round_when_it_slips_more_often_than_not() -> None:
    cheese = {**LEVERS, "rewards": np.array([[1.0, 0.0], [0.0, 0.0]])}
    reflex = np.array([1.0, 0.0])
    for slip in (0.0, 0.2, 0.499999, 0.5, 0.500001, 0.8, 1.0):
        ice = changes.actuate(cheese, [[1 - slip, slip], [slip, 1 - slip]])  # type: ignore[arg-type]
        straight = planner(World.of(ice), depth=1)[0, 0]
        assert straight == (0.5 if slip == 0.5 else float(slip < 0.5))
        assert reflex[0] == 1


class TestContingency:
    def test_is_what_an_action_adds_to_what_the_others_do(self) -> None:
        np.testing.assert_allclose(contingency([[0.6, 0.2], [0.5, 0.5]]), [[0.4, -0.4], [0.0, 0.0]])
        np.testing.assert_allclose(contingency([[0.9, 0.0, 0.3]]), [[0.75, -0.6, -0.15]])

    def test_degrading_makes_it_zero(self) -> None:
        free = World.of(changes.free(LEVERS, 1.0))
        np.testing.assert_allclose(free.rewards[0], [1.0, 1.8])

    def test_the_response_is_dropped_by_so_much(self) -> None:
        before, after = [[0.9, 0.1], [0.5, 0.5]], [[0.2, 0.8], [0.5, 0.5]]
        drop = ContingencyDegradation().of_policies(before, after, [[1, 0], [1, 0]], [3, 1])
        assert drop.value == pytest.approx(0.75 * 0.7)

    def test_an_outcome_that_comes_whatever_is_done_is_refused(self) -> None:
        battery = Simulation(battery_truth())
        with pytest.raises(UserError, match="needs an outcome that depends on the action; 1 is paid whatever is done"):
            measure(ContingencyDegradation(), Subject(None, Table(np.full((26, 5), 0.2)), lambda: battery))


class TestTies:
    """In a corridor with equal arms, which arm is preferred can change for nothing."""

    def test_a_change_to_no_avail_is_not_outside_the_null(self) -> None:
        class Fickle(Agent):
            def __init__(self, row: Any) -> None:
                self.policy = np.tile(row, (2, 1))

            def start(self, batch: int, *, generator: torch.Generator) -> None:
                return None

            def decide(self, state: Any, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
                return choose(self.policy, obs, generator)

            def informed(self, change: Change) -> "Fickle":
                return Fickle([0.0, 1.0, 0.0, 0.0])

        moves = np.repeat(LEVERS["B"][0][:, :, :1], 4, axis=2)
        world: Any = {**LEVERS, "B": [moves], "rewards": np.array([[0.3, 0.3, 0.5, 1.0], [0.0] * 4])}
        agent = Fickle([1.0, 0.0, 0.0, 0.0])
        found = measure(OutcomeDevaluation(), Subject(None, agent, lambda: Simulation(world)))
        assert found.value == 1
        assert found.diagnostics["adaptation_index"] == 0
        assert not found.outside_null


@pytest.mark.parametrize(("name", "value"), [("reflex", 0.0), ("clone", 0.0), ("planner-40", 0.5595)])
def test_the_battery_through_the_metric(name: str, value: float) -> None:
    world = World.of(battery_truth())
    agent: Agent = Planner(world, 40) if name == "planner-40" else Table(battery_policies()[name](world))
    found = measure(OutcomeDevaluation(discount=0.9), Subject(None, agent, lambda: Simulation(battery_truth())))
    assert found.value == pytest.approx(value, abs=1e-4)
    assert found.outside_null == (value > 0)


class TestDecidedInterventions:
    @pytest.mark.parametrize(
        ("name", "shifts"),
        [
            ("planner-3", {"deval": 0.1403, "swap": 0.0435, "wall": 0.0703, "remap": 0.2174}),
            ("planner-40", {"deval": 0.5595, "swap": 0.5595, "wall": 0.3556, "remap": 0.5}),
            ("clone", dict.fromkeys(CHANGES, 0.0)),
        ],
    )
    def test_are_those_of_the_table(self, name: str, shifts: dict[str, float]) -> None:
        world = World.of(battery_truth())
        deaf = Table(battery_policies()["clone"](world))
        agent: Agent = deaf if name == "clone" else Planner(world, int(name.removeprefix("planner-")))
        family = tuple(intervention(each, change, BATTERY) for each, change in CHANGES.items())
        for one in family:
            found = measure(OutcomeDevaluation(discount=0.9), Subject(None, agent, BATTERY, (one,)))
            assert found.value == pytest.approx(shifts[one.name], abs=1.0001e-4)
            assert (found.estimator, found.interval) == ("exact policies", None)
            assert found.outside_null == (shifts[one.name] > 0)
        together = measure(OutcomeDevaluation(discount=0.9), Subject(None, agent, BATTERY, family))
        assert together.value == pytest.approx(np.mean(list(shifts.values())), abs=1.0001e-4)
        assert len(together.diagnostics["adaptation_index"]) == 4

    def test_are_counted_at_drawn_states(self) -> None:
        """A planner of depth 3 shares its choice among equally good actions: decisions are drawn."""
        agent, one = Planner(World.of(battery_truth()), 3), intervention("remap", CHANGES["remap"], BATTERY)
        found = measure(OutcomeDevaluation(exact=False), Subject(None, agent, BATTERY, (one,)))
        assert found.estimator == "counted decisions"
        assert found.interval is not None
        assert found.interval.low < 0.2174 < found.interval.high
        assert found.outside_null
        assert (found.episodes, found.samples) == (60, 2 * 60 * 24)

    def test_who_is_deaf_is_inside_the_null(self) -> None:
        random = Table(battery_policies()["random"](World.of(battery_truth())))
        family = tuple(intervention(each, CHANGES[each], BATTERY) for each in ("wall", "swap"))
        found = measure(OutcomeDevaluation(exact=False), Subject(None, random, BATTERY, family))
        assert found.interval is not None
        assert found.interval.low < 0 < found.interval.high
        assert found.interval.high < 0.01
        assert not found.outside_null

    @pytest.mark.parametrize("recorded", [False, True])
    def test_in_a_world_that_nobody_knows_they_are_counted_at_what_the_agent_saw(self, recorded: bool) -> None:
        pole: Any = lambda: gymnasium.make("CartPole-v1", max_episode_steps=30)  # noqa: E731
        swapped = Intervention.announced("swapped", lambda env: RemapActions(env, [1, 0]), pole)
        subject = Subject(None, Balance(), pole, (swapped,))
        found = measure(OutcomeDevaluation(), subject.recorded(episodes=5) if recorded else subject)
        assert found.value == pytest.approx(1)
        assert found.outside_null
        assert found.episodes == (5 if recorded else 20)
        assert "what the agent saw in its own episodes" in found.frame.start
        deaf = measure(OutcomeDevaluation(), Subject(None, Coin(), pole, (swapped,)))
        assert not deaf.outside_null

    def test_a_single_episode_has_no_interval(self) -> None:
        pole: Any = lambda: gymnasium.make("CartPole-v1", max_episode_steps=30)  # noqa: E731
        swapped = Intervention.announced("swapped", lambda env: RemapActions(env, [1, 0]), pole)
        found = measure(OutcomeDevaluation(), Subject(None, Balance(), pole, (swapped,)).recorded(episodes=1))
        assert found.interval is None
        assert found.warnings == ("a single episode was recorded, too few for the interval: record more",)

    def test_actions_that_are_no_choices_are_refused(self) -> None:
        pendulum: Any = lambda: gymnasium.make("Pendulum-v1")  # noqa: E731
        turned = Intervention.announced("turned", lambda env: RemapActions(env, [0], [-1]), pendulum)
        with pytest.raises(UserError, match="outcome_devaluation compares choices among discrete actions, Pendulum-v1"):
            measure(OutcomeDevaluation(), Subject(None, Coin(), pendulum, (turned,)))

    @pytest.mark.parametrize("bad", [{"probes": 1}, {"draws": 3}, {"draws": 501}])
    def test_numbers_that_tell_nothing_are_refused(self, bad: Any) -> None:
        with pytest.raises(UserError, match="at least 2 probes and 4 to 500 draws"):
            OutcomeDevaluation(**bad)


def expected_divergence(p: float, q: float, size: int) -> float:
    """The mean of the estimate over all samples of two actions."""
    counts = np.arange(size + 1)
    names = np.stack([counts, size - counts], axis=-1)
    values = divergence(names[:, None].repeat(size + 1, 1), names[None].repeat(size + 1, 0))
    return float(binom.pmf(counts, size, p) @ values @ binom.pmf(counts, size, q))


class TestTheDivergenceOfCounts:
    def test_is_the_estimate_of_the_metric(self) -> None:
        before, after = np.array([[[[24, 0]], [[24, 0]]]]), np.array([[[[0, 24]], [[24, 0]]]])
        found = OutcomeDevaluation().estimate(before, after, generator=np.random.default_rng(0))
        assert found.value == pytest.approx(0.5, abs=1e-8)
        assert (found.episodes, found.samples, found.diagnostics["probes"]) == (2, 96, 2)
        assert found.null is not None
        assert found.null.p_value < 0.05
        single = OutcomeDevaluation().estimate(before[:, :1], after[:, :1], generator=np.random.default_rng(0))
        assert single.interval is None
        assert not single.enough

    def test_of_what_never_varies(self) -> None:
        assert divergence(np.array([24, 0]), np.array([24, 0])) == 0
        assert divergence(np.array([24, 0]), np.array([0, 24])) == pytest.approx(1, abs=1e-8)

    @pytest.mark.parametrize("p", [0.01, 0.2, 0.5])
    def test_is_without_bias_where_both_are_the_same(self, p: float) -> None:
        assert expected_divergence(p, p, 6) == pytest.approx(0, abs=1e-12)

    def test_is_almost_without_bias_elsewhere(self) -> None:
        truth = shift([[0.2, 0.8]], [[0.6, 0.4]])
        assert expected_divergence(0.2, 0.6, 24) == pytest.approx(truth, abs=2e-4)

    def test_its_interval_holds_the_truth_and_its_null_raises_no_false_alarms(self) -> None:
        rng, seeds, held, alarms = np.random.default_rng(3), 200, 0, 0
        before, after = rng.dirichlet(np.ones(4), (2, 20))
        truth = shift(before, after)
        for seed in range(seeds):
            states = rng.integers(20, size=40)
            first, second, same = (
                rng.multinomial(12, table[states])[None, :, None] for table in (before, after, before)
            )
            interval = Shift(first, second).interval()
            assert interval is not None
            held += interval.low <= truth <= interval.high
            alarms += seed < 60 and Shift(first, same).null(rng).p_value < 0.05
        assert held / seeds > 0.9
        assert binom.sf(alarms - 1, 60, 0.05) > 1e-3


@pytest.mark.parametrize("metric", [OutcomeDevaluation(), ContingencyDegradation()])
def test_a_world_that_is_not_known_is_refused(metric: Any) -> None:
    with pytest.raises(UserError, match="needs a finite known world: the truth of CartPoleEnv is not known"):
        measure(metric, Subject(None, Coin(), lambda: gymnasium.make("CartPole-v1")))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: shift([[1.0, 0.0]], [[1.0]]), r"expected two policies .* got \(1, 2\), \(1, 1\)"),
        (
            lambda: shift([[1.0]], [[1.0]], [0.0]),
            "weights of probe states must be at least 0 and not all",
        ),
        (lambda: contingency([[1.0]]), "at least 2 actions"),
        (
            lambda: ContingencyDegradation().of_policies([[1.0]], [[1.0]], [[1.0, 0.0]]),
            r"responses must have the shape \(1, 1\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        call()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_the_divergence_is_symmetric_and_between_no_bit_and_one(seed: int) -> None:
    one, other = np.random.default_rng(seed).dirichlet(np.full(3, 0.3), size=(2, 5))
    value = shift(one, other)
    assert 0 <= value <= 1
    assert shift(other, one) == pytest.approx(value)
    assert shift(one, one) == 0
