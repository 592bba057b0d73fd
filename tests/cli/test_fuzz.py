"""Whatever an experiment file, a command line or a folder holds: one sentence, no traceback, and nothing written."""

import re
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from agentic import RunError
from agentic.cli import main
from agentic.experiments.build import Built
from agentic.jobs import Processes
from tests.cli.grammar import BASE, BENCH, BENCH_FILES, COMMAND_LINES, EXPERIMENT_FILES, FOLDERS, fuzzed, replaced

TIERS = [
    pytest.param(100, id="sample"),
    pytest.param(1000, id="many", marks=pytest.mark.slow),
    pytest.param(4000, id="long", marks=pytest.mark.soak),
]


def said_by(*arguments: str) -> tuple[int, str, str]:
    """The exit code and what is said; anything but an exit code is a traceback."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    assert code in (0, 1, 2), code
    assert not re.search("[\x00-\x08\x0b-\x1f]", out.getvalue() + err.getvalue()), "a control character"
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    def not_run(*_: Any, **__: Any) -> Any:
        raise RunError("it was to be run")

    monkeypatch.setattr(Built, "run", not_run)
    monkeypatch.setattr(Processes, "carried_out", not_run)
    with chdir(tmp_path):
        yield tmp_path


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_experiment_files(examples: int, place: Path) -> None:
    def check(content: tuple[bool, list[str]]) -> None:
        based, lines = content
        Path("fuzzed.toml").write_text((BASE if based else "") + "\n".join(lines), encoding="utf-8", errors="replace")
        code, out, err = said_by("run", "fuzzed.toml", "--quiet")
        assert (code != 0, out) == (True, "")
        assert err.count("\n") == 1, err

    fuzzed(examples, EXPERIMENT_FILES, check)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_bench_files(examples: int, place: Path) -> None:
    from agentic import UserError
    from agentic_bench import Battery

    def check(content: tuple[bool, list[str]]) -> None:
        based, lines = content
        Path("fuzzed.toml").write_text((BENCH if based else "") + "\n".join(lines), encoding="utf-8", errors="replace")
        with suppress(UserError):
            Battery.load("fuzzed.toml").tasks()

    fuzzed(examples, BENCH_FILES, check)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_command_lines(examples: int, place: Path) -> None:
    def check(line: tuple[str, ...]) -> None:
        said_by(*line)

    fuzzed(examples, COMMAND_LINES, check)


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("examples", TIERS)
def test_folders(examples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said_by("run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "1", "--quiet")[0] == 0
    assert said_by("measure", "runs/0001-cartpole-v1-random", "--metric", "episode_return", "--no-references")[0] == 0

    def check(content: tuple[str, list[tuple[str, str, Any]]]) -> None:
        command, changes = content
        with TemporaryDirectory() as parent:
            folder = copytree("runs/0001-cartpole-v1-random", Path(parent, "run"))
            for change in changes:
                if not (folder / "manifest.json").is_file() and change[1] == "entry":
                    continue
                replaced(folder, *change)
            options = ["--metric", "episode_return", "--no-references"] if command == "measure" else []
            said_by(command, str(folder), *options)
            if command == "report":
                said_by("report", parent)

    fuzzed(examples, FOLDERS, check)
