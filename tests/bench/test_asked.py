"""Benches asked for from Python: agents by label, in worlds by their ids."""

import subprocess
import sys
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest

import agentic
from agentic import UserError
from agentic.plugins import load
from agentic.testing.worlds import Coin
from agentic_bench import Battery
from agentic_bench.asked import battery_of

CART = "CartPole-v1"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def tables(out: Path, agents: Any, **asked: Any) -> dict[str, Any]:
    return battery_of(agents, out, load(), **asked).tables()


def test_names_files_and_objects_become_tables(out: Path) -> None:
    agents = {
        **{"name": "random", "file": "rule.py:Rule", "saved": "ppo.zip", "example": "cartpole"},
        **{"table": {"name": "constant", "action": 1}, "function": lambda observation: 0, "agent": Coin()},
    }
    made = {table["label"]: table for table in tables(out, agents, env=CART)["agents"]}
    assert made["file"]["name"] == "rule.py:Rule"
    assert (made["saved"]["name"], made["saved"]["path"]) == ("sb3", "ppo.zip")
    assert made["example"]["planner"]["name"] == "riccati"
    assert made["example"]["learn"]["steps"] == 40
    assert (made["table"]["name"], made["table"]["action"]) == ("constant", 1)
    assert {made[name]["name"] for name in ("function", "agent")} == {"pickled"}
    assert len(list((out / "agents").glob("*.pkl"))) == 2
    assert not list((out / "agents").glob(".*"))


def test_an_agent_of_parts_is_put_together_for_each_world(out: Path) -> None:
    made = tables(out, {"mine": "energy"}, env=[CART, "agentic/TMaze-v0"], metrics="episode_return")["agents"]
    assert [(table["worlds"], table["model"]["name"]) for table in made] == [
        ((CART,), "linear_gaussian"),
        (("agentic/TMaze-v0",), "categorical"),
    ]


def test_the_world_of_the_only_example_need_not_be_named(out: Path) -> None:
    made = tables(out, {"planner": "tmaze", "random": "random"})
    assert [world["id"] for world in made["worlds"]] == ["agentic/TMaze-v0"]


@pytest.mark.parametrize(
    ("agents", "asked", "said"),
    [
        ({}, {}, "needs agents by label"),
        ({"a": "random"}, {}, "needs their world: name it"),
        ({"a": "rndom"}, {"env": CART}, "did you mean 'random'"),
        ({"a": int}, {"env": CART}, "agent a: expected a name, .* got <class 'int'>"),
        ({"a": 3}, {"env": CART}, "agent a: expected a name, .* got 3"),
        ({"a": "random"}, {"env": 3}, "makes each world by its id"),
        ({"a": "random"}, {"env": CART, "metric": "x"}, "no option 'metric', did you mean 'metrics'"),
        ({"a": (lambda lock: lambda obs: lock)(Lock())}, {"env": CART}, "cannot be handed to the processes"),
    ],
    ids=range(8),
)
def test_what_is_no_bench_is_one_sentence(agents: Any, asked: Any, said: str, out: Path) -> None:
    with pytest.raises(UserError, match=said):
        agentic.bench(agents, out=out, **asked)


def test_a_battery_says_what_it_is_itself(out: Path) -> None:
    battery = battery_of({"a": "random"}, out, load(), env=CART)
    with pytest.raises(UserError, match="a battery says env itself"):
        agentic.bench(battery, out=out, env=CART)
    with pytest.raises(UserError, match="expected a battery, a bench file or agents by label, got 3"):
        agentic.bench(3, out=out)
    assert repr(battery) == (
        "Battery(name='python', worlds=['CartPole-v1'], agents=['a'], metrics=['episode_return'], "
        "seeds=[0, 1, 2, 3, 4])"
    )
    assert "<td>[&#x27;a&#x27;]</td>" in battery._repr_html_()
    assert Battery.of(battery.tables()) == battery


SCRIPT = """
import agentic

print("begun")
agents = {"left": lambda observation: 0, "random": "random"}
scores = agentic.bench(agents, env="CartPole-v1", seeds=1, episodes=10, workers=1)
print(scores)
print(agentic.report(scores).name)
print(len(scores._repr_html_()) < 1000)
"""


@pytest.mark.slow
def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert (lines[0], lines.count("begun"), lines[-2:]) == ("begun", 1, ["report.html", "True"])
    assert [line.split()[0] for line in lines[2:5]] == ["agent", "left", "random"]


@pytest.mark.parametrize(
    ("agents", "seeds", "said"),
    [
        ({"a": "random"}, [1, 1], r"\[bench\] seeds is wrong: a seed stands there twice"),
        ({"a": "random"}, 0, r"\[bench\] seeds is wrong: input should be greater than or equal to 1, got 0"),
        ({"a": "random"}, "x", r"\[bench\] seeds is wrong"),
        (["random"], 1, r"expected a battery, a bench file or agents by label, got \['random'\]"),
        (lambda observation: 0, 1, "expected a battery, a bench file or agents by label, got <function"),
    ],
)
def test_seeds_and_agents_that_are_none_are_said(agents: Any, seeds: Any, said: str, out: Path) -> None:
    with pytest.raises(UserError, match=said):
        agentic.bench(agents, env=CART, seeds=seeds, out=out)


@pytest.mark.parametrize(("seeds", "chosen"), [(np.int64(2), (0, 1)), ([np.int64(3)], (3,)), (np.arange(2), (0, 1))])
def test_seeds_are_numbers_of_numpy_too(seeds: Any, chosen: tuple[int, ...], out: Path) -> None:
    battery = battery_of({"a": "random"}, out, load(), env=CART).only(seeds=seeds)
    assert battery.bench.chosen == chosen
