"""Traps that numbers of agency fall into: what is no agent, what is too little, and what is no data at all."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import gymnasium
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import ArrayLike

import agentic
from agentic import (
    Agent,
    Environment,
    Measurement,
    Metric,
    Record,
    Schedule,
    Subject,
    UserError,
    make,
    measure,
    run,
)
from agentic.metrics import holm
from agentic_agents.random import RandomAgent
from agentic_agents.rock import Rock
from agentic_envs.gridworld import GridWorld
from agentic_envs.tmaze import TMaze
from agentic_metrics import ActiveInformationStorage, PolicyComplexity, TransferEntropy
from agentic_metrics.finite.behavior import Steps, recorded_behavior
from agentic_metrics.purpose.devices import wander

LEVEL = 0.05
REGISTRY = agentic.load()


def grid() -> GridWorld:
    return GridWorld(["S.S", ".#G", "S.X"], steps=20)


def lake() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("FrozenLake-v1")


def pole() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("CartPole-v1")


WORLDS: dict[str, Callable[[], gymnasium.Env[Any, Any]]] = {"grid": grid, "lake": lake, "maze": TMaze, "pole": pole}
AGENTS: dict[str, Callable[[Environment], Agent]] = {
    "rock": lambda env: Rock(env.action),
    "constant": lambda env: Rock(env.action, 1),
    "random": lambda env: RandomAgent(env.action),
}

# Not here, because none of the three is their null: empowerment, controllability and effective_information are
# properties of the world, directed_information from actions to observations is largest for a random agent, and
# episode_return has no null.
NULLS = {
    "transfer_entropy": tuple(AGENTS),
    "plasticity": tuple(AGENTS),
    "policy_complexity": tuple(AGENTS),
    "intentional_stance": tuple(AGENTS),
    "outcome_devaluation": tuple(AGENTS),
    "contingency_degradation": tuple(AGENTS),
    "policy_adaptation": tuple(AGENTS),
    "pursuit": tuple(AGENTS),
    "memory_timescale": tuple(AGENTS),
    "lag_information": tuple(AGENTS),
    "plan_content": tuple(AGENTS),
    "semantic_information": tuple(AGENTS),
    "world_model_extraction": tuple(AGENTS),
    "homeostasis": tuple(AGENTS),
    "active_information_storage": tuple(AGENTS),
    "predictive_information": tuple(AGENTS),
    "autonomy": tuple(AGENTS),
    # What a constant action happens to do may be what a goal, a reward or a planner would have done: by the record
    # alone it is told from chance, and rightly so. These three are asked about chance only.
    "goal_directedness": ("random",),
    "inverse_temperature": ("random",),
    "planning_depth": ("random",),
}
CASES = [(name, agent) for name, agents in NULLS.items() for agent in agents]
RECORDED = [name for name in REGISTRY.names("metrics") if "record" in REGISTRY.resolve("metrics", name)().needs]


def metric(name: str) -> Metric:
    made: Metric = REGISTRY.resolve("metrics", name)()
    return made


@cache
def subject(world: str, agent: str, *, episodes: int = 30, seed: int = 0) -> Subject:
    """The agent, its world and what it did there."""
    env = make(WORLDS[world])
    try:
        who = AGENTS[agent](env)
        return Subject(run(who, env, Schedule(episodes=episodes), seed=seed), who, WORLDS[world])
    finally:
        env.close()


def found_in(name: str, who: Subject, seed: int = 0) -> Measurement | None:
    """The measurement, None where the metric says in one sentence that it does not apply."""
    try:
        return measure(metric(name), who, seed=seed)
    except UserError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) > 20
    return None


def edited(record: Record, **changes: Callable[[Any], Any]) -> Record:
    """A record with the numbers of some columns changed."""
    table = record.table()
    for name, change in changes.items():
        place, column = table.column_names.index(name), table[name].combine_chunks()
        listed = pa.types.is_fixed_size_list(column.type)
        numbers = (column.flatten() if listed else column).to_numpy(zero_copy_only=False).copy()
        values = pa.array(change(numbers), column.type.value_type if listed else column.type)
        new = pa.FixedSizeListArray.from_arrays(values, column.type.list_size) if listed else values
        table = table.set_column(place, table.schema.field(name), new)
    return Record(tables=[table])


def all_learning(record: Record) -> Record:
    table = record.table()
    place, kind = table.column_names.index("phase"), table["phase"].type
    phases = pa.array(["learn"] * len(table)).cast(kind)
    return Record(tables=[table.set_column(place, table.schema.field("phase"), phases)])


# What is no agent is not called one


def called(name: str, agent: str, world: str, seeds: range) -> bool:
    """Whether any of the seeds is outside its null after Holm's correction for their number."""
    found = [found_in(name, subject(world, agent, seed=seed), seed) for seed in seeds]
    p_values = [each.null.p_value for each in found if each is not None and each.null is not None]
    return any(p < LEVEL for p in holm(p_values))


