"""Every `agentic` command that a page shows is one that the command line takes, with options that it has."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import pytest

from agentic.cli.main import cli
from tests.house.repository import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = ("kinds", "my-package/means")  # commands that a page adds
COUNTS = {"on consoles": 80, "within the text": 130}
"""At least so many there are: a pattern that finds none would find no fault, either."""


def on_consoles(page: str) -> Iterator[str]:
    """The command lines of a page's consoles, as typed: without prompt, redirection or what comes after `&&`."""
    for language, block in BLOCK.findall(page):
        prompted = "$ " in block
        for line in re.sub(r"\\\n\s*", " ", block).splitlines() if language in ("console", "sh", "bash") else ():
            command = line.removeprefix("$ ")
            if command.startswith("agentic ") and prompted == line.startswith("$ "):
                yield re.split(r"\s(?:\||>|&&)\s", command)[0]


def within_the_text(page: str) -> Iterator[str]:
    """Commands in sentences, of which some leave out what must be given, or say NAME in its place."""
    for command in re.findall(r"`(agentic [a-z][^`]*)`", BLOCK.sub("", page)):
        yield command.replace("\n", " ")


def parse(command: str) -> None:
    """Parse a command line as `agentic` does, and run nothing; raises click.UsageError where it is not taken."""
    _, *words = shlex.split(command, comments=True)
    found: click.Command = cli
    context = cli.make_context("agentic", words)
    while isinstance(found, click.Group) and (rest := [*context._protected_args, *context.args]):
        name, command_of_group, rest = found.resolve_command(context, rest)
        assert command_of_group is not None
        found, context = command_of_group, command_of_group.make_context(name, rest, parent=context)


def refused(commands: Sequence[str]) -> dict[str, click.UsageError]:
    """Those that are not taken, and why; but for the commands that a page tells how to add."""
    found = {}
    for command in commands:
        try:
            parse(command)
        except click.exceptions.Exit:  # --help and --version
            pass
        except click.UsageError as error:
            if command.split()[1] not in EXAMPLES:
                found[command] = error
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_are_taken(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not refused(list(on_consoles(text)))
    amiss = refused(list(within_the_text(text)))
    unknown = {command for command, error in amiss.items() if "unknown command" in error.format_message()}
    assert not unknown | {command for command, error in amiss.items() if isinstance(error, click.NoSuchOption)}


@pytest.mark.parametrize("pattern", [on_consoles, within_the_text])
def test_there_are_commands(pattern: Callable[[str], Iterator[str]]) -> None:
    found = [command for page in PAGES for command in pattern(page.read_text(encoding="utf-8"))]
    assert len(found) >= COUNTS[pattern.__name__.replace("_", " ")]


@pytest.mark.parametrize("wrong", ["agentic nothing", "agentic run --no-such-option", "agentic run --seed many"])
def test_a_wrong_command_is_found(wrong: str) -> None:
    assert list(refused([wrong])) == [wrong]


def test_what_a_console_shows_is_read() -> None:
    page = "```console\n$ agentic run a.toml > b && rm b\nagentic: no\n$ agentic \\\n  runs  # all\n```\n`agentic envs`"
    assert [command.split() for command in on_consoles(page)] == [
        ["agentic", "run", "a.toml"],
        ["agentic", "runs", "#", "all"],
    ]
    assert list(within_the_text(page)) == ["agentic envs"]
