"""A bench file: what it means, and one sentence for each mistake in it."""

import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from agentic import UserError
from agentic.battery import Battery
from tests.battery.batteries import TABLES, small


def test_every_agent_in_every_world_on_every_seed() -> None:
    tasks = small().tasks()
    assert len(tasks) == 2 * 3 * 2
    assert len({task.folder for task in tasks}) == len(tasks)
    assert {task.experiment.run.seed for task in tasks} == {0, 1}
    assert {task.experiment.evaluate.episodes for task in tasks if task.world == "lake"} == {3}


def test_columns_of_a_world_and_of_its_first_seeds() -> None:
    columns = {(t.world, t.seed): [column.label for column in t.columns] for t in small().tasks()}
    assert columns["lake", 0] == ["return", "policy_complexity"]
    assert columns["lake", 1] == ["return"]
    assert columns["cart", 0] == ["return", "return under swapped"]


def test_the_resolved_file_is_the_same_battery() -> None:
    battery = small().only(["rock", "right"], seeds=1)
    again = Battery.of(tomllib.loads(battery.to_toml()))
    assert again == battery
    assert [task.key("") for task in again.tasks()] == [task.key("") for task in battery.tasks()]


def test_some_agents_and_seeds() -> None:
    tasks = small().only(["right"], seeds=3).tasks()
    assert {task.agent for task in tasks} == {"right"}
    assert {task.seed for task in tasks} == {0, 1, 2}
    assert tasks[0].experiment.agent.parameters == {"action": 1}


def test_a_clone_of_another_agent_of_the_file_carries_its_tables() -> None:
    model = {"name": "linear_gaussian"}
    teacher = {"name": "energy", "worlds": ["cart"], "model": model, "learn": {"steps": 40}}
    battery = small(agents=[teacher, {"name": "clone", "of": "energy", "worlds": ["cart"]}])
    clone = next(task for task in battery.tasks() if task.agent == "clone").experiment
    practice = {"practice": 40, "warmup": 0, "seed": 0}
    assert clone.agent.parameters == {"of": {"name": "energy", "model": model}, **practice}
    assert battery.only(["clone"]).tasks()[0].experiment == clone


def test_first_seeds_record_candidate_plans() -> None:
    runs = {task.seed: task.experiment.run for task in small(bench={"seeds": [7, 9], "candidates": 4}).tasks()}
    assert (runs[7].candidates, runs[9].candidates) == (4, 0)


def wrong(path: str, value: Any) -> dict[str, Any]:
    tables: Any = deepcopy(TABLES)
    *parents, key = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = tables
    for parent in parents:
        place = place[parent]
    place[key] = value
    return dict(tables)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("worlds", [], r"\[\[worlds\]\]"),
        ("words", [], "unknown table .*did you mean 'worlds'"),
        ("worlds.0.idd", "x", r"unknown key idd in \[\[worlds\]\] number 1, did you mean 'id'"),
        ("worlds.1.name", "lake", "two .*worlds.* are called 'lake'"),
        ("agents.2.label", "rock", "two .*agents.* of world lake are called 'rock'"),
        ("agents.0.worlds", ["lak"], "in the world 'lak'.*did you mean 'lake'"),
        ("metrics.2.under", ["swaped"], "under 'swaped'.*did you mean 'swapped'"),
        ("metrics.1.label", "return", "two .*metrics.* of world lake are called 'return'"),
        ("metrics.1.seeds", 0, r"\[\[metrics\]\] number 2 seeds is wrong"),
        ("bench.seeds", -1, r"\[bench\] seeds"),
        ("agents.1.of", "nobody", "of 'nobody', which is no agent of the same worlds; known: rock, random, right"),
        ("interventions.0.told", "everything", r"\[\[interventions\]\] number 1 told is wrong"),
    ],
)
def test_mistakes_are_one_sentence(path: str, value: Any, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        Battery.of(wrong(path, value))
    assert "\n" not in str(caught.value)


def test_a_world_must_be_there() -> None:
    with pytest.raises(UserError, match=r"\[\[worlds\]\]"):
        Battery.of({key: table for key, table in TABLES.items() if key != "worlds"})


def test_an_unknown_agent_is_asked_for() -> None:
    with pytest.raises(UserError, match="no agent 'rok' is in this bench, did you mean 'rock'"):
        small().only(["rok"])


def test_the_file_is_named_in_messages(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[bench]\nname = 3\n")
    with pytest.raises(UserError, match=r"mine\.toml: \[bench\] name"):
        Battery.load(file)


def test_files_are_found_beside_the_bench_file_and_may_differ_by_seed(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    file = tmp_path / "there/mine.toml"
    file.write_text(
        small()
        .to_toml()
        .replace('name = "random"', 'name = "own.py:Own"\n[[agents]]\nname = "sb3"\npath = "ppo-{seed}.zip"')
    )
    made = [task.experiment.agent for task in Battery.load(file).tasks() if task.seed == 1 and task.world == "cart"]
    assert len(made) == 4
    assert [(agent.name, agent.parameters.get("path")) for agent in made[1:3]] == [
        ("there/own.py:Own", None),
        ("sb3", "there/ppo-1.zip"),
    ]
