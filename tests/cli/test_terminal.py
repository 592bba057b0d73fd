"""What is printed of a received folder: a terminal obeys none of it, and a shell finds words in commands."""

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Column, Table

from agentic import __main__ as program
from agentic.cli import main, show_table, terminal

EVIL = "\x1b]0;taken\x07\x1b[2J\u202e\ud800"


@pytest.mark.parametrize("command", ["show", "measure"])
def test_of_received_folders(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "1", "--out", "my runs"]) == 0
    folder = tmp_path / "my runs/0001-cartpole-v1-random"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["components"][0] |= {"plugin": EVIL, "sha256": EVIL, "parameters": {"a": EVIL}}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"status": EVIL}))
    experiment = folder / "experiment.toml"
    experiment.write_text(experiment.read_text().replace("CartPole-v1", "evil\\u001b:Evil-v0"))
    capfd.readouterr()
    main([command, str(folder), *(["--metric", "episode_return"] if command == "measure" else [])])
    out, err = capfd.readouterr()
    assert "\x1b" not in out + err
    if command == "show":
        assert f"agentic run '{experiment}'" in out


@pytest.mark.parametrize("width", [50, 80, 100, 140])
def test_no_terminal_is_too_narrow_for_a_table(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(Column("metric", no_wrap=True), *(f"column_{n}" for n in range(6)), title="told", caption="how")
    cells = ["a_metric_with_a_long_name", *(f"[{n}.123,\n{n}.456]" for n in range(6))]
    table.add_row(*cells)
    narrow = Console(width=width)
    monkeypatch.setattr(terminal, "console", lambda: narrow)
    show_table(table)
    out = capsys.readouterr().out
    assert all(part in " ".join(out.split()) for part in ["told", "how", *" ".join(cells).split()])
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= width
    assert ("┃" in out) == (width > 80)


def test_what_a_terminal_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = BytesIO()
    monkeypatch.setattr(sys, "stderr", TextIOWrapper(printed, "latin-1", "strict"))
    monkeypatch.setattr(sys, "argv", ["agentic", "report", "cell \u2026"])
    assert program.main() == 2
    assert rb"there is no folder cell \u2026:" in printed.getvalue()
