"""States that end an episode by chance: planners, energies and metrics agree with what is lived."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from agentic import Agent, Change, EnergyAgent, Purpose, Schedule, Subject, Truth, World, make, measure, run
from agentic_agents.clone import Clone
from agentic_agents.planner import Planner
from agentic_energies.categorical import CategoricalModel
from agentic_energies.reward import Reward
from agentic_metrics import (
    Controllability,
    Empowerment,
    EpisodeReturn,
    GoalDirectedness,
    IntentionalStance,
    PlanningDepth,
    PolicyAdaptation,
    PolicyComplexity,
    Simulation,
    expected_return,
    optimal_return,
    query,
)
from agentic_metrics.interventions import changes
from agentic_optimizers.backups import Max
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch

STEPS = 10


def deadly(risk: float = 0.5) -> Truth:
    """A start, a place that pays 1 and is fatal half of the time, and a safe one that pays .6."""
    moves = np.zeros((3, 3, 2))
    moves[1, 0, 0] = moves[2, 0, 1] = moves[1, 1] = moves[2, 2] = 1
    rewards = np.array([[0, 0], [1, 1], [0.6, 0.6]])
    start, ends = np.array([1.0, 0, 0]), np.array([0, risk, 0])
    return {"A": [np.eye(3)], "B": [moves], "D": [start], "rewards": rewards, "ends": ends}


def unfolded(truth: Truth) -> Truth:
    """The same world with the end of each state that ends by chance as a state of its own, which can be seen."""
    states, actions = truth["rewards"].shape
    fatal = [s for s in range(states) if 0 < truth["ends"][s] < 1]
    count = states + len(fatal)
    moves, rewards, ends = np.zeros((count, count, actions)), np.zeros((count, actions)), np.zeros(count)
    moves[:states, :states], rewards[:states], ends[:states] = truth["B"][0], truth["rewards"], truth["ends"] == 1
    for over, s in enumerate(fatal, states):
        moves[over, :states] = moves[s, :states] * truth["ends"][s]
        moves[s, :states] *= 1 - truth["ends"][s]
        moves[over, over], ends[over] = 1, 1
    start = np.append(truth["D"][0], np.zeros(len(fatal)))
    return {"A": [np.eye(count)], "B": [moves], "D": [start], "rewards": rewards, "ends": ends}


def randomly(seed: int, states: int = 4, actions: int = 2) -> Truth:
    draw = np.random.default_rng(seed)
    moves = draw.dirichlet(np.full(states, 0.4), (states, actions)).transpose(2, 0, 1).copy()
    ends = draw.choice([0.0, 0.05, 0.5, 0.9, 1.0], states)
    ends[0], rewards = draw.choice([0.0, 0.3]), draw.normal(size=(states, actions)).round(1)
    moves[:, ends == 1], rewards[ends == 1] = np.eye(states)[:, ends == 1, None], 0.0
    return {"A": [np.eye(states)], "B": [moves], "D": [np.eye(states)[0]], "rewards": rewards, "ends": ends}


def enumerated(truth: Truth, policy: Any, horizon: int, discount: float) -> float:
    """The expected return: the sum over all courses of states and actions of what their last step pays."""
    states, actions = truth["rewards"].shape
    total = 0.0
    for length in range(1, horizon + 1):
        for went, did in product(product(range(states), repeat=length), product(range(actions), repeat=length)):
            weight = truth["D"][0][went[0]] * policy[went[0], did[0]]
            for t in range(1, length):
                enters = truth["B"][0][went[t], went[t - 1], did[t - 1]] * (1 - truth["ends"][went[t]])
                weight *= enters * policy[went[t], did[t]]
            total += weight * discount ** (length - 1) * truth["rewards"][went[-1], did[-1]]
    return float(total)


def energetic(env: Any, horizon: int) -> EnergyAgent:
    model, reward = CategoricalModel.from_env(env), Reward.from_env(env)
    return EnergyAgent(model, Purpose(reward, horizon), Mirror(), TreeSearch(Max()))


def agents(truth: Truth, horizon: int) -> dict[str, Agent]:
    env = make(lambda: Simulation(truth))
    planner = Planner.from_env(env, horizon, discount=1.0)
    return {"planner": planner, "energy": energetic(env, horizon), "clone": Clone.from_env(env, planner)}


@pytest.mark.parametrize("risk", [0.5, 0.0, 1.0, 0.1, 0.05])
def test_the_best_return_counts_that_one_may_die(risk: float) -> None:
    paid = sum((1 - risk) ** t for t in range(1, STEPS))
    expected = {0.5: 5.4, 0.0: 9.0, 1.0: 5.4}.get(risk, max(5.4, paid))
    world = World.of(deadly(risk))
    assert optimal_return(world, horizon=STEPS) == pytest.approx(expected, abs=1e-12)
    assert world.planned_policy(depth=STEPS)[0].argmax() == int(paid < 5.4)


@pytest.mark.parametrize("name", ["planner", "energy", "clone"])
def test_what_is_exact_is_what_is_lived(name: str) -> None:
    for risk, best in ((0.5, 5.4), (0.05, sum(0.95**t for t in range(1, STEPS)))):
        agent = agents(deadly(risk), STEPS)[name]
        subject = Subject(agent=agent, environment=lambda risk=risk: Simulation(deadly(risk), steps=STEPS))  # type: ignore[misc]
        assert measure(EpisodeReturn(exact=True, horizon=STEPS), subject).value == pytest.approx(best)
        assert measure(EpisodeReturn(exact=True, horizon=STEPS, relative=True), subject).value == pytest.approx(1)
        returns = np.array(run(agent, make(subject.environment), Schedule(episodes=400), seed=0).returns())
        assert abs(returns.mean() - best) <= 3 * returns.std() / 20 + 1e-9


@pytest.mark.parametrize(("risk", "best"), [(1.0, 3.0), (0.5, 3 * (1 - 0.5**6) / 0.5)])
@pytest.mark.parametrize("name", ["planner", "energy", "clone"])
def test_an_episode_may_begin_where_entering_would_end_it(name: str, risk: float, best: float) -> None:
    bandit: Truth = {
        "A": [np.eye(1)],
        "B": [np.ones((1, 1, 2))],
        "D": [np.ones(1)],
        "rewards": np.array([[1.0, 3.0]]),
        "ends": np.array([risk]),
    }
    agent = agents(bandit, 6)[name]
    subject = Subject(agent=agent, environment=lambda: Simulation(bandit, steps=6))
    assert optimal_return(World.of(bandit), horizon=6) == pytest.approx(best)
    assert measure(EpisodeReturn(exact=True, horizon=6), subject).value == pytest.approx(best)
    returns = np.array(run(agent, make(subject.environment), Schedule(episodes=400), seed=0).returns())
    assert abs(returns.mean() - best) <= 3 * returns.std() / 20 + 1e-9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), horizon=st.integers(1, 3), discount=st.sampled_from([1.0, 0.9]))
def test_returns_are_those_of_all_courses(seed: int, horizon: int, discount: float) -> None:
    truth = randomly(seed, states=3)
    policy = np.random.default_rng(seed).dirichlet(np.ones(2), 3)
    world, span = World.of(truth), {"horizon": horizon, "discount": discount}
    table = policy[world.origin]
    assert_allclose(expected_return(world, table, **span), enumerated(truth, policy, horizon, discount), atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), horizon=st.integers(1, 4))
def test_planner_and_energy_are_the_best_there_is(seed: int, horizon: int) -> None:
    truth = randomly(seed)
    world = World.of(truth)
    values = world.action_values(depth=horizon)
    for name, agent in agents(truth, horizon).items():
        table = query(agent, truth, generator=np.random.default_rng(0))
        assert table.shape == world.rewards.shape
        counts = ~world.ended
        assert_allclose((table * values).sum(1)[counts], values.max(1)[counts], atol=1e-6, err_msg=name)


@given(seed=st.integers(0, 10**6))
def test_a_world_is_that_in_which_the_end_is_a_state(seed: int) -> None:
    one, other = World.of(randomly(seed)), World.of(unfolded(randomly(seed)))
    for name in ("dynamics", "rewards", "start", "ended"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert_allclose(one.merged().dynamics, randomly(seed)["B"][0].transpose(1, 2, 0), atol=1e-15)


EXACT = {
    "return": EpisodeReturn(exact=True, horizon=6),
    "adaptation": PolicyAdaptation(interventions=6, horizon=6, kinds=("remap",)),
    "directedness": GoalDirectedness(exact=True, horizon=6),
    "directedness, best utility": GoalDirectedness(exact=True, known=False, horizon=4),
    "depth": PlanningDepth(exact=True),
    "complexity": PolicyComplexity(exact=True),
    "empowerment": Empowerment(horizon=2),
}


@pytest.mark.parametrize("name", list(EXACT))
def test_metrics_do_not_mind_whether_the_end_can_be_seen(name: str) -> None:
    for seed in range(3):
        truths = [deadly(0.3 + 0.2 * seed), unfolded(deadly(0.3 + 0.2 * seed))]
        one, other = (
            measure(EXACT[name], Subject(agent=agents(t, 6)["planner"], environment=lambda t=t: Simulation(t)), seed=1)  # type: ignore[misc]
            for t in truths
        )
        assert np.isfinite(one.value)
        assert one.value == pytest.approx(other.value, abs=1e-9), seed


def test_what_actions_decide_does_not_depend_on_whether_it_is_survived() -> None:
    def found(metric: Any, risk: float) -> float:
        return float(measure(metric, Subject(environment=lambda: Simulation(deadly(risk)))).value)

    assert found(Empowerment(horizon=1), 0.5) == pytest.approx(found(Empowerment(horizon=1), 0.0))
    assert Controllability(horizon=1).of_world(World.of(deadly(0.5))).value == pytest.approx(
        Controllability(horizon=1).of_world(World.of(deadly(0.0))).value
    )
    stance = IntentionalStance()
    assert_array_equal(stance.goals(World.of(deadly(0.5))), stance.goals(World.of(deadly(0.0))))


def test_changes_keep_the_ends() -> None:
    truth = deadly(0.3)
    for changed in (
        changes.swap(truth, 1.0, 0.6),
        changes.devalue(truth, 1.0, 0.2),
        changes.slip(truth, 0.4),
        changes.remap(truth, [1, 0]),
        changes.wall(truth, [(0, 1)]),
        changes.free(truth, 1.0),
        changes.blur(truth, 0.0),
    ):
        assert_array_equal(changed["ends"], truth["ends"])
        assert changed["B"][0].shape == (3, 3, 2)
    assert_allclose(changes.joined(truth)["B"][0], truth["B"][0], atol=1e-15)
    assert_array_equal(changes.swap(truth, 1.0, 0.6)["rewards"][:, 0], [0, 0.6, 1])


def test_a_record_tells_who_died_of_who_was_stopped() -> None:
    subject = Subject(agent=agents(deadly(0.05), 6)["planner"], environment=lambda: Simulation(deadly(0.05), steps=6))
    recorded = subject.recorded(episodes=300)
    exact = measure(GoalDirectedness(exact=True, horizon=6), subject).value
    sampled = measure(GoalDirectedness(horizon=6, surrogates=0), recorded)
    assert sampled.interval is not None
    assert sampled.interval.low - 0.05 <= exact <= sampled.interval.high + 0.05


def test_informed_of_ends_by_chance_a_planner_plans_anew() -> None:
    env, changed = make(lambda: Simulation(deadly(0.0))), make(lambda: Simulation(deadly(0.5)))
    planner = Planner.from_env(env, STEPS, discount=1.0)
    assert planner.policy[0].argmax() == 0
    assert planner.informed(Change(model=changed)).policy[0].argmax() == 1
    assert planner.informed(Change(goal=changed)).policy[0].argmax() == 0
    assert planner.informed(Change(goal=changed, model=changed)).policy[0].argmax() == 1


def mined() -> Truth:
    """Two places that look alike, one of which kills half of the time and both of which pay 1; one may leave for .6."""
    moves = np.zeros((3, 3, 2))
    moves[np.arange(3), np.arange(3), 0] = moves[2, :, 1] = 1
    looks = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    rewards = np.array([[1.0, 1.0], [1.0, 1.0], [0.6, 0.6]])
    return {
        "A": [looks],
        "B": [moves],
        "D": [np.array([0.5, 0.5, 0])],
        "rewards": rewards,
        "ends": np.array([0.5, 0, 0]),
    }


def test_beliefs_know_that_one_has_survived() -> None:
    agent = energetic(make(lambda: Simulation(mined())), 4)
    draws = torch.Generator().manual_seed(0)
    state, looks, beliefs = agent.start(1, generator=draws), torch.tensor([[1.0, 0.0]]), []
    stay = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    for _ in range(4):
        decision = agent.decide(state, looks, generator=draws)
        assert decision.belief is not None
        beliefs.append(float(decision.belief.mean[0, 0]))
        assert_array_equal(decision.action.numpy(), stay.numpy())
        state = decision.state
    assert_allclose(beliefs, [1 / 2, 1 / 3, 1 / 5, 1 / 9])
