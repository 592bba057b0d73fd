"""Every public name has its place in the reference, once."""

import re

import agentic
from agentic.plugins import KINDS
from tests.house.public_surface import packages, public
from website.reference import pages

PAGES = pages()


def test_every_public_name_is_there_once() -> None:
    named = re.findall(r"^::: (\S+)$", "\n".join(PAGES.values()), re.MULTILINE)
    assert len(named) == len(set(named))
    homes = {f"{each.__module__}.{each.__qualname__}" for name in packages() for each in public(name).values()}
    assert not homes - set(named)


def test_components_are_there() -> None:
    assert "::: agentic_optimizers.newton.Newton" in PAGES["reference/agentic_optimizers.md"]
    assert "::: agentic_envs.tmaze.TMaze" in PAGES["reference/agentic_envs.md"]


def test_a_page_says_where_names_are_imported_from() -> None:
    before, _, after = PAGES["reference/agentic.engine.md"].partition("## from agentic.engine import")
    assert "## from agentic import" in before
    assert "::: agentic.engine.belief.Belief" in before
    assert "::: agentic.engine.state.select" in after


def test_the_index_has_a_line_for_each() -> None:
    listed = re.findall(r"^\| \[`\w+`\]\[(\S+)\] \| `\S+` \| \S", PAGES["reference/index.md"], re.MULTILINE)
    assert len(listed) > 300
    assert f"::: {listed[0]}" in "\n".join(PAGES.values())


def test_components_are_found_by_their_names_in_files() -> None:
    page = PAGES["reference/names.md"]
    assert "| `value_iteration` | [`ValueIteration`][agentic_optimizers.value_iteration.ValueIteration] | Plan" in page
    assert "\n## Loss\n" in page
    assert "\n## Gain: `gain in [planner]`\n" in page
    registry = agentic.load()
    every = [(kind, name) for kind in KINDS for name in registry.names(kind)]
    ours = {name for kind, name in every if registry.component(kind, name).plugin == "agentic"}
    assert ours == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
