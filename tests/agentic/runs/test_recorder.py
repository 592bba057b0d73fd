"""The recorder: what is saved of a chunk while it is filled, and that time decides over nothing else."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from agentic import Agent, Decision, Record, Recording, Schedule, UserError, make, run
from agentic.runs import candidates, chunk, recorder
from agentic.runs.candidates import Wanted
from agentic.runs.chunk import STAGED
from agentic.runs.folder import RunFolder
from agentic.runs.loop import ticks
from agentic.runs.manifest import annotate
from agentic.runs.recorder import Recorder
from agentic.runs.run import Progress
from agentic.testing.worlds import Coin
from agentic.tick import Tick
from tests.agentic.runs.test_candidates import planning
from tests.agentic.worlds import Walk

WRITERS = [recorder.__file__, chunk.__file__, candidates.__file__]
"""The code that Ctrl-C must not find with a tick in its hand."""


@dataclass
class Sometimes(Agent):
    """Reports an energy on some ticks alone, from the third on."""

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.zeros(batch)

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        action = torch.eye(2)[torch.randint(2, (len(obs),), generator=generator)]
        t = int(state[0])
        return Decision(action, state + 1, energies={"total": state} if t >= 3 and t % 100 < 50 else {})


def watched(folder: Path, agent: Agent, at: int) -> tuple[int, Record]:
    """The ticks that a record had on disk when the run had made `at` steps, and the whole record."""
    seen = []

    def look(progress: Progress) -> None:
        if progress.steps > 256:
            time.sleep(0.005)  # for what is written beside the loop
        if progress.steps == at:
            seen.append(len(Record.open(folder).table()))

    record = run(agent, Walk(), Schedule(episodes=80), Recording(folder), observer=look)
    return seen[0], record


@pytest.mark.parametrize("agent", [Coin(), Sometimes()])
def test_a_chunk_that_is_saved_while_it_is_filled_has_equal_bytes(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, never = watched(tmp_path / "never", agent, 300)
    assert before == 256
    monkeypatch.setattr(recorder, "INTERVAL", 0.0)
    now, always = watched(tmp_path / "always", agent, 300)
    assert now > 256
    assert [path.name for path in always.chunks] == [path.name for path in never.chunks]
    assert [path.read_bytes() for path in always.chunks] == [path.read_bytes() for path in never.chunks]
    assert not RunFolder(tmp_path / "always").partial_file.exists()


@pytest.mark.parametrize("around", [STAGED, 256])
def test_ctrl_c_at_any_line_of_the_recorder_loses_no_tick(around: int) -> None:
    env = make(Walk())
    given = list(ticks(Sometimes(), env, seed=0, steps=around + 2))
    line = kept = 0
    while kept < len(given):
        line, written = line + 1, Recorder(env, None)
        done = interrupted(written, given, around - 2, line)
        written.close()
        kept = sum(map(len, written.tables))
        assert done <= kept <= done + 1
        assert written.counts["steps"] == kept
    assert line > 50


def test_nor_the_candidates_of_a_tick() -> None:
    env = make(Walk())
    given = list(ticks(planning(), env, seed=0, steps=4))
    line = kept = 0
    while kept < len(given):
        line, written = line + 1, Recorder(env, None, Wanted(2))
        interrupted(written, given, 1, line)
        written.close()
        kept = sum(map(len, written.tables))
        assert sum(map(len, written.candidates)) == 2 * kept
    assert line > 50


def interrupted(written: Recorder, given: list[Tick], first: int, line: int) -> int:
    """Record ticks until a KeyboardInterrupt at the `line`th line after the first ones; how many were done."""
    seen = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal seen
        seen += event == "line"
        if seen == line:
            raise KeyboardInterrupt
        return trace if frame.f_code.co_filename in WRITERS else None

    done, before = 0, sys.gettrace()
    for tick in given:
        sys.settrace(trace if done >= first else before)
        try:
            written.add("learn", tick)
        except KeyboardInterrupt:
            break
        finally:
            sys.settrace(before)
        done += 1
    return done


def test_an_energy_that_is_missing_for_long_is_nan() -> None:
    @dataclass
    class Once(Sometimes):
        def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
            found = super().decide(state, obs, generator=generator)
            return Decision(found.action, state + 1, energies={"total": state} if state[0] < 5 else {})

    steps = 0
    for episode in run(Once(), make("CartPole-v1"), Schedule(episodes=200)).episodes():
        np.testing.assert_array_equal(np.isnan(episode.arrays["energy.total"]), episode.arrays["t"] >= 5)
        steps = max(steps, episode.length)
    assert steps > 2 * STAGED  # a whole batch without it


def left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was killed at its 300th step."""

    def kill(progress: Progress) -> None:
        if progress.steps > 256:
            time.sleep(0.005 if progress.steps < 300 else 0.5)
        if progress.steps == 300:
            raise KeyboardInterrupt

    monkeypatch.setattr(recorder, "INTERVAL", 0.0)
    monkeypatch.setattr("agentic.runs.run._abandon", lambda *parts: parts[-1]._file.close())
    with pytest.raises(KeyboardInterrupt):
        run(Coin(), Walk(), Schedule(episodes=80), Recording(folder), observer=kill)
    return folder


def test_partial_ticks_are_read_where_no_chunk_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(left(tmp_path / "run", monkeypatch))
    record = Record.open(folder.path)
    assert record.chunks == [folder.chunk("ticks", 0), folder.partial_file]
    assert 256 < len(record.table()) <= 300
    with pytest.raises(UserError, match="already holds a record"):
        RunFolder.new(folder.path)
    partial = folder.partial_file.read_bytes()
    folder.partial_file.write_bytes(partial[:-20])
    with pytest.raises(UserError, match=r"ticks-partial\.parquet is damaged: its bytes are not those the run wrote"):
        record.table()
    assert len(Record.salvage(folder.path).table()) == 256
    folder.partial_file.write_bytes(partial)
    folder.chunk("ticks", 0).rename(folder.chunk("ticks", 1))
    annotate(folder, chunks={})
    assert len(Record.salvage(folder.path).table()) == 256  # of the chunk; the partial one is of the same place
    annotate(folder, status="finished")
    folder.chunk("ticks", 1).unlink()
    with pytest.raises(UserError, match="not of this run, which finished"):
        record.table()


SLOW = """
import sys, time
from agentic import Recording, Schedule, run
from agentic.testing.worlds import Coin
from agentic.tick import Tick
run(Coin(), "CartPole-v1", Schedule(episodes=10**6), Recording(sys.argv[1]), observer=lambda _: time.sleep(0.02))
"""


@pytest.mark.slow
def test_kill_9_of_a_slow_run_keeps_what_was_there_5_seconds_before(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(folder)])
    while not RunFolder(folder).manifest_file.exists():
        time.sleep(0.01)
    began = time.monotonic()
    time.sleep(12)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lasted = time.monotonic() - began
    kept = len(Record.open(folder).table())
    assert kept > 0.8 * (lasted - recorder.INTERVAL) / 0.021
