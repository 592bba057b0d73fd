"""`agentic show`: a run from its folder alone."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agentic.cli import main
from agentic.cli.tables import result_table, sparkline
from agentic.cli.terminal import number
from agentic.metrics.measurement import mean_interval
from agentic.runs.files import sha256_of
from agentic.runs.folder import RunFolder
from agentic.runs.manifest import annotate

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


def test_run_again_from_the_folder_gives_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ["run", str(folder / "experiment.toml"), "--seed", "0", "--out", str(folder.parent), "--quiet"]
    assert main(again) == 0
    other = Path(capsys.readouterr().out.strip())
    assert (other / "ticks/ticks-000000.parquet").read_bytes() == (folder / "ticks/ticks-000000.parquet").read_bytes()


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
    chunk = folder / "ticks/ticks-000000.parquet"
    table = pq.read_table(chunk)
    huge = pa.array([1.7e308] * len(table))
    pq.write_table(table.set_column(table.column_names.index("reward"), "reward", huge), chunk)
    entry = RunFolder(folder).manifest["chunks"][chunk.name] | {"sha256": sha256_of(chunk)}
    annotate(RunFolder(folder), chunks={chunk.name: entry})
    assert main(["show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["return"]["values"] == [None] * 3
    assert main(["show", str(folder)]) == 0
    assert "not finite, not finite, not finite" in capsys.readouterr().out
