"""The grid: layouts, moves, goals, fog and what is refused."""

from typing import Any

import numpy as np
import pytest

from agentic_envs.gridworld import EAST, NORTH, SOUTH, STAY, WEST, GridWorld


def walk(env: GridWorld, actions: list[int]) -> list[tuple[int, float, bool]]:
    steps = [env.step(action) for action in actions]
    return [(observation, reward, terminated) for observation, reward, terminated, _, _ in steps]


def test_walls_and_edges_hold_the_agent_and_a_goal_ends_the_episode() -> None:
    env = GridWorld(["S.#", "..G"])
    assert env.reset(seed=0)[0] == 0
    assert [cell for cell, _, _ in walk(env, [NORTH, WEST, STAY, EAST, EAST, SOUTH])] == [0, 0, 0, 1, 1, 4]
    assert walk(env, [EAST]) == [(5, 1.0, True)]
    assert walk(env, [WEST]) == [(5, 0.0, True)]


def test_goals_pay_what_they_are_said_to() -> None:
    env = GridWorld("XSG\n...", goals=[(0, 2, 7.5), (1, 1, -3.0)])
    for action, reward in [(WEST, -1.0), (EAST, 7.5), (SOUTH, -3.0)]:
        env.reset(seed=0)
        assert walk(env, [action])[0][1:] == (reward, True)


def test_a_goal_reached_at_the_last_step_is_an_end_and_not_a_truncation() -> None:
    env = GridWorld("SG", steps=1)
    env.reset(seed=0)
    assert env.step(EAST)[2:4] == (True, False)
    env.reset()
    assert env.step(STAY)[2:4] == (False, True)


def test_starts_are_the_marked_cells_or_else_every_free_one() -> None:
    marked, free = GridWorld("S.S\n#.G"), GridWorld("...\n#.G")
    assert {marked.reset(seed=s)[0] for s in range(60)} == {0, 2}
    assert {free.reset(seed=s)[0] for s in range(60)} == {0, 1, 2, 4}


def test_fog_shows_only_the_surrounding_walls() -> None:
    env = GridWorld((3, 3), walls=[(1, 2)], fog=True)
    felt = env.true_model()["A"][0].argmax(axis=0)
    assert felt[[0, 1, 2, 3, 4, 6, 7, 8]].tolist() == [
        1 + 8,  # north and west
        1,
        1 + 2 + 4,  # south is the wall
        8,
        4,  # east is the wall
        2 + 8,
        2,
        1 + 2 + 4,
    ]


def test_slip_replaces_the_action_by_any_of_the_five() -> None:
    chances = GridWorld((3, 3), slip=0.5).true_model()["B"][0][:, 4, NORTH]
    np.testing.assert_allclose(chances, [0, 0.6, 0, 0.1, 0.1, 0.1, 0, 0.1, 0], atol=1e-12)


def test_reachable_cells_of_the_open_five_by_five_grid() -> None:
    moves = GridWorld((5, 5)).true_model()["B"][0]
    reach = np.eye(25)
    counts = []
    for _ in range(3):
        reach = (moves.sum(axis=2) @ reach > 0).astype(float)
        counts.append(reach.sum(axis=0)[[0, 2, 12]].tolist())  # corner, middle of an edge, center
    assert counts == [[3, 4, 5], [6, 9, 13], [10, 14, 21]]


def test_goals_absorb_and_pay_once() -> None:
    truth = GridWorld("SG").true_model()
    np.testing.assert_array_equal(truth["rewards"], [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(truth["B"][0][:, 1], [[0] * 5, [1] * 5])
    assert truth["ends"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"layout": ["S.", "..."]}, r"rows of layout must have one length, got lengths \[2, 3\]"),
        ({"layout": ["S.", ".Q"]}, r"layout must be made of S start, .*, got \['Q'\]: replace"),
        ({"layout": []}, r"layout must be a list of strings or a pair .*, got \[\]"),
        ({"layout": (0, 3)}, r"layout must be a list of strings or a pair .*, got \(0, 3\)"),
        ({"layout": "#G"}, r"a grid needs a free cell to start from, got none"),
        ({"layout": "S.", "walls": [(0, 0)]}, r"a start must lie on a cell of its own, got one at \(0, 0\)"),
        ({"layout": "SG", "walls": [(0, 1)]}, r"a goal must lie on a cell of its own, got one at \(0, 1\)"),
        ({"layout": (2, 2), "goals": [(0, 1)]}, r"every entry of goals must be \(row, column, reward\).*got \(0, 1\)"),
        ({"layout": (2, 2), "walls": [(2, 0)]}, r"every entry of walls must be \(row, column\).*2 rows.*got \(2, 0\)"),
        ({"layout": (2, 2), "walls": [(-1, 0)]}, r"every entry of walls .* got \(-1, 0\)"),
        ({"slip": 1.2}, r"slip must be a probability between 0 and 1, got 1.2"),
    ],
)
def test_a_bad_grid_is_refused_in_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        GridWorld(**arguments)


def test_the_default_grid_has_a_goal_and_a_pit() -> None:
    env = GridWorld(render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == "...G\n.#.X\n@...\n"


def test_the_picture_has_a_tile_per_cell_and_one_disc() -> None:
    env = GridWorld("S.#\n..G", render_mode="rgb_array")
    env.reset(seed=0)
    image = env.render()
    assert image.shape == (64, 96, 3)
    centers = image[16::32, 16::32]
    assert len(np.unique(centers.reshape(-1, 3), axis=0)) == 4  # agent, floor, wall, goal
