"""Every kind of file in a run's folder, of which each flipped bit is told, and runs ended at any moment."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from agentic import Experiment, Record, build, load
from agentic.cli import main
from agentic.experiments import example, read
from agentic.metrics import Result
from agentic.runs import Progress, RunFolder
from tests.agentic.runs.test_integrity import check_flips


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with every file that there may be: stopped while a chunk was filled, failed, measured, with candidates."""
    folder = RunFolder(tmp_path_factory.mktemp("records") / "everything")
    file = example("tmaze")
    experiment = Experiment.of(read(file), ["run.candidates=2", "evaluate.episodes=200"])

    def kill(progress: Progress) -> None:
        if progress.steps > 256:
            time.sleep(0.01 if progress.steps < 300 else 1.0)
        if progress.steps == 300:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agentic.runs.recorder.INTERVAL", 0.0)
        patch.setattr("agentic.runs.run._abandon", lambda *given: given[3].finish(""))
        with pytest.raises(KeyboardInterrupt):
            build(experiment, load()).run(folder.path, kill)
    folder.error_file.write_text("Traceback\nKeyError: 'x'\n")
    assert main(["measure", str(folder.path), "--metric", "episode_return", "--no-references", "--quiet"]) == 0
    assert len(Record.open(folder.path).candidates())
    assert folder.partial_file.is_file()
    folder.progress_file.unlink()  # what was told while it went on: no number is read from it
    assert len(list(folder.path.iterdir())) == 7
    return folder.path


@pytest.mark.parametrize("times", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_flipped_bits_of_every_kind_of_file_are_noticed(times: int, everything: Path, tmp_path: Path) -> None:
    check_flips(Path(shutil.copytree(everything, tmp_path / "copy")), times, evenly=True)


def test_changed_measurements_are_remarked_and_those_without_a_checksum_read(everything: Path, tmp_path: Path) -> None:
    folder = RunFolder(shutil.copytree(everything, tmp_path / "copy"))
    content = json.loads(folder.measurements_file.read_text())
    content["measurements"]["episode_return"]["value"] += 1
    folder.measurements_file.write_text(json.dumps(content))
    assert Result.read(folder.path) is None
    (said,) = Record.salvage(folder.path).problems
    assert said.startswith(f"{folder.measurements_file} is damaged: ")
    del content["checksum"]
    folder.measurements_file.write_text(json.dumps(content))
    assert Result.read(folder.path) is not None
    assert Record.salvage(folder.path).problems == []


LOGGED = """
import os, sys, time
from agentic.cli import main
from agentic.runs.recorder import Recorder

log, add = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND), Recorder.add

def logged(self, phase, tick):
    kept = add(self, phase, tick)
    os.write(log, f"{time.monotonic()} {tick.valid.sum()}\\n".encode())
    return kept

Recorder.add = logged
sys.exit(main(["run", *sys.argv[2:]]))
"""
"""An `agentic run` that leaves the moment of each tick, and how many steps it was."""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("rows", [1, 256])
@pytest.mark.parametrize(("how", "seconds"), [(signal.SIGKILL, 13.0), (signal.SIGKILL, 19.0), (signal.SIGTERM, 7.0)])
def test_what_is_ended_at_any_moment_loses_10_seconds_and_the_tick_of_then_at_most(
    how: signal.Signals, seconds: float, rows: int, tmp_path: Path
) -> None:
    log, out = tmp_path / "log", tmp_path / "runs"
    options = ["--episodes", "100000", "--quiet", "--out", str(out)]
    file = example("continuous" if rows == 1 else "cartpole")
    command = [sys.executable, "-c", LOGGED, str(log), str(file), *options, "--envs", str(rows)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    while not list(out.glob("*/manifest.json")):
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(seconds)
    ended = time.monotonic()
    process.send_signal(how)
    assert process.wait(60) == (-signal.SIGKILL if how is signal.SIGKILL else 130)
    (folder,) = out.iterdir()
    kept, count = len(Record.open(folder).table(["t"])), 0
    ticks = [(float(moment), int(steps)) for moment, steps in map(str.split, log.read_text().splitlines())]
    moments = [moment for moment, _ in ticks] + [ended]
    longest = max(after - before for before, after in pairwise(moments))  # a tick may learn for seconds
    for moment, steps in ticks:
        count += steps
        if count > kept:
            assert moment > ended - 10.0 - longest
            break
    assert count > 0
    assert how is signal.SIGKILL or count <= kept <= count + rows  # the last tick may be kept and not yet logged
    assert main(["show", str(folder)]) == 0
