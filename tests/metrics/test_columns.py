"""The columns of the battery that look at one world: each a metric with its parameters, exact and sampled."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from agentic import Access, Agent, Measurement, Subject, UserError, measure
from agentic.testing import NotApplicable, checks
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_agents.planner import Planner
from agentic_envs.gridworld import GridWorld
from agentic_metrics import (
    EpisodeReturn,
    GoalDirectedness,
    PlanningDepth,
    PolicyComplexity,
    World,
    battery_policies,
    battery_truth,
    expected_return,
    intervention,
    optimal_return,
)
from agentic_metrics.interventions.battery import CHANGES, DISCOUNT, HORIZON
from tests.metrics.agents import Table

BEFORE = World.of(battery_truth())
RETURN = EpisodeReturn(discount=DISCOUNT, horizon=HORIZON, relative=True)
UNIFORM = PolicyComplexity(weights="uniform", choices=True)
OWN = PolicyComplexity(weights="own", choices=True, horizon=HORIZON)
GOAL = GoalDirectedness(horizon=12, cost=0.05, largest=100)
DEPTH = PlanningDepth(weights="uniform", draws=1000)
RECORDED = PlanningDepth(weights="own", horizon=HORIZON)
COLUMNS: dict[str, tuple[Any, str]] = {  # the metric, and the world it is measured in
    "J/J*": (RETURN, "before"),
    "I(S;A) uniform": (UNIFORM, "before"),
    "I(S;A) own": (OWN, "before"),
    "MEG": (GOAL, "before"),
    "depth": (DEPTH, "before"),
    "depth after swap": (DEPTH, "swap"),
    "depth recorded": (RECORDED, "before"),
    "depth recorded after swap": (RECORDED, "swap"),
}
CHANCE = -1.609
TABLE = {  # the first four columns, and the depth before and after the swap with its mean log-likelihood
    "rock": (0.0, 0.0, 0.0, 0.3102, (0, CHANCE), (0, CHANCE)),
    "random": (0.2196, 0.0, 0.0, 0.0, (0, CHANCE), (0, CHANCE)),
    "constant-E": (0.3277, 0.0, 0.0, 0.070218, (5, -1.251), (5, -1.251)),
    "reflex": (0.9885, 0.5586, 0.9544, 3.855954, (5, -0.533), (5, -1.251)),
    "planner-1": (0.2196, 0.0, 0.0, 0.0, (0, CHANCE), (0, CHANCE)),
    "planner-3": (0.6691, 0.7087, 0.3339, 0.800644, (3, None), (3, None)),
    "planner-5": (0.9384, 0.8634, 0.9140, 2.747460, (5, None), (5, None)),
    "planner-40": (1.0, 0.3478, 0.5162, 5.1995, (9, -0.466), (9, -0.466)),
    "clone": (1.0, 0.3478, 0.5162, 5.1995, (9, -0.466), (0, CHANCE)),
}
PRINTED = 1.0001e-4  # one unit in the last digit of a value
PRINTED_LOG = 1.0001e-3


def world() -> GridWorld:
    return GridWorld([5, 5], goals=[[4, 4, 1.0], [0, 4, 0.6]], exit=True, steps=HORIZON)


def agent(name: str) -> Agent:
    if name.startswith("planner"):
        return Planner(BEFORE, int(name.removeprefix("planner-")), DISCOUNT)
    return Table(battery_policies()[name](BEFORE))


@cache
def placed(name: str, where: str = "before") -> Subject:
    unchanged = Subject(agent=agent(name), environment=world)
    return unchanged if where == "before" else unchanged.under(intervention(where, CHANGES[where], world))


def exactly(name: str, column: str) -> Measurement:
    metric, where = COLUMNS[column]
    drawn = {"draws": 0} if isinstance(metric, PlanningDepth) else {}
    found: Measurement = measure(replace(metric, exact=True, **drawn), placed(name, where))
    return found


@pytest.mark.parametrize("name", list(TABLE))
def test_the_printed_table_is_measured_exactly(name: str) -> None:
    found = {column: exactly(name, column) for column in list(COLUMNS)[:6]}
    values = [each.value for each in found.values()]
    np.testing.assert_allclose(values[:4], TABLE[name][:4], rtol=0, atol=PRINTED)
    for column, (depth, score) in zip(("depth", "depth after swap"), TABLE[name][4:], strict=True):
        assert found[column].value == depth
        if score is not None:
            assert found[column].diagnostics["log_likelihood"] == pytest.approx(score, abs=PRINTED_LOG)
    assert all(each.interval is None for each in found.values())


def test_a_clone_is_its_teacher_in_every_column_but_after_the_swap() -> None:
    for column in COLUMNS:
        clone, teacher = (exactly(name, column).value for name in ("clone", "planner-40"))
        assert (clone == teacher) == ("after" not in column), column


# Sampled


def coverage(episodes: int, seeds: range) -> dict[str, list[tuple[str, int, bool, bool]]]:
    """For each column and agent and seed: whether the interval holds the exact value, and whether it has a width."""
    cells: dict[str, list[tuple[str, int, bool, bool]]] = {column: [] for column in COLUMNS}
    for name in TABLE:
        for seed in seeds:
            lived = {where: placed(name, where).recorded(episodes=episodes, seed=seed) for where in ("before", "swap")}
            for column, (metric, where) in COLUMNS.items():
                few = {} if metric is RETURN else {"surrogates": 0}
                found = measure(replace(metric, **few), lived[where], seed=seed)
                assert found.interval is not None
                low, high = found.interval.low, found.interval.high
                held = low - 1e-9 <= exactly(name, column).value <= high + 1e-9
                cells[column].append((name, seed, held, high - low > 1e-12))
    return cells


SEEDS = [pytest.param(range(2), marks=pytest.mark.slow), pytest.param(range(4), marks=pytest.mark.soak)]


@pytest.mark.parametrize("seeds", SEEDS, ids=len)
@pytest.mark.timeout(900)
def test_the_intervals_of_the_sampled_table_hold_the_exact_one(seeds: range) -> None:
    cells = coverage(episodes=100, seeds=seeds)
    shares = {column: np.mean([held for _, _, held, _ in each]) for column, each in cells.items()}
    everything = [cell for each in cells.values() for cell in each]
    assert np.mean([held for _, _, held, _ in everything]) >= 0.9, shares
    assert min(shares.values()) >= 0.8, shares
    assert [cell for cell in everything if not cell[3] and not cell[2]] == [], "without a width they must be right"


def test_a_sampled_row_is_near_the_exact_one() -> None:
    lived = {where: placed("planner-5", where).recorded(episodes=40, seed=11) for where in ("before", "swap")}
    for column, (metric, where) in COLUMNS.items():
        few = {} if metric is RETURN else {"surrogates": 20}
        found = measure(replace(metric, **few), lived[where], seed=11)
        assert found.interval is not None
        assert found.samples > 0
        spread = found.interval.high - found.interval.low
        assert abs(found.value - exactly("planner-5", column).value) <= spread, column
        assert metric is RETURN or found.outside_null


# Returns


def test_returns_are_discounted_and_cut_at_the_horizon() -> None:
    record = placed("planner-40").recorded(episodes=30, seed=3).record
    assert record is not None
    paid = [each.arrays["reward"] for each in record.episodes("evaluate")]
    cases: list[tuple[dict[str, Any], Callable[[Any], float]]] = [
        ({}, np.sum),
        ({"discount": 0.5}, lambda rewards: rewards @ 0.5 ** np.arange(len(rewards))),
        ({"horizon": 4}, lambda rewards: rewards[:4].sum()),
    ]
    for arguments, worth in cases:
        found = measure(EpisodeReturn(**arguments), Subject(record=record))
        assert found.value == pytest.approx(np.mean([worth(each) for each in paid]), abs=1e-12)
        assert (found.access, found.unit) == (Access.RECORDS, "reward")


def test_a_share_is_of_the_best_return() -> None:
    lived = placed("reflex").recorded(episodes=30, seed=3)
    best = optimal_return(BEFORE, horizon=HORIZON, discount=DISCOUNT)
    share, plain = (measure(replace(RETURN, relative=relative), lived) for relative in (True, False))
    assert share.value == pytest.approx(plain.value / best)
    assert (share.access, share.unit, share.diagnostics["best"]) == (Access.MODEL, "share of the best", best)
    assert share.interval is not None
    assert plain.interval is not None
    assert share.interval.high == pytest.approx(plain.interval.high / best)
    policy = battery_policies()["reflex"](BEFORE)
    exact = measure(replace(RETURN, relative=False, exact=True), lived)
    assert exact.value == pytest.approx(expected_return(BEFORE, policy, horizon=HORIZON, discount=DISCOUNT))


def test_episodes_that_were_cut_too_early_are_said_to_be() -> None:
    short = Subject(agent=agent("rock"), environment=lambda: GridWorld([2, 2], goals=[[0, 0, 1.0]], steps=5))
    lived = short.having(agent=Table(np.full((4, 5), [0, 0, 0, 0, 1.0]))).recorded(episodes=12)
    assert any("12 episodes were cut" in each for each in measure(RETURN, lived).warnings)
    assert measure(replace(RETURN, horizon=5), lived).warnings == ()


# Decisions


def test_choices_are_all_states_but_those_where_nothing_matters() -> None:
    found = {
        choices: measure(replace(OWN, exact=True, choices=choices), placed("reflex")).value for choices in (True, False)
    }
    assert found == {True: pytest.approx(0.9544, abs=PRINTED), False: pytest.approx(0.9994, abs=PRINTED)}


def test_columns_look_at_what_they_say() -> None:
    both = ("agent", "environment")
    assert [each.needs for each in (RETURN, OWN, RECORDED)] == [("record", "environment")] * 3
    assert [each.needs for each in (UNIFORM, DEPTH, replace(RETURN, exact=True))] == [both] * 3
    assert (EpisodeReturn().needs, PolicyComplexity().needs) == (("record",), ("record",))
    assert UNIFORM.access is OWN.access is Access.MODEL


CONFIGURED: list[Any] = [
    EpisodeReturn(discount=0.9, horizon=8, relative=True),
    EpisodeReturn(horizon=8, exact=True),
    PolicyComplexity(weights="uniform", choices=True, draws=60, surrogates=20),
    PolicyComplexity(choices=True, surrogates=20),
    PlanningDepth(draws=60, surrogates=20),
    PlanningDepth(exact=True, weights="own"),
]


@pytest.mark.parametrize("metric", CONFIGURED, ids=lambda metric: type(metric).__name__)
def test_keeps_its_contract(metric: Any) -> None:
    for check in checks("metrics", metric):
        with suppress(NotApplicable):
            check()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"relative": True}, "add a horizon"),
        ({"exact": True}, "add a horizon"),
        ({"discount": 0.0}, "discount in"),
        ({"horizon": 0}, "horizon >= 1"),
    ],
)
def test_returns_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        EpisodeReturn(**arguments)


def poor() -> GridWorld:
    return GridWorld([2, 2], goals=[[0, 0, -1.0]], steps=5)


def still() -> GridWorld:
    return GridWorld(["S"], steps=5)


def test_worlds_without_the_column_are_refused() -> None:
    with pytest.raises(UserError, match="needs one that is positive, in this world it is 0"):
        measure(replace(RETURN, exact=True), Subject(agent=Table(np.full((4, 5), 0.2)), environment=poor))
    with pytest.raises(UserError, match="has none"):
        measure(replace(UNIFORM, exact=True), Subject(agent=Table(np.full((1, 5), 0.2)), environment=still))
    assert measure(UNIFORM, Subject(agent=Coin(), environment=TwoPlaces)).outside_null is False


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PlanningDepth(exact=True, draws=10), "not both"),
        (lambda: PlanningDepth(weights="all"), "weights 'uniform' or 'own'"),
        (lambda: PolicyComplexity(draws=1), "draws >= 2"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()
