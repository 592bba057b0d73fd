"""The picture of the house is that of the contracts as they stand, and shows every room and package there is."""

import re
from pathlib import Path

import pytest

from figures import concepts
from figures.house import ROOT, House, house, modules, svg
from tests.house.repository import PLUGINS

PLAN = house((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CORE = {path.stem for path in (ROOT / "agentic").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}


def test_the_picture_is_current() -> None:
    drawn = (ROOT / "docs" / "pictures" / "house.svg").read_text(encoding="utf-8")
    assert drawn == svg(PLAN), "rooms, modules or contracts changed: `make house` draws them anew"


def test_every_room_and_package_is_in_it() -> None:
    rooms = {room for layer in PLAN.layers for room in layer}
    assert rooms == CORE - {"__init__", "__main__"}
    assert sorted(PLAN.packages) == sorted(PLUGINS)
    assert "energy" in modules("engine")
    assert modules("tick") == []


@pytest.mark.parametrize("name", ["three_minimizations", "access_levels"])
def test_drawings_of_concepts_are_current(name: str, tmp_path: Path) -> None:
    drawn = {path.stem: path.read_text(encoding="utf-8") for path in concepts.draw(tmp_path)}
    kept = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert kept == drawn[name], "`python -m figures concepts` draws them anew"


CONTRACTS = """
[[tool.importlinter.contracts]]
type = "layers"
layers = ["up", "left : right | middle"]
[[tool.importlinter.contracts]]
type = "independence"
modules = ["p", "q", "r"]
ignore_imports = ["q.** -> p"]
[[tool.importlinter.contracts]]
type = "forbidden"
source_modules = ["agentic"]
forbidden_modules = ["p", "q", "r"]
[[tool.importlinter.contracts]]
type = "forbidden"
source_modules = ["p", "q", "r"]
forbidden_modules = ["agentic.*.*"]
"""


def test_contracts_are_read_as_they_are_written() -> None:
    plan = house(CONTRACTS)
    assert plan == House((("up",), ("left", "right", "middle")), ("p", "q", "r"), (("q", "p"),))


@pytest.mark.parametrize("words", ["up.py", "middle.py", "exception: q imports p"])
def test_what_is_read_is_drawn(words: str) -> None:
    assert words in re.sub(r"</text>\s*<text[^>]*>", " ", svg(house(CONTRACTS)))
