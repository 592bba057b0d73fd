"""Benches carried out: by any number of workers, killed and gone on with, the table is the same."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentic import Metric, Record, RunError, UserError, bench, measure
from agentic.experiments.build import build
from agentic.experiments.experiment import Experiment
from agentic.jobs import Processes, Unit, alone, source_hash
from agentic.metrics.results import Result
from agentic.plugins import load
from agentic_bench import Battery, Scores, bench_folder, read_cells
from tests.bench.batteries import TABLES, small

KILLS = [pytest.param(kill, marks=pytest.mark.soak if kill else pytest.mark.slow) for kill in range(5)]
BROKEN = """
from agentic import Agent


class Broken(Agent):
    def start(self, batch, *, generator):
        return None

    def decide(self, state, obs, *, generator):
        raise ZeroDivisionError("it fell apart")
"""
HOSTILE = """
import sys
import threading

import agentic

print("a third party prints")


class Quits:
    def predict(self, obs):
        sys.exit(0)


class Locked(agentic.Agent):
    def __init__(self):
        self.lock = threading.Lock()

    def start(self, batch, *, generator):
        return None

    def decide(self, state, obs, *, generator):
        return agentic.Decision(obs.new_tensor([[1.0, 0.0]]).expand(len(obs), 2))
"""
COIN = """
import random

CALLS = []


class Coin:
    def predict(self, obs):
        CALLS.append(0)
        return (len(CALLS) // 5 + random.choice([0, 1])) % 2
"""
ELSEWHERE = """
class Leaner:
    \"\"\"Pushes to where the pole leans; knows nothing of agentic.\"\"\"

    def __init__(self, sensor: int = 2) -> None:
        self.sensor = sensor

    def predict(self, obs):
        return int(obs[self.sensor] > 0), None
"""
LOST = """
import os, signal, time
class Gone:
    def predict(self, obs): os._exit(7)
class Killed:
    def predict(self, obs): os.kill(os.getpid(), signal.SIGKILL)
class Hanging:
    def predict(self, obs): time.sleep(1000)
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scores, list[str]]:
    folder = tmp_path_factory.mktemp("two")
    reported: list[str] = []
    scores = bench(
        small(), folder, workers=2, observer=lambda task, n, of: reported.append(f"{n} of {of} {task.label}")
    )
    return folder, scores, reported


def test_every_cell_is_there(done: Any) -> None:
    folder, scores, reported = done
    assert scores.agents == ("rock", "random", "right")
    assert scores.metrics == ("return", "policy_complexity", "return under swapped")
    assert len(scores.cells) == 3 * 2 + 3 * 2
    assert scores.broken == ()
    assert len(reported) == 12
    assert reported[-1].startswith("12 of 12")
    assert read_cells(folder) == scores.to_dict()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "finished"


def test_a_cell_is_the_mean_over_seeds_with_students_interval(done: Any) -> None:
    folder, scores, _ = done
    cell = next(c for c in scores.cells if (c.agent, c.world, c.metric) == ("random", "cart", "return"))
    runs = [Record.open(folder / f"units/cart/random/seed-{seed}").returns("evaluate").mean() for seed in (0, 1)]
    half = 12.706204736432095 * np.std(runs, ddof=1) / np.sqrt(2)
    assert (cell.value, cell.seeds) == (pytest.approx(np.mean(runs)), 2)
    assert (cell.low, cell.high) == (pytest.approx(np.mean(runs) - half), pytest.approx(np.mean(runs) + half))


def test_swapping_the_actions_swaps_the_agents_that_only_push(done: Any) -> None:
    found = {(c.agent, c.metric): c.value for c in done[1].cells if c.world == "cart"}
    assert found["right", "return under swapped"] == pytest.approx(found["rock", "return"], abs=1.0)


def test_a_number_is_recomputed_from_its_folder(done: Any) -> None:
    folder = done[0] / "units/lake/random/seed-0"
    found = Result.read(folder)
    assert found is not None
    registry = load()
    again = build(Experiment.load(folder / "experiment.toml"), registry).subject()
    reported = measure(registry.make(Metric, {"name": "policy_complexity"}), again, seed=0)
    assert reported.to_dict() | {"diagnostics": None} == found.measurements["policy_complexity"].to_dict() | {
        "diagnostics": None
    }


def test_one_worker_gives_the_same_bits_and_done_is_not_done_again(done: Any, tmp_path: Path) -> None:
    reported: list[Unit] = []
    bench(small(), tmp_path, workers=1, observer=lambda task, *_: reported.append(task))
    assert (tmp_path / "cells.json").read_bytes() == (done[0] / "cells.json").read_bytes()
    before = len(reported)
    (tmp_path / "units/cart/random/seed-1/measurements.json").write_text("{half")
    bench(small(), tmp_path, workers=1, observer=lambda task, *_: reported.append(task))
    assert [task.label for task in reported[before:]] == ["cart, random, seed 1"]
    assert (tmp_path / "cells.json").read_bytes() == (done[0] / "cells.json").read_bytes()


