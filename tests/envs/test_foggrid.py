"""The grid in the fog: what can be seen from where."""

import numpy as np
import pytest

from agentic_envs.foggrid import FogGrid


def test_cells_around_are_seen_as_often_as_each_other_and_walls_never() -> None:
    seen = FogGrid(layout=["...", ".#.", "..G"], fog=0.4).true_model()["A"][0]
    np.testing.assert_allclose(seen[:, 0], [0.6, 0.2, 0, 0.2, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(seen[:, 1], np.array([0.1, 0.6, 0.1, 0.1, 0, 0.1, 0, 0, 0]))


@pytest.mark.parametrize("layout", ["S#G", "..."])
def test_a_cell_alone_and_a_clear_day_are_seen_as_they_are(layout: str) -> None:
    fog = 1.0 if "#" in layout else 0.0
    seen = FogGrid(layout=[layout], fog=fog).true_model()["A"][0]
    free = [i for i, letter in enumerate(layout) if letter != "#"]
    np.testing.assert_array_equal(seen[:, free], np.eye(3)[:, free])


def test_goals_are_those_of_the_grid() -> None:
    env = FogGrid(layout=["S.G"], fog=0.0)
    env.reset(seed=0)
    assert [env.step(2)[:3] for _ in range(2)] == [(1, 0.0, False), (2, 1.0, True)]


def test_fog_may_be_changed_by_a_wrapper_and_is_a_probability() -> None:
    env = FogGrid()
    env.fog = 0.0
    seen, _ = env.reset(seed=0)
    assert seen == env.cell
    env.fog = 1.1
    with pytest.raises(ValueError, match="fog must be a probability"):
        env.reset()


def test_the_text_shows_where_the_agent_is() -> None:
    env = FogGrid(layout=["S.G"], render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == "@.G\n"
