"""The page about the architecture is true: its contracts are those there are, with their members and components."""

import re
from importlib import import_module
from typing import Any

import pytest

import agentic
from agentic import load
from agentic.plugins import KINDS, contract_of
from agentic.plugins.contracts import contracts_of
from tests.house.public_surface import packages
from tests.house.repository import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SECTIONS = {
    title: text
    for title, text in re.findall(r"^### (.+?)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    if title != "Values beside the contracts"
}
EVERY = [(kind, contract) for kind in KINDS for contract in contracts_of(kind)]
LIMIT = 14  # lines of a section, its heading and blank lines left out


def line(section: str, word: str) -> list[str]:
    """The names in backticks of the point that begins with this word, what stands in parentheses left out."""
    found = re.search(rf"^- {word}: (.*?)(?=\n- |\Z)", section, re.MULTILINE | re.DOTALL)
    return re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", found[1])) if found else []


def test_every_contract_has_a_section_and_no_other_is_there() -> None:
    assert sorted(SECTIONS) == sorted(contract.__name__ for _, contract in EVERY)


@pytest.mark.parametrize(("kind", "contract"), EVERY, ids=[contract.__name__ for _, contract in EVERY])
def test_a_section_says_what_is(kind: str, contract: Any) -> None:
    section = SECTIONS[contract.__name__]
    assert section.strip().startswith(f"Kind {kind}")
    assert len([each for each in section.splitlines() if each.strip()]) <= LIMIT
    members = line(section, "Members")
    known = {name for base in contract.__mro__ for name in (*vars(base), *vars(base).get("__annotations__", {}))}
    lost = [name for name in members if name not in known and name not in agentic.__all__]
    assert members, "which members are there?"
    assert not lost, f"{contract} has no such members: {lost}"
    missing = set(getattr(contract, "__abstractmethods__", ())) & set(vars(contract)) - set(members)
    assert not missing, f"what must be written is not among the members: {sorted(missing)}"
    offered = load().satisfying(contract)
    absent = [name for name in line(section, "Ours") if name not in offered]
    assert not absent, f"no {contract} is called so: {absent}"


def test_every_component_of_ours_is_on_the_page() -> None:
    """But for metrics, which have a page of their own, and what fulfills no contract of the list."""
    registry, named = load(), {title: set(line(text, "Ours")) for title, text in SECTIONS.items()}
    for kind in KINDS:
        for name in registry.names(kind):
            contract = contract_of(registry.resolve(kind, name))
            if registry.component(kind, name).plugin == "agentic" and contract in named and contract != "Metric":
                assert name in named[contract], f"{name}, a {contract}"


def room_names(room: str) -> list[str]:
    """The public names of a room."""
    return list(getattr(import_module(f"agentic.{room}"), "__all__", ()))


def test_public_names_on_the_page_are_public() -> None:
    """Names in backticks that are written like classes."""
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", PAGE))
    inside = {"AgentMaker", "EnergyState"}
    assert len(named) > 10
    public = {name for package in packages() for name in getattr(import_module(package), "__all__", ())}
    assert named - inside <= public


def test_files_on_the_page_are_there() -> None:
    named = set(re.findall(r"`((?:agentic|plugins|envs|tests|docs)/[\w./]+)`", PAGE))
    assert len(named) > 15
    assert not [path for path in named if not (ROOT / path).exists()]


def test_every_rule_of_the_house_is_on_the_page() -> None:
    rules = {path.name for path in (ROOT / "tests" / "house").glob("test_*.py")}
    assert not [name for name in sorted(rules) if f"{name}`" not in PAGE]
