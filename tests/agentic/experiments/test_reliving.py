"""Recorded episodes are lived again, observation by observation, or are of another world; frames are pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentic import (
    Environment,
    Experiment,
    PolicyAgent,
    Record,
    Recording,
    RunError,
    Schedule,
    UserError,
    load,
    make,
    run,
)
from agentic.experiments import framed, relived, world_again


@pytest.fixture
def record(tmp_path: Path) -> Record:
    env = make("CartPole-v1", envs=2)
    agent = PolicyAgent(lambda seen: int(seen[2] > 0), env.observation_layout, env.action_layout)
    return run(agent, env, Schedule(episodes=6), Recording(tmp_path), seed=3)


def world() -> Environment:
    return world_again(Experiment.of({"env": {"id": "CartPole-v1"}, "agent": {"name": "any"}}), load())


def test_every_episode_of_a_row_is_seen_again(record: Record) -> None:
    for row in (0, 1):
        again = world()
        assert again.batch == 1
        episodes = [each for each in record.episodes() if each.row == row]
        assert len(episodes) == 3
        for episode in episodes:
            seen = np.stack(list(relived(again, 3, episode)))
            np.testing.assert_array_equal(seen[:-1], episode.arrays["obs"])
            np.testing.assert_array_equal(seen[1:], episode.arrays["next_obs"])


def test_another_world_is_noticed_at_the_step_where_it_shows(record: Record) -> None:
    first = record.episode(0)
    with pytest.raises(RunError, match="another one from episode 0, step 0 on"):
        list(relived(world(), 4, first))
    other = {**first.arrays, "next_obs": first.arrays["next_obs"].copy()}
    other["next_obs"][2] += 1.0
    seen = relived(world(), 3, replace(first, arrays=other))
    assert len([next(seen) for _ in range(3)]) == 3
    with pytest.raises(RunError, match="another one from episode 0, step 2 on"):
        next(seen)
    short = {key: each for key, each in first.arrays.items() if key != "next_obs"}
    with pytest.raises(RunError, match="no column next_obs: it is of another world"):
        next(relived(world(), 3, replace(first, arrays=short)))


COLORS = np.array([[[0, 0, 0], [200, 100, 30]]], np.uint8)
GRAY = COLORS[..., :1]


@pytest.mark.parametrize(
    ("drawn", "shown"),
    [
        (COLORS, COLORS),
        (COLORS.tolist(), COLORS),
        (COLORS / 255, COLORS),
        (COLORS.astype(np.float32), COLORS),
        (COLORS > 50, 255 * (COLORS > 50)),
        (np.concatenate([COLORS, GRAY], 2), COLORS),
        (GRAY, GRAY.repeat(3, 2)),
        (GRAY[..., 0], GRAY.repeat(3, 2)),
    ],
)
def test_a_world_may_draw_bytes_fractions_or_one_color(drawn: Any, shown: np.ndarray) -> None:
    found = framed(drawn)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, shown)


def test_a_world_may_draw_on_the_same_canvas_again() -> None:
    canvas = COLORS.copy()
    found = framed(canvas)
    canvas[:] = 7
    np.testing.assert_array_equal(found, COLORS)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (None, "draws nothing"),
        ([COLORS], r"draws a list of shape \(1, 1, 2, 3\)"),
        (np.zeros((0, 0, 3), np.uint8), r"a ndarray of shape \(0, 0, 3\)"),
        ("a text", "draws a str"),
        (COLORS - 100.0, "numbers from -100 to 100"),
        (np.full((2, 2, 3), np.nan), "numbers from nan"),
        ([[1, 2], [3]], "draws a list"),
    ],
)
def test_what_is_no_picture_is_one_sentence(drawn: Any, said: str) -> None:
    with pytest.raises(UserError, match=f"the world .*{said}.* are expected$"):
        framed(drawn)
