"""Runs that are ended from outside, at any moment, go on to the very same numbers."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentic import Record
from agentic.runs import RunFolder

EXAMPLES = Path(__file__).parents[2] / "examples"
AGENTS = {  # the example, and what makes it last a few seconds
    "cartpole": ("learn.steps=200", "evaluate.episodes=2"),
    "continuous": ("learn.steps=100", "evaluate.episodes=1"),
    "cuechain": ("evaluate.episodes=40",),
}
STEPS = ("run.checkpoint_steps=20", "run.checkpoint_minutes=0")


def started(place: Path, name: str) -> subprocess.Popen[str]:
    settings = [part for each in (*AGENTS[name], *STEPS) for part in ("--set", each)]
    folder = next(iter(place.glob("[0-9]*")), None)
    how = (
        [str(EXAMPLES / f"{name}.toml"), *settings, "--out", str(place)]
        if folder is None
        else ["--resume", str(folder)]
    )
    words = [sys.executable, "-m", "agentic", "run", *how, "--quiet"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished(place: Path) -> bool:
    return any(RunFolder(folder).status == "finished" for folder in place.glob("[0-9]*"))


def table(place: Path) -> dict[str, list[bytes]]:
    record = Record.open(next(place.glob("[0-9]*")))
    assert record.problems == []
    return {path.name: [path.read_bytes()] for path in record.chunks}


def ended(place: Path, name: str, seconds: float, number: signal.Signals) -> str:
    """What it says that was ended after so many seconds of being at work."""
    process = started(place, name)
    try:
        until = time.monotonic() + 60
        while not list(place.glob("*/manifest.json")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(seconds)
        process.send_signal(number)
        return process.communicate(timeout=60)[0]
    finally:
        process.kill()


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("kills", [pytest.param(2, marks=pytest.mark.slow), pytest.param(10, marks=pytest.mark.soak)])
@pytest.mark.timeout(900)
def test_kill_9_changes_no_number(name: str, kills: int, tmp_path: Path) -> None:
    began = time.monotonic()
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    said, _ = started(whole, name).communicate()
    took = time.monotonic() - began
    assert finished(whole), said
    chance = random.Random(f"{name} {kills}")
    for _ in range(kills):
        if not finished(cut):
            ended(cut, name, chance.uniform(0, took / 2), signal.SIGKILL)
    said = "" if finished(cut) else started(cut, name).communicate()[0]
    assert finished(cut), said
    assert table(cut) == table(whole)
