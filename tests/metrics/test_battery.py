"""The battery: nine agents in one world and four changes of it, and what only those changes tell apart."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from agentic import Agent, Subject, measure
from agentic_metrics import (
    PolicyAdaptation,
    Simulation,
    World,
    adaptation_index,
    battery_policies,
    battery_truth,
    expected_return,
    intervention,
    optimal_return,
    outcome_devaluation,
    query,
    visits,
)
from agentic_metrics.interventions.battery import CHANGES, DEPTHS, DISCOUNT, HORIZON
from agentic_metrics.responses.devaluation import choices
from tests.metrics.agents import Planner, Table

TRUTH = battery_truth()
WORLD = World.of(TRUTH)
CHANGED = {name: World.of(change(TRUTH)) for name, change in CHANGES.items()}
POLICIES = battery_policies()
SPAN: Any = {"horizon": HORIZON, "discount": DISCOUNT}
PRINTED = 1.0001e-4  # one unit in the last digit

NOTHING = (0.0,) * 8
TABLE = {  # J/J*, I(S;A) uniform and own, then JS and AI after devaluation, swap, wall and remap
    "rock": (0.0, 0.0, 0.0, *NOTHING),
    "random": (0.2196, 0.0, 0.0, *NOTHING),
    "constant-E": (0.3277, 0.0, 0.0, *NOTHING),
    "reflex": (0.9885, 0.5586, 0.9544, *NOTHING),
    "planner-1": (0.2196, 0.0, 0.0, *NOTHING),
    "planner-3": (0.6691, 0.7087, 0.3339, 0.1403, 0.0435, 0.0703, 0.2174, 0.2294, 0.0837, 0.0533, 0.5983),
    "planner-5": (0.9384, 0.8634, 0.9140, 0.3579, 0.2174, 0.2627, 0.5217, 0.7596, 0.7430, 0.6076, 0.9265),
    "planner-40": (1.0, 0.3478, 0.5162, 0.5595, 0.5595, 0.3556, 0.5000, 1.0, 1.0, 1.0, 1.0),
    "clone": (1.0, 0.3478, 0.5162, *NOTHING),
}
BEST = {"deval": 0.394272, "swap": 0.657119, "wall": 0.531705, "remap": 0.657119}
DEAF = ("rock", "random", "constant-E", "reflex", "clone")


def complexity(policy: Any, weights: Any) -> float:
    """I(S;A) in bits = sum_s p(s) sum_a pi(a|s) log2 pi(a|s) / p(a)."""
    p = weights / weights.sum()
    return float(
        (p[:, None] * policy * np.log2(np.where(policy > 0, policy, 1) / np.maximum(p @ policy, 1e-300))).sum()
    )


@pytest.mark.parametrize("name", list(TABLE))
def test_the_table_is_what_it_is(name: str) -> None:
    policy, probes = POLICIES[name](WORLD), choices(WORLD)
    own = visits(WORLD, policy, horizon=HORIZON) * probes
    after = {change: POLICIES[name](world) for change, world in CHANGED.items()}
    found = [
        expected_return(WORLD, policy, **SPAN) / optimal_return(WORLD, **SPAN),
        complexity(policy, probes),
        complexity(policy, own),
        *(outcome_devaluation(policy, changed, probes) for changed in after.values()),
        *(adaptation_index(world, policy, after[change], **SPAN) for change, world in CHANGED.items()),
    ]
    np.testing.assert_allclose(found, TABLE[name], rtol=0, atol=PRINTED)


def test_the_best_returns_before_and_after() -> None:
    assert optimal_return(WORLD, **SPAN) == pytest.approx(0.657119, abs=1e-6)
    for name, world in CHANGED.items():
        assert optimal_return(world, **SPAN) == pytest.approx(BEST[name], abs=1e-6)


def test_probe_states_are_those_where_actions_differ() -> None:
    np.testing.assert_array_equal(choices(WORLD), WORLD.start > 0)


def agent(name: str) -> Agent:
    if name.startswith("planner"):
        return Planner(WORLD, int(name.removeprefix("planner-")), DISCOUNT)
    return Table(POLICIES[name](WORLD))


def world() -> Simulation:
    return Simulation(TRUTH)


def adapted(name: str, **more: Any) -> Any:
    metric = PolicyAdaptation(interventions=40, discount=DISCOUNT, horizon=HORIZON, **more)
    return measure(metric, Subject(agent=agent(name), environment=world), seed=5)


class TestDrawnAfterTheAgentsAreSealed:
    @pytest.mark.parametrize("name", DEAF)
    def test_what_cannot_listen_adapts_to_none(self, name: str) -> None:
        found = adapted(name)
        indices = np.array(found.diagnostics["index"])
        assert np.isfinite(indices).sum() >= 20
        assert np.nanmax(np.abs(indices)) <= 0.05
        assert not found.outside_null

    def test_the_planner_adapts_to_each(self) -> None:
        found = adapted("planner-40")
        indices = np.array(found.diagnostics["index"])
        assert np.isfinite(indices).sum() >= 20
        assert np.nanmin(indices) >= 0.95
        assert found.outside_null

    def test_adaptation_grows_with_the_depth_of_planning(self) -> None:
        values = [adapted(f"planner-{depth}").value for depth in DEPTHS]
        assert all(shallow < deep for shallow, deep in pairwise(values)), values

    def test_from_rollouts_it_is_the_same_for_planner_and_clone(self) -> None:
        found = {name: adapted(name, exact=False, episodes=16) for name in ("planner-40", "clone")}
        assert found["planner-40"].value == pytest.approx(1.0, abs=0.05)
        assert found["planner-40"].outside_null
        assert found["clone"].value == 0.0
        assert not found["clone"].outside_null


@pytest.mark.parametrize(("told", "adapts"), [("goal", {"deval", "swap"}), ("model", {"wall", "remap"})])
def test_who_is_told_of_the_goal_alone_or_the_model_alone_adapts_to_that(told: Any, adapts: set[str]) -> None:
    for name, change in CHANGES.items():
        changed = intervention(name, change, world, told=told)
        after = Subject(agent=agent("planner-40"), environment=world).under(changed)
        assert after.agent is not None
        assert after.environment is not None
        make: Callable[[], Any] = after.environment
        table = query(after.agent, make, generator=np.random.default_rng(0))
        index = adaptation_index(CHANGED[name], POLICIES["planner-40"](WORLD), table, **SPAN)
        assert index == pytest.approx(1.0 if name in adapts else 0.0, abs=1e-9)
