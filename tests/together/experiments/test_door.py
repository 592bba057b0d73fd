"""The door: every name there is, in every table of an experiment, runs or is refused in one sentence before a run."""

import json
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from agentic import (
    ActionGoal,
    Agent,
    Backup,
    Experiment,
    Gain,
    Goal,
    Learner,
    Loss,
    Minimizer,
    Model,
    Selection,
    load,
)
from agentic.cli import main
from agentic.experiments.toml import toml_lines
from agentic.plugins import PluginError
from agentic_agents.lookup import Lookup

ROOT = Path(__file__).parents[3]
REGISTRY = load()
NAMES = sorted({component.name for component in REGISTRY.components})
PLACES: dict[str, type[Any]] = {
    "model": Model,
    "goal": Goal,
    "inference": Minimizer,
    "planner": Minimizer,
    "learner": Learner,
    "planner.gain": Gain,
    "planner.backup": Backup,
    "planner.effort": ActionGoal,
    "planner.terminal": Goal,
    "agent": Agent,
    "agent.selection": Selection,
    "learner.loss": Loss,
    "env": gymnasium.Env,
    "env.changes": gymnasium.Wrapper,
}
PARAMETERS: dict[str, dict[str, Any]] = {  # the fewest that a component needs in the T-maze
    "log_preferences": {"values": [[0, 0, 0, 0, 0], [0, 2, -6]]},
    "quadratic": {"weights": [1.0]},
    "quadratic_latent": {"weights": [1.0] * 8},
    "clone": {"of": {"name": "rock"}, "steps": 5},
    "constant": {"action": 0},
    "reflex": {"actions": [0] * 15},
    "sb3": {"path": "nowhere.zip"},
}
BASE: dict[str, Any] = Experiment.load(ROOT / "examples" / "tmaze.toml", ["evaluate.episodes=1"]).tables()


def placed(place: str, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The T-maze's experiment with another component in one place, and nothing that was the former one's."""
    tables: dict[str, Any] = json.loads(json.dumps(BASE))
    table = {"name": name, **parameters}
    if place == "env":
        return {**tables, "env": {"id": name}}
    if place == "env.changes":
        return {**tables, "env": {**tables["env"], "changes": [table]}}
    if place == "agent":
        kept = tables if name == "energy" else {key: tables[key] for key in ("env", "evaluate")}
        return {**kept, "agent": table}
    if place == "learner.loss":
        return {**tables, "learner": {"name": "weight_laplace", "loss": table}}
    top, _, inside = place.partition(".")
    if inside:
        tables[top][inside] = table
    elif top == "planner":
        tables[top] = {"horizon": 2, **table}
    else:
        tables[top] = table
    return tables


def fulfills(name: str, contract: type[Any]) -> bool:
    """Whether a component of that name, of whatever kind, is what is asked for; asked of its class alone."""
    for component in REGISTRY.components:
        if component.name == name:
            target = REGISTRY.resolve(component.kind, name)
            wrapper = issubclass(target, gymnasium.Wrapper)
            if issubclass(target, contract) and not (contract is gymnasium.Env and wrapper):
                return True
    return False


@pytest.mark.parametrize("with_parameters", [False, True], ids=["bare", "given"])
@pytest.mark.parametrize("place", PLACES)
def test_every_name_in_every_place(
    place: str, with_parameters: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, runs, refused = PLACES[place], 0, 0
    for name in NAMES:
        parameters = PARAMETERS.get(name, {}) if with_parameters else {}
        if with_parameters and not parameters:
            continue
        file, out = tmp_path / "case.toml", tmp_path / "runs"
        tables = placed(place, name, parameters)
        text = "\n".join(line for key, table in tables.items() for line in (f"[{key}]", *toml_lines(table)))
        file.write_text(text, encoding="utf-8")
        before = len(list(out.glob("*")))
        code = main(["run", str(file), "--out", str(out), "--quiet"])
        said, new = capsys.readouterr().err, len(list(out.glob("*"))) - before
        case = f"{place} = {name}: {code}, {said}"
        if code == 0:
            runs += 1
            assert fulfills(name, contract), case
            assert new == 1, case
            continue
        refused += 1
        assert code == 2, case
        assert new == 0, case
        assert len(said.splitlines()) == 1, case
        assert "Traceback" not in said, case
        if not fulfills(name, contract) and place not in ("env", "learner.loss"):
            assert "is wanted: " in said or "does not use" in said, case
            assert name in said, case
    assert refused or with_parameters
    assert runs or with_parameters or place in ("learner.loss", "env.changes")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            ["model.name=reward"],
            "[model] reward is a Goal; a Model is wanted: categorical, ensemble, factored, linear_gaussian",
        ),
        (["planner.name=max"], "[planner] max is a Backup; a Minimizer is wanted: "),
        (["learner.name=riccati"], "[learner] riccati is a Minimizer; a Learner is wanted: "),
        (["planner.effort.name=banana"], "[planner.effort] banana is an Energy; an ActionGoal is wanted: effort"),
        (["goal.name=predicted_reward"], "predicted_reward needs a model that predicts rewards, got CategoricalModel"),
        (["planner.terminal.name=effort"], "a terminal goal is about where a course ends, got effort"),
        (["goal.name=quadratic"], "[goal] quadratic needs the parameter 'weights'"),
        (
            ["goal.name=quadratic_latent", "goal.weights=[1.0]"],
            "the parts of the agent energy do not fit agentic/TMaze-v0 or one another, RuntimeError: ",
        ),
        (["goal.values=[[nan, 0, 0, 0, 0], [0, 2, -6]]"], "[goal] log_preferences: values holds nan"),
        (["planner.limit={ name = 'max' }"], "[planner] tree: limit is wrong: "),
        (["planner.backup=3"], "[planner.backup] should be a table with the name of a Backup, got 3"),
    ],
)
def test_the_sentence(settings: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", str(ROOT / "examples" / "tmaze.toml"), *given, "--out", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"agentic: {said}")
    assert message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_offered_can_be_asked_for() -> None:
    """No component of ours is none of the contracts: each has a place somewhere."""
    for component in REGISTRY.components:
        assert component.name in REGISTRY.satisfying(object), component
    with pytest.raises(PluginError, match="lookup"):
        REGISTRY.find(Lookup, "lookup")
