"""From measurements to cells: means, intervals, nulls, verdicts, and what is not there."""

import json
from dataclasses import asdict, fields, replace
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from agentic import Access, Frame, Interval, Measurement, Null, Verdict
from agentic.metrics.results import Result
from agentic_bench import Cell, Scores
from tests.bench.batteries import small

FRAME = Frame(variables=("a",), boundary="here", horizon=1, goal="none", start="any", interventions=())
MEASURED = Measurement(metric="m", value=1.0, unit="bits", access=Access.RECORDS, frame=FRAME, estimator="known")
NULL = Null("shuffled", 0.0, 0.5, 99, 0.01)


def scores(folder: Path, *results: Result) -> dict[str, Cell]:
    """Cells of the rock on the lake, by column, from what each seed found."""
    battery = small(bench={"seeds": len(results)}).only(["rock"])
    for task, result in zip(battery.tasks(), results, strict=False):
        (folder / task.folder).mkdir(parents=True)
        result.keep(folder / task.folder)
    return {cell.metric: cell for cell in Scores.of(battery, folder).cells if cell.world == "lake"}


def found(**more: Any) -> Result:
    return Result({"return": replace(MEASURED, **more)})


def test_one_seed_keeps_its_own_interval_and_null(tmp_path: Path) -> None:
    cell = scores(tmp_path, found(interval=Interval(0.95, 0.5, 1.5, "x"), null=NULL, samples=9))["return"]
    assert (cell.value, cell.low, cell.high, cell.seeds, cell.exact) == (1.0, 0.5, 1.5, 1, False)
    assert (cell.null, cell.p_value, cell.verdict) == (0.0, 0.01, Verdict.OUTSIDE)
    assert cell.null_low == pytest.approx(-0.98, abs=1e-3)
    assert cell.null_high == pytest.approx(0.98, abs=1e-3)


def test_the_null_of_a_mean_is_narrower(tmp_path: Path) -> None:
    cell = scores(tmp_path, *(found(null=NULL, value=value, samples=9) for value in (0.0, 0.1, 0.2, 0.3)))["return"]
    assert cell.value == pytest.approx(0.15)
    assert cell.null_high == pytest.approx(0.98 / 2, abs=1e-3)


def test_exact_values_of_one_seed_have_no_interval(tmp_path: Path) -> None:
    cell = scores(tmp_path, found())["return"]
    assert (cell.low, cell.high, cell.exact, cell.verdict) == (None, None, True, Verdict.NO_NULL)


def test_what_is_undefined_on_some_seeds_is_the_mean_of_the_others(tmp_path: Path) -> None:
    cell = scores(tmp_path, found(value=nan, warnings=("nothing to gain",)), found(value=2.0))["return"]
    assert (cell.value, cell.seeds, cell.verdict) == (2.0, 1, Verdict.NO_NULL)
    assert cell.note == "defined on 1 of 2 seeds: nothing to gain"


def test_what_is_undefined_everywhere_says_why(tmp_path: Path) -> None:
    cell = scores(tmp_path, found(value=nan, warnings=("nothing to gain",)))["return"]
    assert (cell.value, cell.verdict, cell.note, cell.unit) == (None, Verdict.UNDEFINED, "nothing to gain", "bits")


def test_what_does_not_apply_says_why(tmp_path: Path) -> None:
    cells = scores(tmp_path, Result({}, {"return": "it has no goal", "policy_complexity": "it broke"}, ("return",)))
    assert (cells["return"].value, cells["return"].note) == (None, "it has no goal")


def test_what_was_not_measured_yet_says_so(tmp_path: Path) -> None:
    assert scores(tmp_path, found())["policy_complexity"].note == "not measured yet"


def test_bounds_at_infinity_are_none(tmp_path: Path) -> None:
    cell = scores(tmp_path, found(interval=Interval(0.95, 9.0, inf, "x")))["return"]
    assert (cell.low, cell.high) == (9.0, None)


def test_what_is_not_finite_is_undefined_and_says_so(tmp_path: Path) -> None:
    cell = scores(tmp_path, found(value=inf))["return"]
    assert (cell.value, cell.verdict, cell.note) == (None, Verdict.UNDEFINED, "its value is inf")


def test_seeds_that_saw_the_same_are_one_observation(tmp_path: Path) -> None:
    doubtful = replace(NULL, p_value=0.1)
    same = [found(null=doubtful, interval=Interval(0.95, 0.5, 1.5, "x"), samples=9)] * 5
    cell = scores(tmp_path / "same", *same)["return"]
    assert (cell.low, cell.high, cell.p_value, cell.verdict, cell.seeds) == (0.5, 1.5, 0.1, Verdict.INSIDE, 5)
    assert cell.null_high == pytest.approx(0.98, abs=1e-3)
    others = [found(null=doubtful, value=float(value), samples=9) for value in range(5)]
    cell = scores(tmp_path / "others", *others)["return"]
    assert cell.p_value == pytest.approx(0.01065, abs=1e-5)  # Fisher's, of five
    assert cell.verdict == Verdict.OUTSIDE


@pytest.mark.parametrize("verdict", Verdict)
def test_cells_are_written_with_the_word_of_their_verdict(verdict: Verdict) -> None:
    cell = Cell(agent="a", world="w", metric="m", value=1.0, verdict=verdict)
    assert json.loads(json.dumps(cell.to_dict())) == asdict(cell) | {"verdict": verdict.value}
    assert [*cell.to_dict()] == [field.name for field in fields(Cell)]


def test_too_little_data_is_what_the_metric_says(tmp_path: Path) -> None:
    few = {"null": NULL, "samples": 9, "warnings": ("9 samples are too few: record at least 10",)}
    assert scores(tmp_path / "said", found(**few, enough=False))["return"].verdict is Verdict.TOO_LITTLE_DATA
    assert scores(tmp_path / "unsaid", found(**few))["return"].verdict is Verdict.OUTSIDE
    one = (found(**few, value=value, enough=value > 1.0) for value in (1.0, 2.0))
    assert scores(tmp_path / "one", *one)["return"].verdict is Verdict.TOO_LITTLE_DATA


def test_what_the_bench_did_not_come_to_is_not_begun(tmp_path: Path) -> None:
    cells = scores(tmp_path, Result({}, {"return": "it has no goal"}))
    assert [cells["return"].begun, cells["policy_complexity"].begun] == [True, False]


def test_a_result_is_read_as_it_was_kept(tmp_path: Path) -> None:
    result = Result({"m": replace(MEASURED, null=NULL)}, {"n": "why"}, ("n",), "key")
    result.keep(tmp_path)
    assert Result.read(tmp_path) == result
