"""`agentic bench`: one command from a file to a table, and a sentence for what is wrong with it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentic import Verdict
from agentic.cli import main
from agentic_bench import Cell, Scores
from agentic_bench.command import bench
from agentic_bench.scores import shown, unmeasured
from tests.bench.batteries import small


def test_from_a_file_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "small.toml", str(tmp_path / "runs")
    file.write_text(small().to_toml())
    given = ["bench", str(file), "--agent", "random", "--agent", "rock", "--seeds", "1", "--out", out]
    assert main([*given, "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["agents"] == ["rock", "random"]
    assert found["metrics"] == ["return", "policy_complexity", "return under swapped"]
    assert {*found["cells"][0]} >= {"agent", "world", "metric", "value", "low", "high", "null", "unit"}
    assert "4 of 4 done" in printed.err
    assert main(given) == 0  # all is done: the same table at once
    printed = capsys.readouterr()
    assert "done" not in printed.err
    assert printed.out.count("│ random") == 2
    assert "agentic report" in printed.out
    assert main([*given, "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == str(next((tmp_path / "runs").iterdir()))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["bench", "nowhere.toml"], "cannot read the experiment file nowhere.toml"),
        (["bench", "--agent", "planer-40"], "no agent 'planer-40' is in this bench, did you mean 'planner-40'?"),
        (["bench", "--seeds", "0"], "Invalid value for '--seeds'"),
    ],
)
def test_mistakes_are_one_sentence(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2
    assert said in capsys.readouterr().err


def test_a_mistake_leaves_no_folder_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text(small().to_toml().replace("episode_return", "episode_retrun"))
    assert main(["bench", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "runs")]) == 2
    assert "did you mean 'episode_return'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_an_agent_that_cannot_be_made_is_reported_with_its_reason() -> None:
    cells = [Cell(agent="a", world="cart", metric=name, note=f"no {name}") for name in ("x", "y")]
    scores = Scores(("a", "b"), ("cart",), ("x", "y"), (*cells, Cell(agent="b", world="cart", metric="x", value=1.0)))
    assert list(unmeasured(scores)) == ["cart, a: no x"]


@pytest.mark.parametrize("verdict", [Verdict.INSIDE, Verdict.TOO_LITTLE_DATA, Verdict.TOO_FEW_SURROGATES])
def test_what_is_not_distinguished_from_its_null_is_in_parentheses(verdict: Verdict) -> None:
    cell = Cell(agent="a", world="cart", metric="x", value=1.0, verdict=verdict)
    assert shown(cell) == "(1)"
    assert shown(replace(cell, verdict=Verdict.OUTSIDE)) == shown(replace(cell, verdict=Verdict.NO_NULL)) == "1"


def test_the_shell_is_offered_the_agents_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text('[[agents]]\nname = "rock"\n[[agents]]\nname = "random"\nlabel = "rolling"\n')
    context = bench.make_context("bench", [str(file)], resilient_parsing=True)
    (option,) = [each for each in bench.params if each.name == "agents"]
    assert [each.value for each in option.shell_complete(context, "ro")] == ["rock", "rolling"]
    assert option.shell_complete(bench.make_context("bench", [], resilient_parsing=True), "ro") == []