def test_every_metric_is_asked_or_excused() -> None:
    excused = {"empowerment", "controllability", "effective_information", "directed_information", "episode_return"}
    excused |= {
        "boundary_evidence",
        "boundary_leak",
    }  # ask for the world and an inside, which these records do not have
    assert set(REGISTRY.names("metrics")) == set(NULLS) | excused


@pytest.mark.parametrize("world", ["grid", "lake"])
@pytest.mark.parametrize(("name", "agent"), [case for case in CASES if case[1] != "rock"])
def test_rock_constant_and_random_are_no_agents(name: str, agent: str, world: str) -> None:
    assert not called(name, agent, world, range(1))


TIERS = [
    *(pytest.param(each, range(2), marks=pytest.mark.slow) for each in ("maze", "pole")),
    *(pytest.param(each, range(6), marks=pytest.mark.soak) for each in WORLDS),
]


@pytest.mark.parametrize(("world", "seeds"), TIERS)
@pytest.mark.parametrize(("name", "agent"), CASES)
def test_rock_constant_and_random_are_no_agents_on_any_seed(name: str, agent: str, world: str, seeds: range) -> None:
    assert not called(name, agent, world, seeds)


def test_one_of_the_tests_above_can_fail() -> None:
    """A reflex to the cell is called what it is by the same judge."""
    record = subject("grid", "random").record
    assert record is not None
    seen = np.concatenate([episode.arrays["obs"].ravel() for episode in record.episodes()])
    reflex = Subject(edited(record, action=lambda done: np.resize(seen % 5, done.shape).astype(done.dtype)))
    for name in ("transfer_entropy", "plasticity", "policy_complexity"):
        assert measure(metric(name), reflex).outside_null


# A random policy is told as shortly by the surrogates of its null as by its record


def test_surrogates_have_as_many_decisions_as_records_of_what_they_stand_for() -> None:
    """Cut at the lengths of episodes that ended, they would have a third fewer, and the null would lie too low."""
    shares = []
    for seed in range(6):
        record = subject("grid", "random", seed=seed).record
        assert record is not None
        world, states, actions = recorded_behavior(record, grid)
        steps, uniform = Steps.of(states, actions, world), np.full(world.rewards.shape, 1 / world.actions)
        samples = wander(world, uniform, steps, times=50, generator=np.random.default_rng(seed))
        shares.append(np.mean([len(each.actions) for each in samples]) / len(steps.actions))
    assert np.mean(shares) == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_random_agents_in_a_world_that_ends_episodes_are_reported_by_chance_and_not_by_a_goal() -> None:
    p_values = []
    for seed in range(12):
        found = measure(metric("intentional_stance"), subject("grid", "random", seed=seed), seed=seed)
        assert found.null is not None
        assert found.value < 0
        p_values.append(found.null.p_value)
    assert min(holm(p_values)) > LEVEL


# Names are not numbers


@pytest.mark.parametrize(
    "function", [partial(TransferEntropy, lag=1, surrogates=0), partial(PolicyComplexity, surrogates=0)]
)
def test_names_are_refused_by_nearest_neighbors_with_the_remedy(function: Any) -> None:
    coins = [np.random.default_rng(seed).integers(0, 2, (20, 50)) for seed in range(2)]
    for values in (coins, [each.astype(np.float64) for each in coins]):
        with pytest.raises(UserError, match=r"use the (plug-in|mixed)"):
            function(estimator="neighbors").estimate(*map(list, values), generator=np.random.default_rng(0))
    found = function(estimator="mixed").estimate(*map(list, coins), generator=np.random.default_rng(0))
    assert abs(found.value) < 0.02


@pytest.mark.parametrize("name", ["transfer_entropy", "policy_complexity", "active_information_storage"])
def test_metrics_asked_for_neighbors_of_names_refuse_too(name: str) -> None:
    chosen = REGISTRY.resolve("metrics", name)(estimator="neighbors")
    with pytest.raises(UserError, match=r"use the (plug-in|mixed)"):
        measure(chosen, subject("grid", "random"))


