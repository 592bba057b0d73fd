"""Planning depth: read off policies and records of the battery's world, and asked for on the ladder."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from agentic import Agent, Categorical, Decision, Schedule, Subject, UserError, make, measure, run
from agentic.testing import worlds
from agentic.testing.metrics import subject
from agentic_metrics.finite.behavior import Steps
from agentic_metrics.finite.world import World, action_values, greedy, planner
from agentic_metrics.interventions.battery import CHANGES, battery_policies, battery_truth
from agentic_metrics.purpose.depth import DepthFit, PlanningDepth
from agentic_metrics.purpose.devices import wander
from agentic_metrics.purpose.ladder import DepthLadder, depth_ladder, ladder_choices
from figures.depth_ladder import waiting

BEFORE = World.of(battery_truth())
SWAPPED = World.of(CHANGES["swap"](battery_truth()))
POLICIES = battery_policies()
CHANCE = -np.log(5)
DEEP = 9  # from here on planners coincide: the longest way to a goal has 8 moves, and 1 to be paid

Floats = NDArray[np.float64]


class Follower(Agent):
    """Draws from a table (states, actions)."""

    def __init__(self, policy: ArrayLike) -> None:
        self.policy = torch.as_tensor(np.asarray(policy), dtype=torch.float64)

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        rows = self.policy[obs.argmax(-1)]
        action = torch.nn.functional.one_hot(torch.multinomial(rows, 1, generator=generator)[:, 0], rows.shape[-1])
        return Decision(action.to(obs.dtype), policy=Categorical(rows))


# The policy is known

TABLE = [
    ("rock", 0, CHANCE, 0, CHANCE),
    ("random", 0, CHANCE, 0, CHANCE),
    ("constant-E", 5, -1.251, 5, -1.251),
    ("reflex", 5, -0.533, 5, -1.251),
    ("planner-1", 0, CHANCE, 0, CHANCE),
    ("planner-3", 3, None, 3, None),
    ("planner-5", 5, None, 5, None),
    ("planner-40", DEEP, -0.466, DEEP, -0.466),
    ("clone", DEEP, -0.466, 0, -1.609),
]


@pytest.mark.parametrize(("name", "before", "score", "after", "score_after"), TABLE)
def test_depth_of_the_battery_before_and_after_the_goals_are_swapped(
    name: str, before: int, score: float | None, after: int, score_after: float | None
) -> None:
    """States in which a planner prefers an action are all but the goals and the end: the 23 first states."""
    for world, depth, expected in ((BEFORE, before, score), (SWAPPED, after, score_after)):
        found = PlanningDepth().of_policy(POLICIES[name](world), world)
        assert found.value == depth
        assert expected is None or found.diagnostics["log_likelihood"] == pytest.approx(expected, abs=1e-3)
        started = PlanningDepth().of_policy(POLICIES[name](world), world, weights=world.start)
        assert started.diagnostics["log_likelihoods"] == pytest.approx(found.diagnostics["log_likelihoods"])


def bounds(name: str, **parameters: int) -> tuple[float, float]:
    """The depths that cannot be told from the best."""
    found = PlanningDepth(**parameters).of_policy(POLICIES[name](BEFORE), BEFORE)  # type: ignore[arg-type]
    return found.diagnostics["low"], found.diagnostics["high"]


def test_depths_that_cannot_be_distinguished_are_an_interval() -> None:
    assert bounds("planner-40") == (DEEP, np.inf)
    assert bounds("planner-3") == (3, 3)
    short = bounds("planner-40", deepest=8)
    assert short[1] == 8, "planners of depth 9 differ from those of depth 8, so the end is not open"
    assert bounds("rock") == (0, 1), "a planner of depth 1 is a random agent here"


def test_a_clone_has_its_teachers_depth_to_the_last_digit() -> None:
    clone, teacher = (PlanningDepth().of_policy(POLICIES[name](BEFORE), BEFORE) for name in ("clone", "planner-40"))
    assert clone == teacher


def test_planners_are_depth_limited_policies() -> None:
    found, settled = PlanningDepth(deepest=6, lapse=0.05).planners(BEFORE)
    for depth, policy in enumerate(found, start=1):
        assert policy == pytest.approx(0.95 * planner(BEFORE, depth=depth, discount=0.9) + 0.01)
    assert not settled
    assert PlanningDepth(deepest=DEEP).planners(BEFORE)[1]


# Decisions are known


def journeys(policy: ArrayLike, world: World = BEFORE, times: int = 1, seed: int = 0) -> dict[str, Any]:
    """Episodes of at most 20 steps from each first state."""
    starts = np.flatnonzero(world.start)
    steps = Steps.of([[s] * 20 for s in starts], [[0] * 20] * len(starts), world)
    states, actions = [], []
    for taken in wander(world, policy, steps, times=times, generator=np.random.default_rng(seed)):
        for episode in np.unique(taken.episodes):
            states.append(taken.states[taken.episodes == episode])
            actions.append(taken.actions[taken.episodes == episode])
    return {"states": states, "actions": actions, "world": world}


FEW = PlanningDepth(surrogates=40)


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_the_depth_of_a_planner_is_found_in_its_record(depth: int) -> None:
    policy = PlanningDepth().planners(BEFORE)[0][depth - 1]
    found = FEW.estimate(**journeys(policy), generator=np.random.default_rng(0))
    assert found.value == depth
    assert found.interval is not None
    assert found.interval.low <= depth <= found.interval.high
    assert found.null is not None
    assert found.null.p_value == pytest.approx(1 / 41)


def test_the_interval_of_a_deep_planner_is_open() -> None:
    found = FEW.estimate(**journeys(POLICIES["planner-40"](BEFORE), times=4), generator=np.random.default_rng(0))
    assert found.interval is not None
    assert found.interval.low >= 8
    assert found.interval.high == np.inf


@pytest.mark.parametrize("name", ["rock", "random", "planner-1"])
def test_what_does_not_plan_has_no_depth(name: str) -> None:
    found = FEW.estimate(**journeys(POLICIES[name](BEFORE)), generator=np.random.default_rng(0))
    assert found.value == 0
    assert found.null is not None
    assert found.null.p_value == 1
    assert any("raise the lapse" in each for each in found.warnings)


def test_a_clone_is_refuted_where_the_goals_are_swapped() -> None:
    """It looks no deeper than 3 there: its ways to the goal that now pays less fit no planner that knows of both."""
    clone = FEW.estimate(**journeys(POLICIES["clone"](BEFORE), SWAPPED, 4), generator=np.random.default_rng(0))
    planned = FEW.estimate(**journeys(POLICIES["planner-40"](SWAPPED), SWAPPED, 4), generator=np.random.default_rng(0))
    assert clone.value < 5 < 8 <= planned.value
    assert clone.diagnostics["log_likelihood"] < planned.diagnostics["log_likelihood"] - 0.5


def test_the_false_alarm_rate_of_random_agents() -> None:
    alarms = 0
    uniform = POLICIES["random"](BEFORE)
    for seed in range(60):
        case = journeys(uniform, seed=seed)
        case["states"], case["actions"] = case["states"][:2], case["actions"][:2]
        found = PlanningDepth(surrogates=19).estimate(**case, generator=np.random.default_rng(seed))
        assert found.null is not None
        alarms += found.null.p_value <= 0.05
    assert alarms <= 9, "binomial with 60 trials of at most 5 %: more than 9 has probability .001"


def test_few_decisions_leave_the_interval_wide() -> None:
    case = journeys(POLICIES["planner-5"](BEFORE))
    found = PlanningDepth().estimate(
        [case["states"][0][:1]], [case["actions"][0][:1]], BEFORE, generator=np.random.default_rng(0)
    )
    assert found.interval is not None
    assert found.interval.high - found.interval.low > 4


def test_the_same_seed_gives_the_same_estimate() -> None:
    case = journeys(POLICIES["planner-3"](BEFORE))
    first, again = (FEW.estimate(**case, generator=np.random.default_rng(1)) for _ in range(2))
    assert first == again


def test_what_is_out_of_place_is_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(UserError, match="states"):
        PlanningDepth().estimate([[99]], [[0]], BEFORE, generator=generator)
    with pytest.raises(UserError, match="a policy in this world"):
        PlanningDepth().of_policy(np.ones((2, 2)), BEFORE)
    with pytest.raises(UserError, match="weights are 26 numbers"):
        PlanningDepth().of_policy(POLICIES["rock"](BEFORE), BEFORE, weights=np.zeros(26))
    for wrong in ({"deepest": 0}, {"discount": 0}, {"lapse": 0}, {"lapse": 1}, {"surrogates": -1}):
        with pytest.raises(UserError):
            PlanningDepth(**wrong)  # type: ignore[arg-type]


# The metric


def test_the_metric_asks_the_agent_or_reads_the_record() -> None:
    world = World.of(make(worlds.TwoPlaces()).truth())
    agent = Follower(planner(world, depth=2, discount=0.9))
    case = Subject(run(agent, worlds.TwoPlaces, Schedule(episodes=12), seed=1), agent, worlds.TwoPlaces)
    asked, read = (measure(PlanningDepth(exact=exact, surrogates=40), case) for exact in (True, False))
    for found in (asked, read):
        assert found.value == 1, "two places: the nearest payment is all there is to look for"
        assert found.outside_null
    assert asked.interval is None
    assert asked.diagnostics["high"] == np.inf
    assert PlanningDepth(exact=True).needs == ("agent", "environment")
    assert PlanningDepth().needs == ("record", "environment")


@pytest.mark.parametrize("exact", [True, False])
def test_a_coin_has_no_depth(exact: bool) -> None:
    found = measure(PlanningDepth(exact=exact, surrogates=40), subject())
    assert found.value == 0
    assert not found.outside_null


# The ladder


def test_soft_planners_wait_as_long_as_they_look_ahead() -> None:
    for depth in range(1, 7):
        for rung in range(1, 9):
            expected = 0.952574 if rung <= depth else 0.047426
            assert waiting(depth, rung) == pytest.approx(expected, abs=1e-6)


def test_the_environment_does_what_its_model_says() -> None:
    for rung in (1, 2, 5):
        env = DepthLadder(rung)
        truth = make(env).truth()
        for first in (0, 1):
            env.reset()
            place, done, total, steps, action = 0, False, 0.0, 0, first
            while not done:
                seen, reward, done, _, _ = env.step(np.int64(action))
                assert truth["B"][0][seen, place, action] == 1
                assert truth["rewards"][place, action] == reward
                assert done == bool(truth["ends"][seen])
                place, total, steps, action = int(seen), total + reward, steps + 1, 0
            assert (total, steps) == ((1, 1) if first == 0 else (2, rung))


def maker(depth: int) -> Callable[[Callable[[], DepthLadder]], Agent]:
    """Planners that are given the model of each rung's world."""
    return lambda maker: Follower(greedy(action_values(World.of(make(maker()).truth()), depth=depth)))


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_planners_climb_as_far_as_they_look_ahead(depth: int) -> None:
    choices = ladder_choices(maker(depth), range(1, 8), generator=np.random.default_rng(0))
    assert choices.tolist() == [1.0] * depth + [0.0] * (7 - depth)
    found = depth_ladder(choices)
    assert (found.depth, found.open, found.p_value) == (depth, False, 0.0)


