"""Agents that were learned in other runs: in experiment files, in benches, and measured without learning again."""

import json
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import numpy as np
import pytest

import agentic
from agentic import Experiment, Record, RunError, UserError, build, load
from agentic.cli import main
from agentic.cli.subjects import Source
from agentic.errors import ThirdPartyWarning
from agentic.experiments import toml_text
from agentic.runs import RunFolder
from agentic_bench import Battery
from agentic_bench.task import Task
from agentic_life import reproduce
from tests.bench.batteries import small
from tests.life.saved_runs import CART, LEARNING, recorded

SMALL = [part for key in ("episodes=2", "moments=5", "lags=2") for part in ("--set", f"memory_timescale.{key}")]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def file(folder: Path, **tables: Any) -> str:
    """The path of an experiment file whose agent is that of a run."""
    given = {"env": CART, "agent": {"from": str(folder)}, "evaluate": {"episodes": 5}, **tables}
    Path("mine.toml").write_text(toml_text(given))
    return "mine.toml"


def evaluated(record: Record) -> Any:
    return record.table().filter(np.array(record.table()["phase"].to_pylist()) == "evaluate")


def test_it_is_the_agent_as_it_was_when_learning_ended() -> None:
    source = recorded()
    found = agentic.run(file(source))
    assert evaluated(found).equals(evaluated(Record.open(source)))
    assert found.folder is not None
    tables = Experiment.load(RunFolder(found.folder).experiment_file).tables()
    assert tables["agent"] == {**Experiment.of(LEARNING).tables()["agent"], "from": str(source)}
    assert tables["model"] == LEARNING["model"]
    row = next(row for row in found.manifest["components"] if row["kind"] == "agents")
    assert row["parameters"] == {"from": str(source)}
    assert list(row["files"]) == [f"{source}/learned/checkpoint.json"]
    with pytest.raises(UserError, match=r"names runs/0001-cartpole-v1-energy, .* only with --trust"):
        reproduce(found.folder)
    assert reproduce(found.folder, trust=True).same
    again = agentic.run(str(RunFolder(found.folder).experiment_file), settings=[f"agent.from={source}"])
    assert evaluated(again).equals(evaluated(found)), "a setting is the whole agent, whatever the file has"


def test_it_learns_on_and_is_a_source_itself() -> None:
    first = recorded()
    second = agentic.run(file(first, learn={"steps": 30}))
    assert second.folder is not None
    third = agentic.run(file(second.folder))
    assert evaluated(third).equals(evaluated(second))
    ticks = len(second.table())
    assert len(agentic.resume(second.folder, steps=10, trust=True).table()) == ticks + 10
    rmtree(first)
    agentic.run(file(second.folder), episodes=1)
    with pytest.raises(UserError, match="is not the folder of a run"):
        agentic.resume(second.folder, steps=10, trust=True)
    copytree(recorded(learn={"steps": 50}), first)
    with pytest.raises(UserError, match=r"learned/checkpoint\.json is not what it was when the run in .* began"):
        agentic.resume(second.folder, steps=10, trust=True)


def test_what_cannot_be_used_is_one_sentence() -> None:
    source, plain = recorded(), recorded(learn={})
    refused: list[tuple[Path, dict[str, Any], str]] = [
        (Path("nowhere"), {}, "mine.toml: nowhere is not the folder of a run"),
        (plain, {}, "learned nothing: name its agent energy instead"),
        (source, {"model": LEARNING["model"]}, r"leave out \[model\], or name an agent"),
        (source, {"agent": {"from": str(source), "selection": {"name": "greedy"}}}, "leave out selection"),
        (source, {"agent": {"from": str(source), "name": "random"}}, "is another than is written beside it"),
        (source, {"agent": {"from": 7}}, "should be the folder of a run, got 7"),
        (source, {"env": {"id": "Acrobot-v1"}}, "quadratic goal of 4 weights does not fit"),
    ]
    for folder, tables, said in refused:
        with pytest.raises(UserError, match=said):
            agentic.run(file(folder, **tables), out=None)
    held = source / "learned" / "tensors.safetensors"
    held.write_bytes(held.read_bytes()[:-1])
    with pytest.warns(ThirdPartyWarning), pytest.raises(UserError, match="holds no checkpoint"):
        agentic.run(file(source), out=None)
    made = agentic.run(lambda obs: 1, "CartPole-v1", episodes=1).folder
    with pytest.raises(UserError, match="what a program ran, that program must make"):
        agentic.run(file(Path(str(made))), out=None)


def test_what_only_the_source_names_is_not_run() -> None:
    source = recorded()
    text = (source / "experiment.toml").read_text()
    (source / "experiment.toml").write_text(text.replace('name = "energy"', 'name = "evil.py"'))
    Path("evil.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    with pytest.raises(UserError, match=r"experiment\.toml names evil\.py, .* used with trust = true under \[agent\]"):
        agentic.run(file(source), out=None)
    assert not Path("ran").exists()
    with pytest.raises((UserError, RunError)):
        agentic.run(file(source), settings=["agent.trust=true"], out=None)
    assert Path("ran").exists()


def test_a_bench_has_agents_from_runs() -> None:
    sources = [recorded(run={"seed": seed}) for seed in range(2)]
    for seed, source in enumerate(sources):
        source.rename(f"trained-{seed}")
    worlds = [{"name": "cart", **CART, "episodes": 2}]
    agents = [{"from": "trained-{seed}", "label": "trained"}, {"from": "trained-0"}]
    battery = small(worlds=worlds, agents=agents, metrics=[{"name": "episode_return"}], interventions=[])
    assert [agent.title for agent in battery.agents] == ["trained", "trained-0"]
    assert Battery.of(battery.tables()).tasks() == battery.tasks()
    tasks: list[Task] = battery.tasks()
    assert [task.experiment.agent.origin for task in tasks] == ["trained-0", "trained-0", "trained-1", "trained-0"]
    keys = [task.key("code") for task in tasks]
    weights = [build(task.experiment, load()).components[-1]["files"] for task in tasks] if keys else []
    assert len({json.dumps(each) for each in weights}) == 2
    copytree(recorded(learn={"steps": 50}) / "learned", "trained-1/learned", dirs_exist_ok=True)
    assert [task.key("code") == key for task, key in zip(tasks, keys, strict=True)] == [True, True, False, True]
    with pytest.raises(UserError, match=r"leave out \[goal\]"):
        small(agents=[{"from": "trained-0", "goal": LEARNING["goal"]}])


def test_it_is_measured_without_learning_again(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    wrapped = {**CART, "wrappers": ["gymnasium.wrappers:NormalizeObservation"]}
    folder = recorded(env=wrapped, run={"seed": 2})
    command = ["measure", str(folder), "--metric", "memory_timescale", *SMALL, "--json", "--no-references"]

    def measured() -> tuple[Any, str]:
        assert main(command) == 0
        said = capsys.readouterr()
        return json.loads(said.out), said.err

    loaded, said = measured()
    assert "experience" not in said
    held = folder / "learned" / "tensors.safetensors"
    held.write_bytes(held.read_bytes()[:-1])
    lived, said = measured()
    assert "is damaged" in said
    assert "it learns again" in said
    assert "experience: 60 of 60 steps" in said
    assert loaded == lived
    with monkeypatch.context() as patch:
        patch.setattr(Source, "_lived", None)
        rmtree(folder / "learned")
        with pytest.raises(TypeError):
            main(command)
