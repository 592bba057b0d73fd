"""The same numbers again: of runs finished or not, whole or not, of benches and files; and what differs since then."""

import json
import os
import pickle
import random
from pathlib import Path
from shutil import copytree
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest

import agentic
from agentic import Experiment, RunError, UserError
from agentic.cli import main
from agentic.experiments import toml_text
from agentic.runs import Progress, RunFolder, annotate, sealed
from agentic_bench import Battery, BenchFolder
from agentic_life import Reproduction, reproduce
from agentic_life.reproduce_command import reproduce as command
from tests.bench.batteries import small

TABLES: dict[str, Any] = {
    "env": {"id": "CartPole-v1"},
    "agent": {"name": "random"},
    "evaluate": {"episodes": 3},
    "run": {"envs": 2, "candidates": 0},
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def recorded(agent: Any = None, **given: Any) -> Path:
    """The folder of a small run."""
    tables = {**TABLES, "agent": {"name": "random"} if agent is None else agent}
    folder = agentic.run(Experiment.of(tables), **given).folder
    assert folder is not None
    return folder


def bytes_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {each.name: (each.read_bytes(), each.stat().st_mtime_ns) for each in folder.rglob("*") if each.is_file()}


def apart(found: Reproduction) -> dict[str, tuple[str, str]]:
    return {each.what: (each.then, each.now) for each in found.differences}


def test_a_run_is_the_same_to_the_bit_and_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded()
    assert main(["measure", str(folder), "--metric", "episode_return", "--quiet"]) == 0
    before = bytes_in(folder)
    capsys.readouterr()
    assert command.main([str(folder)], standalone_mode=False) == 0
    said = capsys.readouterr()
    assert "What differs: nothing" in said.out
    assert said.out.count("same ") > 10
    assert "the same numbers" in said.out.splitlines()[-1]
    assert "1 measurement, bit for bit" in said.out
    assert "evaluation: 3 of 3 episodes" in said.err
    assert command.main([str(folder), "--json"], standalone_mode=False) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same"] is True
    assert {"ticks", "obs", "reward", "episode_return"} <= {each["name"] for each in found["compared"]}
    assert bytes_in(folder) == before


def test_another_version_is_said_and_whether_it_mattered(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded()
    versions = {**RunFolder(folder).manifest["versions"], "torch": "1.0", "gone": "2.0"}
    annotate(RunFolder(folder), versions=versions, git={"commit": "a" * 40, "dirty": False}, device="cuda")
    assert command.main([str(folder)], standalone_mode=False) == 0
    printed = capsys.readouterr().out
    assert "│ torch " in printed
    assert "torch, gone, device" in printed.splitlines()[-1]
    assert printed.splitlines()[-1].endswith("did not matter")
    found = apart(reproduce(folder))
    assert found["torch"][0] == "1.0"
    assert found["gone"] == ("2.0", "not there")
    assert found["git commit"][0] == "a" * 12


def test_other_numbers_are_said_by_column_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded()
    annotate(RunFolder(folder), seed=1)  # the manifest is what is run again
    assert command.main([str(folder), "--quiet"], standalone_mode=False) == 1
    assert capsys.readouterr().out.startswith("other numbers: ")
    found = reproduce(folder)
    column = next(each for each in found.compared if each.name == "obs")
    assert column.first == "evaluate, row 0, episode 0, t 0"
    assert column.largest is not None
    assert "its code changed" in found.verdict


def test_an_interrupted_run_is_compared_as_far_as_it_came() -> None:
    def stop(progress: Progress) -> None:
        if progress.steps >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded(observer=stop)
    found = reproduce(next(Path("runs").iterdir()))
    assert found.same
    assert next(each for each in found.compared if each.name == "obs").rows == 20
    assert found.notes[0] == "the run did not finish (interrupted): its 20 ticks are compared with as many"


def test_a_killed_run_is_compared_up_to_the_ticks_that_were_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentic.runs.recorder.INTERVAL", 0.0)

    def copy(progress: Progress) -> None:
        if 560 <= progress.steps and not Path("killed").exists():  # beyond the first chunk, with some of the second
            sleep(0.05)  # until the writer is done
            if progress.steps >= 600:
                copytree(next(Path("runs").iterdir()), "killed")

    recorded(observer=copy, episodes=40, settings=["run.candidates=2"])
    assert (Path("killed") / "ticks-partial.parquet").exists()
    found = reproduce("killed")
    assert found.same, found
    assert 512 < next(each for each in found.compared if each.name == "obs").rows <= 601
    assert "running, or killed" in found.notes[0]


def test_candidate_plans_are_compared() -> None:
    folder = agentic.run("tmaze", episodes=2, settings=["run.candidates=3"]).folder
    assert folder is not None
    found = reproduce(folder)
    assert found.same
    assert {"candidate plan", "candidate probability"} <= {each.name for each in found.compared}


def test_an_agent_in_a_file_needs_trust_and_its_bytes_are_compared() -> None:
    rule, fails = Path("rule.py"), "    if obs[0] > 0.05: raise ValueError('far')\n"
    rule.write_text(f"def rule(obs):\n{fails}    return 1\n")
    with pytest.raises(RunError, match="far"):
        recorded({"name": "rule.py"})
    folder = next(Path("runs").iterdir())
    with pytest.raises(UserError, match=r"names rule.py, which is neither installed .* --trust"):
        reproduce(folder)
    found = reproduce(folder, trust=True)
    assert found.same
    assert found.notes[0].startswith("the run did not finish (failed: ")
    rule.write_text(f"def rule(obs):\n{fails}    return 0\n")
    found = reproduce(folder, trust=True)
    assert not found.same
    assert list(apart(found)) == ["agents rule.py: sha256"]
    assert "what differs (agents rule.py: sha256) may be why" in found.verdict
    rule.write_text("def rule(obs):\n    raise ValueError('at once')\n")
    with pytest.raises(RunError, match="at once"):
        reproduce(folder, trust=True)
    rule.unlink()
    with pytest.raises(UserError, match=r"there is no file rule.py"):
        reproduce(folder, trust=True)


class Chance:
    """A policy that no seed decides."""

    def predict(self, obs: Any) -> int:
        return random.SystemRandom().randrange(2)


def test_a_saved_policy_is_said_where_its_bytes_changed_or_it_is_gone() -> None:
    saved = Path("policy.pkl")
    saved.write_bytes(pickle.dumps(Chance()))
    folder = recorded({"name": "pickled", "pickle": "policy.pkl"})
    found = reproduce(folder, trust=True)
    assert not found.same
    assert "not decided by the seed" in found.verdict
    saved.write_bytes(pickle.dumps(Chance(), 2))
    assert list(apart(reproduce(folder, trust=True))) == ["agents pickled: files"]
    saved.unlink()
    with pytest.raises(UserError, match=r"policy\.pkl"):
        reproduce(folder, trust=True)


def test_what_is_sound_of_a_damaged_run_is_compared() -> None:
    folder = recorded(episodes=40)
    assert len(RunFolder(folder).chunks()) > 1
    RunFolder(folder).chunks()[0].unlink()
    found = reproduce(folder)
    assert found.same
    assert "ticks-000000.parquet is missing" in found.notes[0]
    (folder / "experiment.toml").write_text((folder / "experiment.toml").read_text() + "\n# mine\n")
    found = reproduce(folder)
    assert "experiment file" in apart(found)
    assert found.same


def test_what_cannot_be_run_again_is_one_sentence(tmp_path: Path) -> None:
    made = agentic.run(lambda obs: 1, "CartPole-v1", episodes=1).folder
    with pytest.raises(UserError, match=r"it has no experiment\.toml of its own, as runs of objects made in Python"):
        reproduce(str(made))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.toml").write_text("")
    for given, said in {
        "empty": "is not the folder of a run",
        "nowhere": "is no folder of a run or a bench",
        "tmze": "did you mean 'tmaze'",
        "nowhere.toml": "cannot read the experiment file",
        "empty.toml": r"\[env\]",
    }.items():
        with pytest.raises(UserError, match=said):
            reproduce(given)
    folder = recorded()
    annotate(RunFolder(folder), threads="many")
    with pytest.raises(UserError, match=r"manifest\.json: \[run\] threads"):
        reproduce(folder)
    (folder / "manifest.json").unlink()
    found = reproduce(folder)
    assert (found.same, found.differences) == (True, ())
    assert found.notes[-1].endswith("manifest.json does not say what it was run with")
    (folder / "experiment.toml").write_text(toml_text({**TABLES, "agent": {"name": "randm"}}))
    lacking = {"components": [{"plugin": "mine", "sha256": "a"}], "versions": {"torch": "1.0"}}
    (folder / "manifest.json").write_text(json.dumps(lacking))
    with pytest.raises(
        UserError, match=r"mean 'random'.*; then it had --plugin mine\.py; since then differ: torch \(then"
    ):
        reproduce(folder)
    (folder / "manifest.json").unlink()
    for chunk in RunFolder(folder).chunks():
        chunk.write_bytes(b"PAR1")
    with pytest.raises(UserError, match="holds no tick"):
        reproduce(folder)
    (folder / "experiment.toml").unlink()
    os.symlink("/etc/passwd", folder / "experiment.toml")
    with pytest.raises(UserError):
        reproduce(folder)


def bench_of(folder: Path, value: float, **more: Any) -> Path:
    """The folder of a bench with one cell, as a bench writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    cell = {"world": "cart", "agent": "rock", "metric": "return", "value": value, "seeds": 2, "note": None, **more}
    (folder / "cells.json").write_text(json.dumps(sealed({"cells": [cell]})))
    (folder / "battery.toml").write_text(small().to_toml())
    (folder / "manifest.json").write_text(json.dumps(sealed({"status": "finished", "code": "a" * 64})))
    return folder


def test_a_bench_is_compared_cell_by_cell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def carried_out(battery: Battery, place: Path, **options: Any) -> SimpleNamespace:
        return SimpleNamespace(to_dict=lambda: BenchFolder(bench_of(place, 9.5)).cells)

    monkeypatch.setattr("agentic_life.benches.bench", carried_out)
    found = reproduce(bench_of(tmp_path / "same", 9.5))
    assert found.same
    assert found.verdict == "the same numbers: 1 cell, bit for bit"
    found = reproduce(bench_of(tmp_path / "other", 9.25))
    assert [(each.name, each.note) for each in found.compared] == [("cart, rock, return", "value then 9.25, now 9.5")]
    unfinished = bench_of(tmp_path / "unfinished", 9.25, seeds=1)
    (unfinished / "manifest.json").write_text(json.dumps(sealed({"status": "interrupted", "code": "b" * 64})))
    with pytest.raises(UserError, match="holds no cell over as many seeds"):
        reproduce(unfinished)
    bench_of(unfinished, 9.5, verdict="outside")
    (unfinished / "manifest.json").write_text(json.dumps(sealed({"status": "interrupted", "code": "b" * 64})))
    found = reproduce(unfinished)
    assert found.same
    assert apart(found) == {"code of agentic and plugins": ("b" * 12, "a" * 12)}
    (tmp_path / "evil.py").write_text("open('ran', 'w')\n")
    file = small(agents=[{"name": "evil.py", "label": "fine"}]).to_toml()
    (unfinished / "battery.toml").write_text(file)
    with pytest.raises(UserError, match=r"names evil\.py"):
        reproduce(unfinished)
    assert not Path("ran").exists()
    (unfinished / "battery.toml").write_text(small().to_toml())
    (unfinished / "cells.json").write_text("{}")
    with pytest.raises(UserError, match=r"cells\.json is damaged"):
        reproduce(unfinished)
    (unfinished / "cells.json").unlink()
    with pytest.raises(UserError, match="holds no cell yet"):
        reproduce(unfinished)
    (unfinished / "units").mkdir()
    (unfinished / "battery.toml").write_text("worlds = 3\n")
    with pytest.raises(UserError):
        reproduce(unfinished)


@pytest.mark.slow
def test_files_of_a_bench_and_of_a_run_are_the_same(tmp_path: Path) -> None:
    """Files are run in a process of their own, then here."""
    worlds = [{"name": "lake", "id": "FrozenLake-v1", "episodes": 3}]
    file = small(worlds=worlds, agents=[{"name": "rock"}], metrics=[{"name": "episode_return"}], interventions=[])
    (tmp_path / "small.toml").write_text(file.to_toml())
    assert reproduce("small.toml").verdict == "the same numbers: 1 cell, bit for bit"
    assert reproduce("tmaze").same
    assert not Path("runs").exists(), "nothing is left here"
