"""The progress of many jobs: labels are told as they are."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agentic.cli import following, job_progress
from tests.agentic.jobs.work import Work


class Bracketed(Work):
    """A job whose label looks like markup."""

    @property
    def label(self) -> str:
        return "look=[red], [/b]"


def test_brackets_in_labels_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = StringIO()
    monkeypatch.setattr(job_progress, "console", lambda stderr: Console(file=shown, force_terminal=True, width=100))
    with following(Path("runs"), quiet=False) as observer:
        assert observer is not None
        observer(Bracketed(1), 1, 2)
    assert "look=[red], [/b]" in shown.getvalue()
