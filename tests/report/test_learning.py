"""Learning curves: smoothed, with what was seen behind, a band over seeds, and the end of the warm-up marked."""

from typing import Any

import numpy as np
import pytest

from agentic_report.charts import POINTS, energy
from agentic_report.curves import Curves, Series
from agentic_report.learning import FAINT, FEWEST, learning, warm


def learned(values: list[float], warmup: int = 0) -> Curves:
    """Curves of episodes of ten steps with these returns."""
    ends = 10 * np.arange(1, len(values) + 1)
    series = Series(int(ends[-1]), ends, np.array(values))
    return Curves((ends.tolist(), values), series, warmup)


def traces(**lines: list[Curves]) -> list[dict[str, Any]]:
    view = learning("world", [*lines.items()])
    assert view is not None
    return [dict(each) for each in view.data]


def test_what_was_seen_is_faint_behind_the_mean_of_the_last_steps() -> None:
    values = [float(i % 2) for i in range(100)]
    behind, line = traces(a=[learned(values)])
    assert (behind["y"], behind["opacity"], behind["showlegend"]) == (values, FAINT, False)
    assert line.keys().isdisjoint({"opacity", "showlegend"})
    assert [each["mode"] for each in (behind, line)] == ["lines", "lines"], "no markers"
    assert line["x"][0] == 50, "the first whole window"
    assert min(line["y"]) >= 0.4
    assert max(line["y"]) <= 0.6


def test_few_episodes_are_shown_as_they_are() -> None:
    (line,) = traces(a=[learned([1.0, 5.0, 2.0])])
    assert (line["y"], line["mode"]) == ([1.0, 5.0, 2.0], "lines+markers")
    assert len(traces(a=[learned([1.0] * FEWEST)])) == 2


def test_seeds_are_one_line_with_a_band() -> None:
    band, line = traces(a=[learned([seed + i / 100 for i in range(100)]) for seed in (0.0, 1.0, 2.0)])
    assert band["fill"] == "toself"
    last = line["y"][-1]
    assert last == pytest.approx(1.97, abs=0.01)
    half = 4.303 / np.sqrt(3)  # Student's 97.5 % quantile of two degrees of freedom, of a standard deviation of one
    assert max(band["y"]) == pytest.approx(last + half, rel=1e-3)
    assert "±" not in line["customdata"][-1]
    assert line["customdata"][-1].startswith("1.97 [")


def test_the_warm_up_is_marked_and_said() -> None:
    view = learning("world", [("a", [learned([1.0] * 30, warmup=60)]), ("b", [learned([1.0] * 30)])])
    assert view is not None
    line, rest = view.layout["shapes"]
    assert (line["x0"], rest["x0"], rest["x1"]) == (60, 0, 60)
    assert [each["text"] for each in view.layout["annotations"]] == ["warm-up"]
    assert "that of a at step 60" in view.described
    several = warm({"a": 60, "b": 90, "c": 0})
    assert [shape["x0"] for shape in several["shapes"]] == [60, 90]
    assert "annotations" not in several
    assert warm({"a": 0}) == {"shapes": []}


def test_who_learned_nothing_has_no_line() -> None:
    assert learning("world", [("a", [Curves()]), ("b", [])]) is None
    assert {each["name"] for each in traces(a=[Curves()], b=[learned([1.0, 2.0])])} == {"b"}


@pytest.mark.parametrize(("steps", "mode"), [(POINTS, "lines+markers"), (POINTS + 1, "lines"), (200, "lines")])
def test_long_energies_have_no_markers(steps: int, mode: str) -> None:
    view = energy("a", Curves(steps=range(steps), energies={"free_energy": [1.0] * steps}))
    assert view is not None
    assert [trace["mode"] for trace in view.data] == [mode]