def test_what_breaks_costs_its_own_cells(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "hostile.py").write_text(HOSTILE)
    (tmp_path / "lost.py").write_text(LOST)
    names = ("lost.py:Gone", "lost.py:Killed", "broken.py", "hostile.py:Quits", "hostile.py:Locked")
    files = [f"{tmp_path}/{name}" for name in names]
    agents = [{"name": "rock"}, *({"name": name, "label": name.rpartition("/")[2]} for name in files)]
    scores = bench(
        small(
            agents=agents,
            bench={"seeds": 1},
            worlds=TABLES["worlds"][1:],
            metrics=TABLES["metrics"][:1],
            interventions=[],
        ),
        tmp_path / "bench",
        workers=2,
    )
    rock, gone, killed, broken, quits, locked = scores.cells
    assert rock.value is not None
    assert broken.value is None
    assert "it fell apart" in str(broken.note)
    assert (quits.value, quits.note) == (
        None,
        "CartPole-v1, episode 0, step 0: the policy Quits broke, SystemExit: 0",
    )
    assert (locked.value, "cannot pickle" in str(locked.note)) == (None, True)
    assert (gone.value, "exit code 7" in str(gone.note)) == (None, True)
    assert (killed.value, "signal 9" in str(killed.note)) == (None, True)
    assert len(scores.broken) == 5
    assert json.loads((tmp_path / "bench/manifest.json").read_text())["status"] == "finished"
    assert "a third party prints" not in capfd.readouterr().out


def test_what_does_not_apply_is_said(tmp_path: Path) -> None:
    metrics = [{"name": "outcome_devaluation"}, {"name": "episode_return"}]
    battery = Battery.of(
        {"bench": {"seeds": 1}, "worlds": TABLES["worlds"][1:], "agents": [{"name": "rock"}], "metrics": metrics}
    )
    first, second = bench(battery, tmp_path).cells
    assert first.value is None
    assert "finite" in str(first.note)
    assert second.value is not None


def test_a_third_partys_class_in_a_file_takes_one_table(tmp_path: Path) -> None:
    (tmp_path / "leaner.py").write_text(ELSEWHERE)
    file = tmp_path / "mine.toml"
    file.write_text(
        '[bench]\nseeds = 1\n[[worlds]]\nname = "cart"\nid = "CartPole-v1"\nepisodes = 4\n'
        '[[agents]]\nname = "rock"\n[[metrics]]\nname = "episode_return"\n'
        '[[agents]]\nname = "leaner.py"\nsensor = 2\n'
    )
    rock, leaner = bench(Battery.load(file), tmp_path / "bench").cells
    assert (rock.agent, leaner.agent) == ("rock", "leaner")
    assert leaner.value is not None
    assert rock.value is not None
    assert leaner.value > 2 * rock.value


def test_a_result_that_no_longer_holds_is_not_shown(tmp_path: Path, monkeypatch: Any) -> None:
    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    battery = small(bench={"seeds": 1}).only(["rock"])
    stale = Result({}, {"return": "of sources that are others now"}, key="of then")
    for task in battery.tasks():
        (tmp_path / task.folder).mkdir(parents=True)
        stale.keep(tmp_path / task.folder)
    (tmp_path / "units/.half").mkdir()
    monkeypatch.setattr(Processes, "carried_out", killed)
    with pytest.raises(KeyboardInterrupt):
        bench(battery, tmp_path)
    assert {cell["note"] for cell in read_cells(tmp_path)["cells"]} == {"not measured yet"}
    assert not (tmp_path / "units/.half").exists()


def test_a_unit_that_hangs_is_broken_and_done_again_once_it_does_not(tmp_path: Path) -> None:
    (tmp_path / "lost.py").write_text(LOST)
    hanging = {"name": f"{tmp_path}/lost.py:Hanging"}
    tables: dict[str, Any] = {"worlds": TABLES["worlds"][1:], "metrics": TABLES["metrics"][:1], "interventions": []}
    tables |= {"bench": {"seeds": 1, "time_limit": 5.0}, "agents": [{**hanging, "label": "hanging"}]}
    (cell,) = bench(small(**tables), tmp_path / "hanging", workers=1).cells
    assert (cell.value, "time_limit" in str(cell.note)) == (None, True)
    (tmp_path / "lost.py").write_text(LOST.replace("time.sleep(1000)", "return 0"))
    tables |= {"bench": {"seeds": 1}}
    (cell,) = bench(small(**tables), tmp_path / "hanging", workers=1).cells
    assert cell.value is not None


