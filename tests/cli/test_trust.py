"""Received folders are data: what only a folder names is not imported, unpickled or run unless it is trusted."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import agentic_metrics
from agentic import Experiment, UserError
from agentic.cli import main
from agentic.cli.subjects import check_trusted
from agentic.experiments.toml import toml_text
from agentic.experiments.trust import untrusted
from agentic.plugins import Component, Registry, load

REGISTRY = load()
EVIL = """
from pathlib import Path

with open(Path(__file__).parent / "ran", "a") as file:
    file.write("x")


class Evil:
    def predict(self, obs):
        return 0
"""


def received(place: Path, tables: dict[str, Any]) -> Path:
    """The folder of a run whose experiment file was exchanged, beside the files that it names."""
    assert main(["run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "2", "--quiet"]) == 0
    folder = place / "runs/0001-cartpole-v1-random"
    (folder / "experiment.toml").write_text(toml_text(tables))
    (place / "evil.py").write_text(EVIL)
    (place / "policy.zip").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    return folder


def marked(place: Path) -> int:
    """How often the file that only a folder names was run."""
    return len((place / "ran").read_text()) if (place / "ran").exists() else 0


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "agentic")
    few = {name: agentic_metrics._METRICS[name] for name in ("episode_return", "policy_adaptation")}
    monkeypatch.setattr(agentic_metrics, "_METRICS", few)


WORLD: dict[str, Any] = {"env": {"id": "CartPole-v1"}, "agent": {"name": "random"}, "evaluate": {"episodes": 2}}
NAMED = {
    "agent": {**WORLD, "agent": {"name": "evil.py"}},
    "class": {**WORLD, "agent": {"name": "evil.py:Evil"}},
    "within": {**WORLD, "agent": {"name": "clone", "of": {"name": "evil.py"}}},
    "policy": {**WORLD, "agent": {"name": "saved", "path": "policy.zip"}},
    "suffix": {**WORLD, "agent": {"name": "saved", "path": "policy"}},
    "module": {**WORLD, "env": {"id": "evil:Evil-v0"}},
    "dotted": {**WORLD, "env": {"id": "evil.within:Evil-v0"}},
    "standard library": {**WORLD, "env": {"id": "antigravity:Evil-v0"}},
    "no module": {**WORLD, "env": {"id": "../evil:Evil-v0"}},
    "wrapper": {**WORLD, "env": {"id": "CartPole-v1", "wrappers": ["evil:Evil"]}},
    "wrapper in a table": {**WORLD, "env": {"id": "CartPole-v1", "wrappers": [{"name": "evil.within:Evil", "far": 1}]}},
    "wrapper that writes": {
        **WORLD,
        "env": {
            "id": "CartPole-v1",
            "kwargs": {"render_mode": "rgb_array"},
            "wrappers": [{"name": "gymnasium.wrappers:RecordVideo", "video_folder": "ran"}],
        },
    },
    "argument": {**WORLD, "env": {"id": "CartPole-v1", "kwargs": {"inner": ["evil:Evil"]}}},
    "file of a part": {**WORLD, "model": {"name": "linear_gaussian", "weights": "policy.zip"}},
}


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("command", ["measure", "report", "show"])
def test_no_command_runs_what_a_folder_names(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = received(tmp_path, NAMED[kind])
    capsys.readouterr()
    code = main([command, str(folder), "--json"])
    out, err = capsys.readouterr()
    assert not marked(tmp_path)
    assert "evil" not in sys.modules
    json.loads(out)
    if command == "measure":
        assert code == 2
        assert "the record alone is measured" in err
        assert "--trust" in err
        assert "episode_return" in out
    else:
        assert code == 0


@pytest.mark.parametrize("kind", ["agent", "module", "policy"])
def test_what_the_record_does_not_tell_is_refused(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = received(tmp_path, NAMED[kind])
    capsys.readouterr()
    assert main(["measure", str(folder), "--metric", "policy_adaptation", "--quiet"]) == 2
    out, err = capsys.readouterr()
    changed, sentence = err.splitlines()  # `received` writes another experiment into a folder that was recorded
    assert (out, "experiment.toml" in changed) == ("", True)
    assert "--trust" in sentence
    assert not marked(tmp_path)


def test_trust_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = received(tmp_path, NAMED["agent"])
    main(["measure", str(folder), "--metric", "episode_return", "--trust"])
    assert marked(tmp_path) == 0, "the record alone tells the return"
    main(["measure", str(folder), "--metric", "policy_adaptation", "--trust"])
    assert "--trust" not in capsys.readouterr().err
    assert marked(tmp_path)


def test_against_a_folder_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = received(tmp_path, NAMED["module"])
    main(["measure", str(folder), "--against", str(folder), "--metric", "episode_return"])
    assert not marked(tmp_path)


def test_what_is_installed_is_trusted() -> None:
    for env in ("CartPole-v1", "agentic_envs:agentic/TMaze-v0", "gymnasium:CartPole-v1"):
        assert not [*untrusted({**WORLD, "env": {"id": env}}, REGISTRY)]


THEIRS = [("envs", "acme"), ("agents", "logs")]
LIMIT: dict[str, Any] = {"name": "gymnasium.wrappers:TimeLimit", "max_episode_steps": 50}


@pytest.mark.parametrize(
    ("tables", "names"),
    [
        ({"env": {"id": "CartPole-v1", "wrappers": [LIMIT, "gymnasium.wrappers:NormalizeObservation"]}}, []),
        ({"env": {"id": "FrozenLake-v1", "kwargs": {"map_name": "4x4"}}}, []),
        ({"env": {"id": "gridworld", "kwargs": {"layout": ["S/G"]}}}, []),
        ({"env": {"id": "agentic_envs:agentic/TMaze-v0", "kwargs": {"render_mode": "ansi"}}}, []),
        ({"env": {"id": "CartPole-v1", "wrappers": [{**LIMIT, "more": [{"log": "a"}]}]}}, ["log = 'a'"]),
        ({"env": {"id": "pytest:Elsewhere-v0", "kwargs": {"log": "a", "deep": 3}}}, ["log = 'a'"]),
        ({"env": {"id": "acme", "kwargs": {"name": "a.csv"}}}, ["name = 'a.csv'"]),
        ({"agent": {"name": "acme-plugin/logs", "to": "a", "of": {"name": "random"}}}, ["to = 'a'"]),
        ({"agent": {"name": "clone", "of": {"name": "logs", "to": ["a"], "rate": 0.5}}}, ["to = 'a'"]),
    ],
)
def test_a_text_that_may_say_where_to_write_is_not_trusted(tables: dict[str, Any], names: list[str]) -> None:
    theirs = [Component(kind, name, "acme-plugin", "1", "installed", "acme:X") for kind, name in THEIRS]
    registry = replace(REGISTRY, components=(*REGISTRY.components, *theirs))
    assert list(untrusted({**WORLD, **tables}, registry)) == names


def test_a_file_on_this_command_line_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(EVIL)
    experiment = Experiment.of(NAMED["agent"])
    with pytest.raises(UserError, match=r"names evil\.py, .* --trust"):
        check_trusted(experiment, REGISTRY, "experiment.toml")
    check_trusted(experiment, REGISTRY, "experiment.toml", trust=True)
    check_trusted(experiment, Registry(rows=load(["evil.py"]).rows), "experiment.toml")


def test_an_experiment_file_is_trusted_where_it_is_given_itself(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(EVIL)
    (tmp_path / "mine.toml").write_text(toml_text(NAMED["agent"]))
    assert main(["run", "mine.toml", "--quiet"]) == 0
    assert marked(tmp_path)
