"""The example for Weights & Biases, with a stand-in for its package: no network is needed, and none is used."""

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentic import Record
from agentic.cli import main
from agentic.runs import RunFolder
from agentic.runs.manifest import annotate
from tests.house.repository import ROOT

PLUGIN = ROOT / "examples" / "wandb_logger.py"
BOTH = ["--plugin", str(PLUGIN), "--logger", "wandb"]


class StandIn(ModuleType):
    """What the example calls of wandb, and what it was called with."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.__spec__ = ModuleSpec("wandb", None)
        self.given: dict[str, Any] = {}
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.code = -1

    def init(self, **given: Any) -> "StandIn":
        self.given = given
        return self

    def log(self, scalars: dict[str, float], step: int) -> None:
        self.logged.append((step, scalars))

    def finish(self, exit_code: int) -> None:
        self.code = exit_code


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StandIn:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", found := StandIn())
    return found


def test_a_run_is_logged(wandb: StandIn) -> None:
    assert main(["run", "--env", "FrozenLake", "--agent", "random", "--episodes", "3", "--quiet", *BOTH]) == 0
    (folder,) = Path("runs").iterdir()
    assert wandb.given["name"] == folder.name
    assert wandb.given["project"] == "agentic"
    assert wandb.given["config"]["env"]["id"] == "FrozenLake-v1"
    assert [scalars["evaluate.return"] for _, scalars in wandb.logged] == Record.open(folder).returns().tolist()
    assert wandb.code == 0


def test_a_run_goes_on_under_its_own_id_which_no_other_of_the_same_name_has(wandb: StandIn) -> None:
    given = ["run", "--env", "FrozenLake", "--agent", "random", "--episodes", "2", "--quiet", *BOTH]
    ids = []
    for out in ("here", "there"):
        assert main([*given, "--out", out]) == 0
        ids.append((wandb.given["name"], wandb.given["id"]))
    assert ids[0][0] == ids[1][0]
    assert ids[0][1] != ids[1][1]
    (folder,) = Path("here").iterdir()
    annotate(RunFolder(folder), status="interrupted")
    assert main(["run", "--resume", str(folder), "--quiet", "--plugin", str(PLUGIN)]) == 0
    assert (wandb.given["name"], wandb.given["id"]) == ids[0]


def test_its_project_is_said_on_the_command_line(wandb: StandIn) -> None:
    given = ["run", "--env", "FrozenLake", "--agent", "random", "--episodes", "1", "--quiet", *BOTH]
    assert main([*given, "--set", "loggers.wandb.project=lake"]) == 0
    assert wandb.given["project"] == "lake"


def test_without_the_package_nothing_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main(["run", "--env", "FrozenLake", "--agent", "random", "--episodes", "2", *BOTH]) == 2
    assert "[[loggers]] wandb: Weights & Biases needs its package: pip install wandb" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_the_example_is_short() -> None:
    code = PLUGIN.read_text().partition("class WeightsAndBiases")[2].partition("@hookimpl")[0]
    assert len([line for line in code.splitlines() if line.strip() and '"""' not in line]) <= 20
