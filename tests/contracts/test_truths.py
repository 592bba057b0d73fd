"""A model that differs from what is lived is caught, in a sentence that names state and action."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

from agentic import Truth, make
from agentic.testing import check
from agentic.testing.kit import NotApplicable
from agentic.testing.truths import true_model_is_lived
from agentic_envs.changes import RemapActions, SetAttributes
from agentic_envs.cliffworld import CliffWorld
from agentic_envs.gridworld import GridWorld
from agentic_envs.room import Room
from agentic_envs.tiger import Tiger
from agentic_envs.tmaze import TMaze
from agentic_metrics import random_interventions
from agentic_metrics.interventions.simulation import Simulation
from agentic_metrics.responses.rooms import Field


class Claimed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that tells `change` of its truth."""

    def __init__(self, env: Any, change: Callable[[Truth], None]) -> None:
        super().__init__(env)
        self.change = change

    def true_model(self) -> Truth:
        truth = deepcopy(make(self.env).truth())
        self.change(truth)
        return truth


def grid(slip: float = 0.0) -> GridWorld:
    return GridWorld(["S.G", ".#.", "..X"], slip=slip)


def mortal(risk: float = 0.05) -> Simulation:
    """The grid, in which entering the last free cell of the top row ends the episode with probability `risk`."""
    truth = make(grid(0.1)).truth()
    truth["ends"][1] = risk
    return Simulation(truth)


def moved(place: int, action: int, to: int, share: float = 1.0) -> Callable[[Truth], None]:
    def change(truth: Truth) -> None:
        column = truth["B"][0][:, place, action]
        column *= 1 - share
        column[to] += share

    return change


def setting(name: Any, index: Any, value: Any) -> Callable[[Truth], None]:
    def change(truth: Any) -> None:
        truth[name][index] = value

    return change


def heard(truth: Truth) -> None:
    truth["A"][0][:] = 0.5 + (truth["A"][0] - 0.5) * 0.5


def cue(truth: Truth) -> None:
    truth["A"][0][3:, 3] = [[0.85, 0.15], [0.15, 0.85]]


def shown(truth: Truth) -> None:
    truth["A"][0] = truth["A"][0][:, [0, 1, 2, 6, 4, 5, 3, 7, 8]]


def fewer(truth: Truth) -> None:
    truth["A"][0] = truth["A"][0][:8] + truth["A"][0][8:] / 8


def begins(truth: Truth) -> None:
    truth["D"][0][:] = np.eye(len(truth["D"][0]))[[0, 1]].T @ [0.95, 0.05]


WRONG: dict[str, tuple[Callable[[], Any], Callable[[Truth], None], str]] = {
    "a move": (grid, moved(3, 1, 3), r"in state 3 action 1 led to the observation 6, which B and A exclude"),
    "a move told once in twenty times": (
        grid,
        moved(3, 1, 3, 0.05),
        r"in state 3 action 1 led to the observation 3 in 0",
    ),
    "a move lived once in twenty times": (
        lambda: Simulation(_with(grid(), moved(3, 1, 3, 0.05))),
        moved(3, 1, 6),
        r"in state 3 action 1 led to the observation 3, which B and A exclude",
    ),
    "a reward": (grid, setting("rewards", (1, 2), 0.99), r"in state 1 action 2 pays 1 on average, .* expect 0.99"),
    "a small reward of a slippery world": (
        lambda: grid(0.2),
        setting("rewards", (6, 0), 0.001),
        r"in state 6 action 0 pays 0 on average, where rewards let expect 0.001",
    ),
    "a reward for being": (CliffWorld, setting("rewards", (5, 1), -9.5), r"in state 5 action 1 pays -10 on average"),
    "an end told": (
        grid,
        setting("ends", 1, 1.0),
        r"action \d led to state 1 and did not end the episode, .* ends = 1 ",
    ),
    "an end lived": (
        grid,
        setting("ends", 2, 0.0),
        r"action \d led to state 2 and ended the episode, .* ends = 0 excl",
    ),
    "an end told once in twenty times": (
        grid,
        setting("ends", 1, 0.05),
        r"entering state 1, as in state \d action \d does, ended the episode 0 of",
    ),
    "an end lived once in twenty times": (
        mortal,
        setting("ends", 1, 0.0),
        r"in state \d action \d led to state 1 and ended the episode, which ends = 0 excludes",
    ),
    "a start": (grid, begins, r"episodes begin with the observation"),
    "what is seen": (grid, shown, r"which B and A exclude"),
    "a hidden reward": (
        Tiger,
        setting("rewards", (0, slice(None), 1), -60.0),
        r"in state \(0, \d\) action 1 pays .* more than rewards let expect, in episodes",
    ),
    "a hidden reward of one state": (
        Tiger,
        setting("rewards", (0, 1, 1), -75.0),
        r"in state \(\d, 1\) action 1 pays .* more than rewards let expect, in episodes",
    ),
    "how well one hears": (Tiger, heard, r"in state \(\d, \d\) action 0 led to the observation"),
    "how honest a cue is": (TMaze, cue, r"in state \(\d, \d\) action 3 led to the observation"),
    "a reward in an arm": (TMaze, setting("rewards", (0, 1, 1), 0.5), r"in state \(0, \d\) action 1 pays"),
}


