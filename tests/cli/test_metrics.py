"""`agentic metrics`: what can be measured."""

import json
from pathlib import Path

import pytest

from agentic import load
from agentic.cli import main
from agentic.cli.metrics import _first_sentence

PLUGIN = '''
from dataclasses import dataclass

from agentic import Access, Metric, hookimpl


@dataclass(frozen=True)
class Needy(Metric):
    """Counts 0.5 of it, as told. Or not."""

    key: int
    access = Access.RECORDS
    unit = "bits"
    needs = ("record",)

    def measure(self, subject, *, generator): ...


@hookimpl
def agentic_metrics():
    return {"needy": Needy, "lost": "nowhere:Lost"}
'''


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "agentic")


def test_every_metric_says_what_it_looks_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == load().names("metrics")
    row = rows["episode_return"]
    assert (row["access"], row["needs"], row["unit"], row["plugin"]) == ("records", ["record"], "reward", "agentic")
    assert row["parameters"] == ["level", "discount", "horizon", "relative", "exact", "payoffs"]
    for row in rows.values():
        assert row["access"] in ("records", "internals", "model", "intervene")
        assert row["summary"].endswith((".", ":"))
        assert "\n" not in row["summary"]


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics"]) == 0
    out = capsys.readouterr().out
    for part in ("looks at", "episode_return", "records", "reward", "agentic measure RUN --metric NAME"):
        assert part in out


def test_a_metric_that_cannot_be_made_is_listed_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    assert main(["metrics", "--json", "--plugin", str(tmp_path / "mine.py")]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["needy"]["summary"] == "metric needy needs the parameter 'key': write key = ..."
    assert "does not load" in rows["lost"]["summary"]
    assert (rows["needy"]["plugin"], rows["needy"]["access"]) == ("mine", "")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("Half of 0.5 of\nit. Then more.", "Half of 0.5 of it."),
        ("Only this.\n\nNot this.", "Only this."),
        ("", ""),
    ],
)
def test_first_sentence(text: str, first: str) -> None:
    assert _first_sentence(text) == first
