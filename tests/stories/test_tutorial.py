"""Tour and tutorial, executed as they stand: files are written, commands run, their output is what the page shows."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = {"tour.md": 9, "tutorial.md": 11}
"""The pages, and how many commands each has."""
PIP = ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", "site"]
STEP = re.compile(r"(?:^`([\w./]+)`:\n\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def steps(page: str) -> Iterator[tuple[str, str, str]]:
    """The path of a file, its language and its text; without a path, what stands on a console."""
    yield from STEP.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))


def looks_like(shown: str, got: str) -> bool:
    """Whether an output is as shown, `...` standing for anything; on a line of its own for any lines."""
    lines = [
        "(.*\n)?" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + "\n"
        for line in shown.strip().splitlines()
    ]
    return re.fullmatch(f"\\s*{''.join(lines)}\\s*", f"{got.strip()}\n", re.DOTALL) is not None


def commands(console: str) -> Iterator[tuple[list[str], str]]:
    for block in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, shown = block.partition("\n")
        yield shlex.split(command), shown


@pytest.mark.slow
@pytest.mark.timeout(600)  # a dozen commands, each an interpreter of its own
@pytest.mark.parametrize("page", COMMANDS)
def test_the_page_runs_as_it_stands(page: str, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AGENTIC_")}
    path = os.pathsep.join([str(tmp_path / "site"), *[place for place in sys.path if place]])
    environment = {**clean, "PYTHONPATH": path, "COLUMNS": "160"}
    count = 0
    for name, language, text in steps(page):
        if name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
            continue
        assert language == "console"
        for command, shown in commands(text):
            program = [] if command[:2] == ["python", "-m"] else ["-m"]
            words = [*PIP, f"./{command[-1]}"] if command[0] == "pip" else command[1:] if not program else command
            done = subprocess.run(
                [sys.executable, *program, *words],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}"
            assert looks_like(shown, done.stdout), f"{shlex.join(command)}\n{done.stdout}"
            count += 1
    assert count == COMMANDS[page]


def test_outputs_are_compared() -> None:
    assert looks_like("one\n...\nthree ...\n", "one\ntwo\nthree four\n")
    assert looks_like("one\n...\nthree\n", "one\nthree\n")
    assert not looks_like("one\nthree\n", "one\ntwo\nthree\n")
