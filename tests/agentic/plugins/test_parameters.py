"""What a component's constructor takes, and whether given values fit."""

from agentic.plugins.parameters import accepted, reader, typed


def test_parameters_of_unresolvable_types_are_taken_as_they_are() -> None:
    def component(env: "Nowhere", size: "Nobody" = 1, *rest: int) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Annotated for type checkers alone."""

    takes = accepted(component, 1)
    takes.check(["size"], "it")
    assert typed([1], reader(takes.annotation("size")), "it: size") == [1]
