"""Sweeps carried out: what is done stays, what breaks costs its line, and optuna asks the same however many run."""

import csv
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from agentic import Record, UserError
from agentic.jobs import Ended, Executor, Placed
from agentic_sweep import SweepFile, sweep
from agentic_sweep.command import sweep as command
from agentic_sweep.sweeping import _Going
from agentic_sweep.unit import outcome
from tests.report.made_runs import made_run

TABLES: dict[str, Any] = {
    "sweep": {"seeds": 2, "values": {"run.envs": [1, 2]}},
    "env": {"id": "CartPole-v1"},
    "agent": {"name": "random"},
    "evaluate": {"episodes": 3},
}


class InLine(Executor):
    """Jobs in this very process, one after the other, the last first."""

    name = "in line"

    def carried_out(self, jobs: Any, limit: float) -> Iterator[Ended]:
        for placed in reversed(jobs):
            yield self.done(placed)

    def done(self, placed: Placed) -> Ended:
        placed.folder.mkdir(parents=True)
        placed.job.run(placed.folder)
        return Ended(placed)


def lines(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_say_what_the_records_say(tmp_path: Path) -> None:
    swept = sweep(TABLES, tmp_path, executor=InLine())
    rows = lines(tmp_path / "runs.csv")
    assert [(row["run.envs"], row["seed"]) for row in rows] == [("1", "0"), ("1", "1"), ("2", "0"), ("2", "1")]
    for row in rows:
        returns = Record.open(tmp_path / row["folder"]).returns("evaluate")
        assert float(row["return"]) == returns.mean()
        assert int(row["episodes"]) == len(returns) >= 3
    means = [float(row["return"]) for row in rows]
    first, second = lines(tmp_path / "table.csv")
    assert float(first["return"]) == np.mean(means[:2])
    assert float(second["high"]) - float(second["return"]) == pytest.approx(
        12.706204736 * np.std(means[2:], ddof=1) / 2**0.5
    )
    assert not swept.broken
    assert repr(swept).startswith("run.envs  return")
    assert swept.to_pandas()["return"].tolist() == means


def test_done_is_not_done_again_and_another_time_limit_is_the_same_sweep(tmp_path: Path) -> None:
    heard = list[str]()
    folder = sweep(TABLES, out=tmp_path, executor=InLine()).folder
    assert folder is not None
    (folder / "units").joinpath(*lines(folder / "runs.csv")[1]["folder"].split("/")[1:], "unit.json").unlink()
    limited = {**TABLES, "sweep": {**TABLES["sweep"], "time_limit": 7.0}}
    again = sweep(limited, out=tmp_path, executor=InLine(), observer=lambda unit, *_: heard.append(unit.label))
    assert heard == ["run.envs=1, seed 1"]
    assert again.folder == folder
    other = sweep(TABLES, out=tmp_path, settings=["evaluate.episodes=4"], executor=InLine())
    assert other.folder not in (None, folder)
    assert [row["episodes"] for row in other.rows] >= [4, 4, 4, 4]


def test_what_breaks_costs_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "rule.py").write_text(
        "def rule(observation):\n    assert observation[0] < .03, 'too far'\n    return 0\n"
    )
    tables = {**TABLES, "sweep": {"seeds": 1, "values": {"agent.name": ["rock", f"{tmp_path}/rule.py"]}}}
    swept = sweep(tables, tmp_path / "out", executor=InLine())
    rows = {row["agent.name"]: row for row in swept.rows}
    assert rows["rock"]["status"] == "finished"
    assert len(swept.rows) == 2
    with pytest.raises(UserError, match="unknown agent 'rokc'"):
        sweep(TABLES, tmp_path / "none", settings=["agent.name=rokc"], executor=InLine())
    assert not (tmp_path / "none").exists()


class AllAtOnce(InLine):
    """As if all ended before any is told."""

    def carried_out(self, jobs: Any, limit: float) -> Iterator[Ended]:
        yield from [self.done(placed) for placed in jobs]


