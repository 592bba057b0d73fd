"""The README's table of a bench: every value where it belongs, and nothing outside the markers touched."""

import json
from pathlib import Path
from typing import Any

import pytest

from agentic import UserError
from agentic_bench.scores import LEGEND
from pictures import table


def cell(agent: str, world: str, metric: str, value: float | None, **rest: Any) -> dict[str, Any]:
    blank = {"low": None, "high": None, "verdict": "no null", "unit": "bits" if metric == "gain" else ""}
    return {"agent": agent, "world": world, "metric": metric, "value": value} | blank | rest


CELLS = [
    cell("rock", "grid", "gain", 0.012345, low=-0.5, high=0.25, verdict="inside the null"),
    cell("rock", "grid", "AI", None, verdict="undefined"),
    cell("planner", "grid", "gain", 1234.5, low=1200.0, high=1300.0, verdict="outside the null"),
    cell("planner", "grid", "AI", 1e-16),
    cell("planner", "lake", "AI", -0.5),
]


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    found = {"agents": ["rock", "planner"], "metrics": ["gain", "AI"], "worlds": ["grid", "lake"], "cells": CELLS}
    (tmp_path / "cells.json").write_text(json.dumps(found))
    return tmp_path


def test_agents_down_and_metrics_across_in_a_table_for_each_world(bench: Path) -> None:
    grid, lake, legend = table.tables(bench).split("\n\n")
    assert grid.splitlines() == [
        "| grid | gain (bits) | AI |",
        "| --- | --: | --: |",
        "| rock | (0.0123) [-0.5, 0.25] | - |",
        "| planner | 1,234 [1,200, 1,300] | 0 |",
    ]
    assert lake.splitlines() == [
        "| lake | AI |",
        "| --- | --: |",
        "| planner | -0.5 |",
    ]  # nothing is known of gain there
    assert legend == LEGEND


def test_a_name_is_a_text_that_does_not_end_its_column(tmp_path: Path) -> None:
    agent, metric = "<script>", "a|b"
    found = {"agents": [agent], "metrics": [metric], "worlds": ["w"], "cells": [cell(agent, "w", metric, 1.0)]}
    (tmp_path / "cells.json").write_text(json.dumps(found))
    assert table.tables(tmp_path).splitlines()[:3] == ["| agent | a\\|b |", "| --- | --: |", "| &lt;script> | 1 |"]


def test_it_goes_between_the_markers_however_often() -> None:
    page = f"before\n{table.START}\nold\n{table.END}\nafter {table.END}\n"
    once = table.put(page, "| new |")
    assert once == f"before\n{table.START}\n\n| new |\n\n{table.END}\nafter {table.END}\n"
    assert table.put(once, "| new |") == once


@pytest.mark.parametrize("page", ["none", table.START, f"{table.END}{table.START}"])
def test_without_its_markers_nothing_is_replaced(page: str) -> None:
    with pytest.raises(ValueError, match="expected a line '<!-- bench table -->'"):
        table.put(page, "| new |")


def test_a_word_that_is_no_verdict_is_one_sentence(bench: Path) -> None:
    found = json.loads((bench / "cells.json").read_text())
    found["cells"][0]["verdict"] = "probably"
    (bench / "cells.json").write_text(json.dumps(found))
    with pytest.raises(UserError, match="'probably' is no verdict; known: outside the null, "):
        table.tables(bench)
