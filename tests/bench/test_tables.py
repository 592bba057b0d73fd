"""A bench file: what it means, and one sentence for each mistake in it."""

import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from agentic import UserError
from agentic_bench import Battery
from tests.bench.batteries import TABLES, small


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


def test_one_agent_is_the_teacher_in_all_worlds_of_a_clone() -> None:
    teachers = [{"name": "rock", "worlds": ["cart"]}, {"name": "rock", "action": 1, "worlds": ["lake"]}]
    with pytest.raises(UserError, match=r"no one agent in all its worlds lake, cart.*a table for each"):
        small(agents=[*teachers, {"name": "clone", "of": "rock"}])
    battery = small(agents=[*teachers, {"name": "clone", "of": "rock", "worlds": ["lake"]}])
    (clone, _) = [task.experiment.agent for task in battery.tasks() if task.agent == "clone"]
    assert clone.parameters == {"of": {"name": "rock", "action": 1}}


def test_agents_that_are_of_each_other_are_reported() -> None:
    agents = [{"name": "clone", "label": "a", "of": "b"}, {"name": "clone", "label": "b", "of": "a"}]
    with pytest.raises(UserError, match="agent b is of 'a', which is in the end of itself"):
        small(agents=agents)


def test_what_a_result_depends_on_includes_the_files_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("class Own: ...")
    (tmp_path / "saved.zip").write_bytes(b"first")
    agents = [
        {"name": f"{tmp_path}/own.py:Own"},
        {"name": "clone", "of": {"name": "sb3", "path": f"{tmp_path}/saved"}},
        {"name": "rock"},
    ]

    def keys() -> list[str]:
        return [task.key("") for task in small(agents=agents, bench={"seeds": 1}).tasks() if task.world == "cart"]

    first = keys()
    (tmp_path / "own.py").write_text("class Own: pass")
    second = keys()
    (tmp_path / "saved.zip").write_bytes(b"second")
    assert [a == b for a, b in zip(first, second, strict=True)] == [False, True, True]
    assert [a == b for a, b in zip(second, keys(), strict=True)] == [True, False, True]


def test_long_labels_and_odd_keys_are_no_obstacle() -> None:
    battery = small(agents=[{"name": "rock", "label": "x" * 400, "odd key": 3}, {"name": "rock", "label": "x" * 401}])
    names = {task.folder.parts[2] for task in battery.tasks()}
    assert len(names) == 2
    assert max(map(len, names)) < 80
    assert Battery.of(tomllib.loads(battery.to_toml())) == battery


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
        ("agents.1.of", "random", "agent random is of 'random', which is in the end of itself"),
        ("bench.seeds", [3, 14, 3], r"\[bench\] seeds is wrong: a seed stands there twice"),
        ("bench.seeds", 10**30, r"\[bench\] seeds is wrong"),
        ("agents.0.label", "two\nlines", r"\[\[agents\]\] number 1 label is wrong"),
        ("bench.seeds", -1, r"\[bench\] seeds"),
        (
            "agents.1.of",
            "nobody",
            "of 'nobody', which is no one agent in all its worlds lake, cart; known: rock, random",
        ),
        ("interventions.0.informed", "everything", r"\[\[interventions\]\] number 1 informed is wrong"),
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
    file.write_text("agents = 3\n")
    with pytest.raises(UserError, match=r"mine\.toml: .*\[\[worlds\]\]"):
        Battery.load(file)
    file.write_text("[bench]\nname = 3\n")
    with pytest.raises(UserError, match=r"mine\.toml: \[bench\] name"):
        Battery.load(file)


def test_files_of_an_agent_within_an_agent_are_found_too(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    agents = [{"name": "clone", "of": {"name": "own.py", "path": "a.zip", "other": {"name": "x", "path": "/b.zip"}}}]
    (tmp_path / "there/mine.toml").write_text(small(agents=agents).to_toml())
    (agent,) = Battery.load("there/mine.toml").agents
    inner = {"name": "there/own.py", "path": "there/a.zip", "other": {"name": "x", "path": "/b.zip"}}
    assert agent.parameters == {"of": inner}


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
