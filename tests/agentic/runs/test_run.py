"""What a run refuses before anything is made: numbers that are none, and values in each other's place."""

from typing import Any

import pytest

from agentic import Recording, Schedule, UserError, run
from agentic.testing.worlds import Coin, TwoPlaces


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (Schedule, {"episodes": "3"}, "episodes must be a whole number, got '3'"),
        (Schedule, {"warmup": float("nan")}, "warmup must be a whole number, got nan"),
        (Schedule, {"learn_steps": True}, "learn_steps must be a whole number, got True"),
        (Schedule, {"hold": 0}, "hold must be at least 1, got 0"),
        (Recording, {"candidates": 1.5}, "candidates must be a whole number, got 1.5"),
    ],
)
def test_counts_are_whole_numbers(kind: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        kind(**given)


@pytest.mark.parametrize("values", [(2,), ({"episodes": 2},), (Recording(), Schedule())])
def test_a_schedule_comes_first_and_a_recording_after_it(values: tuple[Any, ...]) -> None:
    with pytest.raises(UserError, match="run takes a Schedule, then a Recording, got"):
        run(Coin(), TwoPlaces, *values)
