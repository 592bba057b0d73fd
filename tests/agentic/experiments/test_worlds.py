"""Anybody's wrappers around the world of an experiment, named by their modules."""

from pathlib import Path
from typing import Any

import gymnasium
import pytest

from agentic import Experiment, RunError, UserError
from agentic.experiments.trust import untrusted
from agentic.experiments.worlds import limited, world_of
from agentic.plugins import Registry, load

MODULE = """
import gymnasium
import numpy as np

class Scaled(gymnasium.ObservationWrapper):
    def __init__(self, env, factor: float):
        super().__init__(env)
        self.factor = factor
        low, high = env.observation_space.low, env.observation_space.high
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, low.shape, np.float32)
    def observation(self, obs):
        return (self.factor * obs).astype(np.float32)

class Shifted(Scaled):
    def observation(self, obs):
        return (obs + self.factor).astype(np.float32)

class Broken(gymnasium.Wrapper):
    def __init__(self, env):
        raise LookupError("no such thing")

def scaled(env) -> gymnasium.Wrapper:
    return Scaled(env, 2.0)
"""
PLUGIN = """
import gymnasium
from agentic import hookimpl
from wrappers_of_mine import Scaled

class Tenfold(Scaled):
    def __init__(self, env):
        super().__init__(env, 10.0)

@hookimpl
def agentic_envs(): return {"tenfold": Tenfold}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("wrappers")
    (place / "wrappers_of_mine.py").write_text(MODULE)
    (place / "tens.py").write_text(PLUGIN)
    (place / "raises_itself.py").write_text("raise SystemExit(0)")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        yield load([place / "tens.py"])


def experiment(*wrappers: Any, **env: Any) -> Experiment:
    return Experiment.of({"env": {"id": "CartPole-v1", "wrappers": [*wrappers], **env}, "agent": {"name": "any"}})


def first(made: Experiment, registry: Registry) -> float:
    """The first number that is seen of the world."""
    return float(world_of(made, registry)[0].reset([3])[0][0, 0])


def test_wrappers_lie_one_around_the_other_the_innermost_first(registry: Registry) -> None:
    bare = first(experiment(), registry)
    twice, plus = {"name": "wrappers_of_mine:Scaled", "factor": 2.0}, {"name": "wrappers_of_mine:Shifted", "factor": 1}
    assert first(experiment(twice, plus), registry) == pytest.approx(2 * bare + 1)
    assert first(experiment(plus, twice), registry) == pytest.approx(2 * (bare + 1))


def test_wrappers_lie_around_changes(registry: Registry) -> None:
    plus = {"name": "wrappers_of_mine:Shifted", "factor": 1.0}
    changed = experiment(plus, changes=[{"name": "tenfold"}])
    assert first(changed, registry) == pytest.approx(10 * first(experiment(), registry) + 1)
    rows = world_of(changed, registry)[1]
    assert [row["name"] for row in rows] == ["CartPole-v1", "tenfold", "wrappers_of_mine:Shifted"]


def test_they_are_recorded_so_that_a_run_can_be_repeated(registry: Registry) -> None:
    made = experiment(
        "gymnasium.wrappers:NormalizeObservation", {"name": "wrappers_of_mine:Scaled", "factor": 3}, kwargs={}
    )
    _, theirs, mine = world_of(made, registry)[1]
    assert (theirs["plugin"], theirs["version"], theirs["sha256"]) == ("gymnasium", gymnasium.__version__, None)
    assert (mine["parameters"], mine["version"], len(mine["sha256"])) == ({"factor": 3}, None, 64)
    assert first(Experiment.of(made.tables()), registry) == first(made, registry)


def test_one_wrapper_may_stand_twice_and_around_every_row(registry: Registry) -> None:
    twice = {"name": "wrappers_of_mine:Scaled", "factor": 2.0}
    made = Experiment.of({**experiment(twice, twice).tables(), "run": {"envs": 3}})
    world, rows = world_of(made, registry)
    seen = world.reset([3, 3, 3])[0][:, 0]
    assert seen == pytest.approx([4 * first(experiment(), registry)] * 3)
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("wrapper", "said"),
    [
        ("gymnasium.wrappers.TimeLimit", "write module:Wrapper, such as gymnasium.wrappers:TimeLimit"),
        ("mirrored", "names 'mirrored': write module:Wrapper"),
        ("a b:C", "names 'a b:C'"),
        ("wrappers_of_mine:Scaled:2", "names 'wrappers_of_mine:Scaled:2'"),
        ("gymnasium.wrappers:StickyActions", "no wrapper 'StickyActions', did you mean 'StickyAction'?"),
        ("not_there_at_all:Wrapper", "does not load, ModuleNotFoundError"),
        ("raises_itself:Wrapper", "does not load, SystemExit: 0"),
        ("gymnasium.spaces:Box", "gymnasium.spaces:Box is no gymnasium.Wrapper"),
        ("wrappers_of_mine:scaled", "wrappers_of_mine:scaled is no gymnasium.Wrapper"),
        ("gymnasium.wrappers.vector:NormalizeReward", "is no gymnasium.Wrapper"),
        ("wrappers_of_mine:Scaled", "needs the parameter 'factor': write factor = ..."),
        ({"name": "wrappers_of_mine:Scaled", "facto": 1.0}, "no parameter 'facto', did you mean 'factor'?"),
        ({"name": "wrappers_of_mine:Scaled", "factor": "much"}, "factor is wrong: input should be a valid number"),
        ({"name": "gymnasium.wrappers:ClipAction"}, "requires a Box action space"),
        (3, "wrappers.0 is wrong: input should be a table, got 3"),
        ({"factor": 1.0}, "wrappers.0.name is missing"),
    ],
)
def test_what_is_no_wrapper_is_one_sentence(wrapper: Any, said: str, registry: Registry) -> None:
    with pytest.raises(UserError) as caught:
        world_of(experiment(wrapper), registry)
    assert said in str(caught.value)
    assert str(caught.value).startswith("[env")
    assert "\n" not in str(caught.value)


def test_one_that_breaks_while_it_is_made_is_its_own_failure(registry: Registry) -> None:
    with pytest.raises(RunError, match=r"Broken .* broke while being made, LookupError: no such thing"):
        world_of(experiment("wrappers_of_mine:Broken"), registry)


def test_wrappers_of_a_received_folder_are_trusted_where_they_are_installed(registry: Registry) -> None:
    made = experiment("gymnasium.wrappers:ClipReward", {"name": "wrappers_of_mine:Scaled", "factor": 2.0}, "os:system")
    assert list(untrusted(made.tables(), registry)) == ["wrappers_of_mine:Scaled", "os:system"]


def test_the_module_of_a_wrapper_is_not_imported_to_see_whether_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "leaves_a_mark.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w').close()")
    assert list(untrusted(experiment("leaves_a_mark:Wrapper").tables(), registry)) == ["leaves_a_mark:Wrapper"]
    assert not (tmp_path / "mark").exists()


def test_an_id_without_a_version_is_its_newest_which_is_recorded(registry: Registry) -> None:
    for made in (
        Experiment.of({"env": {"id": id}, "agent": {"name": "any"}}) for id in ("CartPole", "gymnasium:CartPole")
    ):
        with pytest.warns(UserWarning, match="latest versioned environment"):
            world, rows = world_of(made, registry)
        assert (world.id, rows[0]["name"].rpartition(":")[2]) == ("CartPole-v1", "CartPole-v1")


def test_endless_episodes_are_cut_whether_or_not_the_id_has_a_version(registry: Registry) -> None:
    gymnasium.register("EndlessWrapping-v1", entry_point="gymnasium.envs.classic_control:PendulumEnv")
    gymnasium.register(
        "EndlessWrapping-v3", entry_point="gymnasium.envs.classic_control:PendulumEnv", max_episode_steps=7
    )
    try:
        for id, limit in (("EndlessWrapping-v1", 1000), ("EndlessWrapping", None), ("CartPole", None)):
            made = limited(Experiment.of({"env": {"id": id}, "agent": {"name": "any"}}), registry)
            assert made.env.kwargs.get("max_episode_steps") == limit
    finally:
        for version in (1, 3):
            del gymnasium.registry[f"EndlessWrapping-v{version}"]
