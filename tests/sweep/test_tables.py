"""Sweep files: which values are tried, with which seeds, and what is wrong in one."""

from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from agentic import UserError
from agentic_sweep import Range, SweepFile
from agentic_sweep.tables import SweepTable, flattened, label_of

BASE: dict[str, Any] = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}}


def swept(**own: Any) -> SweepFile:
    return SweepFile({**BASE, "sweep": own})


def test_a_grid_is_every_combination_in_the_order_of_the_file() -> None:
    table = swept(values={"run.envs": [1, 2], "evaluate": {"episodes": [3, 4]}}, seeds=[5, 3]).table
    assert table.chosen == (5, 3)
    assert table.tried() == [
        {"run.envs": 1, "evaluate.episodes": 3},
        {"run.envs": 1, "evaluate.episodes": 4},
        {"run.envs": 2, "evaluate.episodes": 3},
        {"run.envs": 2, "evaluate.episodes": 4},
    ]
    assert swept().table.tried() == [{}]


def test_values_and_seeds_are_settings_of_the_experiment() -> None:
    made = swept(values={"run.envs": [4], "agent.name": ["rock"]}).experiment({"run.envs": 4, "agent.name": "rock"}, 7)
    assert (made.run.envs, made.run.seed, made.agent.name) == (4, 7, "rock")


def test_random_values_do_not_depend_on_how_many_are_drawn_and_fill_their_range_evenly() -> None:
    values = {
        "learner.rate": {"low": 1e-4, "high": 1.0, "log": True},
        "run.envs": {"low": 1, "high": 4, "integer": True},
    }
    few, many = (swept(search="random", trials=count, values=values).table.tried() for count in (10, 4000))
    assert many[:10] == few
    rates, envs = (np.array([each[name] for each in many]) for name in ("learner.rate", "run.envs"))
    assert np.abs(np.quantile(np.log(rates), [0.25, 0.5, 0.75]) / log(1e-4) - [0.75, 0.5, 0.25]).max() < 0.02
    assert np.abs(np.bincount(envs.astype(int))[1:] / 4000 - 0.25).max() < 0.03
    assert swept(search="random", seed=1, trials=10, values=values).table.tried() != few


@given(
    low=st.floats(-1e6, 1e6),
    width=st.floats(1e-3, 1e6),
    place=st.floats(0, 1, exclude_max=True),
    integer=st.booleans(),
    logarithmic=st.booleans(),
)
def test_values_lie_within_their_range(
    low: float, width: float, place: float, integer: bool, logarithmic: bool
) -> None:
    low = abs(low) + 1e-3 if logarithmic else low
    ends = (np.ceil(low), np.ceil(low) + np.ceil(width)) if integer else (low, low + width)
    found = Range(low=ends[0], high=ends[1], integer=integer, log=logarithmic).at(place)
    assert ends[0] <= found <= ends[1]
    assert isinstance(found, int) == integer


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}\.[a-z]{1,5}", fullmatch=True), st.lists(st.integers(), min_size=1)))
def test_dotted_and_nested_values_are_the_same(values: dict[str, list[int]]) -> None:
    nested: dict[str, Any] = {}
    for name, each in values.items():
        table, key = name.split(".")
        nested.setdefault(table, {})[key] = each
    assert flattened(nested) == flattened(values) == values


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"seeds": 0}, r"\[sweep\] .*seeds"),
        ({"sedes": 3}, r"unknown key sedes in \[sweep\], did you mean 'seeds'"),
        ({"seeds": [5, 3, 5]}, r"\[sweep\] seeds is wrong: a seed stands there twice, and would be the same run, got"),
        ({"values": {"run.seed": [1]}}, "seeds says which seeds"),
        ({"values": {"run.envs": []}}, "run.envs has no values"),
        ({"values": {"run.envs": 3}}, "run.envs has no values"),
        ({"values": {"run.envs": [None]}}, "run.envs has no values"),
        ({"values": {"run": {"envs": {}}}}, "the range of run.envs: low Field required"),
        ({"values": 3}, "values should be a table of settings, got 3"),
        ({"search": "random", "values": {"a.b": {"low": -1e308, "high": 1e308}}}, "farther than numbers reach"),
        ({"search": "random", "values": {"a.b": {"low": 1e-200, "high": 1e200, "log": True}}}, "farther than numbers"),
        ({"search": "random", "trials": 10**9}, "1,000,000,000 trials have more than 100,000 runs"),
        ({"search": "random", "values": {"a.b": {"low": "1", "high": 4}}}, "the range of a.b: low Input should be"),
        ({"values": {"run.envs": {"low": 1, "high": 4}}}, "a grid takes lists, and run.envs is a range: write search"),
        ({"search": "random", "values": {"a.b": {"low": 4, "high": 1}}}, "low must lie below high, got 4 and 1"),
        ({"search": "random", "values": {"a.b": {"low": 0, "high": 1, "log": True}}}, "give a positive one"),
        ({"values": {"a.b": list(range(400)), "a.c": list(range(400))}}, "the grid has more than 100,000 runs"),
    ],
)
def test_mistakes_are_said_in_a_sentence(own: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        swept(**own).table.tried()


def test_a_value_that_does_not_fit_names_itself() -> None:
    with pytest.raises(UserError, match=r"with run\.envs=-1: \[run\] envs"):
        swept(values={"run.envs": [-1]}).experiment({"run.envs": -1}, 0)


def test_values_of_the_command_go_before_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sweep.toml"
    file.write_text('[sweep]\nvalues."run.envs" = [1]\n[env]\nid = "CartPole-v1"\n[agent]\nname = "random"\n')
    found = SweepFile.load(file, vary=["run.envs = [2, 3]"], seeds=4)
    assert (found.table.values, found.table.chosen) == ({"run.envs": (2, 3)}, (0, 1, 2, 3))
    with pytest.raises(UserError, match=r"cannot read the values 'run\.envs=1,2': write a list or a range"):
        SweepFile.load(file, vary=["run.envs=1,2"])
    with pytest.raises(UserError, match=r"run\.envs is varied twice: write all its values into one list"):
        SweepFile.load(file, vary=["run.envs=[1]", "run.envs=[2]"])
    again = SweepFile.load(_written(found, tmp_path / "again.toml"))
    assert again.to_toml() == found.to_toml()


def _written(sweep: SweepFile, path: Path) -> Path:
    path.write_text(sweep.to_toml())
    return path


def test_labels() -> None:
    assert label_of({"learner.rate": 1e-3, "agent.name": "rock", "goal.on": True}) == (
        "learner.rate=0.001, agent.name=rock, goal.on=true"
    )
    assert label_of({}) == "as it is"
    assert SweepTable().chosen == (0, 1, 2, 3, 4)
