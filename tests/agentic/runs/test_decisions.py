"""Third parties' decisions: named for what they are, and copied before they are written over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from agentic import Agent, Categorical, Decision, RunError, Schedule, make, run, ticks
from agentic.agents.policy_agent import PolicyAgent
from tests.agentic.worlds import Echo, Walk

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
    with pytest.raises(RunError, match=f"Exits in Walk, episode 0, step 0: SystemExit: {code}"):
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


class Again(Agent):
    """Answers with one decision for ever, whose action it overwrites before the next one."""

    def __init__(self, energies: Mapping[str, Tensor]) -> None:
        self.decision = Decision(torch.zeros(1, 2), energies=energies)
        self.count = 0

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        self.count += 1
        self.decision.action[:] = torch.eye(2)[self.count % 2]
        return self.decision


@pytest.mark.parametrize("energies", [{}, {"effort": torch.zeros(1)}])
def test_the_action_of_a_tick_is_not_the_agents_own(energies: Mapping[str, Tensor]) -> None:
    seen = list(ticks(Again(energies), Walk(), steps=4))
    assert [tick.action[0].argmax().item() for tick in seen] == [1, 0, 1, 0]
    assert [tick.decision.action[0].argmax().item() for tick in seen] == [1, 0, 1, 0]
    assert [tick.native.action.item() for tick in seen] == [1, 0, 1, 0]


class Late(Agent):
    """Decides soundly until it is told to, and then not."""

    def __init__(self, at: int, answer: Any) -> None:
        self.at, self.answer, self.count = at, answer, 0

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Any:
        self.count += 1
        if self.count <= self.at:
            return Decision(STAY.expand(len(obs), 2))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("at", "place"),
    [(0, "episode 0, step 0"), (4, "episode 0, step 4"), (5, "episode 1, step 0"), (7, "episode 1, step 2")],
)
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "Walk, {}: Late decided with a NoneType"),
        (Decision(torch.zeros(3)), r"Walk, {}: the agent's action has shape \(3,\)"),
        (Decision(STAY / 2), "Walk, {}: the agent's action .* is not one-hot"),
        (Decision(STAY, energies={"x": torch.zeros(7)}), "Walk, {}: Late: its energies hold 'x' of shape"),
        (LookupError("lost"), "Late in Walk, {}: LookupError: lost"),
    ],
)
def test_an_agents_fault_names_episode_and_step(at: int, place: str, answer: Any, said: str) -> None:
    with pytest.raises(RunError, match=said.format(place)):
        run(Late(at, answer), Walk(), Schedule(episodes=3))


def test_where_a_policy_broke_is_named() -> None:
    def policy(obs: Any) -> int:
        return 0 if obs[1] < 2 else 1 // 0

    world = make(Walk())
    with pytest.raises(RunError, match=r"^Walk, episode 0, step 2: the policy policy broke, ZeroDivisionError"):
        run(PolicyAgent(policy, world.observation_layout, world.action_layout), world, Schedule(1))


class Between(Agent):
    """Chooses numbers between whole ones."""

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(torch.tensor([[1.6, -2.4]]))


def test_in_a_box_of_integers_the_nearest_action_is_executed_and_stands_in_the_tick() -> None:
    world = Echo(spaces.Discrete(2), spaces.Box(-3, 3, (2,), np.int16))
    tick = next(ticks(Between(), world))
    assert (tick.action.tolist(), tick.decision.action.tolist()) == ([[2, -2]], [[2, -2]])
    assert (tick.native.action.tolist(), world.done[0].tolist()) == ([[2, -2]], [2, -2])


def test_what_breaks_after_a_step_is_named_at_that_step() -> None:
    def observer(progress: Any) -> None:
        if progress.steps == 3:
            raise LookupError("no more")

    with pytest.raises(RunError, match="Walk, episode 0, step 2: the observer of the run broke, LookupError: no more"):
        run(Late(100, None), Walk(), Schedule(2), observer=observer)
