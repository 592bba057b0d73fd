"""A planner and what was copied from it: the same table, of which one changes with the world."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agentic import Agent, Change, Experiment, Schedule, UserError, World, load, make, run, ticks
from agentic.agents import policy_table
from agentic.experiments.build import build
from agentic.testing.worlds import TwoPlaces
from agentic_agents.clone import Clone
from agentic_agents.habit import Habit
from agentic_agents.planner import Planner
from agentic_agents.random import RandomAgent
from agentic_metrics import Simulation, battery_policies, battery_truth
from agentic_metrics.interventions.battery import CHANGES

TRUTH = battery_truth()
WORLD = World.of(TRUTH)
GRID = {"id": "agentic/GridWorld-v0", "kwargs": {"layout": [3, 3], "goals": [[2, 2, 1.0], [0, 2, 0.6]]}}


def battery(truth: Any = TRUTH) -> Any:
    return make(lambda: Simulation(truth))


def table(agent: Agent, truth: Any = TRUTH) -> Any:
    return policy_table(agent, truth, generator=torch.Generator().manual_seed(0))


def built(agent: Any, env: Any = GRID, **tables: Any) -> Any:
    return build(Experiment.of({"env": env, "agent": agent, **tables}), load())


@pytest.mark.parametrize("depth", [1, 3, 5, 40])
def test_a_planner_follows_its_table(depth: int) -> None:
    agent = Planner.from_env(battery(), depth)
    np.testing.assert_array_equal(table(agent), battery_policies()[f"planner-{depth}"](WORLD))


@pytest.mark.parametrize("change", CHANGES)
def test_informed_of_another_world_it_plans_anew_and_its_clone_does_not(change: str) -> None:
    planner = Planner.from_env(battery(), 40)
    clone = Clone.from_env(battery(), planner)
    np.testing.assert_array_equal(table(clone), table(planner))
    changed = CHANGES[change](TRUTH)
    news = Change(goal=battery(changed), model=battery(changed))
    after = World.of(changed).planned_policy(depth=40, discount=0.9)
    np.testing.assert_array_equal(table(planner.informed(news)), after)
    assert np.abs(after - table(planner)).max() > 0
    assert clone.informed(news) is clone
    assert clone.learner is None


def test_informed_of_the_goal_alone_it_keeps_its_idea_of_how_things_move() -> None:
    swapped, remapped = (CHANGES[name](TRUTH) for name in ("swap", "remap"))
    message = Planner.from_env(battery(), 40).informed(Change(goal=battery(swapped), model=battery(remapped)))
    both = World(World.of(remapped).dynamics, World.of(swapped).rewards, WORLD.start, WORLD.ended)
    np.testing.assert_array_equal(table(message), both.planned_policy(depth=40, discount=0.9))


def test_a_planner_needs_a_world_that_it_knows_and_sees() -> None:
    for env in ("CartPole-v1", "agentic/TMaze-v0"):
        load()
        with pytest.raises(UserError, match="needs a finite world that is known and fully observed"):
            Planner.from_env(make(env))
    with pytest.raises(UserError, match="told of a changed world, an Environment, got str"):
        Planner.from_env(battery()).informed(Change(goal="food"))


def test_a_habit_that_explored_long_enough_is_the_planner() -> None:
    env = battery()
    habit = Habit.from_env(env, rate=1.0, epsilon=0.0)
    run(habit, env, Schedule(learn_steps=3000, warmup=3000, episodes=0), seed=0)
    best = WORLD.planned_policy(depth=40, discount=0.9)
    np.testing.assert_array_equal(table(habit)[WORLD.alive], best[WORLD.alive])


def test_a_clone_shares_ties_as_its_teacher_does() -> None:
    np.testing.assert_allclose(table(Clone.from_env(battery(), RandomAgent(battery().action))), 0.2)


def test_a_teacher_that_learns_practices_first() -> None:
    clone = Clone.from_env(make(TwoPlaces), Habit.from_env(make(TwoPlaces), epsilon=0.0), practice=500, warmup=500)
    np.testing.assert_array_equal(table(clone, TwoPlaces().true_model()), [[0, 1], [0, 1]])


def test_where_the_state_is_hidden_it_does_what_was_done_on_the_average() -> None:
    env = make("agentic/GridWorld-v0", kwargs={"fog": True})
    clone = Clone.from_env(env, RandomAgent(env.action), steps=4000)
    seen = torch.eye(16)[[3]]
    source = torch.Generator().manual_seed(0)
    policy: Any = clone.decide(None, seen, generator=source).policy
    np.testing.assert_allclose(policy.mean, 0.2, rtol=0, atol=0.1)


def test_looks_at_something() -> None:
    with pytest.raises(UserError, match="steps must be at least 1, got 0"):
        Clone.from_env(make(TwoPlaces), RandomAgent(make(TwoPlaces).action), steps=0)


class TestInAFile:
    def test_an_agent_within_an_agent(self) -> None:
        world = built({"name": "clone", "of": {"name": "planner", "depth": 3}})
        truth = world.environment.truth()
        assert [row["name"] for row in world.components if row["kind"] == "agents"] == ["clone", "planner"]
        expected = World.of(truth).planned_policy(depth=3, discount=0.9)
        np.testing.assert_array_equal(table(world.agent, truth), expected)

    def test_it_carries_the_tables_of_its_parts(self) -> None:
        parts = {
            "model": {"name": "categorical"},
            "goal": {"name": "reward"},
            "inference": {"name": "mirror"},
            "planner": {"name": "tree", "backup": {"name": "max"}, "horizon": 4, "discount": 0.9},
        }
        teacher = built({"name": "energy"}, **parts)
        clone = built({"name": "clone", "of": {"name": "energy", **parts}})
        truth = clone.environment.truth()
        alive = World.of(truth).alive
        np.testing.assert_allclose(table(clone.agent, truth)[alive], table(teacher.agent, truth)[alive], atol=1e-6)

    @pytest.mark.parametrize(
        ("of", "message"),
        [
            ({"name": "planer"}, "planer"),
            ({"name": "planner", "dept": 3}, r"\[agent.of\] planner has no parameter 'dept'"),
            ({"name": "energy"}, "the agent energy needs the table"),
            ({"name": "random", "model": {"name": "categorical"}}, r"the agent random does not use \[model\]"),
            ({"name": "planner", "depth": 0}, r"\[agent.of\] planner: .*depth must be at least 1, got 0"),
        ],
    )
    def test_mistakes_are_reported_where_they_are(self, of: Any, message: str) -> None:
        with pytest.raises(UserError, match=message):
            built({"name": "clone", "of": of})


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_clone_does_what_a_learned_planner_did_with_a_pole() -> None:
    """Nearly always where it was looked at; in other episodes but where the pole is about to turn."""
    file = Path(__file__).parents[2] / "examples" / "cartpole.toml"
    teacher, env = build(Experiment.load(file), load()).agent, make("CartPole-v1")
    run(teacher, env, Schedule(learn_steps=40, warmup=2, episodes=0))
    clone, source = Clone.from_env(env, teacher), torch.Generator().manual_seed(0)

    def agreement(phase: Any) -> Any:
        happening = ticks(teacher.sealed(), env, steps=500, phase=phase)
        return np.mean(
            [bool((clone.decide(None, t.obs, generator=source).action == t.action).all()) for t in happening]
        )

    assert agreement("learn") > 0.95
    assert agreement("evaluate") > 0.9
    assert run(clone, env, Schedule(episodes=5)).returns("evaluate").mean() > 150