GREEDY = """
import subprocess, time
class Greedy:
    def predict(self, obs): return bytearray(2**60)[0]
class Parent:
    def predict(self, obs):
        child = subprocess.Popen(["sleep", "1000"])
        open(__file__ + ".child", "w").write(str(child.pid))
        time.sleep(1000)
"""
HANGING = """
import time
from agentic import Access, Metric, hookimpl
class Hanging(Metric):
    access, unit, needs = Access.RECORDS, "bits", ("record",)
    def measure(self, subject, *, generator): time.sleep(1000)
@hookimpl
def agentic_metrics(): return {"hanging": Hanging}
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_too_much_memory_a_metric_that_hangs_and_processes_of_an_agents_own(tmp_path: Path) -> None:
    (tmp_path / "greedy.py").write_text(GREEDY)
    (tmp_path / "hangs.py").write_text(HANGING)
    agents = [{"name": f"{tmp_path}/greedy.py:{name}", "label": name.lower()} for name in ("Greedy", "Parent")]
    tables: dict[str, Any] = {"worlds": TABLES["worlds"][1:], "interventions": [], "metrics": TABLES["metrics"][:1]}
    tables |= {"bench": {"seeds": 1, "time_limit": 45.0}, "agents": agents}
    greedy, parent = bench(small(**tables), tmp_path / "bench", workers=2).cells
    assert "MemoryError" in str(greedy.note)
    assert "time_limit" in str(parent.note)
    child = Path("/proc", (tmp_path / "greedy.py.child").read_text(), "stat")
    assert not child.exists() or ") Z " in child.read_text()
    tables |= {"bench": {"seeds": 1, "time_limit": 4.0}, "agents": [{"name": "rock"}], "metrics": [{"name": "hanging"}]}
    (rock,) = bench(small(**tables), tmp_path / "hanging", files=[f"{tmp_path}/hangs.py"]).cells
    assert "time_limit" in str(rock.note)


@pytest.mark.slow
def test_a_worker_begins_each_task_as_a_new_process_does(tmp_path: Path) -> None:
    (tmp_path / "coin.py").write_text(COIN)
    agents = [{"name": f"{tmp_path}/coin.py"}]
    metrics = [{"name": "episode_return"}]
    battery = Battery.of({"worlds": TABLES["worlds"][1:], "metrics": metrics, "agents": agents})
    one, five = (bench(battery, tmp_path / str(count), workers=count) for count in (1, 5))
    assert one == five


def test_one_bench_at_a_time_in_a_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(UserError, match="another process is at work in"):
        bench(small(), tmp_path)
    with alone(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"agents": [{"name": "mirror"}]}, r"^\[\[agents\]\] mirror is a Minimizer; an Agent is wanted: "),
        ({"metrics": [{"name": "episode_retrun"}]}, "episode_retrun: unknown metric .*did you mean 'episode_return'"),
        ({"metrics": [{"name": "episode_return", "levl": 1}]}, "no parameter 'levl', did you mean 'level'"),
        (
            {"interventions": [{**TABLES["interventions"][0], "ordr": 1}]},
            "swapped: remap_actions has no parameter 'ordr'",
        ),
    ],
)
def test_what_is_measured_is_checked_before_anything_runs(changed: Any, said: str, tmp_path: Path) -> None:
    if "metrics" in changed:
        changed["interventions"] = []
    with pytest.raises(UserError, match=said):
        bench(small(**changed), tmp_path / "bench")
    assert not (tmp_path / "bench").exists()


def test_sources_of_plugins_and_of_modules_of_worlds_count(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = load()
    without = source_hash(registry)
    (tmp_path / "world_of_mine.py").write_text("SIZE = 1")
    first = source_hash(registry, ["world_of_mine:World-v0"])
    (tmp_path / "world_of_mine.py").write_text("SIZE = 2")
    assert len({without, first, source_hash(registry, ["world_of_mine:World-v0"])}) == 3
    assert source_hash(registry, ["world_of_mine:Wrapper"]) == source_hash(registry, ["world_of_mine:World-v0"])
    assert source_hash(registry, ["CartPole-v1", ":odd", "not_there:World-v0"]) == without


@pytest.mark.parametrize(
    ("name", "said"),
    [("nothing.py", "there is no file"), ("leaner.py:Other", "the class Other"), ("empty.py", "one class that is")],
)
def test_a_file_without_the_class_is_one_sentence(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "leaner.py").write_text(ELSEWHERE)
    (tmp_path / "empty.py").write_text("")
    tables = {"env": {"id": "CartPole-v1"}, "agent": {"name": str(tmp_path / name)}}
    with pytest.raises(UserError, match=said):
        build(Experiment.of(tables), load())


def test_workers_are_at_least_one_and_folders_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="workers must be at least 1"):
        bench(small(), tmp_path, workers=0)
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match="cannot write the folder"):
        bench(small(), tmp_path / "taken")


def test_the_folder_of_the_same_battery_is_gone_on_with(tmp_path: Path) -> None:
    first = bench_folder(small(), tmp_path)
    assert bench_folder(small(), tmp_path) == first
    assert bench_folder(small(bench={"seeds": 3}), tmp_path) != first
    limited = {**TABLES["bench"], "time_limit": 7.0}
    assert bench_folder(small(bench=limited), tmp_path) == first  # no result depends on it
    assert bench_folder(small(), tmp_path, fresh=True) != first


def test_the_newest_folder_is_the_one_of_the_highest_number(tmp_path: Path) -> None:
    (tmp_path / "9998-other").mkdir()
    first, second = (bench_folder(small(), tmp_path, fresh=True) for _ in range(2))
    assert (first.name[:5], second.name[:6]) == ("9999-", "10000-")
    assert bench_folder(small(), tmp_path) == second


@pytest.mark.parametrize("place", [".lock", "battery.toml", "units", "units/cart", "pipe"])
def test_nothing_is_written_through_a_link(place: str, tmp_path: Path) -> None:
    folder, outside = tmp_path / "bench", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    link = folder / (".lock" if place == "pipe" else place)
    link.parent.mkdir(parents=True)
    if place == "pipe":
        os.mkfifo(link)
    else:
        link.symlink_to(outside if place.startswith("units") else outside / "file")
    if place == "battery.toml":
        bench(small(bench={"seeds": 1}, metrics=TABLES["metrics"][:1], interventions=[]).only(["rock"]), folder)
        assert not link.is_symlink()
    else:
        with pytest.raises(UserError, match="cannot write the folder"):
            bench(small(), folder)
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("file", "mine")]


def test_a_changed_table_is_refused_and_one_without_a_checksum_read(done: Any, tmp_path: Path) -> None:
    file = tmp_path / "cells.json"
    content = json.loads((done[0] / "cells.json").read_text())
    content["cells"][0]["value"] = 1e9
    file.write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"cells\.json is damaged"):
        read_cells(tmp_path)
    del content["checksum"]
    file.write_text(json.dumps(content))
    assert read_cells(tmp_path)["cells"][0]["value"] == 1e9
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(RunError, match="no file of this folder"):
        read_cells(tmp_path)


def test_cells_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cells\.json cannot be read"):
        read_cells(tmp_path)


def alive(session: int) -> list[str]:
    """The processes of a session that still run; Linux only."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that ended meanwhile
            state, _, _, place, *_ = path.read_text().rpartition(")")[2].split()
            found += [path.parent.name] if int(place) == session and state != "Z" else []
    return found


