"""What a component's constructor takes, and whether given values fit."""

from agentic.experiments.parameters import accepted, fit


def test_parameters_of_unresolvable_types_are_taken_as_they_are() -> None:
    def component(env: "Nowhere", size: "Nobody" = 1, *rest: int) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Annotated for type checkers alone."""

    assert fit(accepted(component, 1), {"size": [1]}, "it") == {"size": [1]}
