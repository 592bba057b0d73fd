"""The picture of what was learned from nothing: of values that were measured, and the same bytes every time."""

from pathlib import Path

import matplotlib

from benchmarks.from_nothing import EXERCISES, LEARNERS
from figures import from_nothing


def test_every_world_was_learned_by_every_kind_of_learner() -> None:
    lessons = from_nothing.measured()["from_nothing"]
    assert {each["world"] for each in lessons} == {each.id for each in EXERCISES}
    assert {each["learner"] for each in lessons} == {*LEARNERS}
    wanted = {each.id: (each.steps, each.wanted, each.near) for each in EXERCISES}
    for each in lessons:
        assert (each["steps"], each["wanted"], each["near"]) == wanted[each["world"]]
        assert each["reached"] == sum(value >= each["wanted"] - each["near"] for value in each["values"])


def test_the_same_values_give_the_same_bytes(tmp_path: Path) -> None:
    matplotlib.use("svg")
    with matplotlib.rc_context({"svg.hashsalt": "agentic"}):
        (first,) = from_nothing.draw(tmp_path)
        drawn = first.read_bytes()
        (again,) = from_nothing.draw(tmp_path)
    assert again.read_bytes() == drawn
