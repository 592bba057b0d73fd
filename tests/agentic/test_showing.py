"""What objects show of themselves: short, escaped, and without what is not known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

import agentic
from agentic import Solution
from agentic.engine.belief import Point
from agentic.showing import Shown, html_table, text_table


class Thing(Shown):
    """What knows little of itself."""

    def brief(self) -> Mapping[str, object]:
        return {"name": "<b>", "array": np.zeros(1000), "nothing": None, "none": [], "zero": 0}

    def facts(self) -> Mapping[str, object]:
        return {**self.brief(), "more_of_it": "&"}


def test_what_is_known_is_said_briefly() -> None:
    assert repr(Thing()).startswith("Thing(name='<b>', array=array([0., 0., 0.")
    assert repr(Thing()).endswith("..., zero=0)")
    page = Thing()._repr_html_()
    assert "<tr><th>name</th><td>&lt;b&gt;</td></tr>" in page
    assert "<tr><th>more of it</th><td>&amp;</td></tr>" in page
    assert "nothing" not in page
    assert len(page) < 400


def test_tables_have_no_colors_of_their_own() -> None:
    page = html_table([("a", 1)], "<x>", ("head", "<y>"))
    assert page == (
        "<table><caption>&lt;x&gt;</caption><tr><th>head</th><th>&lt;y&gt;</th></tr><tr><th>a</th><td>1</td></tr></table>"
    )
    assert text_table([["a", "bcd"], ["efg", "h"]]) == "a    bcd\nefg  h"


@pytest.mark.parametrize("converged", [None, torch.tensor([True, False])])
def test_a_solution_says_what_it_took(converged: Any) -> None:
    value = torch.tensor([1.0, 2.0])
    found = Solution(Point(torch.zeros(2, 1000)), value, "energy", 3, 4, converged, value, value[None], {"gap": value})
    done = "" if converged is None else "converged='1 of 2 rows', "
    assert repr(found) == (
        f"Solution(belief='Point', energy=1.5, rows=2, {done}steps=3, evaluations=4, diagnostics=['gap'])"
    )
    assert found._repr_html_().startswith("<table><caption>Solution</caption>")


def test_an_environment_says_its_spaces() -> None:
    page = agentic.make("FrozenLake-v1", envs=2)._repr_html_()
    assert "<tr><th>batch</th><td>2</td></tr>" in page
    assert "<tr><th>action</th><td>Discrete(4)</td></tr>" in page
