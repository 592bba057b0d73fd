"""What is printed may come from anybody's files: a terminal obeys none of it, and a shell finds words in commands."""

import pytest

from agentic.cli import console, main, printable

EVIL = "\x1b]0;taken\x07\x1b[2J\u202e\ud800"


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert printable("a\tb\nc é 猫") == "a\tb\nc é 猫"
    assert printable(EVIL) == "\\x1b]0;taken\\x07\\x1b[2J\\u202e\\ud800"
    assert printable("\r\x9b") == "\\r\\x9b"


def test_in_tables_too(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    table = Table("name", title="title \x1b[2J")
    table.add_row("cell \x1b[2J")
    console().print(table, "line \x1b[2J")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count("\\x1b[2J") == 3


@pytest.mark.parametrize(
    "arguments", [[EVIL], ["run", EVIL], ["run", "--env", EVIL], ["show", EVIL], ["run", f"--{EVIL}"]]
)
def test_of_command_lines(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "\x1b" not in capfd.readouterr().err
