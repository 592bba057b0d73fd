"""The state of a world: where it is looked for, what is recorded of it, and what is said where there is none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from agentic import Box, PolicyAgent, Record, Recording, RunError, Schedule, UserError, make, run, ticks
from agentic.environments.environment import EnvironmentLike
from agentic.environments.states import states
from tests.agentic.worlds import Walk


class Speaking(Walk):
    """The walk, that says where it is; its state is not what is seen."""

    def world_state(self) -> Any:
        return {"place": [self.x, -self.x], "clock": self.clock}


class Around(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A wrapper that has a state of its own."""

    def world_state(self) -> Any:
        return [7]


class Saying(Walk):
    """The walk, with whatever state it is given."""

    def __init__(self, *said: Any) -> None:
        super().__init__()
        self.said = list(said)

    def world_state(self) -> Any:
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]


def lived(env: EnvironmentLike, folder: Path | None = None, episodes: int = 3) -> Record:
    world = make(env)
    one: Any = np.ones(1) if isinstance(world.action, Box) else 1
    agent = PolicyAgent(lambda obs: one, world.observation_layout, world.action_layout)
    return run(agent, world, Schedule(episodes=episodes), Recording(folder, world=True))


def arrays(env: EnvironmentLike) -> Mapping[str, np.ndarray]:
    return lived(env).episodes()[0].arrays


def test_the_state_is_that_of_the_observation_before_the_action(tmp_path: Path) -> None:
    lived([Speaking(), Speaking()], tmp_path, episodes=4)
    record = Record.open(tmp_path)
    assert record.manifest["world"] is True
    assert record.table(["world.clock"])["world.clock"].to_pylist()[:4] == [0, 0, 1, 1]
    for episode in record.episodes():
        seen, place = episode.arrays["obs"][:, 0], episode.arrays["world.place"]
        assert (place[:, 0].astype(np.float32) == seen).all()
        assert (place[:, 1] == -place[:, 0]).all()
        assert episode.arrays["world.clock"].tolist() == list(range(episode.length))


def test_without_being_asked_for_it_is_not_there() -> None:
    world = make(Speaking)
    agent = PolicyAgent(lambda obs: 1, world.observation_layout, world.action_layout)
    record = run(agent, world, Schedule(episodes=1))
    assert not [name for name in record.columns if name.startswith("world")]
    assert "world" not in record.manifest
    assert not next(ticks(agent, Speaking)).world


def test_the_outermost_layer_that_says_it_is_asked() -> None:
    assert arrays(gymnasium.wrappers.TimeLimit(Around(Speaking()), 2))["world"].tolist() == [[7], [7]]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_rows_of_a_vector_environment_are_stacked(mode: AutoresetMode) -> None:
    record = lived(SyncVectorEnv([Speaking, Speaking], autoreset_mode=mode), episodes=6)
    for episode in record.episodes():
        assert episode.arrays["world.clock"].tolist() == list(range(episode.length))
        assert (episode.arrays["world.place"][:, 0].astype(np.float32) == episode.arrays["obs"][:, 0]).all()


@pytest.mark.parametrize(("id", "width"), [("CartPole-v1", (4,)), ("Pendulum-v1", (2,)), ("FrozenLake-v1", ())])
def test_gymnasiums_own_are_known(id: str, width: tuple[int, ...]) -> None:
    record = lived(id, episodes=1)
    world = record.episodes()[0].arrays["world"]
    assert world.shape[1:] == width
    assert world.dtype == (np.float64 if width else np.int64)


def test_positions_and_velocities_of_mujoco_are_looked_for() -> None:
    class Body(Walk):
        def __init__(self) -> None:
            super().__init__()
            self.data = type("Data", (), {"qpos": np.zeros(3), "qvel": np.ones(2)})()

    found = arrays(Body)
    assert found["world.qpos"].shape[1:] == (3,)
    assert (found["world.qvel"] == 1).all()


def test_one_that_offers_none_is_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Walk offers no state .* world_state\(\) that returns an array"):
        lived(Walk, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "said", ["home", None, {}, [[1, 2], [3]], {"a": object()}, np.zeros(0), {"a": 1.0, "b": []}, 1j]
)
def test_what_is_no_state_is_refused_with_its_place(said: Any) -> None:
    with pytest.raises(RunError, match=r"Saying, row 0, episode 0, step 0: its state .* is no array of numbers"):
        lived(lambda: Saying(said))


def test_a_state_that_changes_its_shape_is_refused() -> None:
    with pytest.raises(RunError, match=r"step 1: the state of the world is .*\(3,\).* where it was"):
        lived(lambda: Saying(np.zeros(2), np.zeros(3)))


def test_a_state_that_changes_its_kind_of_numbers_is_refused() -> None:
    with pytest.raises(RunError, match=r"step 1: the state of the world is .*with a point.* where it was .*integers"):
        lived(lambda: Saying(1, 1.5))


def test_what_an_environment_changes_later_is_recorded_as_it_was() -> None:
    kept = np.zeros(2)
    read = states("it", [Saying(kept)])
    before = read()["world"]
    kept += 1
    assert before.tolist() == [[0, 0]]
    assert read()["world"].tolist() == [[1, 1]]


def test_of_a_vector_environment_without_single_ones_the_rows_are_its_own() -> None:
    class Both(gymnasium.vector.VectorEnv[Any, Any, Any]):
        num_envs = 2

        def world_state(self) -> Any:
            return {"place": np.arange(6).reshape(2, 3)}

    assert states("both", [Both()])()["world.place"].tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(UserError, match="offers no state"):
        states("none", [gymnasium.vector.VectorEnv()])
