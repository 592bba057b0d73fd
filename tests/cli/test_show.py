"""`agentic show`: a run from its folder alone."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agentic import Record
from agentic.cli import main
from agentic.cli.episode import Drawing
from agentic.cli.tables import result_table, sparkline
from agentic.cli.terminal import number
from agentic.metrics.measurement import mean_interval
from agentic.metrics.returns import return_interval
from agentic.metrics.summary import summarize
from agentic.runs.files import sha256_of
from agentic.runs.folder import RunFolder
from agentic.runs.manifest import annotate
from agentic.runs.record import EpisodeRecord

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["run", str(EXAMPLES / "tmaze.toml"), "--episodes", "3", "--out", str(tmp_path), "--quiet"]) == 0
    return Path(capsys.readouterr().out.strip())


def test_shows_what_run_showed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder)]) == 0
    out = capsys.readouterr().out
    for part in (
        "status: finished",
        "free energy",
        "returns, from",
        "categorical",
        f"agentic run {folder}/experiment.toml",
    ):
        assert part in out


def test_json_is_that_of_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder), "--json"]) == 0
    reported = json.loads(capsys.readouterr().out)
    assert reported["run"] == str(folder)
    assert reported["episodes"] == 3


@pytest.mark.parametrize("returns", [[0.0, 1.0, 0.0, 0.0], [-2.0, 1.0, -2.5]])
def test_an_interval_is_said_to_be_what_it_is(returns: list[float]) -> None:
    ticks = {name: [*range(len(returns))] for name in ("episode", "t")} | {"row": [0] * len(returns), "reward": returns}
    ends = {"terminated": [True] * len(returns), "truncated": [False] * len(returns)}
    summary = summarize(Record(tables=[pa.table({"phase": ["evaluate"] * len(returns), **ticks, **ends})]))
    mean, interval = return_interval(returns)
    assert "Student" not in interval.method
    assert summary["return"]["method"] == interval.method
    shown = f"{number(mean)} [{number(interval.low)}, {number(interval.high)}], 95 % interval of the mean, "
    assert next(iter(result_table({**summary, "run": "x"}).columns[1].cells)) == shown + interval.method


def test_run_again_from_the_folder_gives_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ["run", str(folder / "experiment.toml"), "--seed", "0", "--out", str(folder.parent), "--quiet"]
    assert main(again) == 0
    other = Path(capsys.readouterr().out.strip())
    assert (other / "ticks-000000.parquet").read_bytes() == (folder / "ticks-000000.parquet").read_bytes()


def test_killed_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    running = {key: value for key, value in manifest.items() if key != "seconds"} | {"status": "running"}
    (folder / "manifest.json").write_text(json.dumps(running))
    assert main(["show", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "killed before it could say so" in out
    assert "12 evaluated" in out


def test_folder_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(tmp_path)]) == 2
    assert "is not the folder of a run" in capsys.readouterr().err


def test_sparkline() -> None:
    assert sparkline([0, 1, 2]) == "▁▅█"
    assert sparkline([3, 3]) == "▁▁"
    assert sparkline([0, 7], "ascii") == "_@"
    assert len(sparkline(list(range(1000)))) <= 60
    assert sparkline([]) == ""


def test_numbers() -> None:
    assert [number(value) for value in (None, 0.123456, 12345.678)] == ["-", "0.1235", "12,345.7"]


def test_mean_interval() -> None:
    mean, interval = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert mean == 2.5
    assert (interval.low, interval.high) == pytest.approx((0.4457, 4.5543), abs=1e-4)  # t(3) = 3.1824, sd = 1.29099
    single, unknown = mean_interval([5.0])
    assert single == 5.0
    assert unknown.low != unknown.low
    nothing, _ = mean_interval([])
    assert nothing != nothing


def test_a_gain_of_any_name_is_subtracted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    summary["energy"] = {"expected_energy": 1.5, "pragmatic": 2.5, "bonus": 1.25, "effort": 0.25}
    cells = [str(cell) for cell in result_table(summary).columns[1].cells]
    assert "1.5 = pragmatic 2.5 - bonus 1.25 + effort 0.25 (nats per plan)" in cells


def test_sparkline_of_what_is_not_finite() -> None:
    assert sparkline([0, float("nan"), 2, float("inf")]) == "▁?█?"
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"
    assert sparkline([0, 5e-324]) == "▁▁"
    assert sparkline([float("nan")]) == "?"


def test_a_seed_that_a_shell_would_run_is_quoted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotate(RunFolder(folder), seed="0; touch evil")
    assert main(["show", str(folder)]) == 0
    assert "--seed '0; touch evil'" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_returns_beyond_the_largest_number(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chunk = folder / "ticks-000000.parquet"
    table = pq.read_table(chunk)
    huge = pa.array([1.7e308] * len(table))
    pq.write_table(table.set_column(table.column_names.index("reward"), "reward", huge), chunk)
    entry = RunFolder(folder).manifest["chunks"][chunk.name] | {"sha256": sha256_of(chunk)}
    annotate(RunFolder(folder), chunks={chunk.name: entry})
    assert main(["show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["return"]["values"] == [None] * 3
    assert main(["show", str(folder)]) == 0
    assert "not finite, not finite, not finite" in capsys.readouterr().out


def test_an_episode_is_drawn_step_by_step(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder), "--episode", "1"]) == 0
    first, head, *lines = capsys.readouterr().out.splitlines()
    episode = Record.open(folder).episode(1)
    assert first == f"evaluate, row 0, episode 1, {episode.length} steps, return {episode.total:.4g}"
    assert head.split() == ["t", "action", "reward", "belief.probs"]
    steps, energies = lines[: episode.length], lines[episode.length :]
    assert [int(line.split()[1]) for line in steps] == episode.arrays["action"].tolist()
    assert "█" in steps[-1]
    assert any(line.startswith("energy.free_energy ") for line in energies)


def test_one_step_is_drawn_with_all_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder), "--episode", "0", "--step", "1"]) == 0
    out = capsys.readouterr().out
    probs = Record.open(folder).episode(0).arrays["belief.probs"][1]
    shown = [line.split()[1] for line in out.partition("belief.probs\n")[2].partition("energies")[0].splitlines()]
    assert shown == [number(value) for value in probs.tolist()]
    assert "  free_energy " in out


def test_recorded_plans_are_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = [
        "run",
        str(folder / "experiment.toml"),
        "--set",
        "run.candidates=2",
        "--out",
        str(folder.parent),
        "--quiet",
    ]
    assert main(again) == 0
    other = capsys.readouterr().out.strip()
    assert main(["show", other, "--episode", "0", "--step", "0"]) == 0
    assert "plans, the most probable first" in capsys.readouterr().out
    assert main(["show", other, "--episode", "0"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["t", "action", "reward", "plan", "belief.probs"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--episode", "9"], "there is no episode 9 of the phase evaluate; known: 0 to 2"),
        (["--episode", "0", "--phase", "learn"], "there is no episode 0 of the phase learn; known: none"),
        (["--episode", "0", "--step", "99"], "there is no step 99 in this episode"),
        (["--step", "0"], "--step and --phase go with --episode"),
        (["--episode", "0", "--json"], "leave --json out"),
    ],
)
def test_what_cannot_be_drawn(given: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(folder), *given]) == 2
    assert said in capsys.readouterr().err


def test_narrow_and_plain_terminals(folder: Path) -> None:
    record = Record.open(folder)
    for width in (20, 60):
        drawing = Drawing(record, record.episode(0), width, "ascii")
        lines = [*drawing.whole(), *drawing.step(0)]
        assert all(line.isascii() for line in lines)
        assert width < 60 or max(map(len, lines)) <= 64


def test_wide_beliefs_and_numbers_that_are_none() -> None:
    flags = {name: np.zeros(2, bool) for name in ("terminated", "truncated")}
    belief = np.full((2, 500), np.nan)
    belief[1, :250] = 1.0
    arrays = {"action": np.zeros((2, 9)), "reward": np.zeros(2), "belief.probs": belief, **flags}
    drawing = Drawing(Record(), EpisodeRecord("evaluate", 0, 0, arrays), 60, "utf-8")
    _, _, first, second = drawing.whole()
    assert set(first.split()[-1]) == {"?"}
    assert "█" in second
    assert "the first 40 of 500" in "\n".join(drawing.step(1))
