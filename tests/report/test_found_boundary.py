"""The page of a run that was found in a recording: its boundary drawn, its roles in a table, its doubts in words."""

import re
from pathlib import Path
from typing import Any

import pytest

import agentic
from agentic.runs import sealed
from agentic_envs.planted import network
from agentic_report.boundary import boundary
from tests.report.found import found, page


def text_of(folder: Path, table: dict[str, Any]) -> str:
    return page(folder / "run", table).read_text(encoding="utf-8")


def test_the_page_says_what_was_found(tmp_path: Path) -> None:
    text = re.sub(r"\s+", " ", text_of(tmp_path, sealed(found())))
    for said in (
        "<h1>Object 1 found in rec.csv</h1>",
        '<span class="big">43.2</span> nats of evidence for a boundary',
        "0.002 nats in a step cross it",
        "sides could be exchanged",
        "3.5 nats more: eye and a name that is long inside",
        "&lt;b&gt;hand&lt;/b&gt;",
        'title="steps 0 to 50"',
        "a name that is…",
        "<dt>lag</dt><dd>1</dd>",
    ):
        assert said in text, said
    assert "<dt>order</dt>" not in text
    rows = re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td><td><span class="role role-(\w+)">', text)
    assert [(name, role) for name, _, role in rows] == [
        ("sky", "world"),
        ("a name that is long", "world"),
        ("eye", "sensor"),
        ("&lt;b&gt;hand&lt;/b&gt;", "actuator"),
        ("mind", "inside"),
    ]


def test_what_is_discovered_and_saved_is_shown(tmp_path: Path) -> None:
    planted = network(3, world=7, sensors=2, actuators=2, inside=5, steps=1000, density=0.4)
    found = agentic.discover(dict(zip(planted.names, planted.values.T, strict=True)), objects=1, window=500)
    text = agentic.report(found.save(tmp_path / "run")).read_text(encoding="utf-8")
    assert "nats of evidence for a boundary" in text
    rows = re.findall(r'<th scope="row">(\w+)</th><td>[^<]*</td><td><span class="role role-(\w+)">', text)
    assert dict(rows) == dict(zip(planted.names, planted.roles, strict=True))
    assert text.count('title="steps ') == 2
    assert " nats more: " in text


def test_arrows_add_up_the_couplings_of_groups_and_those_across_are_marked() -> None:
    made = boundary(found())
    assert made is not None
    (drawn,) = made["graphs"]
    arrows = {(each.source, each.target): (each.nats, each.forbidden) for each in drawn.arrows}
    assert arrows == {
        ("world", "sensor"): (20.5, False),
        ("world", "inside"): (1.25, True),
        ("sensor", "inside"): (30.0, False),
        ("inside", "actuator"): (40.0, False),
        ("actuator", "world"): (10.0, False),
    }
    assert "world to inside 1.25 nats" in drawn.described
    places = [each.label for each in drawn.arrows]
    assert all(abs(x - u) > 20 or abs(y - v) > 12 for i, (x, y) in enumerate(places) for u, v in places[:i])


def test_to_one_object_another_is_world() -> None:
    roles = [{**row, "object": 2 * int(row["role"] != "world")} for row in found()["roles"]]
    both = boundary(found(roles=[*roles, {**roles[1], "object": 1}], couplings=[]))
    assert both is not None
    first, second = both["graphs"]
    assert [(each.role, len(each.lines)) for each in first.boxes] == [("world", 3), ("sensor", 1)]
    assert [each.role for each in second.boxes] == ["world", "sensor", "actuator", "inside"]
    assert (first.name, second.name) == ("The boundary of object 1", "The boundary of object 2")


@pytest.mark.parametrize(
    "table",
    [{}, {"roles": []}, {"roles": 3}, {**sealed(found()), "leak": 7.0}],
    ids=["nothing", "no roles", "no list", "changed afterwards"],
)
def test_what_is_no_discovery_is_left_out(tmp_path: Path, table: dict[str, Any]) -> None:
    assert 'id="boundary"' not in text_of(tmp_path, table)


def test_what_is_half_there_is_shown(tmp_path: Path) -> None:
    roles = [{"column": None, "role": "king"}, *found()["roles"]]
    text = text_of(tmp_path, found(roles=roles, couplings="none", windows=[{"roles": ["world"]}], leak=None))
    assert 'id="boundary"' in text
    assert 'class="nats"' not in text
