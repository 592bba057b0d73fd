"""Experience: what is kept, in which windows, and what never meets in one."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Decision, Replay, Tick, UserError
from agentic.tick import Native


def tick(
    numbers: list[float],
    *,
    episode: list[int],
    t: list[int],
    valid: list[bool] | None = None,
    kind: torch.dtype = torch.float64,
) -> Tick:
    """A step whose observation is its number, whose action is that times 10 and whose successor is half a unit on."""
    obs = torch.tensor(numbers, dtype=kind).unsqueeze(-1)
    flags = np.zeros(len(numbers), bool)
    good = ~flags if valid is None else np.array(valid)
    ended, reward = np.array(numbers) % 3 == 2, -np.array(numbers)
    places = (np.array(episode), np.array(t))
    decision, native = Decision(10 * obs), Native(None, None, None)
    return Tick(obs, 10 * obs, obs + 0.5, reward, ended, flags, good, *places, decision, native)


def course(replay: Replay, numbers: list[float], *, episode: int = 0, t: int = 0) -> None:
    """One row's steps, one after another."""
    for k, number in enumerate(numbers):
        replay.add(tick([number], episode=[episode], t=[t + k]))


def seen(windows: Tensor) -> set[tuple[float, ...]]:
    return {tuple(row) for row in windows.squeeze(-1).tolist()}


class TestSteps:
    def test_every_column_of_a_step(self) -> None:
        replay = Replay()
        assert replay.add(tick([1.0, 2.0], episode=[0, 0], t=[0, 0])) == 2
        steps = replay.steps()
        assert_close(steps.obs, torch.tensor([[1.0], [2.0]], dtype=torch.float64))
        assert_close(steps.action, 10 * steps.obs)
        assert_close(steps.next_obs, steps.obs + 0.5)
        assert_close(steps.reward, -steps.obs[:, 0])
        assert steps.terminated.tolist() == [0.0, 1.0]

    def test_rows_that_are_not_valid_are_left_out(self) -> None:
        replay = Replay()
        assert replay.add(tick([1.0, 2.0, 3.0], episode=[0] * 3, t=[0] * 3, valid=[True, False, True])) == 2
        assert replay.steps().obs.flatten().tolist() == [1.0, 3.0]
        assert replay.add(tick([4.0], episode=[0], t=[1], valid=[False])) == 0
        assert (len(replay), replay.total) == (2, 2)

    def test_everything_is_of_the_observations_type(self) -> None:
        replay = Replay()
        replay.add(tick([1.0], episode=[0], t=[0], kind=torch.float32))
        assert {part.dtype for part in replay.steps()} == {torch.float32}

    def test_it_grows_without_losing_anything(self) -> None:
        replay = Replay()
        course(replay, [float(k) for k in range(700)])
        assert replay.steps().obs.flatten().tolist() == list(range(700))

    def test_past_its_capacity_the_oldest_steps_go(self) -> None:
        replay = Replay(capacity=5)
        course(replay, [float(k) for k in range(12)])
        assert (len(replay), replay.total) == (5, 12)
        assert sorted(replay.steps().obs.flatten().tolist()) == [7, 8, 9, 10, 11]

    def test_a_tick_of_more_rows_than_it_holds(self) -> None:
        replay = Replay(capacity=2)
        replay.add(tick([1.0, 2.0, 3.0, 4.0, 5.0], episode=[0] * 5, t=[0] * 5))
        assert sorted(replay.steps().obs.flatten().tolist()) == [4.0, 5.0]

    def test_what_it_keeps_is_its_own(self) -> None:
        replay, step = Replay(), tick([1.0], episode=[0], t=[0])
        replay.add(step)
        step.obs.fill_(9.0)
        assert replay.steps().obs.item() == 1.0


class TestWindows:
    def test_consecutive_steps_overlap(self) -> None:
        replay = Replay()
        course(replay, [0.0, 1.0, 2.0, 3.0])
        windows = replay.windows(3)
        assert seen(windows.obs) == {(0, 1, 2), (1, 2, 3)}
        assert windows.obs.shape == (2, 3, 1)
        assert_close(windows.action, 10 * windows.obs)
        assert_close(windows.next_obs, windows.obs + 0.5)
        assert_close(windows.reward, -windows.obs.squeeze(-1))

    def test_none_crosses_rows(self) -> None:
        replay = Replay()
        for t in range(3):
            replay.add(tick([t, 10 + t, 20 + t], episode=[0] * 3, t=[t] * 3))
        assert seen(replay.windows(2).obs) == {(0, 1), (1, 2), (10, 11), (11, 12), (20, 21), (21, 22)}

    def test_none_crosses_episodes(self) -> None:
        replay = Replay()
        course(replay, [0.0, 1.0])
        course(replay, [2.0, 3.0, 4.0], episode=1)
        assert seen(replay.windows(2).obs) == {(0, 1), (2, 3), (3, 4)}

    def test_none_crosses_a_step_that_was_not_valid(self) -> None:
        replay = Replay()
        for t in range(4):
            replay.add(tick([float(t)], episode=[0], t=[t], valid=[t != 1]))
        assert seen(replay.windows(2).obs) == {(2, 3)}

    def test_none_crosses_runs_that_number_their_episodes_alike(self) -> None:
        """The same learner in a second run: row 0, episode 0 and t 0 once more."""
        replay = Replay()
        course(replay, [0.0, 1.0, 2.0])
        course(replay, [10.0, 11.0, 12.0])
        assert seen(replay.windows(2).obs) == {(0, 1), (1, 2), (10, 11), (11, 12)}

    @pytest.mark.parametrize("capacity", [4, 5, 6])
    def test_none_crosses_what_was_written_over(self, capacity: int) -> None:
        replay = Replay(capacity=capacity)
        course(replay, [float(k) for k in range(5)])
        course(replay, [float(k) for k in range(10, 14)], episode=1)
        kept = [0, 1, 2, 3, 4, 10, 11, 12, 13][-capacity:]
        pairs = {(a, b) for a, b in itertools.pairwise(kept) if b == a + 1}
        assert seen(replay.windows(2).obs) == pairs

    @pytest.mark.parametrize("length", [4, 5, 7, 20])
    def test_longer_than_anything_that_happened(self, length: int) -> None:
        replay = Replay()
        course(replay, [0.0, 1.0, 2.0])
        assert replay.windows(length).obs.shape == (0, length, 1)

    def test_of_one_step_they_are_the_steps(self) -> None:
        replay = Replay()
        course(replay, [0.0, 1.0])
        assert_close(replay.windows(1).obs[:, 0], replay.steps().obs)


class TestDoors:
    def test_nothing_to_look_at(self) -> None:
        with pytest.raises(UserError, match="has none: add ticks first"):
            Replay().steps()
        with pytest.raises(UserError, match="has none: add ticks first"):
            Replay().windows(2)

    def test_a_capacity_of_nothing(self) -> None:
        with pytest.raises(UserError, match="at least 1 step, got 0"):
            Replay(0)

    def test_windows_of_no_length(self) -> None:
        replay = Replay()
        course(replay, [0.0])
        with pytest.raises(UserError, match="a length of at least 1 step, got 0"):
            replay.windows(0)
