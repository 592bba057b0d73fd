"""Tab completion: what a shell is offered, by its own protocol, without torch and without anybody's code."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from agentic.cli import completing, main
from agentic.experiments import experiment
from agentic.experiments.examples import example, folder

Offered = Callable[..., list[str]]
PLUGIN = '''
raise SystemExit("nobody may import this")

@hookimpl
def agentic_agents():
    """Agents."""
    return {"planter": "mine:Planter"}
'''


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Offered:
    """What a shell is offered for a line, whose last word is being written."""

    def ask(*words: str, shell: str = "bash") -> list[str]:
        monkeypatch.setenv("_AGENTIC_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["agentic", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        if shell == "fish":
            monkeypatch.setenv("COMP_WORDS", " ".join(["agentic", *words[:-1]]))
            monkeypatch.setenv("COMP_CWORD", words[-1])
        assert main([]) == 0
        out, err = capfd.readouterr()
        assert not err
        return [line for line in out.splitlines() if line]

    return ask


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("ru",), ["plain,run", "plain,runs"]),
        (("run", "--env", "CartPole-v1"), ["plain,CartPole-v1"]),
        (("run", "--env", "agentic/TM"), ["plain,agentic/TMaze-v0"]),
        (
            (
                "run",
                "--env=agentic/TM",
            ),
            ["plain,agentic/TMaze-v0"],
        ),
        (("run", "--env", "=", "agentic/TM"), ["plain,agentic/TMaze-v0"]),
        (("run", "--agent", "plan"), ["plain,planner"]),
        (("components", "solv"), ["plain,solver"]),
        (("run", "--agent", "rule"), ["file,rule"]),
        (("run", "--json", "--ag"), ["plain,--agent"]),
        (("run", "--set", "run.s"), ["plain,run.seed="]),
        (("run", "--set", "planner.name=ce"), ["plain,planner.name=cem"]),
        (("run", "--set", "planner.name", "=", "ce"), ["plain,cem"]),
        (("measure", "--metric", "empo"), ["plain,empowerment"]),
        (("measure", "--set", "empo"), ["plain,empowerment."]),
        (("measure", "--set", "empowerment.ho"), ["plain,empowerment.horizon="]),
        (("envs", "--check", "Pendulum-v"), ["plain,Pendulum-v1"]),
        (("plugins", "check", "agentic"), ["plain,agentic"]),
        (("plugins", "why", "icem"), ["plain,icem"]),
        (("run", "--seed", "1", "--nonsense"), []),
    ],
)
def test_what_bash_is_offered(offered: Offered, words: tuple[str, ...], found: list[str]) -> None:
    assert offered(*words) == found


def test_an_empty_word_is_offered_all(offered: Offered) -> None:
    assert {"plain,random", "plain,energy"} <= set(offered("run", "--agent", ""))
    assert {"plain,seed", "plain,name="} & set(offered("run", "--set", "run", "=", "")) == set()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_what_other_shells_are_offered(offered: Offered, shell: str) -> None:
    assert "icem" in "\n".join(offered("plugins", "why", "ice", shell=shell))
    assert "planner.name=cem" in "\n".join(offered("run", "--set", "planner.name=ce", shell=shell))


def test_runs_by_their_folders(offered: Offered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("show", "ru") == ["dir,ru"]
    for name, file in (("0001-a", "manifest.json"), ("0002-b", "cells.json"), ("other", "notes.txt")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / file).touch()
    assert offered("show", "ru") == ["plain,runs/0001-a", "plain,runs/0002-b"]


def test_of_third_parties_only_what_is_written_is_read(offered: Offered, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "broken.py").write_text("def (:")
    given = ("--plugin", str(tmp_path / "mine.py"), "--plugin", str(tmp_path / "broken.py"))
    assert offered("run", *given, "--agent", "plan") == ["plain,planner", "plain,planter"]


def test_the_settings_are_those_of_an_experiment() -> None:
    fields = experiment.Experiment.model_fields
    assert [name for name in fields if name != "loggers"] == list(completing.SETTINGS)  # which --logger is for
    for name, (_, keys) in completing.SETTINGS.items():
        table: type[experiment.Named | experiment.Table] = experiment.Named
        for each in vars(experiment).values():
            if isinstance(each, type) and each.__name__ == f"{name.title()}Table":
                table = each
        assert keys.split() == list(table.model_fields)


def test_the_examples_are_those_there_are() -> None:
    names = completing.example_names()
    assert [example(name).resolve() for name in names if "/" not in name] == sorted(folder().resolve().glob("*.toml"))
    assert all(example(name).is_file() for name in names)


def test_what_is_known_is_a_hint_and_no_rule() -> None:
    def broken(ctx: click.Context, incomplete: str) -> list[str]:
        raise OSError("no names today")

    known = completing.Known("id", broken)
    context, parameter = click.Context(click.Command("x")), click.Option(["--x"])
    assert known.shell_complete(context, parameter, "a") == []
    assert known.convert("anything", parameter, context) == "anything"


def test_the_line_for_bash_works_and_imports_no_torch(tmp_path: Path) -> None:
    """The line that help shows, in a shell of its own, with a program that says whether it imported torch."""
    program = tmp_path / "agentic"
    code = "import sys; from agentic.cli import main; code = main(); assert 'torch' not in sys.modules; sys.exit(code)"
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(0o755)
    line = next(line.split("bash  ")[1] for line in completing.SWITCH_ON.splitlines() if "bash  " in line)
    asked = "COMP_WORDS=(agentic run --agent plan); COMP_CWORD=3; _agentic_completion agentic; echo ${COMPREPLY[@]}"
    paths = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    where = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(
        ["bash", "--norc", "-c", f"{line}\n{asked}"],
        env={**os.environ, "PATH": paths, "PYTHONPATH": where},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.stdout == "planner\n"
    assert "Error" not in result.stderr


def test_help_says_how_to_switch_it_on(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert 'eval "$(_AGENTIC_COMPLETE=zsh_source agentic)"' in out
    assert "_AGENTIC_COMPLETE=fish_source agentic | source" in out