def test_a_planner_beyond_the_ladder_and_a_habit_of_waiting_are_flat() -> None:
    """The clone of a patient planner waits on every rung: only rungs that are added would tell."""
    for agent in (maker(20), lambda make: Follower(np.tile([0.0, 1.0], (make().rung + 1, 1)))):
        found = depth_ladder(ladder_choices(agent, range(1, 5), generator=np.random.default_rng(0)))
        assert found.depth is None
        assert found.p_value == 1


def test_a_random_agent_has_no_depth() -> None:
    flat = depth_ladder(
        ladder_choices(
            lambda make: Follower(np.full((make().rung + 1, 2), 0.5)), range(1, 6), generator=np.random.default_rng(0)
        )
    )
    assert flat.depth is None
    counts = np.random.default_rng(1).binomial(200, 0.5, size=(200, 6)) / 200
    alarms = sum(depth_ladder(row, trials=200).depth is not None for row in counts)
    assert alarms <= 20, "binomial with 200 trials of 5 %: more than 20 has probability .001"


def test_frequencies_of_a_soft_planner_give_its_depth() -> None:
    chances = [waiting(4, rung) for rung in range(1, 8)]
    counts = np.random.default_rng(2).binomial(100, chances) / 100
    found = depth_ladder(counts, trials=100)
    assert found.depth == 4
    assert found.p_value < 1e-6
    assert depth_ladder([0.9, 0.6, 0.8]).open
    assert depth_ladder([0.1, 0.0, 0.0]).depth == 0


def test_the_ladder_is_checked() -> None:
    for wrong in ([0.5], [0.5, 1.5], [[0.5, 0.5]], [np.nan, 0.5]):
        with pytest.raises(UserError, match="ladder needs probabilities"):
            depth_ladder(wrong)
    with pytest.raises(UserError, match="at least 1 trial"):
        depth_ladder([0.1, 0.9], trials=0)
    with pytest.raises(UserError, match="at least 1 step"):
        DepthLadder(0)


def test_a_fit_names_the_smallest_of_equal_depths() -> None:
    assert DepthFit(np.array([-1.0, -2.0, -0.5, -0.5]), 2, 3).depth == 2
    assert DepthFit(np.array([-0.5, -0.5, -2.0]), 0, 1).depth == 0
