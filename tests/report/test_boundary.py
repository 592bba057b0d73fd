"""A report writes the page it was asked for and nothing else, and its page runs our scripts and no others."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from agentic import RunError, report
from agentic.runs import RunFolder
from tests.report.folders import bench_cells, run_folder

SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "0001-run")


def permitted(page: str) -> set[str]:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    scripts = re.search(r"script-src ([^;]*);", policy[1])
    assert scripts is not None
    return set(scripts[1].split())


def test_the_policy_permits_our_scripts_by_their_hashes(folder: Path) -> None:
    for place, count in ((folder, 4), (bench_cells(folder.parent / "0002-bench"), 4), (folder.parent, 2)):
        page = report(place).read_text(encoding="utf-8")
        sums = {f"'sha256-{b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in SCRIPT.findall(page)}
        assert len(sums) == count
        assert permitted(page) == sums


def test_a_link_in_the_place_of_a_page_is_replaced_and_not_followed(folder: Path) -> None:
    other = folder.parent / "mine.txt"
    other.write_text("mine")
    for name in ("report.html", ".report.html.part"):
        (folder / name).symlink_to(other)
    assert report(folder) == folder / "report.html"
    assert other.read_text() == "mine"
    assert not (folder / "report.html").is_symlink()
    assert [path.name for path in folder.glob(".report*")] == [".report.html.part"], "only what was there before"


def test_no_module_of_the_working_directory_is_imported(folder: Path) -> None:
    for name in ("plotly", "jinja2", "moviepy", "pandas", "pygame"):
        (folder.parent / f"{name}.py").write_text(f"open({str(folder.parent / 'ran')!r}, 'a').write({name!r})")
    done = subprocess.run(
        [sys.executable, "-m", "agentic", "report", str(folder)], cwd=folder.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not (folder.parent / "ran").exists()


def test_the_index_begins_with_the_highest_number_and_leaves_out_links_out_of_it(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("9999-before", "10000-after"):
        shutil.copytree(folder, home / name)
    (home / "0001-outside").symlink_to(folder)
    (home / "0002-itself").symlink_to("0002-itself")
    page = report(home).read_text()
    assert page.index("10000-after") < page.index("9999-before")
    assert "0001-outside" not in page
    (tmp_path / "secret").write_text("KeyError: a secret of mine")
    (home / "9999-before" / "error.txt").symlink_to(tmp_path / "secret")
    (home / "9999-before" / "manifest.json").write_text('{"status": "failed"}')
    assert RunFolder(home / "9999-before").status == "failed"
    assert "a secret of mine" not in report(home / "9999-before").read_text()


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_a_page_takes_the_place_of_files_alone(kind: str, folder: Path) -> None:
    page = folder / "other.html"
    page.mkdir() if kind == "folder" else os.mkfifo(page)
    with pytest.raises(RunError, match="cannot be written: something that is no file is in its place"):
        report(folder, page)
