"""Third parties' decisions: named for what they are, and copied before they are written over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from agentic import Agent, Categorical, Decision, RunError, Schedule, run
from tests.agentic.worlds import Walk

STAY = torch.tensor([[1.0, 0.0]])


@dataclass
class Mean:
    """A belief that is a mean, of any shape."""

    mean: Any


class Answers(Agent):
    """Decides as it is told to at its third decision, and well before."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.count = answer, 0

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Any:
        self.count += 1
        return self.answer if self.count == 3 else Decision(STAY, None)


class Exits(Answers):
    """Leaves the program in place of deciding."""

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Any:
        raise SystemExit(self.answer)


wrong: Any = Decision  # decisions of any types


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (STAY, "Answers decided with a Tensor, expected an agentic.Decision"),
        (None, "Answers decided with a NoneType"),
        (wrong([1.0, 0.0]), "the action of Answers is a list, expected a tensor"),
        (wrong(STAY, energies=[("x", 1.0)]), "the energies of Answers are a list, expected a mapping"),
        (wrong(STAY, energies={"goal": 2.5}), r"energies hold 'goal', a float where a tensor \(1,\) is wanted"),
        (wrong(STAY, energies={"goal": np.zeros(1)}), "energies hold 'goal', a ndarray where a tensor"),
        (wrong(STAY, energies={"goal": torch.zeros(2)}), r"energies hold 'goal' of shape \(2,\)"),
        (wrong(STAY, energies={"goal": torch.zeros(1, 1)}), r"energies hold 'goal' of shape \(1, 1\)"),
        (wrong(STAY, energies={"goal": torch.zeros(1) * 1j}), "and type torch.complex64 where a real tensor"),
        (wrong(STAY, energies={"goal": torch.full((1,), torch.nan)}), r"energies hold 'goal' = \[nan\], where numbers"),
        (Decision(STAY, policy=Categorical(STAY * torch.nan)), r"the policy of Answers in row 0 is \[nan, nan\]"),
        (Decision(STAY, policy=Categorical(STAY - 1)), "the policy of Answers in row 0 is .*no distribution"),
        (wrong(STAY, energies={7: torch.zeros(1)}), "energies hold 7, a int, where the name"),
        (wrong(STAY, belief=Mean(torch.zeros(3, 2))), r"the mean of its belief has shape \(3, 2\), expected \(1, ..."),
    ],
)
def test_a_bad_decision_is_reported_as_what_it_is(answer: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        run(Answers(answer), Walk(), Schedule(episodes=1))


@pytest.mark.parametrize("code", [0, "bye"])
def test_an_agent_that_exits_ends_the_run_and_not_the_program(code: Any) -> None:
    with pytest.raises(RunError, match=f"Exits in Walk: SystemExit: {code}"):
        run(Exits(code), Walk(), Schedule(episodes=1))


class Rewrites(Agent):
    """Answers with the same tensors again and again, after writing to them."""

    def __init__(self) -> None:
        self.energy, self.belief = torch.zeros(1, dtype=torch.float64), Mean(torch.zeros(1, 2))
        self.energies: Mapping[str, Tensor] = {"effort": self.energy}

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        self.energy += 1
        self.belief.mean += 1
        belief: Any = self.belief
        return Decision(STAY, None, belief=belief, energies=self.energies)


def test_tensors_of_a_decision_are_recorded_as_they_were() -> None:
    arrays = run(Rewrites(), Walk(), Schedule(episodes=1)).episodes()[0].arrays
    assert arrays["energy.effort"].tolist() == [1, 2, 3, 4, 5]
    assert arrays["belief.mean"][:, 1].tolist() == [1, 2, 3, 4, 5]
