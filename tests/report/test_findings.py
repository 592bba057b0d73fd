"""The sentences above the table are computed from its cells."""

from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup

from agentic_bench import Cell
from agentic_report.bench_folder import Bench
from agentic_report.cells import apart
from agentic_report.findings import findings, telling
from agentic_report.ladders import ladders
from agentic_report.replays import Replays
from tests.report.folders import SCORES, bench_cells


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench_cells(tmp_path)
    found = Bench.open(tmp_path)
    assert found is not None
    return found


def test_a_clone_is_its_planner_until_the_world_changes(bench: Bench) -> None:
    first = findings(bench)[0]
    assert first == (
        "By behavior alone planner-40 and clone are the same in maze: they differ by 0 on episode_return, "
        "policy_complexity and transfer_entropy. Change the world and they part: AI under swap 1 against 0 and "
        "DEV under devalued 0.559 against 0."
    )


def test_the_replay_opens_with_the_one_of_the_first_sentence_that_adapts(bench: Bench) -> None:
    assert telling(bench) == ("maze", "planner-40")
    shown = [("maze", name, Markup("x" * size)) for name, size in (("clone", 9), ("planner-40", 1))]
    assert Replays(shown, (), (), telling(bench)).opens == ("maze", "planner-40")
    assert Replays(shown[:1], (), (), telling(bench)).opens == ("maze", "clone")
    assert telling(replace(bench, cells={})) is None


def test_agents_that_records_tell_apart_are_not_paired(bench: Bench) -> None:
    assert not any("By behavior alone planner-40 and random" in sentence for sentence in findings(bench))


def test_who_is_nowhere_distinguished_from_chance(bench: Bench) -> None:
    inside = next(sentence for sentence in findings(bench) if "inside the null" in sentence)
    assert inside.startswith("random, rock and ")
    assert "planner-40" not in inside
    assert "clone" not in inside  # its records lie outside


def test_values_outside_their_null_are_counted(bench: Bench) -> None:
    assert findings(bench)[-1] == "12 of 40 values that have a null lie outside of it."


def test_nearly_the_best_return_without_adaptation(tmp_path: Path) -> None:
    bench_cells(tmp_path, scores={**SCORES, "episode_return": (2.9, 2.8, -0.4, 0.0, -0.3)})
    found = Bench.open(tmp_path)
    assert found is not None
    message = (
        "In maze clone (96.6 %) earns nearly the best return, and no measure of a changed world tells it from its null."
    )
    assert message in findings(found)


@pytest.mark.parametrize(("third", "rises"), [(0.9, True), (0.05, False)])
def test_what_rises_with_depth(bench: Bench, third: float, rises: bool) -> None:
    agents = [
        {"label": label, "name": "planner", "depth": depth} for label, depth in zip("abc", (40, 1, 5), strict=True)
    ]
    cells = {
        ("maze", label, "AI under swap"): Cell(agent=label, world="maze", metric="AI under swap", value=value)
        for label, value in zip("abc", (third, 0.0, 0.1), strict=True)
    }
    ladder = replace(bench, settings={"agents": agents}, agents=("a", "b", "c"), cells=cells)
    message = [*ladders(ladder, "maze")]
    assert bool(message) is rises
    if rises:
        assert message[0].endswith("AI under swap rises with it (AI under swap: 0, 0.1 and 0.9).")
        assert "depth of the planner (1, 5 and 40)" in message[0]


def test_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "cells.json").write_text("{}")
    found = Bench.open(tmp_path)
    assert found is not None
    assert findings(found) == []


@pytest.mark.parametrize(
    ("a", "b", "differ"),
    [
        (Cell(agent="a", world="w", metric="m", value=1.0), Cell(agent="b", world="w", metric="m", value=1.0), False),
        (Cell(agent="a", world="w", metric="m", value=1.0), Cell(agent="b", world="w", metric="m", value=1.01), True),
        (  # half-widths 0.3 and 0.4 in quadrature: 0.5
            Cell(agent="a", world="w", metric="m", value=1.0, low=0.7, high=1.3),
            Cell(agent="b", world="w", metric="m", value=1.49, low=1.09, high=1.89),
            False,
        ),
        (
            Cell(agent="a", world="w", metric="m", value=1.0, low=0.7, high=1.3),
            Cell(agent="b", world="w", metric="m", value=1.51, low=1.11, high=1.91),
            True,
        ),
    ],
)
def test_values_differ_by_more_than_their_intervals(a: Cell, b: Cell, differ: bool) -> None:
    assert apart(a, b) is differ
    assert apart(b, a) is differ
