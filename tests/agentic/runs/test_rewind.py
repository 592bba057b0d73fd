"""Runs put back where they were: environments by the state they offer, by doing again what was done, or anew."""

import math
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest

import agentic
from agentic import PolicyAgent, Record, Recording, Schedule
from agentic.errors import ThirdPartyWarning
from agentic.runs import rewind
from agentic.runs.checkpoint import sound
from agentic.runs.folder import RunFolder
from agentic.runs.run import Restart, go_on, run
from agentic.runs.schedule import Checkpoints


class Walk(gymnasium.Env[np.ndarray, Any]):
    """A random walk of plain Python, whose episodes end by chance."""

    observation_space = gymnasium.spaces.Box(-math.inf, math.inf, (1,))
    action_space = gymnasium.spaces.Discrete(2)
    resets: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.place = 0.0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.resets.append(1)
        self.place = self.np_random.normal()
        return self.seen(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place += self.np_random.normal() + 0.1 * (2 * int(action) - 1)
        return self.seen(), self.place, bool(self.np_random.random() < 0.1), False, {}

    def seen(self) -> np.ndarray:
        return np.array([self.place], np.float32)


class Offering(Walk):
    """The same, that says itself what its state is; its chance is found."""

    def get_state(self) -> dict[str, Any]:
        return {"place": self.place}

    def set_state(self, state: dict[str, Any]) -> None:
        self.place = state["place"]


class Opaque(Walk):
    """The same, that holds what nobody can see."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = count()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        next(self.steps)
        return super().step(action)


class Unseeded(Opaque):
    """The same, with chance of its own that no seed reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.own = np.random.default_rng()

    def seen(self) -> np.ndarray:
        return np.array([self.own.normal()], np.float32)


class Stop(KeyboardInterrupt):
    pass


def parts(kind: Callable[[], Any], batch: int) -> tuple[Any, Any]:
    """An agent that pushes by chance and by what it sees, and its world, whose observations are normalized."""
    wrapped: list[Callable[[], Any]] = [
        lambda: gymnasium.wrappers.NormalizeObservation(gymnasium.wrappers.TimeLimit(kind(), 9))
    ] * batch
    world = agentic.make([make() for make in wrapped])
    rule = _Rule()
    return PolicyAgent(rule, world.observation_layout, world.action_layout), world


class _Rule:
    """Pushes back, but every third time."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, obs: np.ndarray) -> int:
        self.times += 1
        return int(obs[0] < 0) if self.times % 3 else 1


def lived(
    kind: Callable[[], Any], folder: Path, batch: int, *, ticks: int = 0, resumed: bool = False, state: bool = False
) -> Record:
    agent, world = parts(kind, batch)
    seen = 0

    def observer(progress: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == ticks:
            raise Stop

    recording = Recording(folder, checkpoints=Checkpoints(0, 5 * batch), world=state)
    schedule, how = Schedule(episodes=12), {"seed": 3, "dtype": agentic_dtype()}
    if not resumed:
        return run(agent, world, schedule, recording, observer=observer, **how)
    start = sound(RunFolder(folder))[0]
    return go_on(agent, world, schedule, recording, restart=Restart(start), **how)


def agentic_dtype() -> Any:
    import torch

    return torch.float32


def again(kind: Callable[[], Any], place: Path, batch: int) -> tuple[Record, Record]:
    """The record of a run that never stopped, and of one that did, after 13 ticks."""
    full = lived(kind, place / "full", batch)
    with pytest.raises(Stop):
        lived(kind, place / "cut", batch, ticks=13)
    return full, lived(kind, place / "cut", batch, resumed=True)


class Shown(Offering):
    """The same, whose state is recorded."""

    def world_state(self) -> float:
        return self.place


def test_the_state_of_a_world_goes_on_to_the_bit(tmp_path: Path) -> None:
    full = lived(Shown, tmp_path / "full", 2, state=True)
    with pytest.raises(Stop):
        lived(Shown, tmp_path / "cut", 2, ticks=13, state=True)
    found = lived(Shown, tmp_path / "cut", 2, resumed=True, state=True)
    assert "world" in full.columns
    assert full.manifest["world"] is Record.open(tmp_path / "cut").manifest["world"] is True
    assert full.table().equals(found.table())
    assert not found.problems


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind", [Walk, Offering, Opaque])
def test_every_environment_goes_on_to_the_bit(kind: Any, batch: int, tmp_path: Path) -> None:
    full, found = again(kind, tmp_path, batch)
    assert full.table().equals(found.table())
    assert [path.read_bytes() for path in sorted((tmp_path / "full").glob("*.parquet"))] == [
        path.read_bytes() for path in sorted((tmp_path / "cut").glob("*.parquet"))
    ]
    assert not found.problems
    assert not list((tmp_path / "cut").glob("checkpoint-*"))


def test_a_state_that_is_offered_is_taken_and_nothing_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewind.World, "_done_again", lambda *_: pytest.fail("done again"))
    full, found = again(Offering, tmp_path, 2)
    assert full.table().equals(found.table())


def test_what_takes_too_long_is_put_back_by_what_can_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewind, "PATIENCE", -1.0)
    full, found = again(Walk, tmp_path, 2)
    assert full.table().equals(found.table())


@pytest.mark.parametrize("kind", [Opaque, Unseeded])
def test_where_nothing_leads_back_new_episodes_begin(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind is Opaque:
        monkeypatch.setattr(rewind, "PATIENCE", -1.0)
    with pytest.warns(ThirdPartyWarning, match="every row begins a new episode there"):
        full, found = again(kind, tmp_path, 2)
    assert not found.problems
    assert len(found.returns()) >= 12
    first = found.table().slice(0, 20).select(["obs", "action", "reward"])
    assert kind is Unseeded or first.equals(full.table().slice(0, 20).select(["obs", "action", "reward"]))
    assert Record.open(tmp_path / "cut").manifest["status"] == "finished"


def test_chunks_that_were_changed_end_it_before_anything_does(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        lived(Walk, tmp_path / "run", 1, ticks=13)
    state = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    agent, world = parts(Opaque, 1)
    with pytest.raises(agentic.UserError):
        go_on(
            agent.observation and PolicyAgent(lambda obs: 1, world.observation_layout, world.action_layout),
            world,
            Schedule(episodes=12),
            Recording(tmp_path / "run", checkpoints=Checkpoints()),
            seed=3,
            dtype=agentic_dtype(),
            restart=Restart(sound(RunFolder(tmp_path / "run"))[0]),
        )
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == state


class Hidden(Opaque):
    """The same, that shows nothing and pays by chance that no seed reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.own = np.random.default_rng()

    def seen(self) -> np.ndarray:
        return np.zeros(1, np.float32)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place = self.own.normal()
        return super().step(action)


def test_what_pays_otherwise_when_it_is_done_again_is_not_where_it_was(tmp_path: Path) -> None:
    with pytest.warns(ThirdPartyWarning, match="every row begins a new episode there"):
        again(Hidden, tmp_path, 1)
