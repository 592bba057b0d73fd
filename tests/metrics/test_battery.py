"""The battery: nine agents in one world and four changes of it, and what only those changes tell apart."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from agentic import Agent, Metric, Subject, make, measure
from agentic_agents.planner import Planner
from agentic_envs.gridworld import GridWorld
from agentic_metrics import (
    EpisodeReturn,
    GoalDirectedness,
    OutcomeDevaluation,
    PlanningDepth,
    PolicyAdaptation,
    PolicyComplexity,
    Simulation,
    World,
    adaptation_index,
    battery_policies,
    battery_truth,
    expected_return,
    intervention,
    optimal_return,
    query,
    visits,
)
from agentic_metrics.finite.places import choices
from agentic_metrics.interventions.battery import CHANGES, DEPTHS, DISCOUNT, HORIZON
from tests.metrics.agents import Table

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
        *(OutcomeDevaluation().of_policies(policy, changed, probes).value for changed in after.values()),
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


@pytest.mark.parametrize(("informed", "adapts"), [("goal", {"deval", "swap"}), ("model", {"wall", "remap"})])
def test_who_is_informed_of_the_goal_alone_or_the_model_alone_adapts_to_that(informed: Any, adapts: set[str]) -> None:
    for name, change in CHANGES.items():
        changed = intervention(name, change, world, informed=informed)
        after = Subject(agent=agent("planner-40"), environment=world).under(changed)
        table = query(after.agent, make(after.environment()).truth(), generator=np.random.default_rng(0))
        index = adaptation_index(CHANGED[name], POLICIES["planner-40"](WORLD), table, **SPAN)
        assert index == pytest.approx(1.0 if name in adapts else 0.0, abs=1e-9)


# Worlds that nobody tuned for


def drawn_grid(generator: np.random.Generator) -> Callable[[], GridWorld]:
    """4 to 7 cells a side, about one in six a wall, 2 or 3 goals of different rewards; all of it hangs together.

    Goals end an episode, so every other free cell reaches the rest without them; 40 steps lead from any to the best.
    """
    while True:
        rows, columns = (int(side) for side in generator.integers(4, 8, size=2))
        cells = generator.permutation(rows * columns)
        goals, walls = np.split(cells[: int(generator.integers(2, 4)) + rows * columns // 6], [-(rows * columns // 6)])
        rewards = generator.choice(np.arange(2, 11), size=len(goals), replace=False) / 10
        make = partial(
            GridWorld,
            (rows, columns),
            goals=[(*divmod(int(goal), columns), reward) for goal, reward in zip(goals, rewards, strict=True)],
            walls=[divmod(int(wall), columns) for wall in walls],
            exit=bool(generator.integers(2)),
            steps=HORIZON,
        )
        world = World.of(make().true_model())
        if connected(world, set(goals.tolist())) and np.array_equal(*(planner_of(world, depth) for depth in (40, 80))):
            return make


def planner_of(world: World, depth: int) -> Any:
    return Planner(world, depth, DISCOUNT).policy


def connected(world: World, goals: set[int]) -> bool:
    """Whether each start leads to all starts and to all goals, and through no goal."""
    starts = set(np.flatnonzero(world.start).tolist())
    first = min(starts)
    met, frontier = {first}, [first]
    while frontier:
        near = set(np.flatnonzero(world.dynamics[frontier.pop()].any(0)).tolist()) - met
        met |= near
        frontier += sorted(near - goals)
    return met >= starts | goals


@dataclass(frozen=True)
class Drawn:
    """What was found in one drawn grid: adaptation of the planners by depth and the clone's, per intervention."""

    grid: GridWorld
    adapted: dict[int, Any]  # depth: (interventions,), NaN where undefined
    clone: Any
    names: list[str]
    differences: dict[str, float]  # column: planner-40 less clone

    @property
    def rank_correlation(self) -> float:
        """Of depth and mean adaptation over the interventions that leave something to gain to all four planners."""
        table = np.array([self.adapted[depth] for depth in DEPTHS])
        return float(spearmanr(DEPTHS, table[:, np.isfinite(table).all(0)].mean(1)).statistic)