def _with(env: Any, change: Callable[[Truth], None]) -> Truth:
    truth = make(env).truth()
    change(truth)
    return truth


@pytest.mark.parametrize("name", list(WRONG))
def test_a_model_that_is_wrong_is_caught(name: str) -> None:
    env, change, said = WRONG[name]
    with pytest.raises(AssertionError, match=said):
        true_model_is_lived(lambda: Claimed(env(), change))


RIGHT: dict[str, Callable[[], Any]] = {
    "a slippery grid": lambda: grid(0.3),
    "fog": lambda: GridWorld(["S.G", "#.X"], slip=0.3, fog=True),
    "leaving through a goal": lambda: GridWorld(["S.G", "#.X"], exit=True, slip=0.1),
    "ends by chance": mortal,
    "actions in another order": lambda: RemapActions(grid(0.2), order=[1, 0, 2, 3, 4]),
    "other constants": lambda: SetAttributes(grid(), slip=0.25),
    "a lake": lambda: gymnasium.make("FrozenLake-v1"),
    "a tiger": Tiger,
    "a maze with a cue": TMaze,
    "a slippery cliff": lambda: gymnasium.make("CliffWalking-v1", is_slippery=True),
    "a forager's field": Field,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(RIGHT))
def test_a_model_that_is_right_passes(name: str) -> None:
    true_model_is_lived(RIGHT[name])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["swap", "relocate", "wall", "remap", "slip", "noise"])
def test_interventions_are_lived_as_they_say(kind: str) -> None:
    for place in (partial(grid, 0.1), CliffWorld):
        for change in random_interventions(place, 1, np.random.default_rng(0), kinds=[kind]):
            true_model_is_lived(partial(change.apply, place()))


def test_what_tells_no_truth_is_not_compared_and_what_tells_nonsense_fails() -> None:
    with pytest.raises(NotApplicable, match="truth of CartPoleEnv is not known"):
        true_model_is_lived(lambda: gymnasium.make("CartPole-v1"))
    with pytest.raises(NotApplicable, match="a measured temperature is a number"):
        true_model_is_lived(lambda: Room(measured=True))
    with pytest.raises(AssertionError, match=r"true_model\(\) is no truth: ends must be probabilities"):
        true_model_is_lived(lambda: Claimed(grid(), setting("ends", 1, np.nan)))
    with pytest.raises(AssertionError, match=r"observation space has sizes .9,., and the arrays of true_model.. .8,."):
        true_model_is_lived(lambda: Claimed(grid(), fewer))


def test_the_kit_reports_it_in_one_line() -> None:
    found = {each.check: each for each in check("envs", Claimed(grid(), moved(3, 1, 3)))}["true_model_is_lived"]
    assert str(found).startswith("FAILED   true_model_is_lived: in state 3 action 1 led to the observation 6, which")
