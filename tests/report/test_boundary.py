"""A report writes the page it was asked for and nothing else, and its page runs our scripts and no others."""

import hashlib
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from agentic import report
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
    for place, count in ((folder, 4), (bench_cells(folder.parent / "0002-bench"), 4), (folder.parent, 1)):
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