COLUMNS: tuple[Metric, ...] = (
    EpisodeReturn(discount=DISCOUNT, horizon=HORIZON, relative=True),
    PolicyComplexity(weights="uniform", choices=True, surrogates=0),
    PolicyComplexity(weights="own", choices=True, horizon=HORIZON, surrogates=0),
    GoalDirectedness(horizon=12, cost=0.05, largest=100, surrogates=0),
    PlanningDepth(weights="own", surrogates=0),
)
PLAIN: tuple[Metric, ...] = (EpisodeReturn(), PolicyComplexity(surrogates=0))


def drawn(seed: int, interventions: int = 10) -> Drawn:
    """Sealed planners and a clone in a grid, and interventions that are drawn afterwards."""
    make = drawn_grid(np.random.default_rng(seed))
    world = World.of(make().true_model())
    planners = {depth: Subject(agent=Planner(world, depth, DISCOUNT), environment=make) for depth in DEPTHS}
    clone = Subject(agent=Table(planner_of(world, 40)), environment=make)
    metric = PolicyAdaptation(interventions=interventions, discount=DISCOUNT, horizon=HORIZON)
    subjects: dict[Any, Subject] = {**planners, "clone": clone}
    found = {name: measure(metric, subject, seed=seed) for name, subject in subjects.items()}
    indices = {name: np.array(each.diagnostics["index"]) for name, each in found.items()}
    teacher, pupil = (subject.recorded(episodes=20, seed=seed) for subject in (planners[40], clone))
    exact = [replace(each, exact=True) for each in COLUMNS]  # type: ignore[type-var]
    differences = {
        str(each): measure(each, teacher, seed=seed).value - measure(each, pupil, seed=seed).value
        for each in (*COLUMNS, *PLAIN, *exact)
    }
    names = list(found[40].diagnostics["interventions"])
    return Drawn(make(), {depth: indices[depth] for depth in DEPTHS}, indices["clone"], names, differences)


def report(seeds: range = range(20)) -> str:
    """World by world: how often adaptation is defined, its mean by depth, and what sets planner and clone apart."""
    lines = ["world  goals are  defined  k=1   k=3   k=5   k=40  rank  least of planner-40 less clone"]
    for seed in seeds:
        found = drawn(seed)
        rows, columns = found.grid.walls.shape
        kind = "left" if found.grid.observation_space.contains(rows * columns) else "entered"
        means = "  ".join(f"{np.nanmean(found.adapted[depth]):.2f}" for depth in DEPTHS)
        count = f"{np.isfinite(found.clone).sum()}/{len(found.clone)}"
        least = np.nanmin(found.adapted[40] - found.clone)
        lines.append(f"{rows} x {columns}  {kind:9}  {count:7}  {means}  {found.rank_correlation:.2f}  {least:.4f}")
    return "\n".join(lines)


# Where looking a little further does not help: with a change to which it answers worse than its old policy, a planner
# of five steps has indices down to -2.5. What is to be gained is measured against chance, which lets such changes in.
SHORT_SIGHTED = {6: 0.8}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_grids_that_nobody_tuned_for(seed: int) -> None:
    """A planner and its clone are one in all they do, until the world changes; then it is depth that counts."""
    found = drawn(seed)
    assert set(found.differences.values()) == {0.0}
    defined = np.isfinite(found.clone)
    assert defined.sum() >= 3
    assert np.abs(found.clone[defined]).max() <= 1e-9
    informed = dict(zip(found.names, found.adapted[40], strict=True))
    assert (found.adapted[40] - found.clone)[defined].min() >= 0.95, informed
    assert found.rank_correlation == pytest.approx(SHORT_SIGHTED.get(seed, 1.0))
