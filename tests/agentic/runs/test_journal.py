"""The journal: a line for each episode and each report of learning, whatever stops the run."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from agentic import Agent, Decision, Learner, Record, Recording, RunError, Schedule, Tick, make, run
from agentic.runs.folder import RunFolder
from agentic.runs.journal import Journal
from agentic.runs.manifest import Manifest
from agentic.testing.worlds import Coin
from tests.agentic.worlds import Walk


class Reporting(Learner):
    """Reports how many ticks it saw."""

    def __init__(self) -> None:
        self.seen = 0

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.seen += 1
        return {"seen": self.seen}


class Counting(Agent):
    """Goes right, and reports the step as an energy from the second on."""

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.zeros(batch)

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        action = torch.nn.functional.one_hot(torch.ones(len(obs), dtype=torch.long), 2).to(obs)
        return Decision(action, state=state + 1, energies={"step": state} if bool((state > 0).all()) else {})


def lines(folder: Path) -> list[dict[str, Any]]:
    return RunFolder(folder).progress


@pytest.mark.parametrize("envs", [1, 3])
def test_a_line_for_every_episode_with_the_returns_of_the_record(envs: int, tmp_path: Path) -> None:
    record = run(Coin(), make("CartPole-v1", envs=envs), Schedule(episodes=7), Recording(tmp_path / "run"))
    found = lines(tmp_path / "run")
    by_place = sorted(found, key=lambda line: (line["row"], line["episode"]))
    assert [line["return"] for line in by_place] == record.returns().tolist()
    episodes = record.episodes("evaluate")
    assert [(line["row"], line["episode"], line["length"]) for line in by_place] == [
        (each.row, each.episode, each.length) for each in episodes if each.complete
    ]
    steps = [line["step"] for line in found]
    assert steps == sorted(steps)
    assert steps[-1] == len(record.table())
    assert {line["phase"] for line in found} == {"evaluate"}
    assert all(0 <= line["seconds"] < 60 for line in found)


def test_energies_are_means_over_the_steps_that_have_them(tmp_path: Path) -> None:
    record = run(Counting(), "CartPole-v1", Schedule(episodes=2), Recording(tmp_path / "run"))
    for line, episode in zip(lines(tmp_path / "run"), record.episodes("evaluate"), strict=True):
        assert line["energy.step"] == pytest.approx(np.nanmean(episode.arrays["energy.step"]))


def test_reports_of_learning_within_100_steps_are_averaged(tmp_path: Path) -> None:
    agent = Coin()
    agent.learner = Reporting()
    run(agent, make("CartPole-v1"), Schedule(episodes=1, learn_steps=250), Recording(tmp_path / "run"))
    found = [line for line in lines(tmp_path / "run") if "learned.seen" in line]
    assert [(line["step"], line["learned.seen"]) for line in found] == [(100, 50.5), (200, 150.5), (250, 225.5)]
    assert {line["phase"] for line in found} == {"learn"}


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    class Endless(Walk):
        def step(self, action: Any) -> Any:
            obs, _, *rest = super().step(action)
            return obs, 1e308, *rest

    with np.errstate(all="ignore"):
        run(Coin(), Endless(), Schedule(episodes=1), Recording(tmp_path / "run"))
    assert [line["return"] for line in lines(tmp_path / "run")] == [None]


def test_a_run_in_memory_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(Coin(), "CartPole-v1", Schedule(episodes=1))
    assert not [*tmp_path.iterdir()]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    run(Coin(), "CartPole-v1", Schedule(episodes=3), Recording(tmp_path / "run"))
    file = RunFolder(tmp_path / "run").progress_file
    whole = lines(tmp_path / "run")
    file.write_bytes(file.read_bytes()[:-5])
    assert lines(tmp_path / "run") == whole[:-1]
    file.write_bytes(file.read_bytes() + b"\n[1]\n")
    assert lines(tmp_path / "run") == whole[:-1]
    file.unlink()
    assert lines(tmp_path / "run") == []


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "mine").write_text("mine")
    RunFolder(tmp_path / "run").progress_file.symlink_to(tmp_path / "mine")
    run(Coin(), "CartPole-v1", Schedule(episodes=1), Recording(tmp_path / "run"))
    assert (tmp_path / "mine").read_text() == "mine"
    assert len(lines(tmp_path / "run")) == 1


def test_a_folder_that_cannot_be_written_ends_the_run_in_one_sentence(tmp_path: Path) -> None:
    folder = RunFolder.new(tmp_path / "run")
    folder.progress_file.mkdir()
    with pytest.raises(RunError, match=r"the progress in .*run cannot be written: "):
        Journal(Manifest(folder, {}), 1).begin()


@pytest.mark.parametrize(
    "wrong", [{"counts": (-1, 0, 0)}, {"sums": [[["return"], np.zeros((1, 3)), np.zeros(3)]]}, {"phase": "sleep"}]
)
def test_a_state_of_something_else_is_refused(wrong: dict[str, Any]) -> None:
    journal = Journal(Manifest(None, {}), 2)
    state = journal.get_state()
    journal.set_state(state)
    with pytest.raises(ValueError, match=r"numbers of|added up|sleep|not in"):
        journal.set_state({**state, **wrong})


KILLED = """
import sys, time
from agentic import Recording, Schedule, run
from agentic.testing.worlds import Coin
run(Coin(), "CartPole-v1", Schedule(episodes=10**6), Recording(sys.argv[1]), observer=lambda _: time.sleep(0.002))
"""


def test_kill_9_leaves_every_line(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "run")])
    until = time.monotonic() + 60
    while len(lines(tmp_path / "run")) < 5 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = lines(tmp_path / "run")
    assert len(found) >= 5
    lengths = [each.length for each in Record.salvage(tmp_path / "run").episodes("evaluate") if each.complete]
    assert [line["length"] for line in found][: len(lengths)] == lengths
