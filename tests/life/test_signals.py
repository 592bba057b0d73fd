"""Runs that are stopped by a signal, held by one process alone, and resumed by the command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentic import Record
from agentic.experiments.toml import toml_text
from agentic.runs import RunFolder
from tests.life.resuming import lived, same
from tests.life.test_resume import HABIT

LONG = "learn.steps=20000"  # still at work when another process has come and gone
EVERY = ["run.checkpoint_steps=400", "run.checkpoint_minutes=0"]


# A process inherits that signals are ignored, as they are for what a shell has in the background.
HEARING = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("agentic", run_name="__main__", alter_sys=True)
"""


def started(*options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", HEARING, "run", *options, "--quiet"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )


def begun(place: Path) -> tuple[Path, "subprocess.Popen[bytes]"]:
    """The folder of a run, and the process that runs it, after its first checkpoint."""
    file = place / "experiment.toml"
    file.write_text(toml_text(HABIT))
    options = [each for setting in [LONG, *EVERY] for each in ("--set", setting)]
    process = started(str(file), *options, "--out", str(place / "runs"))
    until = time.monotonic() + 100
    while not (found := list(place.glob("runs/*/checkpoint-*"))) and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert process.poll() is None, process.stderr and process.stderr.read().decode()
    return found[0].parent, process


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_run_between_two_ticks(number: signal.Signals, tmp_path: Path) -> None:
    folder, process = begun(tmp_path)
    process.send_signal(signal.SIGSTOP)  # so that it has not ended by then, however long that takes
    beside = started("--resume", str(folder))
    _, said = beside.communicate(timeout=100)
    process.send_signal(signal.SIGCONT)
    assert (beside.returncode, b"another process writes into" in said) == (2, True)
    process.send_signal(number)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130
    assert b"--resume" in said
    assert RunFolder(folder).status == "interrupted"
    half = folder / ".checkpoint-000000000099.0123456789abcdef.part"
    half.mkdir()
    (half / "state.json").write_text("{")
    again = started("--resume", str(folder))
    again.communicate(timeout=200)
    assert again.returncode == 0
    full = lived(HABIT, [LONG, *EVERY], tmp_path / "full")
    assert full is not None
    same(full, Record.open(folder))
    assert not half.exists()
