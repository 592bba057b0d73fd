"""The tiger: known facts of the classical problem."""

import numpy as np
import pytest

from agentic_envs.tiger import LISTEN, OPEN_LEFT, OPEN_RIGHT, Tiger


@pytest.mark.parametrize(("tiger", "rewards"), [(0, [-1.0, -100.0, 10.0]), (1, [-1.0, 10.0, -100.0])])
def test_rewards(tiger: int, rewards: list[float]) -> None:
    env = Tiger()
    env.reset(seed=0)
    for action in (LISTEN, OPEN_LEFT, OPEN_RIGHT):
        env.tiger = tiger
        assert env.step(action)[1:4] == (rewards[action], False, False)


def test_perfect_hearing_names_the_tiger_and_listening_does_not_move_it() -> None:
    env = Tiger(hearing=1.0)
    env.reset(seed=0)
    for tiger in (0, 1):
        env.tiger = tiger
        assert [env.step(LISTEN)[0] for _ in range(5)] == [tiger] * 5


def test_after_a_door_the_tiger_is_placed_anew_and_nothing_is_heard() -> None:
    env = Tiger(steps=8000, hearing=1.0)
    env.reset(seed=2)
    heard, placed = np.empty(8000), np.empty(8000)
    for t in range(8000):
        heard[t] = env.step(OPEN_LEFT)[0]
        placed[t] = env.tiger
    bound = 4 * 0.5 / np.sqrt(8000)
    assert abs(placed.mean() - 0.5) < bound
    assert abs((placed[1:] == placed[:-1]).mean() - 0.5) < bound
    assert abs((heard == placed).mean() - 0.5) < bound


def test_beliefs_and_values_of_opening_are_the_known_ones() -> None:
    truth = Tiger().true_model()
    belief, beliefs, values = truth["D"][0], [], []
    for _ in range(4):
        beliefs.append(belief[0])
        values.append(float(belief @ truth["rewards"][:, 1, OPEN_RIGHT]))
        belief = belief * truth["A"][0][0, :, 1]
        belief = belief / belief.sum()
    np.testing.assert_allclose(beliefs, [0.5, 0.85, 0.969799, 0.994534], atol=1e-6)
    np.testing.assert_allclose(values, [-45, -6.5, 6.677852, 9.398785], atol=1e-6)


def test_only_listening_informs() -> None:
    truth = Tiger().true_model()
    after = [truth["B"][1][:, 0, action] for action in (LISTEN, OPEN_LEFT, OPEN_RIGHT)]
    np.testing.assert_array_equal(after, [[0, 1], [1, 0], [1, 0]])
    np.testing.assert_array_equal(truth["A"][0][:, :, 0], np.full((2, 2), 0.5))
    np.testing.assert_allclose(truth["A"][0][:, :, 1], [[0.85, 0.15], [0.15, 0.85]])


def test_hearing_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hearing must be a probability between 0 and 1, got 85: pass for example"):
        Tiger(hearing=85)


def test_rendering_shows_the_doors() -> None:
    text, picture = Tiger(render_mode="ansi"), Tiger(render_mode="rgb_array")
    text.reset(seed=0)
    picture.reset(seed=0)
    text.tiger = 1
    assert text.render() == "[$][T]\n"
    text.step(LISTEN)
    assert text.render() == "[$][T] listening\n"
    assert picture.render().shape == (32, 64, 3)
