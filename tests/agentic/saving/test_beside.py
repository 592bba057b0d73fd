"""What changes beside the objects of a tree is seen: in modules, classes and what functions hold."""

import random
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from agentic.saving import Beside, Fixtures

COUNTS = {"calls": 0}
DRAWS = np.random.default_rng(0)
WEIGHTS = torch.zeros(2)


class Root:
    """A tree that holds one function, and an object that functions may hold, too."""

    def __init__(self, act: Callable[..., Any], part: Any = None) -> None:
        self.act, self.part = act, part


class Part:
    """An object of the tree: what it has is saved."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1


def of_module() -> None:
    COUNTS["calls"] += 1


def of_stream() -> None:
    DRAWS.random()


def of_tensor() -> None:
    WEIGHTS.add_(1)


def of_defaults(calls: list[int] = []) -> None:  # noqa: B006
    calls.append(1)


def of_itself() -> None:
    of_itself.calls = getattr(of_itself, "calls", 0) + 1  # type: ignore[attr-defined]


of_itself()


class Counted:
    made: ClassVar[list[int]] = []

    def __call__(self, also: list[int] = []) -> None:  # noqa: B006
        self.made.append(1)
        also.append(1)


def closure() -> Callable[[], None]:
    calls = 0

    def act() -> None:
        nonlocal calls
        calls += 1

    return act


@pytest.mark.parametrize(
    ("act", "places"),
    [
        (of_module, [f"{__name__}.COUNTS"]),
        (of_stream, [f"{__name__}.DRAWS"]),
        (of_tensor, [f"{__name__}.WEIGHTS"]),
        (of_defaults, ["act (its defaults)"]),
        (of_itself, ["act (calls)"]),
        (closure(), ["act (calls)"]),
        (Counted(), ["Counted.__call__ (its defaults)", "Counted.made"]),
        (partial(deque([1, 2]).rotate, 1), ["act (its object)"]),
        (partial(list.append, [], 1), ["act (its arguments)"]),
        (random.Random(3).random, ["act (its object)"]),
        (count().__next__, ["act (its object)"]),
    ],
)
def test_what_changes_beside_objects_is_named(act: Callable[..., Any], places: list[str]) -> None:
    root = Root(act)
    beside = Beside(Fixtures(root))
    assert beside.changed() == []
    act()
    assert [each for each in beside.changed() if each in places] == places


def test_what_objects_of_the_tree_have_is_not() -> None:
    part = Part()
    root = Root(lambda: part(), part)
    beside = Beside(Fixtures(root))
    root.act()
    assert part.calls == 1
    assert beside.changed() == []


def test_no_more_is_looked_at_than_a_checkpoint_has_time_for() -> None:
    many = list(range(5_000))
    root = Root(partial(many.append, 1))
    beside = Beside(Fixtures(root))
    root.act()
    assert beside.changed() == []
