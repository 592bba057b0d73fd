"""What a run refuses before anything is made: numbers that are none, and values in each other's place."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from agentic import Agent, Decision, Recording, RunError, Schedule, UserError, run
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


def test_the_manifest_lists_the_returns_of_evaluation(tmp_path: Path) -> None:
    record = run(Coin(), TwoPlaces, Schedule(episodes=300), Recording(tmp_path))
    assert len(record.chunks) > 1, "it takes several chunks"
    assert record.manifest["returns"] == record.returns().tolist()
    assert len(record.manifest["returns"]) == 300


def test_a_run_of_very_many_episodes_leaves_its_returns_to_its_ticks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentic.runs.run.LISTED", 2)
    assert "returns" not in run(Coin(), TwoPlaces, Schedule(episodes=3), Recording(tmp_path)).manifest


class Refuses(Agent):
    """A coin that finds a mistake of its user in one of its decisions."""

    def __init__(self, when: int) -> None:
        self.coin, self.left = Coin(), when

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        self.left -= 1
        if not self.left:
            raise UserError("the energy is infinite everywhere: forbid less")
        return self.coin.decide(state, obs, generator=generator)


def test_a_users_mistake_that_a_run_meets_later_is_said_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"Refuses in .*: the energy is infinite everywhere: forbid less"):
        run(Refuses(3), TwoPlaces, Schedule(episodes=300), Recording(tmp_path))
    assert json.loads((tmp_path / "manifest.json").read_text())["status"] == "failed"


def test_one_that_is_met_at_once_stays_the_users() -> None:
    with pytest.raises(UserError, match="forbid less"):
        run(Refuses(1), TwoPlaces, Schedule(episodes=300))
