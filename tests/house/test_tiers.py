"""Three tiers of tests: by default, `slow` (in CI too) and `soak` (never in CI, figures in docs/soak.md)."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOAK = re.compile(r"pytest\.mark\.soak\b")


def test_no_test_is_in_two_tiers(tiers: dict[str, set[str]]) -> None:
    """Of all that were collected with this one: the whole suite, where the whole suite is run."""
    assert [name for name, marks in tiers.items() if len(marks) > 1] == []


def test_the_page_names_every_file_with_soak_tests_and_no_other() -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py") if marked(path)}
    named = set(re.findall(r"tests/[\w/]+\.py", (ROOT / "docs" / "soak.md").read_text()))
    assert files == named


def marked(path: Path) -> bool:
    return path != Path(__file__) and bool(SOAK.search(path.read_text()))


def test_ci_runs_the_slow_tests_and_never_the_soak_tests() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "make slow" in script
    assert "soak" not in script