@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("kill", KILLS)
def test_killed_at_any_moment_it_goes_on_to_the_same_table(done: Any, kill: int, tmp_path: Path) -> None:
    file, out = tmp_path / "small.toml", tmp_path / "runs"
    file.write_text(small().to_toml())
    command = [sys.executable, "-m", "agentic", "bench", str(file), "--out", str(out), "--workers", "2", "--quiet"]
    killed = subprocess.Popen(command, start_new_session=True)
    time.sleep(float(np.random.default_rng(kill).uniform(1.0, 15.0)))
    killed.kill()
    killed.wait()
    deadline = time.monotonic() + 20
    while alive(killed.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert alive(killed.pid) == []  # its workers noticed that it is gone
    folder = Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    assert len(list(out.iterdir())) == 1
    assert (folder / "cells.json").read_bytes() == (done[0] / "cells.json").read_bytes()


@pytest.mark.slow
def test_ctrl_c_keeps_what_there_is(tmp_path: Path) -> None:
    file, out = tmp_path / "small.toml", tmp_path / "runs"
    file.write_text(small().to_toml())
    command = [sys.executable, "-m", "agentic", "bench", str(file), "--out", str(out), "--workers", "2"]

    def listen() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs the tests in the background ignores Ctrl-C

    stopped = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=listen)
    while not list(out.glob("*/units/*/*/seed-*")):
        time.sleep(0.1)
    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert "goes on where it is" in said
    assert "Traceback" not in said
    (folder,) = out.iterdir()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
    assert any(cell["value"] is not None for cell in read_cells(folder)["cells"])
