"""Loggers are told of a run and take no part in it: whoever watches, the record has the same bytes."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agentic import LoggedRun, Logger, Record, Recording, Schedule, UserError, run
from agentic.testing.worlds import Coin


class Heard(Logger):
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def start(self, run: LoggedRun) -> None:
        self.heard.append(run)

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        self.heard.append((step, dict(scalars)))

    def finish(self, status: str) -> None:
        self.heard.append(status)


class Gambling(Heard):
    """Draws from every generator that belongs to nobody, and writes over what it is given."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        random.random()
        np.random.rand()  # noqa: NPY002
        torch.rand(1)
        scalars.clear()  # type: ignore[attr-defined]


class Breaking(Heard):
    """Raises at its second scalars."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        super().log(step, scalars)
        if len(self.heard) > 2:
            raise SystemExit("the disk\nis full")


def lived(folder: Path, *loggers: Logger) -> Record:
    return run(Coin(), "CartPole-v1", Schedule(episodes=4), Recording(folder, loggers=loggers))


def chunks(record: Record) -> list[bytes]:
    return [path.read_bytes() for path in record.chunks]


def test_a_logger_hears_from_start_to_end(tmp_path: Path) -> None:
    heard = Heard()
    record = lived(tmp_path / "run", heard)
    start, *logged, status = heard.heard
    assert (start.folder, start.experiment, start.step, status) == (tmp_path / "run", {}, 0, "finished")
    assert start.manifest["seed"] == 0
    returns = record.returns().tolist()
    assert logged == [
        (int(step), {"evaluate.return": each, "evaluate.length": each})
        for step, each in zip(np.cumsum(returns), returns, strict=True)
    ]


def test_the_record_has_the_same_bytes_whoever_watches(tmp_path: Path) -> None:
    alone = lived(tmp_path / "alone")
    assert chunks(alone) == chunks(lived(tmp_path / "watched", Heard(), Gambling()))
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002
    lived(tmp_path / "again", Gambling())
    after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


def test_one_that_raises_is_left_out_once_and_the_run_goes_on(tmp_path: Path) -> None:
    broken, heard = Breaking(), Heard()
    said = "the logger Breaking is left out from here on, SystemExit: the disk is full"
    with pytest.warns(UserWarning, match=f"^{said}; the run goes on$") as warned:
        record = lived(tmp_path / "run", broken, heard)
    assert len(warned) == 1
    assert (len(broken.heard), len(heard.heard)) == (3, 6)
    assert record.manifest["status"] == "finished"
    assert Record.open(tmp_path / "run").manifest["left_out"] == [said]
    assert chunks(record) == chunks(lived(tmp_path / "alone"))


def test_one_that_fails_at_the_end_is_said_too(tmp_path: Path) -> None:
    class Closing(Heard):
        def finish(self, status: str) -> None:
            raise OSError(28, "no space left")

    with pytest.warns(UserWarning, match="Closing is left out"):
        record = lived(tmp_path / "run", Closing())
    assert Record.open(tmp_path / "run").manifest["left_out"] == record.manifest["left_out"]


def test_a_run_that_fails_or_stops_is_known(tmp_path: Path) -> None:
    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    heard = Heard()
    with pytest.raises(KeyboardInterrupt):
        run(Coin(), "CartPole-v1", Schedule(), Recording(tmp_path / "run", loggers=[heard]), observer=stop)
    assert heard.heard[-1] == "interrupted"


def test_what_is_no_logger_is_refused() -> None:
    with pytest.raises(UserError, match=r"expected loggers that derive from agentic\.Logger, got"):
        Recording(loggers=[print])  # type: ignore[list-item]
