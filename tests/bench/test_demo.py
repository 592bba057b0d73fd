"""`agentic demo`: what a newcomer sees first."""

import re
import shlex
from pathlib import Path

import pytest

from agentic import Record
from agentic.cli import main
from agentic.experiments.examples import example, folder
from agentic_bench import Battery, read_cells


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: name)  # as where the program is on the path
    assert main(["demo", "--seeds", "1"]) == 0
    out = capsys.readouterr().out
    (place,) = Path("runs").iterdir()
    values = {(cell["agent"], cell["metric"]): cell["value"] for cell in read_cells(place)["cells"]}
    for column in ("return / best", "I(S;A)", "goal-directedness"):
        assert values["planner-40", column] == values["clone", column]
    for change in ("swap", "wall", "remap"):
        assert values["planner-40", f"adaptation under {change}"] == pytest.approx(1.0)
        assert values["clone", f"adaptation under {change}"] == 0.0
    assert "<html" in (place / "report.html").read_text(encoding="utf-8")
    assert all(Record.open(run).manifest["status"] == "finished" for run in place.glob("units/*/*/seed-*"))
    commands = re.findall(r"^  agentic (.*?) *#", out, re.MULTILINE)
    assert [shlex.split(command)[0] for command in commands] == ["run", "report", "bench"]
    assert main([*shlex.split(commands[0]), "--episodes", "1"]) == 0
    assert main([word for word in shlex.split(commands[1]) if word != "--open"]) == 0


@pytest.mark.parametrize("name", ["battery", "demo"])
def test_the_benches_that_come_with_agentic(name: str) -> None:
    battery = Battery.load(example(f"bench/{name}"))
    worlds = {task.world for task in battery.tasks()}
    assert worlds == {world.name for world in battery.worlds}
    for world in worlds:
        assert battery.columns(world)
    policies = [task.experiment.agent.parameters["path"] for task in battery.tasks() if task.agent == "ppo"]
    assert policies
    assert all(Path(path).is_file() for path in policies)


def test_examples_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert example("tmaze").is_absolute()
    assert example("tmaze").is_file()
    monkeypatch.chdir(folder().parent)
    assert example("tmaze") == Path(folder().name) / "tmaze.toml"
