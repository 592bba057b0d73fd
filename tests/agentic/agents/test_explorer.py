"""Uniform actions before an agent begins."""

import torch

from agentic import Agent, Decision, Simplex
from agentic.agents.explorer import Explorer

ACTION = Simplex((3,))


class First(Agent):
    """Takes the first action; its state counts the observations it was asked about."""

    def start(self, batch: int, *, generator: torch.Generator) -> int:
        return 0

    def decide(self, state: int, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(torch.eye(3, dtype=obs.dtype)[[0] * len(obs)], state + 1)


def explored(steps: int, hold: int, ticks: int, seed: int = 0) -> tuple[list[list[int]], list[object]]:
    """Of so many ticks of two rows: the actions and the states after them."""
    generator, draws = torch.Generator(), torch.Generator().manual_seed(seed)
    explorer = Explorer(First(), ACTION, steps, hold, draws)
    state, actions, states = explorer.start(2, generator=generator), [], []
    for _ in range(ticks):
        decision = explorer.decide(state, torch.zeros(2, 1, dtype=torch.float64), generator=generator)
        assert decision.action.dtype is torch.float64
        state = decision.state
        actions.append(decision.action.argmax(-1).tolist())
        states.append(state)
    return actions, states


def test_the_agent_begins_afresh_after_the_first_steps_of_all_rows() -> None:
    actions, states = explored(steps=199, hold=1, ticks=103)
    assert states[:100] == [0] * 100
    assert states[100:] == [1, 2, 3]
    assert actions[100:] == [[0, 0]] * 3
    assert {action for row in actions[:100] for action in row} == {0, 1, 2}


def test_an_action_lasts_as_long_as_it_is_held() -> None:
    actions, _ = explored(steps=600, hold=3, ticks=300)
    assert all(actions[i] == actions[i + 1] == actions[i + 2] for i in range(0, 300, 3))
    assert len({str(row) for row in actions}) > 3


def test_its_draws_are_those_of_its_own_stream() -> None:
    assert explored(100, 1, 50, seed=1) == explored(100, 1, 50, seed=1) != explored(100, 1, 50, seed=2)
