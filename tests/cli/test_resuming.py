"""`agentic run --resume`: what is said of it, before, meanwhile and after."""

import shlex
from pathlib import Path

import pytest

from agentic.cli import main
from agentic.experiments.toml import toml_text
from tests.life.resuming import lived
from tests.life.test_resume import HABIT

RULE = "def lean(obs): return int(obs[2] > 0)\n"


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a run that Ctrl-C stopped."""
    assert lived(HABIT, ["run.checkpoint_steps=20"], tmp_path / "run", ticks=50) is None
    return tmp_path / "run"


@pytest.mark.parametrize("option", ["--seed 0", "--explain", "--out elsewhere", "--episodes 0"])
def test_what_does_not_go_with_resume_is_refused(
    option: str, stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(stopped.rglob("*"))
    assert main(["run", "--resume", str(stopped), *option.split()]) == 2
    assert f"leave out {option.split()[0]}" in capsys.readouterr().err
    assert sorted(stopped.rglob("*")) == before


def test_show_says_how_a_stopped_run_goes_on(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(stopped)]) == 0
    out = capsys.readouterr().out
    assert f"let it go on: agentic run --resume {stopped}\n" in out
    assert main(["run", "--resume", str(stopped), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["show", str(stopped)]) == 0
    assert "--resume" not in capsys.readouterr().out


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "1", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["run", "--resume", str(next(tmp_path.iterdir()))]) == 2
    assert "nothing is left to do; if it learns" in capsys.readouterr().err


def test_what_ctrl_c_says_to_type_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rule.py").write_text(RULE)

    def stop(*given: object) -> None:
        raise KeyboardInterrupt

    command = ["run", "--env", "CartPole-v1", "--agent", "rule.py", "--episodes", "2"]
    with monkeypatch.context() as patch:
        patch.setattr("agentic.cli.progress._News.hear", stop)
        assert main(command) == 130
    said = capsys.readouterr().err
    typed = said.split("and `agentic ")[1].split("`")[0]
    assert typed.endswith(" --trust")
    assert main([*shlex.split(typed), "--quiet"]) == 0


def test_the_run_that_an_agent_comes_from_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "source"
    assert lived(HABIT, [], source) is not None
    file = tmp_path / "from.toml"
    file.write_text(toml_text({"env": HABIT["env"], "agent": {"from": str(source)}, "evaluate": {"episodes": 1}}))
    assert main(["run", str(file), "--out", str(tmp_path / "runs")]) == 0
    assert f"agent habit of {source}, seed 0" in capsys.readouterr().err


def test_an_example_by_its_name_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "tmaze"]) == 2
    assert "`agentic examples tmaze --to .`" in capsys.readouterr().err
    assert main(["examples", "tmaze", "--to", "."]) == 0
    assert main(["run", "tmaze.toml", "--episodes", "1", "--quiet"]) == 0
