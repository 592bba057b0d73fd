"""Hostile files, command lines and folders as processes of their own: what no fuzzing within one process can see.

Of each kind 20: one sentence, no traceback, exit code 1 or 2, no hang, nothing run that only they name, and nothing
written but where it was asked. A hang is more than 10 s of the processor, or 60 s by the clock: machines are busy.
"""

import os
import pickle
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest

from tests.cli.grammar import BASE, BENCH, BENCH_FILES, COMMAND_LINES, EXPERIMENT_FILES, FOLDERS, fuzzed, replaced

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
EXAMPLES = 20
CANARY = "open({path!r}, 'a').write('run')\n"
SHADOWS = "numpy torch rich click gymnasium agentic_bench agentic_report sitecustomize conftest evil".split()


class Ran:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


class Place:
    """A working directory with modules that must not be imported, beside files that must not change."""

    def __init__(self, parent: Path) -> None:
        self.parent, self.here, self.ran = parent, parent / "inside" / "here", parent / "ran"
        self.here.mkdir(parents=True)
        (parent / "outside.txt").write_text("as it was")
        (parent / "inside" / "beside.txt").write_text("as it was")
        for name in SHADOWS:
            (self.here / f"{name}.py").write_text(CANARY.format(path=str(self.ran)))

    def tree(self) -> dict[str, bytes | None]:
        """The files outside of the working directory and the shadows in it, by path, with their content."""
        paths = [path for path in self.parent.rglob("*") if not path.is_relative_to(self.here)]
        paths += [self.here / f"{name}.py" for name in SHADOWS]
        return {str(path): path.read_bytes() if path.is_file() else None for path in paths}

    def run(self, arguments: Sequence[str], failing: bool = False) -> None:
        """Run a command line there and look at all it did."""
        before, used = self.tree(), resource.getrusage(resource.RUSAGE_CHILDREN)
        home = {"HOME": str(self.parent / "inside"), "BROWSER": "false", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "agentic", *arguments]
        done = subprocess.run(
            command, cwd=self.here, capture_output=True, timeout=60, env={**os.environ, **home}, check=False
        )
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        said = (done.stdout + done.stderr).decode(errors="surrogateescape")
        assert done.returncode in ((1, 2) if failing else (0, 1, 2)), (arguments, done.returncode, said)
        assert "Traceback" not in said, said
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", said), said
        if failing:
            assert len(done.stderr.splitlines()) == 1, said
            assert done.stdout == b""
        assert seconds < 10, (arguments, seconds)
        assert not self.ran.exists(), arguments
        assert self.tree() == before, arguments


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def encodable(arguments: Sequence[str]) -> bool:
    """Whether a shell could pass the arguments on."""
    try:
        return b"\0" not in b"".join(map(os.fsencode, arguments))
    except UnicodeEncodeError:
        return False


def test_experiment_files(place: Place) -> None:
    def check(content: tuple[bool, list[str]]) -> None:
        text = (BASE if content[0] else "") + "\n".join(content[1]) + "\n[x]\n"  # a table that no experiment has
        (place.here / "fuzzed.toml").write_text(text, encoding="utf-8", errors="replace")
        place.run(["run", "fuzzed.toml", "--quiet"], failing=True)

    fuzzed(EXAMPLES, EXPERIMENT_FILES, check)


def test_bench_files(place: Place) -> None:
    def check(content: tuple[bool, list[str]]) -> None:
        text = (BENCH if content[0] else "") + "\n".join(content[1]) + "\n[x]\n"
        (place.here / "fuzzed.toml").write_text(text, encoding="utf-8", errors="replace")
        place.run(["bench", "fuzzed.toml", "--quiet"], failing=True)

    fuzzed(EXAMPLES, BENCH_FILES, check)


def test_command_lines(place: Place) -> None:
    def check(line: tuple[str, ...]) -> None:
        if encodable(line):
            place.run(line)

    fuzzed(EXAMPLES, COMMAND_LINES, check)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Place(tmp_path_factory.mktemp("recorded"))
    place.run(["run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "1", "--quiet"])
    return place.here / "runs" / "0001-cartpole-v1-random"


def test_folders(recorded: Path, place: Place) -> None:
    run = place.here / "run"
    named = f'[env]\nid = "evil:Evil-v0"\n[agent]\nname = "saved"\npath = "{run}/evil.zip"\n'

    def check(content: tuple[str, list[tuple[str, str, Any]]]) -> None:
        command, changes = content
        rmtree(run, ignore_errors=True)
        copytree(recorded, run)
        (run / "evil.zip").write_bytes(pickle.dumps(Ran(place.ran)))
        (run / "experiment.toml").write_text(named)
        for change in changes:
            replaced(run, *change)
        options = ["--metric", "episode_return", "--no-references"] if command == "measure" else []
        place.run([command, "run", *options])
        if command == "report":
            place.run(["report", "."])

    fuzzed(EXAMPLES, FOLDERS, check)
