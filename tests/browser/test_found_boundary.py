"""A boundary that was found, as readers meet it: the drawing, the roles and the strip of windows."""

from pathlib import Path

import pytest

from agentic.runs import sealed
from tests.browser.chromium import DESKTOP, PHONE, Page, Scheme
from tests.report.found import ROLES, found, page


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    windows = [{"first": 50 * i, "last": 50 * i + 50, "roles": ROLES, "evidence": 9.0} for i in range(60)]
    return page(tmp_path_factory.mktemp("found") / "run", sealed(found(windows=windows)))


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_a_boundary_can_be_read(page: Page, file: Path, scheme: Scheme, size: tuple[int, int]) -> None:
    page.open(file, size, scheme)
    for fault in ("wide", "spilt", "crowded", "headings", "nameless"):
        assert page.faults(fault) == [], fault
    assert page.faults("faint", 4.5) == []
    (drawing,) = page.all(".boundary svg")
    assert "world to sensors 20.5 nats" in (drawing.get_attribute("aria-label") or "")
    assert drawing.size["width"] <= size[0]
    assert len(page.all(".boundary rect")) == 4
    numbers = [each.text for each in page.all(".boundary .nats")]
    assert numbers == ["20.5", "30", "10", "40", "1.25"]
    assert len(page.all(".strip tbody td")) == 60 * len(ROLES)
