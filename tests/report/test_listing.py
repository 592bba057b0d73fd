"""Lists of runs: what stands in a line, which lines conditions keep, and folders that somebody damaged or made up."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agentic import UserError
from agentic.cli import main
from agentic.jobs import alone
from agentic.runs import sealed
from agentic.runs.files import held
from agentic_report import find_runs
from agentic_report.listing import ongoing
from agentic_report.listing.conditions import Condition, conditions
from agentic_report.listing.listed import is_running
from tests.report.folders import bench_folder
from tests.report.made_runs import made_run

NUMBERS = st.one_of(st.integers(-99, 99), st.floats(-99, 99))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs and things that are none."""
    folder = tmp_path / "runs"
    made_run(folder / "0001-cart", [1, 2, 3], [0, 1], seed=0, agent={"planner": {"name": "tree", "horizon": 3}})
    made_run(folder / "0002-cart", [5, 5], seed=1, agent={"planner": {"name": "tree", "horizon": 9}})
    made_run(folder / "0010-maze", seed=2, env="agentic/TMaze-v0", agent={"agent": {"name": "random"}})
    (folder / "notes").mkdir()
    (folder / "notes.txt").write_text("not a run")
    (folder / "out").symlink_to(tmp_path)
    return folder


def test_a_line_says_who_did_what_where_and_what_it_earned(runs: Path) -> None:
    rows = find_runs(runs)
    assert [row.number for row in rows] == [10, 2, 1]
    first = rows[-1]
    known = (first.agent, first.env, first.seed, first.steps, first.episodes, first.status)
    assert known == ("energy", "CartPole-v1", 0, 10, 3, "finished")
    assert first.mean == pytest.approx(2)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 2 < first.high
    assert first.when == "2027-01-15 08:00 UTC"
    assert (rows[0].episodes, rows[0].mean, rows[0].low) == (0, None, None)


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (["env=CartPole-v1"], [2, 1]),
        (["env=Cart*", "seed>0"], [2]),
        (["planner.horizon>=3", "planner.horizon<9.0"], [1]),
        (["planner.horizon!=3"], [10, 2]),
        (["agent.name=random"], [10]),
        (["return>2"], [2]),
        (["when>=2027-01-15"], [10, 2, 1]),
        (["when<2027-01-15 08:00"], []),
        (["status=finished", "number=10"], [10]),
        ({"seed": 1}, [2]),
        ({"env": "CartPole-v1", "planner.horizon": 3}, [1]),
    ],
)
def test_conditions_keep_the_lines_they_hold_of(runs: Path, where: Any, numbers: list[int]) -> None:
    assert [row.number for row in find_runs(runs, where=where)] == numbers


