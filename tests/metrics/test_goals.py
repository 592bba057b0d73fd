"""Goal-directedness: mice, thermostats, the cliff and the battery, what changes nothing, and what sampling adds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from agentic import Schedule, Subject, UserError, make, measure, run
from agentic.testing import checks_for
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_envs.cliffworld import CliffWorld
from agentic_envs.gridworld import GridWorld
from agentic_metrics import (
    GoalDirectedness,
    World,
    battery_policies,
    battery_truth,
    expected_return,
    soft_policy,
)
from agentic_metrics.finite.behavior import Behavior, random_behavior, recorded_behavior
from agentic_metrics.finite.fitting import Decisions, fit
from agentic_metrics.finite.soft import hard_backups, occupancy, soft_backups
from tests.metrics.agents import Table

DIGITS = 1.0001e-4  # one unit of the last printed digit


@checks_for(GoalDirectedness)
def test_keeps_its_contract(check: Any) -> None:
    check()


@checks_for(GoalDirectedness(exact=True))
def test_keeps_its_contract_where_it_is_exact(check: Any) -> None:
    check()


@checks_for(GoalDirectedness(known=False, horizon=6))
def test_keeps_its_contract_where_the_goal_is_unknown(check: Any) -> None:
    check()


def seen(places: int, actions: int) -> World:
    """As many equally likely situations, each with one right action, worth 1; then it is over."""
    dynamics = np.zeros((places + 1, actions, places + 1))
    dynamics[..., places] = 1.0
    rewards = np.zeros((places + 1, actions))
    rewards[np.arange(places), np.arange(places)] = 1.0
    ended = np.arange(places + 1) == places
    return World(dynamics, rewards, np.where(ended, 0, 1 / places), ended)


def right(world: World, chance: float) -> Any:
    """Taking the right action with that chance, the others alike."""
    table = np.full(world.rewards.shape, (1 - chance) / (world.actions - 1))
    table[world.rewards > 0] = chance
    table[world.ended] = 1 / world.actions
    return table


def cliff(rows: int = 4, columns: int = 10, width: int = 1) -> World:
    return World.of(CliffWorld(rows=rows, columns=columns, width=width).true_model())


def optimal(world: World, horizon: int, noise: float = 0.0) -> Any:
    """What is best for the time that is left, ties broken evenly, and with chance `noise` anything; (t, s, a)."""
    tables = [np.isfinite(log) for log in hard_backups(world, world.rewards, horizon=horizon)][::-1]
    even = [table / table.sum(-1, keepdims=True) for table in tables]
    return (1 - noise) * np.array(even) + noise / world.actions


@pytest.mark.parametrize(
    ("chance", "nats"),
    [(1, 0.693147), (0.9, 0.368064), (0.8, 0.192745), (0.75, 0.130812), (0.5, 0), (0.2, 0.192745), (0, 0.693147)],
)
def test_a_mouse_goes_to_its_cheese(chance: float, nats: float) -> None:
    mouse = seen(2, 2)
    found = GoalDirectedness(horizon=1).of_policy(right(mouse, chance), mouse)
    assert found.value == pytest.approx(nats, abs=1e-6)
    assert found.diagnostics["sign"] == np.sign(chance - 0.5)
    assert found.diagnostics["limit"] == (chance in (0, 1))
    assert found.diagnostics["normalized"] == pytest.approx(nats / np.log(2), abs=2e-6)
    if not found.diagnostics["limit"]:
        assert found.diagnostics["beta"] == pytest.approx(np.log(chance / (1 - chance)), abs=1e-8)


def test_always_left_is_no_way_to_look_for_cheese() -> None:
    mouse = seen(2, 2)
    assert float(GoalDirectedness(horizon=1).of_policy([[1, 0], [1, 0], [1, 0]], mouse)) == pytest.approx(0, abs=1e-12)


def test_a_thermostat_is_as_directed_as_the_mouse() -> None:
    """It goes on for ever; sensed hot or cold is drawn anew after each decision."""
    world = World(np.full((2, 2, 2), 0.5), np.eye(2), np.full(2, 0.5), np.zeros(2, dtype=bool))
    for horizon in (1, 3):
        found = GoalDirectedness(horizon=horizon).of_policy(np.eye(2), world)
        assert found.value / horizon == pytest.approx(0.693147, abs=1e-6)
        assert found.diagnostics["normalized"] == pytest.approx(1)


@pytest.mark.parametrize(("chance", "nats"), [(0.7, 0.445846), (1.0, 1.386294)])
def test_four_actions(chance: float, nats: float) -> None:
    world = seen(4, 4)
    assert GoalDirectedness(horizon=1).of_policy(right(world, chance), world).value == pytest.approx(nats, abs=1e-6)


CLIFF = [  # noise, value and beta of 10 x 4 over 10 decisions, of 7 x 4 over 8
    (0.1, 2.7572, 0.623, 5.2715, 0.496),
    (0.3, 0.9690, 0.134, 1.3875, 0.240),
    (0.5, 0.4227, 0.071, 0.4087, 0.086),
    (0.7, 0.1444, 0.036, 0.1109, 0.039),
    (0.9, 0.0161, 0.011, 0.0104, 0.011),
    (1.0, 0.0, 0.0, 0.0, 0.0),
]


@pytest.mark.parametrize("row", CLIFF)
def test_the_cliff_is_less_of_a_goal_the_more_noise_there_is(row: Any) -> None:
    noise, *expected = row
    for columns, horizon, value, beta in ((10, 10, *expected[:2]), (7, 8, *expected[2:])):
        world = cliff(columns=columns)
        found = GoalDirectedness(horizon=horizon).of_policy(optimal(world, horizon, noise), world)
        assert found.value == pytest.approx(value, abs=DIGITS)
        assert found.diagnostics["beta"] == pytest.approx(beta, abs=1.0001e-3)


@pytest.mark.parametrize(("columns", "horizon", "free"), [(10, 10, 9), (7, 8, 7)])
def test_perfection_has_the_limit_of_infinite_beta(columns: int, horizon: int, free: int) -> None:
    world = cliff(columns=columns)
    found = GoalDirectedness(horizon=horizon).of_policy(optimal(world, horizon), world)
    assert found.diagnostics["limit"]
    assert found.diagnostics["beta"] == np.inf
    assert found.value == pytest.approx(free * np.log(4))  # the last decision is worth nothing
    worst = GoalDirectedness(horizon=horizon).of_policy(optimal(world, horizon), world, -world.rewards)
    assert (worst.value, worst.diagnostics["beta"]) == (pytest.approx(found.value), -np.inf)


@pytest.mark.parametrize(("width", "nats"), [(1, 12.4766), (2, 12.4766), (3, 11.7835), (5, 10.6849), (8, 8.9213)])
def test_the_wider_the_goal_the_less_it_explains(width: int, nats: float) -> None:
    world = cliff(width=width)
    assert GoalDirectedness(horizon=10).of_policy(optimal(world, 10), world).value == pytest.approx(nats, abs=DIGITS)


@pytest.mark.parametrize(("action", "nats", "sign"), [(0, 3.6464, 1), (1, 2.0959, -1), (2, 3.6464, 1), (3, 1.6823, 1)])
def test_a_constant_action_may_look_directed(action: int, nats: float, sign: int) -> None:
    world = cliff()
    found = GoalDirectedness(horizon=10).of_policy(np.eye(4)[[action] * 40], world)
    assert found.value == pytest.approx(nats, abs=DIGITS)
    assert found.diagnostics["sign"] == sign


def test_the_same_for_a_utility_shifted_scaled_or_turned_round() -> None:
    world = cliff()
    policy = optimal(world, 10, 0.3)
    for utility in (world.rewards, 3 * world.rewards + 7, -world.rewards, world.rewards[:, 0]):
        found = GoalDirectedness(horizon=10).of_policy(policy, world, utility)
        assert found.value == pytest.approx(0.9690, abs=DIGITS)
        assert found.diagnostics["sign"] == (-1 if utility is not world.rewards and utility.flat[0] == 1 else 1)


BATTERY = {  # the reward less .05 per step, 12 decisions
    "rock": (0.3102, -1, DIGITS),
    "random": (0.0, 0, 1e-9),
    "constant-E": (0.070218, 1, 1e-6),
    "reflex": (3.855954, 1, 1e-6),
    "planner-1": (0.0, 0, 1e-9),
    "planner-3": (0.800644, 1, 1e-6),
    "planner-5": (2.747460, 1, 1e-6),
    "planner-40": (5.1995, 1, DIGITS),
    "clone": (5.1995, 1, DIGITS),
}


@pytest.mark.parametrize("name", list(BATTERY))
def test_the_battery_where_beta_is_at_most_100(name: str) -> None:
    world = World.of(battery_truth())
    utility = np.where(world.ended[:, None], 0, world.rewards - 0.05)
    found = GoalDirectedness(horizon=12, largest=100).of_policy(battery_policies()[name](world), world, utility)
    value, sign, error = BATTERY[name]
    assert found.value == pytest.approx(value, abs=error)
    assert found.diagnostics["sign"] == sign
    assert found.diagnostics["capped"] == (name in ("planner-40", "clone"))


def test_a_cost_after_the_end_is_another_utility() -> None:
    world = World.of(battery_truth())
    for name, nats in (("reflex", 2.19), ("planner-40", 2.89)):
        policy = battery_policies()[name](world)
        found = GoalDirectedness(horizon=12, largest=100).of_policy(policy, world, world.rewards - 0.05)
        assert found.value == pytest.approx(nats, abs=0.01)


def test_of_a_planner_with_no_bound_the_limit_is_approached() -> None:
    world = World.of(battery_truth())
    utility = np.where(world.ended[:, None], 0, world.rewards - 0.05)
    policy = battery_policies()["planner-40"](world)
    found = GoalDirectedness(horizon=12).of_policy(policy, world, utility)
    near = GoalDirectedness(horizon=12, largest=1000).of_policy(policy, world, utility)
    assert found.diagnostics["limit"]
    assert near.value == pytest.approx(found.value, abs=1e-9)
    assert found.value == pytest.approx(5.208337, abs=1e-6)


def random_world(seed: int, states: int = 4, actions: int = 3) -> tuple[World, Any]:
    """A world of random chances, and a random policy."""
    generator = np.random.default_rng(seed)
    ended = np.arange(states) == states - 1 if seed % 2 else np.zeros(states, dtype=bool)
    dynamics = generator.dirichlet(np.full(states, 0.4), size=(states, actions))
    dynamics[ended] = np.eye(states)[ended][:, None]
    rewards = np.where(ended[:, None], 0, generator.normal(size=(states, actions)))
    start = np.where(ended, 0, generator.random(states))
    policy = generator.dirichlet(np.full(actions, 0.5), size=states)
    return World(dynamics, rewards, start / start.sum(), ended), policy


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([1.0, 0.9, 0.3]), st.floats(0.01, 50), st.booleans())
def test_bounds_and_invariance(seed: int, horizon: int, discount: float, scale: float, negative: bool) -> None:
    world, policy = random_world(seed)
    settings_: Any = {"horizon": horizon, "discount": discount}
    found = GoalDirectedness(**settings_).of_policy(policy, world)
    most = (discount ** np.arange(horizon)).sum() * np.log(3)
    assert 0 <= found.value <= most + 1e-9
    assert found.diagnostics["normalized"] == pytest.approx(found.value / most)
    turned = -scale if negative else scale
    again = GoalDirectedness(**settings_).of_policy(policy, world, turned * world.rewards + 2.5)
    assert again.value == pytest.approx(found.value, abs=1e-7)
    if not found.diagnostics["limit"] and found.value > 1e-6:
        assert again.diagnostics["beta"] * turned == pytest.approx(found.diagnostics["beta"], rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.sampled_from([1.0, 0.8]))
def test_at_the_best_beta_the_return_is_matched(seed: int, horizon: int, discount: float) -> None:
    world, policy = random_world(seed)
    found = GoalDirectedness(horizon=horizon, discount=discount).of_policy(policy, world)
    if found.diagnostics["limit"] or abs(found.diagnostics["beta"]) > 30:
        return
    soft, value = soft_policy(world, world.rewards, beta=found.diagnostics["beta"], horizon=horizon, discount=discount)
    earned = (occupancy(world, soft, horizon=horizon, discount=discount) * world.rewards).sum()
    wanted = expected_return(world, policy, horizon=horizon, discount=discount)
    assert earned == pytest.approx(wanted, abs=1e-5)
    decisions = (discount ** np.arange(horizon)).sum() * np.log(3)
    assert found.value == pytest.approx(found.diagnostics["beta"] * wanted - world.start @ value + decisions, abs=1e-8)


@pytest.mark.parametrize("beta", [-2.0, 0.3, 40.0])
def test_slope_and_bend_are_derivatives(beta: float) -> None:
    world, _ = random_world(5)
    step = 1e-4
    betas = np.array([beta - step, beta, beta + step])
    for soft in soft_backups(world, world.rewards, betas, horizon=4, discount=0.9):
        low, here, high = soft.log
        np.testing.assert_allclose((high - low) / (2 * step), soft.slope[1], atol=1e-5)
        np.testing.assert_allclose((high + low - 2 * here) / step**2, soft.bend[1], atol=1e-4)


def test_soft_policies_are_stable_at_any_temperature() -> None:
    world = cliff()
    for beta in (-1e6, 1e6):
        policy, value = soft_policy(world, world.rewards, beta=beta, horizon=10)
        np.testing.assert_allclose(policy.sum(-1), 1.0)
        assert np.isfinite(value).all()


# Unknown utilities


def test_an_unknown_goal_explains_the_mouse_as_well_as_the_known_one() -> None:
    """The cheese lies left or right; going there leads to a place of its own."""
    dynamics = np.zeros((4, 2, 4))
    for side in (0, 1):
        dynamics[side, side, 2] = dynamics[side, 1 - side, 3] = 1.0
    dynamics[2, :, 2] = dynamics[3, :, 3] = 1.0
    mouse = World(dynamics, np.zeros((4, 2)), np.array([0.5, 0.5, 0, 0]), np.array([False, False, True, True]))
    for chance, nats in ((0.9, 0.368064), (0.2, 0.192745)):
        policy = np.array([[chance, 1 - chance], [1 - chance, chance], [0.5, 0.5], [0.5, 0.5]])
        found = GoalDirectedness(known=False, horizon=1).of_policy(policy, mouse, [0, 0, 1, 0])
        assert found.value == pytest.approx(nats, abs=1e-6)
        assert np.sign(found.diagnostics["utility"][1] - found.diagnostics["utility"][0]) == np.sign(chance - 0.5)


def test_variables_that_cannot_be_influenced_explain_nothing() -> None:
    """A place that obeys and weather that does not."""
    dynamics = np.einsum("an,wm->awnm", np.eye(2), [[0.7, 0.3], [0.4, 0.6]]).reshape(1, 2, 2, 4)
    dynamics = np.broadcast_to(dynamics.transpose(0, 2, 1, 3), (2, 2, 2, 4)).reshape(4, 2, 4)
    world = World(dynamics.copy(), np.zeros((4, 2)), np.full(4, 0.25), np.zeros(4, dtype=bool))
    policy = np.tile([0.1, 0.9], (4, 1))
    assert GoalDirectedness(known=False, horizon=3).of_policy(policy, world, [0, 1, 0, 1]).value == pytest.approx(
        0, abs=1e-9
    )
    per_decision = np.log(2) + 0.1 * np.log(0.1) + 0.9 * np.log(0.9)
    assert GoalDirectedness(known=False, horizon=3).of_policy(policy, world, [0, 0, 1, 1]).value == pytest.approx(
        3 * per_decision, abs=1e-6
    )
    assert GoalDirectedness(known=False, horizon=3).of_policy(np.full((4, 2), 0.5), world).value == pytest.approx(
        0, abs=1e-9
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([1.0, 0.7]))
def test_the_best_utility_explains_at_least_what_any_other_does(seed: int, horizon: int, discount: float) -> None:
    world, policy = random_world(seed)
    table = np.random.default_rng(seed).normal(size=world.states)
    given_utility = world.dynamics @ table
    settings_: Any = {"horizon": horizon, "discount": discount}
    best = GoalDirectedness(known=False, **settings_).of_policy(policy, world)
    some = GoalDirectedness(**settings_, largest=20).of_policy(policy, world, given_utility)
    if not world.ended.any():
        assert best.value >= some.value - 1e-6
    coarse = GoalDirectedness(known=False, **settings_).of_policy(policy, world, [0, 0, 1, 1])
    assert best.value >= coarse.value - 1e-6
    again = GoalDirectedness(**settings_).of_policy(policy, world, world.dynamics @ best.diagnostics["utility"])
    assert again.value >= best.value - 1e-6


# Episodes


def episodes(world: World, policy: Any, count: int, horizon: int, seed: int) -> tuple[list[Any], list[Any]]:
    """States and actions of so many episodes of a policy (t, s, a)."""
    generator = np.random.default_rng(seed)
    here = generator.choice(world.states, p=world.start, size=count)
    states, actions = [], []
    for table in np.broadcast_to(policy, (horizon, *world.rewards.shape)):
        action = (table[here].cumsum(1) < generator.random((count, 1))).sum(1).clip(max=world.actions - 1)
        states.append(here)
        actions.append(action)
        here = (world.dynamics[here, action].cumsum(1) < generator.random((count, 1))).sum(1).clip(max=world.states - 1)
    return list(np.array([*states, here]).T), list(np.array(actions).T)


def test_many_episodes_tell_what_the_policy_tells() -> None:
    world = cliff()
    policy = optimal(world, 10, 0.3)
    states, actions = episodes(world, policy, 4000, 10, seed=0)
    generator = np.random.default_rng(1)
    found = GoalDirectedness(horizon=10, surrogates=0).estimate(states, actions, world, generator=generator)
    assert found.interval is not None
    assert found.interval.high - found.interval.low < 0.08
    assert found.interval.low < 0.968976 < found.interval.high
    assert found.diagnostics["beta"] == pytest.approx(0.1343, abs=0.005)


def test_the_excess_is_half_a_nat_over_the_number_where_the_model_is_right() -> None:
    world, _ = random_world(2)
    policy, _ = soft_policy(world, world.rewards, beta=0.5, horizon=3)
    states, actions = episodes(world, policy, 5000, 3, seed=0)
    decisions = Decisions.of_behavior(Behavior.of(world, states, actions, most=3), world.actions, 1.0)
    found = fit(world, world.rewards, decisions, discount=1.0, largest=np.inf)
    assert found.excess[0] == pytest.approx(1 / (2 * 5000), rel=0.05)


def test_decisions_after_the_end_count_as_chance_and_those_after_the_horizon_not_at_all() -> None:
    mouse = seen(2, 2)
    states = [[0, 2], [1, 2], [0, 2], [1, 2]] * 10
    actions = [[0], [1], [0], [0]] * 10
    generator = np.random.default_rng(0)
    once = GoalDirectedness(horizon=1, surrogates=0).estimate(states, actions, mouse, generator=generator)
    long = GoalDirectedness(horizon=5, surrogates=0).estimate(states, actions, mouse, generator=generator)
    assert long.value == pytest.approx(once.value)
    assert long.warnings == once.warnings == ()
    assert long.diagnostics["normalized"] == pytest.approx(once.value / (5 * np.log(2)))
    more = GoalDirectedness(horizon=1, surrogates=0).estimate(
        [[*each, 2] for each in states], [[*each, 1] for each in actions], mouse, generator=generator
    )
    assert more.value == once.value
    assert more.samples == 40


def test_episodes_that_were_cut_are_said_to_be() -> None:
    world = cliff()
    states, actions = episodes(world, optimal(world, 6, 0.5), 30, 6, seed=0)
    generator = np.random.default_rng(0)
    found = GoalDirectedness(horizon=10, surrogates=9).estimate(states, actions, world, generator=generator)
    assert found.warnings == (
        "30 episodes were cut before the horizon of 10 decisions, the rest of which counts as random: choose a horizon "
        "of at most 6, or record longer ones",
    )
    like = Behavior.of(world, states, actions, most=10)
    assert (random_behavior(world, like, 3, generator).valid.sum(1) == 6).all()


def test_a_random_walk_follows_the_world() -> None:
    world, _ = random_world(3)
    states, actions = episodes(world, np.full((4, 3), 1 / 3), 500, 6, seed=0)
    like = Behavior.of(world, states, actions, most=6)
    walk = random_behavior(world, like, 20, np.random.default_rng(1))
    assert (walk.states[:, 0] == np.tile(like.states[:, 0], 20)).all()
    counts = np.zeros((4, 3, 4))
    np.add.at(counts, (walk.states[:, :-1], walk.actions[:, :-1], walk.states[:, 1:]), 1)
    total = counts.sum(-1, keepdims=True)
    error = np.sqrt(world.dynamics * (1 - world.dynamics) / np.maximum(total, 1))
    assert (np.abs(counts / np.maximum(total, 1) - world.dynamics) <= 4.5 * error + (total == 0)).all()
    assert counts.sum((0, 2)) / counts.sum() == pytest.approx(np.full(3, 1 / 3), abs=0.01)


def test_a_sample_without_a_mistake_has_the_limit_and_says_so() -> None:
    mouse = seen(2, 2)
    generator = np.random.default_rng(0)
    found = GoalDirectedness(horizon=1, surrogates=99).estimate(
        [[0], [1]] * 20, [[0], [1]] * 20, mouse, generator=generator
    )
    assert found.value == pytest.approx(np.log(2))
    assert found.diagnostics["beta"] == np.inf
    assert "beta is unbounded" in found.warnings[0]
    assert found.null is not None
    assert found.null.p_value == 0.01


def test_held_out_episodes_expose_a_utility_that_fits_chance() -> None:
    world = cliff(columns=5)
    generator = np.random.default_rng(0)
    noise = episodes(world, np.full((20, 4), 0.25), 60, 6, seed=0)
    nothing = GoalDirectedness(known=False, horizon=6).estimate(*noise, world, generator=generator)
    assert nothing.value < 0
    assert nothing.null is not None
    assert nothing.null.p_value > 0.05
    policy = optimal(world, 6, 0.2)
    recorded = episodes(world, policy, 60, 6, seed=0)
    something = GoalDirectedness(known=False, horizon=6).estimate(*recorded, world, generator=generator)
    assert something.null is not None
    assert something.null.p_value < 0.001


def test_held_out_episodes_explain_less_than_the_policy_on_average() -> None:
    world = cliff(columns=5)
    policy = optimal(world, 6, 0.2)
    exact = GoalDirectedness(known=False, horizon=6).of_policy(policy, world).value
    found = [
        GoalDirectedness(known=False, horizon=6)
        .estimate(*episodes(world, policy, 60, 6, seed=seed), world, generator=np.random.default_rng(seed))
        .value
        for seed in range(8)
    ]
    assert exact - 1.0 < np.mean(found) < exact + 3 * np.std(found, ddof=1) / np.sqrt(8)


# Metric


def test_of_an_agent_exactly_and_of_its_record() -> None:
    world = World.of(make(TwoPlaces()).truth())
    policy = np.array([[0.2, 0.8], [0.3, 0.7]])
    exact = measure(GoalDirectedness(horizon=10, exact=True), Subject(agent=Table(policy), environment=TwoPlaces))
    assert exact.value == pytest.approx(GoalDirectedness(horizon=10).of_policy(policy, world).value)
    assert exact.outside_null is True
    record = run(Table(policy), TwoPlaces, Schedule(episodes=100), seed=0)
    metric = GoalDirectedness(horizon=10, surrogates=39)
    sampled = measure(metric, Subject(record=record, environment=TwoPlaces))
    assert sampled.interval is not None
    assert sampled.interval.low < exact.value < sampled.interval.high
    assert sampled.outside_null is True
    assert measure(metric, Subject(record=record, environment=TwoPlaces)) == sampled
    tossed = run(Coin(), TwoPlaces, Schedule(episodes=100), seed=0)
    assert measure(metric, Subject(record=tossed, environment=TwoPlaces)).outside_null is False


def test_a_cost_counts_while_the_episode_lasts() -> None:
    def environment() -> GridWorld:
        return GridWorld(["S..G"], steps=12)

    world = World.of(environment().true_model())
    policy = np.tile([0.1, 0.1, 0.6, 0.1, 0.1], (4, 1))
    utility = np.where(world.ended[:, None], 0, world.rewards - 0.2)
    found = measure(GoalDirectedness(cost=0.2, exact=True), Subject(agent=Table(policy), environment=environment))
    assert found.value == pytest.approx(GoalDirectedness(horizon=12).of_policy(policy, world, utility).value)
    assert "less 0.2 per step" in found.frame.goal
    record = run(Table(policy), environment, Schedule(episodes=50), seed=0)
    sampled = measure(GoalDirectedness(cost=0.2, surrogates=19), Subject(record=record, environment=environment))
    assert sampled.warnings == ()
    assert sampled.interval is not None
    assert sampled.interval.low < found.value < sampled.interval.high


def test_a_record_is_read_as_states_and_actions() -> None:
    record = run(Coin(), TwoPlaces, Schedule(episodes=3), seed=0)
    world, states, actions = recorded_behavior(record, TwoPlaces)
    assert world.states == 2
    first = record.episodes()[0].arrays
    assert states[0].tolist() == [*first["obs"].ravel().tolist(), int(first["next_obs"].ravel()[-1])]
    assert actions[0].tolist() == first["action"].ravel().tolist()
    elsewhere = run(Table(np.full((12, 5), 0.2)), GridWorld, Schedule(episodes=1), seed=0)
    with pytest.raises(UserError, match="no state of this world"):
        recorded_behavior(elsewhere, TwoPlaces)


@pytest.mark.parametrize(
    ("parameters", "goal", "message"),
    [
        ({"horizon": 0}, None, "a horizon >= 1"),
        ({"horizon": 1}, [1.0], "a utility in this world is finite numbers"),
        ({"horizon": 1}, [[0, 1], [1, 0], [0, 1]], "the same for every action once the episode has ended"),
        ({"largest": 0}, None, "the largest inverse temperature"),
    ],
)
def test_what_has_no_goal_directedness_is_refused(parameters: dict[str, Any], goal: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        GoalDirectedness(**parameters).of_policy(np.full((3, 2), 0.5), seen(2, 2), goal)


def test_other_things_are_refused() -> None:
    mouse, generator = seen(2, 2), np.random.default_rng(0)
    with pytest.raises(UserError, match="one table for each of 2 steps, got 3"):
        GoalDirectedness(horizon=2).of_policy(np.full((3, 3, 2), 0.5), mouse)
    with pytest.raises(UserError, match="at least 2 of them, got 1"):
        GoalDirectedness(horizon=1).estimate([[0]], [[0]], mouse, generator=generator)
    with pytest.raises(UserError, match="as many states or one more"):
        GoalDirectedness(horizon=1).estimate([[0], [1]], [[0], []], mouse, generator=generator)
    with pytest.raises(UserError, match="states must be whole numbers from 0 to 2"):
        GoalDirectedness(horizon=1).estimate([[3], [1]], [[0], [0]], mouse, generator=generator)
    with pytest.raises(UserError, match="at least 5 of them, got 2"):
        GoalDirectedness(known=False, horizon=1).estimate([[0], [1]], [[0], [0]], mouse, generator=generator)
    with pytest.raises(UserError, match="labels name the value"):
        GoalDirectedness(known=False, horizon=1).of_policy(np.full((3, 2), 0.5), mouse, [0, 1])
    lonely = World(np.ones((1, 1, 1)), np.ones((1, 1)), np.ones(1), np.zeros(1, dtype=bool))
    with pytest.raises(UserError, match="one action"):
        GoalDirectedness(horizon=1).of_policy([[1.0]], lonely)
    with pytest.raises(UserError, match="known=false"):
        GoalDirectedness(variables=(0,))
    with pytest.raises(UserError, match="factors of the state from 0 to 0"):
        measure(GoalDirectedness(known=False, variables=(1,), exact=True), Subject(agent=Coin(), environment=TwoPlaces))
    with pytest.raises(UserError, match="a horizon >= 1"):
        GoalDirectedness(horizon=0)
