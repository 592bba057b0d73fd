"""With CI=true a skip for a missing extra is a failure, in a test, in a fixture and in a module; other skips stay."""

import os
import re
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
IN_TESTS = """
import pytest

@pytest.fixture
def extra():
    return pytest.importorskip("no_such_extra", reason="not there")

def test_in_a_test():
    pytest.importorskip("no_such_extra")

def test_in_a_fixture(extra):
    pass

def test_that_means_nothing_here():
    pytest.skip("could not import meaning")

@pytest.mark.skipif(True, reason="could not import Linux")
def test_elsewhere():
    pass

def test_what_is_there():
    pytest.importorskip("json")
"""
IN_A_MODULE = "import pytest\npytest.importorskip('no_such_extra')\ndef test_it(): pass\n"


def outcomes(folder: Path, **environment: str) -> tuple[dict[str, int], str]:
    """How many passed, failed, were skipped or were errors, and all that was printed."""
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_in_tests.py").write_text(IN_TESTS)
    (folder / "test_in_a_module.py").write_text(IN_A_MODULE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", "."]
    kept = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    bare = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # which start faster
    done = subprocess.run(
        command, cwd=folder, env=kept | bare | environment, capture_output=True, text=True, check=False
    )
    counted = re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout.splitlines()[-1])
    return {name: int(count) for count, name in counted}, done.stdout


def test_at_home_it_is_a_skip(tmp_path: Path) -> None:
    counts, _ = outcomes(tmp_path)
    assert counts == {"passed": 1, "skipped": 5}


def test_in_ci_it_is_a_failure_that_says_what_to_install(tmp_path: Path) -> None:
    counts, out = outcomes(tmp_path, CI="true")
    assert counts == {"passed": 1, "failed": 1, "skipped": 2, "error": 2}  # a fixture and a module are errors
    assert "could not import 'no_such_extra'" in out
    assert "not there; with CI=true nothing may be missing: pip install -e '.[dev,tests,docs]'" in out
