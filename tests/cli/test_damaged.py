"""Commands on a record of which a chunk is damaged: one warning, and what is sound is read."""

import json
import shutil
from pathlib import Path

import pytest

from agentic import Record, Recording, Schedule, run
from agentic.cli import main
from agentic.metrics import Result
from agentic.testing.worlds import Coin


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records") / "run"
    run(Coin(), "CartPole-v1", Schedule(episodes=35), Recording(folder))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


@pytest.mark.parametrize(
    "command", [["show", "--json"], ["measure", "--metric", "episode_return", "--json"], ["report"]]
)
def test_commands_go_on_with_one_warning(command: list[str], copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Record.open(copy).chunks[0]
    first.write_bytes(first.read_bytes()[:-9])
    assert main([command[0], str(copy), *command[1:]]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert said == [f"warning: {first} is damaged: its bytes are not those the run wrote; what is sound is read"]


@pytest.mark.parametrize("command", [["show"], ["report"], ["measure", "--metric", "episode_return", "--quiet"]])
def test_json_has_the_problems(command: list[str], copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def asked() -> list[str]:
        assert main([command[0], str(copy), *command[1:], "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        warnings = [each for part in found for each in part["warnings"]] if command[0] == "measure" else []
        return [each for each in warnings if "damaged" in each] if isinstance(found, list) else found["problems"]

    assert asked() == []
    second = Record.open(copy).chunks[1]
    second.unlink()
    (problem,) = asked()
    assert problem.endswith(f"{second} is missing: the run wrote it")
    if command[0] == "measure":  # what is kept says so too
        found = Result.read(copy)
        assert found is not None
        assert found.measurements["episode_return"].warnings[-1] == problem
    if command[0] == "report":
        assert "ticks-000001.parquet is missing" in (copy / "report.html").read_text()