def test_optuna_asks_the_same_however_jobs_end(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    own = {"search": "optuna", "trials": 6, "batch": 3, "seeds": 1}
    tables = {**TABLES, "sweep": {**own, "values": {"run.envs": {"low": 1, "high": 3, "integer": True}}}}
    one, other = (sweep(tables, tmp_path / kind.name, executor=kind()) for kind in (InLine, AllAtOnce))
    assert (one.rows, len(one.rows)) == (other.rows, len({row["run"] for row in one.rows}))
    heard = list[str]()
    sweep(tables, tmp_path / InLine.name, executor=InLine(), observer=lambda unit, *_: heard.append(unit.label))
    assert heard == []


def test_the_command_prints_a_table_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text('[env]\nid = "CartPole-v1"\n[agent]\nname = "random"\n[evaluate]\nepisodes = 2\n')
    words = [str(file), "--vary", "run.envs=[1,2]", "--seeds", "2", "--workers", "2", "--out", f"{tmp_path}/runs"]
    done = CliRunner().invoke(command, words)
    assert (done.exit_code, done.exception) == (0, None)
    assert "│ 2        │" in done.output
    again = CliRunner().invoke(command, [*words, "--quiet"])
    assert (again.exit_code, again.stdout) == (0, f"{tmp_path}/runs/0001-sweep-experiment\n")


KILLED = """
import sys
from agentic_sweep.command import sweep
sweep.main([*sys.argv[1:], "--workers", "2", "--quiet"])
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_that_was_killed_five_times_leaves_the_same_table(tmp_path: Path) -> None:
    file, source = tmp_path / "sweep.toml", random.Random(19)
    file.write_text(
        '[sweep]\nseeds = 10\nvalues."run.envs" = [1, 2]\n[env]\nid = "CartPole-v1"\n[agent]\nname = "random"\n'
    )
    command = [sys.executable, "-c", KILLED, str(file), "--out"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    kills = 0
    for _ in range(5):
        going = subprocess.Popen([*command, str(tmp_path / "killed")])
        folder = tmp_path / "killed" / "0001-sweep-sweep" / "units"
        count = len(list(folder.glob("*/seed-*")))
        while going.poll() is None and len(list(folder.glob("*/seed-*"))) < count + 2:
            time.sleep(0.05)
        time.sleep(source.uniform(0.0, 0.5))
        kills += going.poll() is None
        going.kill()
        going.wait()
    subprocess.run([*command, str(tmp_path / "killed")], check=True)
    assert kills >= 3
    for name in ("runs.csv", "table.csv"):
        whole, killed = (tmp_path / place / "0001-sweep-sweep" / name for place in ("whole", "killed"))
        assert whole.read_bytes() == killed.read_bytes()


def test_values_whose_labels_agree_are_runs_of_their_own(tmp_path: Path) -> None:
    near = {
        "sweep": {"seeds": 1, "values": {"env.kwargs.g": [0.12345671, 0.12345672]}},
        "env": {"id": "Pendulum-v1", "kwargs": {"g": 1.0}},
        "agent": {"name": "random"},
        "evaluate": {"episodes": 1},
    }
    swept = sweep(near, tmp_path, executor=InLine())
    assert len({row["run"] for row in swept.rows}) == 1
    one, other = (row["return"] for row in swept.rows)
    assert one != other


def test_values_that_are_drawn_twice_are_one_run(tmp_path: Path) -> None:
    heard = list[tuple[int, int]]()
    own = {"seeds": 1, "search": "random", "trials": 8, "values": {"run.envs": [1, 2]}}
    tables = {**TABLES, "sweep": own}
    swept = sweep(tables, tmp_path, executor=InLine(), observer=lambda _, *counts: heard.append(counts))
    assert (len(swept.rows), heard) == (2, [(1, 2), (2, 2)])


def test_the_worth_of_values_is_not_that_of_others_that_are_equal(tmp_path: Path) -> None:
    going = _Going(SweepFile({**TABLES, "sweep": {"values": {"run.dtype": [1, True, 1.0]}}}), tmp_path)
    for place, value in enumerate((1, True, 1.0)):
        row = {"run.dtype": value, "seed": 0, "status": "finished", "return": float(place)}
        going.rows[Path(str(place))] = row
    assert [going.worth({"run.dtype": value}) for value in (1, True, 1.0, 2)] == [0.0, 1.0, 2.0, None]


def test_the_source_of_a_world_among_the_values_is_part_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "swept_world.py"
    source.write_text(
        "import gymnasium\nfrom gymnasium.envs.classic_control import CartPoleEnv\n"
        'gymnasium.register("Swept-v0", CartPoleEnv, max_episode_steps=9)\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    tables = {**TABLES, "sweep": {"seeds": 1, "values": {"env.id": ["CartPole-v1", "swept_world:Swept-v0"]}}}
    heard = list[str]()
    for _ in range(2):
        swept = sweep(tables, tmp_path / "out", executor=InLine(), observer=lambda unit, *_: heard.append(unit.label))
        assert not swept.broken
        source.write_text(f"{source.read_text()}# another\n")
    assert sorted(heard) == [*["env.id=CartPole-v1, seed 0"], *["env.id=swept_world:Swept-v0, seed 0"] * 2]
    assert SweepFile(tables).worlds == ["CartPole-v1", "CartPole-v1", "swept_world:Swept-v0"]


def test_settings_of_the_sweep_itself(tmp_path: Path) -> None:
    swept = sweep(TABLES, tmp_path, settings=["sweep.seeds=1", "sweep.name=mine"], executor=InLine())
    assert [row["seed"] for row in swept.rows] == [0, 0]
    assert 'name = "mine"' in (tmp_path / "sweep.toml").read_text()
    with pytest.raises(UserError, match="values to try stand in"):
        sweep(TABLES, tmp_path, settings=["sweep.values.run.envs=[3]"], executor=InLine())


@pytest.mark.parametrize(
    "said", [{"return": "x"}, {"return": [1]}, {"return": 10**400}, {"failed": ["x"]}, {"steps": {}}, {"return": True}]
)
def test_an_outcome_that_somebody_else_wrote_is_none(said: dict[str, Any], tmp_path: Path) -> None:
    place = tmp_path / "unit.json"
    place.write_text(json.dumps({"key": "known", "return": 1.5, "failed": ""}))
    assert outcome(tmp_path)["return"] == 1.5
    place.write_text(json.dumps({"key": "known", **said}))
    assert outcome(tmp_path) == {}


def test_the_folder_of_a_run_is_left_as_it_is(tmp_path: Path) -> None:
    made_run(tmp_path / "run", [1.0])
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(UserError, match="is the folder of a run, not of a sweep"):
        sweep(TABLES, tmp_path / "run", executor=InLine())
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_brackets_in_values_are_no_markup(tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text('[env]\nid = "CartPole-v1"\n[agent]\nname = "random"\n')
    words = [str(file), "--vary", 'env.kwargs.look=["[red]", "[/b]"]', "--seeds", "1", "--out", f"{tmp_path}/runs"]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "│ [red]" in done.output
    assert "│ [/b]" in done.output


def test_a_mistake_leaves_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text('[env]\nid = "CartPole-v1"\n[agent]\nname = "rokc"\n')
    done = CliRunner().invoke(command, [str(file), "--out", f"{tmp_path}/runs"])
    assert isinstance(done.exception, UserError)
    assert not (tmp_path / "runs").exists()


def test_a_value_that_optuna_would_ask_for_later_is_checked_before_anything_runs(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    own = {"search": "optuna", "trials": 40, "batch": 1, "seeds": 1, "values": {"run.envs": [*range(1, 30), -1]}}
    with pytest.raises(UserError, match=r"with run\.envs=-1"):
        sweep({**TABLES, "sweep": own}, tmp_path / "out", executor=InLine())
    assert not (tmp_path / "out").exists()


def test_what_failed_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MARKED)
    (tmp_path / "marked").touch()
    tables = {**TABLES, "agent": {"name": f"{tmp_path}/mine.py"}}
    first = sweep(tables, tmp_path / "out", vary={"run.envs": [1, 2]}, seeds=1, executor=InLine())
    (said,) = first.broken
    assert said.startswith("run.envs=1, seed 0 and 1 more: [agent] ")
    assert said.endswith("OSError: the disk is full")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["failed"] == 2
    (tmp_path / "marked").unlink()
    again = sweep(tables, tmp_path / "out", vary={"run.envs": [1, 2]}, seeds=1, executor=InLine())
    assert not again.broken
    assert again.notes == []


MARKED = """
from pathlib import Path

class Mine:
    def __init__(self):
        if Path(__file__).with_name("marked").exists():
            raise OSError("the disk is full")

    def predict(self, observation):
        return 0
"""


def test_what_is_wrong_with_all_is_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"random has no parameter 'gain'"):
        sweep(TABLES, tmp_path / "out", vary={"agent.gain": [1, 2]}, executor=InLine())
    assert not (tmp_path / "out").exists()
    partly = sweep(
        TABLES, tmp_path / "out", vary={"agent.name": ["rock", "random"], "agent.action": [0]}, executor=InLine()
    )
    assert {row["status"] for row in partly.failed} == {"failed"}
    assert len(partly.failed) == len(partly.rows) // 2


def test_without_spread_there_is_no_interval(tmp_path: Path) -> None:
    found = sweep(
        {**TABLES, "agent": {"name": "rock"}},
        tmp_path,
        vary={"env.id": ["FrozenLake-v1"], "run.envs": [1]},
        executor=InLine(),
    )
    (choice,) = found.choices
    assert (choice["return"], choice["low"], choice["high"]) == (0.0, None, None)
    assert found.notes == [
        "1 of 1 choices have on all seeds the same return: there is no spread to judge by, and no interval"
    ]


def test_runs_tell_their_loggers(tmp_path: Path) -> None:
    (tmp_path / "noted.py").write_text(NOTED)
    tables = {**TABLES, "loggers": [{"name": "noted", "file": str(tmp_path / "heard")}]}
    sweep(tables, tmp_path / "out", seeds=2, vary={"run.envs": [1]}, plugins=tmp_path / "noted.py", executor=InLine())
    assert len((tmp_path / "heard").read_text().splitlines()) == 2


NOTED = """
from pathlib import Path
from agentic import Logger, hookimpl

class Noted(Logger):
    '''Writes down how runs ended.'''

    def __init__(self, file: str) -> None:
        self.file = file

    def log(self, step, scalars) -> None:
        pass

    def finish(self, status: str) -> None:
        with open(self.file, "a") as file:
            print(status, file=file)

@hookimpl
def agentic_loggers():
    return {"noted": Noted}
"""
