"""What a component's constructor takes, and whether given values fit."""

from typing import Any

from agentic.plugins import Component, Registry
from agentic.plugins.parameters import accepted, reader, typed


def test_parameters_of_unresolvable_types_are_taken_as_they_are() -> None:
    def component(env: "Nowhere", size: "Nobody" = 1, *rest: int) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Annotated for type checkers alone."""

    takes = accepted(component, 1)
    takes.check(["size"], "it")
    assert typed([1], reader(takes.annotation("size")), "it: size") == [1]


class Passing:
    """Made from an environment that knows `size`; `rate` has a default, which is passed on, and another of `of`."""

    def __init__(self, size: int, rate: float = 0.5, learn: int = 0) -> None:
        self.size, self.rate, self.learn = size, rate, learn

    @classmethod
    def of(cls, *, learn: int = 3, floor: float = 0.1) -> "Passing":
        return cls(1, floor, learn)

    @classmethod
    def from_env(cls, env: object, **parameters: Any) -> "Passing":
        return cls(**{"size": len(str(env)), **parameters})


def test_defaults_that_are_passed_on_stay_known() -> None:
    takes = accepted(Passing)
    assert {name: each.default for name, each in takes.names.items()} == {
        "size": None,  # which the environment tells
        "rate": 0.5,
        "learn": 0,
        "floor": 0.1,
    }
    takes.check([], "it")


def test_a_component_is_made_from_an_environment() -> None:
    registry = Registry((Component("energies", "passing", "mine", None, "file", Passing),))
    made = registry.make(Passing, {"name": "passing", "rate": 2.0}, environment="cave")
    assert (made.size, made.rate) == (4, 2.0)
