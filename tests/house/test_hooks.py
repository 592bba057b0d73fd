"""Hooks before a commit: installed by `make install`, without network, and what they mend."""

import importlib.util
from pathlib import Path

import pytest
import yaml

from tests.house.repository import ROOT

SPEC = importlib.util.spec_from_file_location("tidy", ROOT / ".ci" / "tidy.py")
assert SPEC is not None
assert SPEC.loader is not None
tidy = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tidy)


def test_hooks_run_what_is_installed() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


@pytest.mark.parametrize(
    ("before", "after"),
    [("a \n\tb\t\n\n\n", "a\n\tb\n"), ("a", "a\n"), ("a\r\n", "a\n"), ("a\n", "a\n"), ("\n", ""), ("", "")],
)
def test_blanks_and_ends(before: str, after: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.md"
    file.write_bytes(before.encode())
    assert tidy.main([str(file)]) == (before != after)
    assert file.read_bytes() == after.encode()
    assert capsys.readouterr().out == ("" if before == after else f"mended {file}\n")


@pytest.mark.parametrize(("name", "text"), [("a.toml", "x = [1,\n"), ("a.yaml", "x: [1,\n"), ("a.yml", "a: b: c\n")])
def test_a_file_that_cannot_be_read_is_said_in_a_line(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text)
    assert tidy.main([str(tmp_path / name)]) == 1
    said = capsys.readouterr().out
    assert said.startswith(str(tmp_path / name))
    assert said.count("\n") == 1


def test_what_is_kept_is_tidy() -> None:
    files = [
        *ROOT.glob("*.toml"),
        *ROOT.glob("*.md"),
        *(ROOT / "examples").rglob("*.toml"),
        *ROOT.rglob("docs/**/*.md"),
    ]
    assert len(files) > 30
    untidy = [path for path in files if tidy.tidied(text := path.read_text(encoding="utf-8")) != text]
    assert not untidy, f"`.venv/bin/pre-commit run --all-files` mends {untidy}"
