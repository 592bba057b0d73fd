"""The example for Weights & Biases, with a stand-in for its package: no network is needed, and none is used."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentic import Record
from agentic.cli import main
from tests.house.repository import ROOT

PLUGIN = ROOT / "examples" / "wandb_logger.py"
BOTH = ["--plugin", str(PLUGIN), "--logger", "wandb"]


class StandIn(ModuleType):
    """What the example calls of wandb, and what it was called with."""

    def __init__(self) -> None:
        super().__init__("wandb")
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
    assert wandb.given["id"] == wandb.given["name"] == folder.name
    assert wandb.given["config"]["env"]["id"] == "FrozenLake-v1"
    assert [scalars["evaluate.return"] for _, scalars in wandb.logged] == Record.open(folder).returns().tolist()
    assert wandb.code == 0


@pytest.mark.filterwarnings("default")
def test_without_the_package_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main(["run", "--env", "FrozenLake", "--agent", "random", "--episodes", "2", *BOTH]) == 0
    assert "the logger WeightsAndBiases is left out from here on, ModuleNotFoundError" in capsys.readouterr().err


def test_the_example_is_short() -> None:
    code = PLUGIN.read_text().partition("class WeightsAndBiases")[2].partition("@hookimpl")[0]
    assert len([line for line in code.splitlines() if line.strip() and '"""' not in line]) <= 20
