"""`agentic demo`: what a newcomer sees first."""

import re
import shlex
from pathlib import Path

import pytest

from agentic import Record
from agentic.cli import main
from agentic.cli.demo import WORLDS
from agentic.cli.examples import example, folder


def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    short = {name: (2, said) for name, (_, said) in WORLDS.items()}
    monkeypatch.setattr("agentic.cli.demo.WORLDS", short)
    monkeypatch.setattr("shutil.which", lambda name: name)  # as where the program is on the path
    assert main(["demo", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert [out.count(agent) for agent in ("│ energy", "│ random", "│ rock")] == [3, 3, 3]
    assert len(list(Path("runs").iterdir())) == 9
    assert all(Record.open(run).manifest["status"] == "finished" for run in Path("runs").iterdir())
    commands = re.findall(r"^  agentic (.*?) *#", out, re.MULTILINE)
    assert [shlex.split(command)[0] for command in commands] == ["run", "show", "plugins"]
    for command in commands:
        words = shlex.split(command)
        assert main([*words, *(["--episodes", "1"] if words[0] == "run" else [])]) == 0


def test_examples_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert example("tmaze").is_absolute()
    assert example("tmaze").is_file()
    monkeypatch.chdir(folder().parent)
    assert example("tmaze") == Path(folder().name) / "tmaze.toml"