# Too little says so


def few(name: str, agent: str, world: str, episodes: int) -> None:
    found = found_in(name, subject(world, agent, episodes=episodes))
    if found is not None:
        assert found.warnings
        assert not found.enough
        assert np.isfinite(found.value) or name == "inverse_temperature"


@pytest.mark.parametrize("episodes", [1, 2])
@pytest.mark.parametrize("name", RECORDED)
def test_few_episodes_are_called_few(name: str, episodes: int) -> None:
    few(name, "random", "grid", episodes)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("episodes", [1, 2, 3])
def test_few_episodes_are_called_few_everywhere(name: str, agent: str, world: str, episodes: int) -> None:
    few(name, agent, world, episodes)


@pytest.mark.parametrize("name", RECORDED)
def test_few_measured_steps_are_called_few(name: str) -> None:
    found = found_in(name, subject("pole", "random", episodes=2))
    assert found is None or found.warnings


@pytest.mark.parametrize("name", RECORDED)
def test_episodes_of_one_step_are_measured_with_a_warning_or_refused(name: str) -> None:
    def brief() -> GridWorld:
        return GridWorld(["S.S", ".#G", "S.X"], steps=1)

    agent = RandomAgent(make(brief).action)
    for episodes in (1, 3):
        found = found_in(name, Subject(run(agent, brief, Schedule(episodes=episodes)), agent, brief))
        assert found is None or found.warnings


# Nothing varies


@pytest.mark.parametrize("whole", [True, False])
def test_a_loop_of_copy_and_echo_says_that_nothing_is_left_to_tell(whole: bool) -> None:
    loop = np.tile(np.arange(30) % 2, (20, 1))
    seen, done = (each if whole else each + 0.5 for each in (np.roll(loop, 1, axis=1), loop))
    found = TransferEntropy(lag=1).estimate(list(seen), list(done), generator=np.random.default_rng(0))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.null is None or found.null.p_value > LEVEL
    assert any("vary the start states" in warning for warning in found.warnings)


@pytest.mark.parametrize("values", [np.zeros((20, 30), np.int64), np.full((20, 30), 0.5)])
def test_what_never_varies_stores_nothing_and_says_so(values: ArrayLike) -> None:
    found = ActiveInformationStorage().estimate(list(np.asarray(values)), generator=np.random.default_rng(0))
    assert found.value == 0
    assert found.warnings


@pytest.mark.parametrize("world", ["grid", "pole"])
@pytest.mark.parametrize("name", ["transfer_entropy", "policy_complexity", "plasticity", "lag_information", "autonomy"])
def test_a_constant_observation_tells_nothing(name: str, world: str) -> None:
    record = subject(world, "random").record
    assert record is not None
    found = found_in(name, Subject(edited(record, obs=np.zeros_like)))
    assert found is None or found.outside_null is not True


# What is no data


def unusable() -> Iterator[tuple[str, Record]]:
    record = subject("pole", "random", episodes=10).record
    assert record is not None
    yield "empty", Record()
    yield "learning", all_learning(record)


@pytest.mark.parametrize("name", RECORDED)
def test_records_without_evaluation_are_refused(name: str) -> None:
    for _, record in unusable():
        with pytest.raises(UserError, match=r"run it longer|truth of CartPoleEnv|needs columns of the world"):
            measure(metric(name), Subject(record, None, pole))


@pytest.mark.parametrize("name", ["transfer_entropy", "policy_complexity", "plasticity", "lag_information", "autonomy"])
def test_observations_that_are_not_numbers_are_refused(name: str) -> None:
    record = subject("pole", "random", episodes=10).record
    assert record is not None
    holed = edited(record, obs=lambda values: np.where(np.arange(len(values)) == 5, np.nan, values))
    with pytest.raises(UserError, match=r"NaN|bin them first"):
        measure(metric(name), Subject(holed))


def test_a_reward_that_is_not_a_number_is_refused() -> None:
    record = subject("pole", "random", episodes=10).record
    assert record is not None
    holed = edited(record, reward=lambda values: np.where(np.arange(len(values)) == 5, np.nan, values))
    with pytest.raises(UserError, match="NaN"):
        measure(metric("episode_return"), Subject(holed))
