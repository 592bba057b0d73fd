"""`agentic.report` takes what lies in a folder, and says why it cannot take the rest."""

from pathlib import Path
from typing import Any

import pytest

import agentic
from agentic import Record, UserError


def test_a_record_in_memory_has_no_page() -> None:
    with pytest.raises(UserError, match=r"lies in no folder .* out='runs'"):
        agentic.report(agentic.run("random", "CartPole-v1", episodes=1, out=None))


@pytest.mark.parametrize("thing", [3, None, agentic.Schedule()], ids=["number", "nothing", "value"])
def test_what_no_page_is_about_is_refused(thing: Any) -> None:
    with pytest.raises(UserError, match="a page is about a folder, a Record or the scores of a bench"):
        agentic.report(thing)


def test_a_page_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    record = agentic.run("random", "CartPole-v1", episodes=1, out=tmp_path / "runs")
    assert isinstance(record, Record)
    assert agentic.report(record, tmp_path / "page.html") == tmp_path / "page.html"
