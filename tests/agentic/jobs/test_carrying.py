"""Units carried out: what is done stays, what is lost says why, and any number of workers leave the same."""

from pathlib import Path

import pytest

from agentic import RunError, UserError
from agentic.jobs import Processes, Resources, Unit, alone, carry_out, executor_class, executor_of, left
from tests.agentic.jobs.work import Work, gone, killed, late, stopping


def found(folder: Path) -> dict[str, str]:
    """The results in a folder, by path."""
    return {f"{path.relative_to(folder)}": path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_leave_the_same(workers: int, tmp_path: Path) -> None:
    units = [Work(number) for number in range(5)]
    ended = list(carry_out(units, tmp_path, Processes(workers), 60.0))
    assert {unit.label for unit in ended} == {unit.label for unit in units}
    squares = {f"units/{number}/square": f"{number**2}" for number in range(5)}
    assert found(tmp_path) == squares | {f"units/{number}/threads": "1" for number in range(5)}
    assert left(units, tmp_path) == []


def test_what_is_lost_says_why_and_costs_nothing_else(tmp_path: Path) -> None:
    units: list[Unit] = [Work(1), Work(2, late), Work(3, gone), Work(4, killed), Work(5)]
    assert len(list(carry_out(units, tmp_path, Processes(2), 6.0))) == 5
    said = found(tmp_path)
    assert said["units/1/square"] == "1"
    assert said["units/5/square"] == "25"
    assert said["units/2/lost"] == "it took longer than its time_limit of 6 s"
    assert said["units/3/lost"] == "it ended its process with exit code 3"
    assert said["units/4/lost"].startswith("its process was ended by signal 9")
    assert left(units, tmp_path) == units[1:4]
    assert not [*(tmp_path / "units").glob(".*")]


def test_what_concerns_all_ends_all_and_what_is_done_stays(tmp_path: Path) -> None:
    units: list[Unit] = [Work(1), Work(2, stopping), Work(3)]
    with pytest.raises(RunError, match="the disk of 2 is full"):
        list(carry_out(units, tmp_path, Processes(1), 60.0))
    assert found(tmp_path)["units/1/square"] == "1"
    (tmp_path / "units/3").mkdir()
    (tmp_path / "units/3/stale").touch()
    units = [Work(number) for number in (1, 2, 3)]
    list(carry_out(left(units, tmp_path), tmp_path, Processes(1), 60.0))
    assert "units/3/stale" not in found(tmp_path)
    assert left(units, tmp_path) == []


def test_a_job_of_several_processors_computes_with_as_many_threads(tmp_path: Path) -> None:
    executor = Processes(resources=Resources.of("cpus=2"))
    list(carry_out([Work(1)], tmp_path, executor, 60.0))
    assert found(tmp_path)["units/1/threads"] == "2"


def test_one_at_a_time(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(UserError, match="another process is at work in"), alone(tmp_path):
        raise AssertionError


@pytest.mark.parametrize("text", ["cpus", "cpus=-1", "cpus=nan", "cpu=1", "cpus=1;gpus=1", "cpus=inf", "cpus=0"])
def test_resources_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match=r"cpus=(0|2,gpus)"):
        Resources.of(text)


def test_resources_and_executors_by_name() -> None:
    assert Resources.of("gpus=.5, memory=4") == Resources(1.0, 0.5, 4.0)
    assert executor_class("processes") is Processes
    assert executor_of("processes", workers=3).workers == 3
    with pytest.raises(UserError, match=r"there is no executor 'procesess', did you mean 'processes'"):
        executor_of("procesess")
    with pytest.raises(UserError, match="workers must be at least 1, got 0"):
        Processes(0)
