"""Invariances of exact metrics: states that cannot be met, what is paid there, and the names of states and actions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from agentic import Subject, measure
from agentic_metrics import (
    Controllability,
    EffectiveInformation,
    GoalDirectedness,
    IntentionalStance,
    InverseTemperature,
    Payoff,
    PlanningDepth,
    PolicyComplexity,
    World,
    optimal_return,
)
from agentic_metrics.finite.places import choices, reached
from tests.metrics.agents import Table

Floats = NDArray[np.float64]
STATES, ACTIONS = 4, 3


def known(seed: int) -> tuple[World, Floats]:
    """A random world all of whose states can be met, the last of them its end, and a random policy."""
    source = np.random.default_rng(seed)
    dynamics = source.dirichlet(np.ones(STATES), size=(STATES, ACTIONS))
    dynamics[-1] = np.eye(STATES)[-1]
    rewards = source.normal(size=(STATES, ACTIONS)).round(2)
    rewards[-1] = 0.0
    start = np.append(source.dirichlet(np.ones(STATES - 1)), 0.0)
    world = World(dynamics, rewards, start, np.arange(STATES) == STATES - 1)
    return world, source.dirichlet(np.ones(ACTIONS), size=STATES)


def with_others(world: World, policy: Floats, paid: float) -> tuple[World, Floats]:
    """The same with two more states, from which one gets everywhere and to which nothing leads; they pay well."""
    dynamics = np.zeros((STATES + 2, ACTIONS, STATES + 2))
    dynamics[:STATES, :, :STATES] = world.dynamics
    dynamics[STATES:] = 1 / (STATES + 2)
    rewards = np.vstack([world.rewards, paid * np.arange(2 * ACTIONS).reshape(2, ACTIONS)])
    more = World(dynamics, rewards, np.append(world.start, [0.0, 0.0]), np.append(world.ended, [False, False]))
    return more, np.vstack([policy, np.eye(ACTIONS)[:2]])


def evidence(world: World, policy: Floats) -> tuple[float, ...]:
    source, states, chosen = np.random.default_rng(0), [0], []
    for _ in range(30):
        chosen.append(int(source.choice(ACTIONS, p=policy[states[-1]])))
        law = world.dynamics[states[-1], chosen[-1]][: STATES - 1]  # without its end
        states.append(int(source.choice(STATES - 1, p=law / law.sum())))
    found = IntentionalStance().evidence(np.array(states), np.array(chosen), world)
    return found.log_agent, found.log_device


def depth(world: World, policy: Floats, **parameters: Any) -> tuple[float, ...]:
    found = PlanningDepth(exact=True, deepest=4, **parameters).of_policy(policy, world)
    return found.value, found.diagnostics["log_likelihood"]


def directed(world: World, policy: Floats, **parameters: Any) -> tuple[float, ...]:
    found = GoalDirectedness(horizon=5, **parameters).of_policy(policy, world)
    return found.value, found.diagnostics["normalized"]


EXACT: dict[str, Callable[[World, Floats], tuple[float, ...]]] = {
    "goal-directedness": directed,
    "goal-directedness, beta at most 2": lambda world, policy: directed(world, policy, largest=2.0),
    "goal-directedness, unknown goal": lambda world, policy: directed(world, policy, known=False),
    "planning depth, states alike": depth,
    "planning depth, own states": lambda world, policy: depth(world, policy, weights="own"),
    "inverse temperature": lambda world, policy: (InverseTemperature(depth=5).of_policy(policy, world).value,),
    "intentional stance": evidence,
    "controllability": lambda world, _: (Controllability(horizon=3).of_world(world).diagnostics["choice"],),
    "optimal return": lambda world, _: (optimal_return(world, horizon=5),),
    "amounts": lambda world, _: tuple(Payoff.of(world).amounts),
    "places to choose": lambda world, _: (float(choices(world).sum()),),
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("paid", [0.0, 1.0, 1e9])
@given(seed=st.integers(0, 1000))
@settings(max_examples=6, deadline=None)
def test_states_that_cannot_be_met_count_for_nothing(name: str, paid: float, seed: int) -> None:
    world, policy = known(seed)
    found = EXACT[name](*with_others(world, policy, paid))
    assert found == pytest.approx(EXACT[name](world, policy), rel=1e-6, abs=1e-4 if "unknown" in name else 1e-7)


@pytest.mark.parametrize("name", EXACT)
@given(seed=st.integers(0, 1000), states=st.permutations(range(STATES)), actions=st.permutations(range(ACTIONS)))
@settings(max_examples=6, deadline=None)
def test_states_and_actions_are_names(name: str, seed: int, states: list[int], actions: list[int]) -> None:
    if name == "intentional stance":
        return  # its record is drawn from the names
    world, policy = known(seed)
    dynamics = world.dynamics[states][:, actions][:, :, states]
    renamed = World(dynamics, world.rewards[states][:, actions], world.start[states], world.ended[states])
    found = EXACT[name](renamed, policy[states][:, actions])
    assert found == pytest.approx(EXACT[name](world, policy), rel=1e-6, abs=1e-4 if "unknown" in name else 1e-7)


def test_a_record_is_explained_by_what_could_have_been_earned() -> None:
    """Of a record, payments count of the states that can be met from where its episodes started."""
    world, policy = known(0)
    source, states, chosen = np.random.default_rng(1), [], []
    for _ in range(20):
        here = [int(source.choice(STATES, p=world.start))]
        done: list[int] = []
        while not world.ended[here[-1]] and len(done) < 5:
            done.append(int(source.choice(ACTIONS, p=policy[here[-1]])))
            here.append(int(source.choice(STATES, p=world.dynamics[here[-1], done[-1]])))
        states.append(np.array(here))
        chosen.append(np.array(done))
    metric = GoalDirectedness(horizon=5, largest=2.0, surrogates=9)
    found = [
        metric.estimate(states, chosen, each, generator=np.random.default_rng(0))
        for each in (world, with_others(world, policy, 1e9)[0])
    ]
    assert found[1].value == pytest.approx(found[0].value, abs=1e-9)
    assert found[1].null == found[0].null


def test_states_below_the_cliff_are_not_set_by_hand() -> None:
    """Nobody is ever in the ten cells of the cliff: of 48 states, 37 are ones in which something is done."""
    subject = Subject(agent=Table(np.full((48, 4), 0.25)), environment=lambda: gymnasium.make("CliffWalking-v1"))
    found = measure(EffectiveInformation(), subject)
    assert found.diagnostics["states"] == 37
    alike = measure(PolicyComplexity(exact=True, weights="uniform"), subject)
    assert alike.value == pytest.approx(0, abs=1e-12)


def test_what_can_be_met_depends_on_where_one_starts() -> None:
    world, _ = known(2)
    ring = replace(world, dynamics=np.tile(np.eye(STATES)[[1, 2, 3, 3]][:, None], (1, ACTIONS, 1)))
    assert reached(ring, np.array([1])).tolist() == [False, True, True, True]