def test_lines_are_sorted_and_those_without_a_value_come_last(runs: Path) -> None:
    def numbers(sort: str) -> list[int | None]:
        return [row.number for row in find_runs(runs, sort=sort)]

    assert numbers("seed") == [1, 2, 10]
    assert numbers("return") == [1, 2, 10]
    assert numbers("-return") == [2, 1, 10]
    assert numbers("-planner.horizon") == [2, 1, 10]
    assert [row.number for row in find_runs(runs, limit=1)] == [10]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"where": ["planner.horizn=3"]}, "did you mean 'planner.horizon'"),
        ({"where": ["sead=3"]}, "did you mean 'seed'"),
        ({"sort": "-sead"}, "did you mean 'seed'"),
        ({"where": ["seed"]}, "is no condition"),
        ({"where": ["seed<x"]}, "expected a number"),
        ({"where": "seed=1"}, "put it into a list"),
        ({"limit": -1}, "at least 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(runs: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        find_runs(runs, **options)


def test_a_folder_that_is_not_there_is_refused_and_an_empty_one_has_no_lines(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        find_runs(tmp_path / "nowhere")
    assert len(find_runs(tmp_path, where=["anything=1"])) == 0


@given(NUMBERS, NUMBERS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
def test_numbers_are_compared_as_numbers(found: float, wanted: float, sign: str) -> None:
    known = eval(f"found {'==' if sign == '=' else sign} wanted")
    assert Condition.of(f"key {sign} {wanted}").holds(found) == known


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=8), st.text("ab*?", max_size=4))
def test_texts_are_compared_as_patterns(found: str, pattern: str) -> None:
    assert Condition("key", "=", pattern).holds(found) == fnmatchcase(found, pattern)
    assert Condition("key", "!=", pattern).holds(found) != fnmatchcase(found, pattern)


@given(st.text(max_size=20))
def test_any_text_is_a_condition_or_is_refused(text: str) -> None:
    try:
        condition = Condition.of(text)
    except UserError:
        return
    for value in (None, 1, 0.5, True, "text", [1], {"a": 1}):
        assert condition.holds(value) in (True, False)


def test_truths_are_written_as_in_toml() -> None:
    assert Condition.of("key=true").holds(True)
    assert not Condition.of("key=1").holds(True)


def test_returns_of_a_run_that_says_them_are_not_read_from_its_ticks(runs: Path) -> None:
    (runs / "0001-cart" / "ticks-000000.parquet").write_bytes(b"no parquet")
    assert find_runs(runs, where=["number=1"])[0].mean == pytest.approx(2)


def test_returns_of_a_run_that_does_not_say_them_are(tmp_path: Path) -> None:
    made_run(tmp_path / "0001-old", [1, 2, 3], returns=None)
    made_run(tmp_path / "0002-stopped", [4, 4], status="interrupted", returns=None)
    assert [row.mean for row in find_runs(tmp_path)] == [pytest.approx(4), pytest.approx(2)]


def test_a_run_at_work_is_no_run_that_was_killed(tmp_path: Path) -> None:
    folder = made_run(tmp_path / "0001-run", [1, 2], status="running", returns=None, chunks={})
    with held(folder):
        row = find_runs(tmp_path)[0]
        assert (row.status, row.mean) == ("running", None)
    row = find_runs(tmp_path)[0]
    assert (row.status, row.note) == ("interrupted", "killed before it could say so")


def test_a_bench_at_work_is_no_bench_that_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "0001-bench"
    folder.mkdir()
    (folder / "cells.json").write_text("{}")
    (folder / "manifest.json").write_text(json.dumps({"status": "running"}))
    assert is_running(folder), "where nothing tells"
    with alone(folder):
        row = find_runs(tmp_path)[0]
        assert (row.kind, row.status, row.note) == ("bench", "running", "")
    row = find_runs(tmp_path)[0]
    assert (row.status, row.note) == ("interrupted", "killed before it could say so")
    assert not is_running(folder), "a page that is followed would be written for ever"


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    folder = made_run(tmp_path / "0001-run", [1], status="failed")
    (folder / "error.txt").write_text("Traceback\nValueError: no way\n")
    assert find_runs(tmp_path)[0].note == "ValueError: no way"


BROKEN = {
    "no JSON": "{",
    "no object": "[1, 2]",
    "deep": "[" * 100_000,
    "other types": json.dumps(
        {
            "status": ["finished"],
            "started": "yesterday",
            "seed": "0",
            "steps": 1e300,
            "components": {"kind": "agents"},
            "returns": [None, "x", {}, 1e308],
            "chunks": 7,
        }
    ),
    "a tampered one": json.dumps({**sealed({"status": "finished", "seed": 1}), "seed": 2}),
    "a huge seed": json.dumps({"status": "done", "seed": 10**400, "returns": [1e308, 1e308]}),
    "a chunk that is gone": json.dumps(sealed({"status": "finished", "chunks": {"ticks-000000.parquet": {}}})),
}


@pytest.mark.parametrize("manifest", BROKEN.values(), ids=BROKEN)
def test_a_broken_run_has_a_line_that_says_so(runs: Path, manifest: str, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "0003-broken").mkdir()
    (runs / "0003-broken" / "manifest.json").write_text(manifest)
    row = find_runs(runs, where=["number=3"])[0]
    assert row.status == "broken"
    assert row.note
    assert main(["runs", str(runs), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 4


def test_files_that_are_none_and_links_that_turn_in_circles_are_no_traceback(tmp_path: Path) -> None:
    for name in ("0001-pipe", "0002-folder", "0003-loop", "0004-out"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "0001-pipe" / "manifest.json")
    (tmp_path / "0002-folder" / "manifest.json").mkdir()
    (tmp_path / "0003-loop" / "manifest.json").symlink_to(tmp_path / "0003-loop" / "manifest.json")
    (tmp_path / "0004-out" / "manifest.json").symlink_to("/etc/hostname")
    (tmp_path / "0005-itself").symlink_to(tmp_path / "0005-itself")
    assert len(find_runs(tmp_path)) == 0


def test_what_a_terminal_would_obey_is_printed_as_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_run(tmp_path / "0001-\x1b[2J", [1, 2], agent={"agent": {"name": "\x07[b]"}})
    for option in ([], ["--csv"]):
        assert main(["runs", str(tmp_path), *option]) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\x07" not in out
        assert "[b]" in out


def test_a_bench_has_a_line_and_its_runs_have_lines_of_their_own(tmp_path: Path) -> None:
    bench = bench_folder(tmp_path / "0001-bench", seeds=1)
    row = find_runs(tmp_path)[0]
    assert (row.kind, row.status, row.agent) == ("bench", "finished", "5 agents")
    assert row.env == "maze and pole & cart"
    inside = find_runs(bench)
    assert len(inside) == 10
    assert {each.env for each in inside} == {"agentic/TMaze-v0", "CartPole-v1"}
    assert all(each.name.startswith("units/") for each in inside)


def test_a_sweep_is_several_runs(tmp_path: Path) -> None:
    for horizon in (1, 2):
        for seed in (0, 1, 10):
            made_run(tmp_path / "0003-sweep" / "units" / f"horizon-{horizon}" / f"seed-{seed}", [1.0], seed=seed)
    row = find_runs(tmp_path)[0]
    assert (row.kind, row.agent) == ("sweep", "6 runs")
    found = find_runs(tmp_path / "0003-sweep", sort="seed")
    assert [each.seed for each in found] == [0, 0, 1, 1, 10, 10]


def test_the_command_prints_a_table_a_list_or_values(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs), "--where", "env=CartPole-v1", "--sort", "seed"]) == 0
    table = capsys.readouterr().out
    assert "0001-cart" in table
    assert "0010-maze" not in table
    assert main(["runs", str(runs), "--json", "--limit", "1"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["number"] == 10
    assert row["return"] is None
    assert main(["runs", str(runs), "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("number,name,kind,when")
    assert len(lines) == 4
    assert main(["runs", str(runs), "--where", "seed=77"]) == 0
    assert "no such runs" in capsys.readouterr().err
    assert main(["runs", str(runs), "--where", "sed=77"]) == 2
    assert "did you mean 'seed'" in capsys.readouterr().err


def test_a_list_shows_itself(runs: Path) -> None:
    found = find_runs(runs)
    assert "0010-maze" in repr(found)
    assert found._repr_html_().count("<tr>") == 4
    pandas = pytest.importorskip("pandas")
    table = found.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert table["number"].tolist() == [10, 2, 1]


def test_runs_are_listed_without_torch_and_without_arrow(runs: Path) -> None:
    code = (
        "import sys; from agentic.cli import main; main(['runs', sys.argv[1], '--where', 'planner.horizon>0']); "
        "print([name for name in ('torch', 'pyarrow', 'gymnasium', 'pandas') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code, str(runs)], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"


def test_a_list_is_found_by_what_it_is() -> None:
    assert Condition.of("net.layers=[64, 64]").holds([64, 64])
    assert not Condition.of("net.layers=[64, 64]").holds([64, 32])
    assert conditions({"net.layers": [64, 64]})[0].holds([64, 64])


@pytest.mark.parametrize("where", ["when>=yesterday", "when>=2026-13-45", "when=last week", "when<2027-01-15 25:00"])
def test_a_date_that_is_none_is_refused(runs: Path, where: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs), "--where", where]) == 2
    assert "expected a date, as 2026-11, 2026-11-30" in capsys.readouterr().err
    with pytest.raises(UserError, match="expected a date"):
        find_runs(runs, where={"when": "yesterday"})


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (["when=2027-01-15"], 3),
        (["when=2027-01"], 3),
        (["when=2027-01-15T08:00"], 3),
        (["when=2027-01-15 08:00 UTC"], 3),
        (["when=2027-01-15 08:00:59"], 3),
        (["when=2027-*"], 3),
        (["when!=2027-01-15"], 0),
        (["when=2027-01-14"], 0),
        ({"when": date(2027, 1, 15)}, 3),
        (["when<=2027-01-15"], 3),
    ],
)
def test_a_date_stands_for_all_of_it(runs: Path, where: Any, count: int) -> None:
    assert len(find_runs(runs, where=where)) == count


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """A run, a sweep over horizons and a bench, in one folder."""
    folder = tmp_path / "several"
    made_run(folder / "0001-cart", [1.0])
    for number in (11, 12):
        for seed in (0, 1):
            place = folder / "0002-sweep" / "units" / f"a-long-name-that-says-nothing-{number}" / f"seed-{seed}"
            made_run(place, [float(number)], seed=seed, agent={"planner": {"name": "tree", "horizon": number}})
    bench_folder(folder / "0003-bench", seeds=1)
    return folder


def test_all_goes_into_sweeps_and_benches_and_their_absence_is_said(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_runs(several, where=["return>=1"])
    assert [row.name for row in found] == ["0001-cart"]
    assert found.note.startswith("1 sweep and 1 bench were not looked into: --all")
    assert found.note in repr(found)
    assert len(find_runs(several, deep=True)) == 1 + 4 + 10
    deep = find_runs(several, where=["planner.horizon=12"], deep=True, sort="seed")
    assert [row.name.partition("/")[0] for row in deep] == ["0002-sweep"] * 2
    assert (deep.note, find_runs(several).note) == ("", ""), "nothing is said without a condition"
    assert main(["runs", str(several), "--where", "return>=1"]) == 0
    assert "1 sweep and 1 bench were not looked into" in capsys.readouterr().err
    assert main(["runs", str(several), "--where", "planner.horizon=12"]) == 2
    assert "1 sweep and 1 bench were not looked into" in capsys.readouterr().err
    assert main(["runs", str(several), "--all", "--where", "planner.horizon=12", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_settings_that_vary_in_a_sweep_are_shown(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = find_runs(several / "0002-sweep", sort="number")
    assert found.columns == ("planner.horizon",)
    assert found.head[:5] == ("run", "when", "agent", "env", "planner.horizon")
    assert sorted(line[4] for line in found.lines()) == ["11", "11", "12", "12"]
    assert find_runs(several / "0003-bench").columns == ()
    options = ["--column", "planner.horizon", "--column", "env.id", "--all", "--sort", "-planner.horizon"]
    assert main(["runs", str(several), *options, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["planner.horizon"] for row in rows][:4] == [12, 12, 11, 11]
    assert {row["env.id"] for row in rows} == {"CartPole-v1", "agentic/TMaze-v0"}
    assert None in [row["planner.horizon"] for row in rows], "an agent that plans nothing has none"
    assert main(["runs", str(several), *options, "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("note,planner.horizon,env.id")
    assert lines[1].endswith(",12,CartPole-v1")
    assert main(["runs", str(several), "--all", "--column", "planner.horizn"]) == 2
    assert "did you mean 'planner.horizon'" in capsys.readouterr().err
    with pytest.raises(UserError, match="put it into a list"):
        find_runs(several, columns="planner.horizon")


def test_settings_of_any_kind_are_strict_json(tmp_path: Path) -> None:
    tables = {"goal": {"weights": [1.0, float("inf")], "when": datetime(2027, 1, 15, tzinfo=UTC)}}
    made_run(tmp_path / "0001-run", [1.0], agent=tables)
    (row,) = find_runs(tmp_path, columns=["goal.weights", "goal.when", "seed"]).to_dicts()
    assert row["goal.weights"] == [1.0, None]
    assert row["goal.when"] == "2027-01-15 00:00:00+00:00"
    json.dumps(row, allow_nan=False)


SWEPT = """
[sweep.values]
"planner.horizon" = [1, 2]
[agent]
name = "energy"
[env]
id = "CartPole-v1"
"""


@pytest.mark.parametrize(
    ("manifest", "ended"),
    [
        ({"status": "finished", "runs": 4, "failed": 4}, "finished: 4 of 4 runs failed"),
        ({"status": "finished", "runs": 4, "failed": 0}, "finished: 4 runs"),
        ({"status": "finished", "runs": 4}, "finished: 4 runs"),
        ({}, "2 runs so far"),
        ({"status": "running"}, "running: 2 runs so far, or killed before it could say so"),
        ({"status": "finished", "runs": "four", "failed": [4]}, "finished: 2 runs so far"),
    ],
)
def test_a_sweep_says_who_did_what_where_and_how_many_failed(
    tmp_path: Path, manifest: dict[str, Any], ended: str
) -> None:
    sweep = tmp_path / "0001-sweep"
    for seed in (0, 1):
        (sweep / "units" / "a" / f"seed-{seed}").mkdir(parents=True)
    (sweep / "sweep.toml").write_text(SWEPT)
    if manifest:
        (sweep / "manifest.json").write_text(json.dumps(sealed(manifest)))
    found = find_runs(tmp_path, where=["agent=energy", "env=CartPole-v1"])
    assert [row.kind for row in found] == ["sweep"]
    assert found.lines()[0][-1] == ended


def test_a_sweep_over_agents_names_them(tmp_path: Path) -> None:
    sweep = tmp_path / "0001-sweep"
    (sweep / "units").mkdir(parents=True)
    (sweep / "sweep.toml").write_text(SWEPT.replace('"planner.horizon" = [1, 2]', 'agent.name = ["rock", "random"]'))
    assert (find_runs(tmp_path)[0].agent, find_runs(tmp_path)[0].env) == ("rock and random", "CartPole-v1")
    (sweep / "sweep.toml").write_text('agent = 7\n[sweep]\nvalues = "none"\n[env]\nid = 3')
    assert (find_runs(tmp_path)[0].agent, find_runs(tmp_path)[0].env) == ("", "3")


def test_a_sweep_of_which_all_runs_failed_points_to_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "units" / "a" / "seed-0").mkdir(parents=True)
    (tmp_path / "runs.csv").write_text("run,status\n")
    assert main(["runs", str(tmp_path)]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "what became of the runs of this sweep is in" in said
    assert "runs.csv" in said


def journal(folder: Path, *lines: dict[str, Any]) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "progress.jsonl").write_text(text + '{"step": 99, "phase": "evaluate", "ret')


def test_a_run_at_work_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made_run(tmp_path / "0001-run", [1, 2], status="running", returns=None, steps=None, chunks={})
    learned = [{"step": step, "phase": "learn", "return": step / 10, "length": 9} for step in (10, 20, 30)]
    evaluated = [{"step": 40, "phase": "evaluate", "return": value, "length": 9} for value in (3.0, 5.0)]
    with held(folder):
        journal(folder, *learned, {"step": 40, "phase": "learn", "learned.loss": 0.1})
        row = find_runs(tmp_path)[0]
        assert (row.status, row.steps, row.episodes, row.mean) == ("running", 40, 0, None)
        assert row.note == "in learning; mean return 2 in the last 3 episodes"
        journal(folder, *learned, *evaluated)
        row = find_runs(tmp_path)[0]
        assert (row.note, row.episodes, row.mean) == ("in evaluation", 2, 4.0)
        monkeypatch.setattr(ongoing, "MOST", 150)
        journal(folder, *learned, *evaluated * 9)
        row = find_runs(tmp_path)[0]
        assert (row.note, row.episodes, row.mean) == ("in evaluation", None, None), "where it began was not read"


@pytest.mark.parametrize("line", ["[1]", "{", "9" * 5000, '{"phase": ["x"], "step": "y", "return": {}}', "[" * 9999])
def test_a_journal_that_somebody_damaged_is_no_traceback(tmp_path: Path, line: str) -> None:
    folder = made_run(tmp_path / "0001-run", [1], status="running", returns=None, chunks={})
    (folder / "progress.jsonl").write_text(f"{line}\n" * 3)
    with held(folder):
        row = find_runs(tmp_path)[0]
        assert (row.status, row.episodes) == ("running", 0)


def test_names_are_folded_and_not_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    made_run(tmp_path / "0001-cartpole-v1-energy-of-horizon-3", [1.0, 2.0], status="failed")
    assert main(["runs", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "┃" in said, "it is a table"
    assert "…" not in said
    first = "".join(line.split("│")[1].strip() for line in said.splitlines() if line.startswith("│"))
    assert first == "0001-cartpole-v1-energy-of-horizon-3"
