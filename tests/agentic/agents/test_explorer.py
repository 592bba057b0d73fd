"""Uniform actions before an agent begins, and episodes that are cut meanwhile."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from agentic import Agent, Decision, Learner, PolicyAgent, Schedule, Tick, UserError, make, run
from agentic.agents.explorer import Explorer


class First(Agent):
    """Takes the first action; its state counts the observations it was asked about."""

    def start(self, batch: int, *, generator: torch.Generator) -> int:
        return 0

    def decide(self, state: int, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(torch.eye(3, dtype=obs.dtype)[[0] * len(obs)], state + 1)


def explored(steps: int, hold: int, ticks: int, seed: int = 0) -> tuple[list[list[int]], list[object]]:
    """Of so many ticks of two rows: the actions and the states after them."""
    generator, draws = torch.Generator(), torch.Generator().manual_seed(seed)
    explorer = Explorer(First(), make("Acrobot-v1", envs=2), steps, draws, hold=hold)
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


class Unmoved(Learner):
    """Learns nothing."""

    def update(self, tick: Tick) -> Mapping[str, float]:
        return {}


class Pupil(Agent):
    """Takes the first action, and could learn."""

    learner = Unmoved()

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: None, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        return Decision(torch.eye(3, dtype=obs.dtype)[[0] * len(obs)], None)


@pytest.mark.parametrize("rows", [1, 2])
def test_episodes_of_the_warm_up_are_cut_and_no_others(rows: int) -> None:
    world = make("MountainCar-v0", envs=rows)
    schedule = Schedule(episodes=rows, learn_steps=330 * rows, warmup=110 * rows, cut=25)
    table = run(Pupil(), world, schedule, seed=1).table(["phase", "row", "t", "truncated", "terminated"])
    phase, row, t, cut, ended = (table[name].to_numpy(zero_copy_only=False) for name in table.column_names)
    for one in range(rows):
        mine = (row == one) & (phase == "learn")
        assert np.flatnonzero(cut[mine]).tolist() == [24, 49, 74, 99, 299], (
            "the last began in the warm-up and lasts 200"
        )
        assert t[mine].tolist() == [*range(25)] * 4 + [*range(200)] + [*range(30)]
        assert np.flatnonzero(cut[(row == one) & (phase == "evaluate")]).tolist() == [199]
    assert not ended.any()


class Brief(gymnasium.Env[np.ndarray, Any]):
    """Ends after 2 to 20 steps, as many as chance says."""

    observation_space = gymnasium.spaces.Box(0, 1, (1,))
    action_space = gymnasium.spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.left = self.np_random.integers(2, 21)
        return np.full(1, self.left / 20, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        return np.full(1, self.left / 20, np.float32), 0.0, self.left == 0, False, {}


def test_an_episode_that_ends_by_itself_is_not_cut_too() -> None:
    schedule = Schedule(episodes=1, learn_steps=200, warmup=200, cut=12)
    table = run(Pupil(), Brief, schedule).table(["t", "truncated", "terminated"])
    t, cut, ended = (table[name].to_numpy(zero_copy_only=False)[:200] for name in table.column_names)
    assert cut.any()
    assert ended.any()
    assert not (cut & ended).any()
    assert set(t[cut]) == {11}


@pytest.mark.parametrize(("name", "cuts"), [("Pendulum-v1", [49, 99]), ("Acrobot-v1", []), ("CartPole-v1", [])])
def test_a_warm_up_is_cut_only_where_episodes_begin_far_apart(name: str, cuts: list[int]) -> None:
    """Pendulums begin anywhere; an acrobot hangs, and would lose the momentum that random actions give it."""
    world = make(name)
    uniform = PolicyAgent(
        lambda seen: world.action_layout.space.sample(), world.observation_layout, world.action_layout
    )
    uniform.learner = Unmoved()
    for seed in range(4):
        schedule = Schedule(episodes=0, learn_steps=120, warmup=100, hold=16, vary=True, cut=50)
        truncated = run(uniform, world, schedule, seed=seed).table(["truncated"])["truncated"].to_numpy()
        assert np.flatnonzero(truncated).tolist() == cuts


def test_a_world_that_begins_episodes_by_itself_cannot_be_cut() -> None:
    vector = gymnasium.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync")
    with pytest.raises(UserError, match=r"episodes of .* cannot be cut: it begins them by itself; give single envi"):
        run(Pupil(), vector, Schedule(learn_steps=10, warmup=5, cut=3))
    vector.close()
