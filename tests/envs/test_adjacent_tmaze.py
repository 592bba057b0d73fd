"""The T-maze that is walked: who can go where, and what is seen there."""

import numpy as np
import pytest

from agentic_envs.adjacent_tmaze import CENTER, CUE, LEFT, MIDDLE, RIGHT, AdjacentTMaze

NEXT = {CENTER: {CUE, MIDDLE}, LEFT: {MIDDLE}, RIGHT: {MIDDLE}, CUE: {CENTER}, MIDDLE: {CENTER, LEFT, RIGHT}}


def test_only_neighbors_are_reached() -> None:
    env = AdjacentTMaze()
    env.reset(seed=0)
    for here, near in NEXT.items():
        for there in range(5):
            env.state = (here, 0)
            assert env.step(there)[0][0] == (there if there in near else here)


@pytest.mark.parametrize("side", [0, 1])
def test_the_cue_and_the_arms(side: int) -> None:
    env = AdjacentTMaze(validity=1.0)
    assert env.reset(seed=0)[0].tolist() == [CENTER, 0, 0]
    env.state = (CENTER, side)
    assert env.step(CUE)[0].tolist() == [CUE, 0, 1 + side]
    paid = [env.step(action)[:2] for action in (CENTER, MIDDLE, LEFT, MIDDLE, RIGHT)]
    assert [reward for _, reward in paid] == [0, 0, 1 - 2 * side, 0, 2 * side - 1]
    assert [seen.tolist() for seen, _ in paid][2] == [LEFT, 1 + side, 0]


def test_arms_that_are_not_certain_show_nothing_sometimes() -> None:
    env = AdjacentTMaze(certainty=0.6, steps=20_000)
    env.reset(seed=0)
    env.state = (LEFT, 0)
    paid = np.array([env.step(LEFT)[1] for _ in range(20_000)])
    assert set(paid) == {0.0, 1.0}
    assert paid.mean() == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 20_000))


def test_the_text_shows_the_maze() -> None:
    env = AdjacentTMaze(render_mode="ansi")
    env.reset(seed=0)
    env.state = (MIDDLE, 0)
    assert env.render() == "+@-\n . \n ? \n"


@pytest.mark.slow
@pytest.mark.parametrize("certainty", [1.0, 0.9])
def test_its_arrays_are_those_of_pymdp(certainty: float) -> None:
    theirs = pytest.importorskip("pymdp.envs.tmaze").TMaze(certainty, certainty)
    truth = AdjacentTMaze(certainty=certainty).true_model()
    for a, b in zip([*theirs.A, *theirs.D], [*truth["A"], *truth["D"]], strict=True):
        np.testing.assert_allclose(np.asarray(a), b, atol=1e-7)
    for a, b in zip(theirs.B, truth["B"], strict=True):
        np.testing.assert_array_equal(np.broadcast_to(a, b.shape), b)
    assert truth["dependencies"]["A"] == tuple(map(tuple, theirs.A_dependencies))
