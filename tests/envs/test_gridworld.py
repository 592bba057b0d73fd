"""The grid: layouts, moves, goals, fog and what is refused."""

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from gymnasium.utils.env_checker import check_env

from agentic import Truth
from agentic.environments.pomdp import check_truth
from agentic_envs.gridworld import EAST, NORTH, SOUTH, STAY, WEST, GridWorld
from agentic_metrics import battery_truth


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


def test_goals_end_the_episode_and_pay_once() -> None:
    truth = GridWorld("SG").true_model()
    np.testing.assert_array_equal(truth["rewards"], [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(truth["B"][0][:, 1], [[0] * 5, [1] * 5])
    assert truth["ends"].tolist() == [0.0, 1.0]


# Goals that are left


def left(**arguments: Any) -> GridWorld:
    return GridWorld(["S.G"], exit=True, **arguments)


def test_a_goal_that_is_left_pays_any_action_and_then_it_is_over() -> None:
    env = left()
    assert env.observation_space == Discrete(4)
    env.reset(seed=0)
    assert walk(env, [EAST, EAST]) == [(1, 0.0, False), (2, 0.0, False)]
    assert walk(env, [WEST]) == [(3, 1.0, True)]
    assert walk(env, [STAY]) == [(3, 0.0, True)]
    env.reset()
    assert [cell for cell, _, _ in walk(env, [EAST, EAST])] == [1, 2], "a reset puts it back"


def test_gymnasium_finds_nothing_to_complain_about(recwarn: pytest.WarningsRecorder) -> None:
    check_env(left(slip=0.5), skip_render_check=True)
    assert [str(each.message) for each in recwarn] == []


def test_the_truth_of_goals_that_are_left() -> None:
    truth = check_truth(left().true_model())
    np.testing.assert_array_equal(truth["rewards"], [[0] * 5, [0] * 5, [1] * 5, [0] * 5])
    np.testing.assert_array_equal(truth["B"][0][3, 2:], np.ones((2, 5)))
    assert truth["ends"].tolist() == [0, 0, 0, 1]
    assert truth["D"][0].tolist() == [1, 0, 0, 0]


def test_the_battery_is_such_a_grid() -> None:
    env = GridWorld([5, 5], goals=[[4, 4, 1.0], [0, 4, 0.6]], exit=True, steps=60)
    for part, (found, expected) in enumerate(zip(parts(env.true_model()), parts(battery_truth()), strict=True)):
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected), f"part {part}"


def parts(truth: Truth) -> list[Any]:
    return [*truth["A"], *truth["B"], *truth["D"], truth["rewards"], truth["ends"]]


@pytest.mark.parametrize("fog", [False, True])
def test_a_goal_that_is_left_is_entered_and_left_at_the_rates_of_the_truth(fog: bool) -> None:
    env = GridWorld(["S.G", "#.X"], slip=0.3, exit=True, fog=fog, steps=8)
    truth = check_truth(env.true_model())
    entered = np.zeros((7, 7, 5))
    for seed in range(300):
        shown, done = env.reset(seed=seed)[0], False
        while not done:
            before, action = env.cell, int(env.np_random.integers(5))
            assert shown == truth["A"][0][:, before].argmax()
            shown, reward, terminated, truncated, _ = env.step(action)
            assert reward == truth["rewards"][before, action]
            assert terminated == bool(truth["ends"][env.cell])
            entered[env.cell, before, action] += 1
            done = terminated or truncated
    assert (entered[truth["B"][0] == 0] == 0).all()
    often = entered.sum(0)
    spread = 5 * np.sqrt(truth["B"][0] * (1 - truth["B"][0]) / np.maximum(often, 1))
    assert (np.abs(entered / np.maximum(often, 1) - truth["B"][0]) <= spread)[:, often > 0].all()


def test_the_step_that_leaves_a_goal_is_an_end_and_not_a_truncation() -> None:
    env = left(steps=3)
    env.reset(seed=0)
    assert [step[2:4] for step in map(env.step, [EAST, EAST, NORTH])] == [(False, False), (False, False), (True, False)]


def test_who_left_is_drawn_nowhere() -> None:
    env, drawn = left(render_mode="ansi"), left(render_mode="rgb_array")
    for each in (env, drawn):
        each.reset(seed=0)
        walk(each, [EAST, EAST])
    assert env.render() == "..@\n"
    before = drawn.render()
    walk(env, [STAY]), walk(drawn, [STAY])
    assert env.render() == "..G\n"
    assert not np.array_equal(before, drawn.render())
    assert len(np.unique(drawn.render()[16::32, 16::32].reshape(-1, 3), axis=0)) == 2, "floor and goal"


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
