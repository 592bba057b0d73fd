"""The chain of cues: what is seen where, for any length, and that it is the one of the literature."""

from typing import Any

import numpy as np
import pytest

from agentic_envs.cuechain import CueChain, corridor

NORTH, SOUTH, WEST, EAST, STAY = range(5)


def walked(env: CueChain, *actions: int) -> list[int]:
    """What is seen after the actions."""
    for action in actions:
        seen = env.step(action)[0]
    return list(seen.tolist())


@pytest.mark.parametrize("second", range(4))
@pytest.mark.parametrize("side", range(2))
def test_the_first_cue_names_the_second_which_names_the_goal(second: int, side: int) -> None:
    env = CueChain()
    assert env.reset(seed=0)[0].tolist() == [0, 0, 0, 0]
    env.state = (0, second, side)
    assert walked(env, SOUTH, SOUTH) == [14, 1 + second, 0, 0]
    cells = [(0, 2), (1, 3), (3, 3), (4, 2)]
    for i, (row, column) in enumerate(cells):
        env.state = (row * 7 + column, second, side)
        assert walked(env, STAY) == [row * 7 + column, 0, 1 + side if i == second else 0, 0]


@pytest.mark.parametrize(("row", "reward"), [(1, 1.0), (3, -1.0)])
def test_goals_pay_once_and_end_the_episode(row: int, reward: float) -> None:
    env = CueChain()
    env.reset(seed=0)
    env.state = (row * 7 + 4, 0, 0)
    seen, paid, terminated, truncated, _ = env.step(EAST)
    assert (paid, terminated, truncated) == (reward, True, False)
    assert seen.tolist() == [row * 7 + 5, 0, 0, 1 if reward > 0 else 2]


def test_without_ends_goals_pay_at_every_step() -> None:
    env = CueChain(ends=False, steps=3)
    env.reset(seed=0)
    env.state = (7 + 4, 0, 0)
    assert [env.step(action)[1:4] for action in (EAST, STAY, WEST)] == [
        (1.0, False, False),
        (1.0, False, False),
        (0.0, False, True),
    ]


def test_a_cue_is_right_as_often_as_said() -> None:
    env = CueChain(validity=0.7, steps=20_000)
    env.reset(seed=0)
    env.state = (14, 2, 0)
    named = np.bincount([env.step(STAY)[0][1] for _ in range(20_000)], minlength=5) / 20_000
    np.testing.assert_allclose(named, [0, 0.1, 0.1, 0.7, 0.1], atol=4 * np.sqrt(0.7 * 0.3 / 20_000))


@pytest.mark.parametrize("depth", [1, 2, 5, 12])
def test_a_corridor_of_any_length_leads_to_the_goal(depth: int) -> None:
    env = CueChain(**corridor(depth))
    seen, _ = env.reset(seed=depth)
    assert seen.shape == (depth + 2,)
    row, reward, done = 1, 0.0, False
    for stage in range(depth + 1):
        wanted = 0 if stage == 0 else 2 * (seen[stage] - 1)
        moves = [EAST] * (stage > 0) + [SOUTH if wanted > row else NORTH] * abs(wanted - row)
        if stage == depth:  # not through the other goal
            moves = moves[1:] + moves[:1]
        for move in moves:
            seen, reward, done, truncated, _ = env.step(move)
            assert not truncated
        row = wanted
    assert (reward, done) == (1.0, True)


def test_a_deep_chain_has_small_arrays() -> None:
    truth = CueChain(**corridor(12)).true_model()
    assert sum(array.size for array in [*truth["A"], *truth["B"]]) < 20_000
    assert truth["ends"].size == 39 * 2**12


def test_numbers_may_be_changed_by_a_wrapper() -> None:
    env = CueChain()
    env.validity = 0.0
    env.reset(seed=0)
    env.state = (14, 0, 0)
    assert env.step(STAY)[0][1] > 1
    env.validity = 2.0
    with pytest.raises(ValueError, match="validity must be a probability"):
        env.reset()


def test_the_text_shows_cues_and_goals() -> None:
    env = CueChain(render_mode="ansi")
    env.reset(seed=0)
    env.state = (0, 1, 0)
    assert env.render() == "@.o....\n...?.+.\n?......\n...o.-.\n..o....\n"


def test_the_picture_has_a_tile_per_cell() -> None:
    env = CueChain(render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (160, 224, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"shape": (0, 3)}, "shape must be two positive whole numbers"),
        ({"start": (5, 0)}, r"every cell of start must be \(row, column\) on the grid of 5 rows and 7 columns"),
        ({"chain": [[(0, 0), (0, 9)]]}, r"every cell of chain\[0\] must be"),
        ({"chain": [[]]}, r"chain\[0\] must hold different cells, at least one"),
        ({"goals": [(0, 0)]}, "goals must be two cells"),
        ({"goals": [(0, 0), (0, 0)]}, "goals must hold different cells"),
        ({"validity": -0.5}, "validity must be a probability"),
    ],
)
def test_doors(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CueChain(**arguments)
    with pytest.raises(ValueError, match="at least one cue"):
        corridor(0)


@pytest.mark.slow
def test_its_arrays_are_those_of_pymdp() -> None:
    chaining = pytest.importorskip("pymdp.envs.cue_chaining")
    theirs, truth = chaining.CueChainingEnv(), CueChain(ends=False).true_model()
    for a, b in zip([*theirs.A, *theirs.D], [*truth["A"], *truth["D"]], strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)
    for a, b in zip(theirs.B, truth["B"], strict=True):
        np.testing.assert_array_equal(np.broadcast_to(a, b.shape), b)
    assert truth["dependencies"]["A"] == tuple(map(tuple, theirs.A_dependencies))
