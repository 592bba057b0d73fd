"""Tables and wrapped environments turned into the truth, and what is refused."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from gymnasium.spaces import Discrete
from gymnasium.vector import SyncVectorEnv

from agentic import UserError, make
from agentic.environments.pomdp import (
    Truth,
    as_arrays,
    check_truth,
    known_world,
    same_truth,
    truth_from_transitions,
)
from agentic.environments.transparent import KEEPING
from agentic.testing.worlds import TwoPlaces

TABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "lake": ("FrozenLake-v1", {"is_slippery": True}),
    "firm lake": ("FrozenLake-v1", {"is_slippery": False, "map_name": "8x8"}),
    "cliff": ("CliffWalking-v1", {}),
    "slippery cliff": ("CliffWalking-v1", {"is_slippery": True}),
    "taxi": ("Taxi-v4", {}),
    "rainy taxi": ("Taxi-v4", {"is_rainy": True}),
}


def truth_of(env: Any) -> Truth:
    """The truth of an environment or of its wrapped form as arrays."""
    return as_arrays(known_world(env))


@pytest.mark.parametrize("name", list(TABLES))
def test_toy_text_tables_convert_and_agree_with_the_table(name: str) -> None:
    identifier, arguments = TABLES[name]
    env: Any = gymnasium.make(identifier, **arguments)
    table, truth = env.unwrapped.P, truth_of(env)
    assert truth["B"][0].shape == (len(table), len(table), env.action_space.n)
    np.testing.assert_array_equal(truth["D"][0], env.unwrapped.initial_state_distrib)
    for state, rows in table.items():
        for action, outcomes in rows.items():
            if truth["ends"][state]:
                assert truth["B"][0][state, state, action] == 1
                assert truth["rewards"][state, action] == 0
                continue
            expected = sum(p * reward for p, _, reward, _ in outcomes)
            assert truth["rewards"][state, action] == pytest.approx(expected, abs=1e-12)
            for successor in {outcome[1] for outcome in outcomes}:
                chance = sum(p for p, n, _, _ in outcomes if n == successor)
                assert truth["B"][0][successor, state, action] == pytest.approx(chance, abs=1e-12)


@pytest.mark.parametrize("name", list(TABLES))
def test_a_simulated_episode_ends_where_the_truth_says(name: str) -> None:
    identifier, arguments = TABLES[name]
    env: Any = gymnasium.make(identifier, **arguments)
    truth = truth_of(env)
    choose = np.random.default_rng(0)
    before, _ = env.reset(seed=4)
    for _ in range(3000):
        action = int(choose.integers(env.action_space.n))
        observation, _, terminated, truncated, _ = env.step(action)
        assert truth["B"][0][observation, before, action] > 0
        assert terminated == bool(truth["ends"][observation])
        before = env.reset()[0] if terminated or truncated else observation


def test_the_lake_ends_in_its_holes_and_at_its_goal() -> None:
    assert np.flatnonzero(truth_of(gymnasium.make("FrozenLake-v1"))["ends"]).tolist() == [5, 7, 11, 12, 15]


def test_a_chance_of_zero_says_nothing_about_ends() -> None:
    table = {0: {0: [(1.0, 1, 2.0, False), (0.0, 0, 9.0, True)]}, 1: {0: [(1.0, 1, 0.0, False)]}}
    truth = truth_from_transitions(table, 2, [1.0, 0.0])
    assert truth["ends"].tolist() == [0.0, 0.0]
    assert truth["rewards"].tolist() == [[2.0], [0.0]]


def test_a_state_that_ends_only_sometimes_is_refused() -> None:
    table = {0: {0: [(1.0, 1, 0.0, False)], 1: [(1.0, 1, 0.0, True)]}, 1: {a: [(1.0, 1, 0.0, False)] for a in (0, 1)}}
    with pytest.raises(ValueError, match=r"must end the episode always or never, got \[1\]"):
        truth_from_transitions(table, 2, [1.0, 0.0])


def test_a_table_that_does_not_sum_to_one_is_refused() -> None:
    with pytest.raises(
        ValueError, match="the outcomes of each state and action in P must be probabilities that sum to 1"
    ):
        truth_from_transitions({0: {0: [(0.5, 0, 0.0, False)]}}, 1, [1.0])


def test_a_table_whose_observation_is_not_the_state_is_refused() -> None:
    with pytest.raises(ValueError, match="must cover the 1 states of the table, got 2 observations"):
        truth_from_transitions({0: {0: [(1.0, 0, 0.0, False)]}}, 2, [1.0])


def test_an_environment_without_truth_is_reported_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"truth of CartPoleEnv is not known: it needs a method true_model\(\), or"):
        truth_of(gymnasium.make("CartPole-v1"))


def test_a_table_that_leaves_something_out_is_refused() -> None:
    with pytest.raises(ValueError, match="omits its fickle passenger"):
        truth_of(gymnasium.make("Taxi-v4", fickle_passenger=True))


def test_a_wrapper_that_changes_the_world_is_refused_unless_it_knows_its_truth() -> None:
    sticky = gymnasium.wrappers.StickyAction(TwoPlaces(), 0.5)
    with pytest.raises(ValueError, match=r"wrapper StickyAction changes what the agent meets .* pass env.unwrapped"):
        truth_of(sticky)
    assert truth_of(sticky.unwrapped)["ends"].shape == (2,)


def two_factors() -> Truth:
    """Four places and two hidden rules; what is seen is the place, and a cue of three values that is about the rule."""
    place = np.repeat(np.eye(4)[:, :, None], 2, 2)
    cue = np.zeros((3, 4, 2))
    cue[0, :3], cue[1, 3, 0], cue[2, 3, 1] = 1.0, 1.0, 1.0
    go = np.zeros((4, 4, 4))
    go[np.arange(4), :, np.arange(4)] = 1.0
    return {
        "A": [place, cue],
        "B": [go, np.repeat(np.eye(2)[:, :, None], 4, 2)],
        "D": [np.eye(4)[0], np.array([0.5, 0.5])],
        "rewards": np.zeros((4, 2, 4)),
        "ends": np.zeros((4, 2)),
    }


def test_arrays_of_two_factors_agree() -> None:
    check_truth(two_factors())


def test_arrays_that_disagree_are_named() -> None:
    truth = two_factors()
    with pytest.raises(ValueError, match=r"A\[1\] must have shape \(3, 4, 2\) .*, got \(3, 2, 4\)"):
        check_truth({**truth, "A": [truth["A"][0], truth["A"][1].swapaxes(1, 2)]})
    with pytest.raises(ValueError, match="B must have one array per state factor, 2 as D has, got 1"):
        check_truth({**truth, "B": truth["B"][:1]})
    with pytest.raises(ValueError, match=r"columns of D\[1\] must be probabilities"):
        check_truth({**truth, "D": [truth["D"][0], np.array([0.5, 0.6])]})


class Plain(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A wrapper that changes nothing, which nobody can know from outside."""


class Forwarding(Plain):
    """A wrapper that forwards every name to what is inside."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)


class OtherLimit(gymnasium.wrappers.TimeLimit):
    """A step limit of somebody's own, which might do anything."""


@pytest.mark.parametrize("wrapper", [Plain, Forwarding, lambda env: OtherLimit(env, 5)])
def test_a_wrapper_that_is_not_known_to_keep_the_world_is_refused(wrapper: Any) -> None:
    with pytest.raises(UserError, match=r"wrapper \w+ changes .* define it on \w+, to return"):
        make(wrapper(TwoPlaces())).truth()


def test_wrappers_that_keep_the_world_are_looked_through() -> None:
    kept = gymnasium.wrappers
    plain: Any = TwoPlaces()
    for layer in (kept.OrderEnforcing, kept.PassiveEnvChecker, kept.RecordEpisodeStatistics, kept.Autoreset):
        plain = layer(plain)
    truth = make(kept.TimeLimit(plain, 5)).truth()
    np.testing.assert_array_equal(truth["B"][0], TwoPlaces().true_model()["B"][0])


@pytest.mark.parametrize("name", [name for name in gymnasium.wrappers.__all__ if name != "vector"])
def test_every_wrapper_of_gymnasium_is_decided_on(name: str) -> None:
    keeping = {
        *("TimeLimit", "OrderEnforcing", "PassiveEnvChecker", "RecordEpisodeStatistics", "Autoreset", "RecordVideo"),
        *("RenderCollection", "HumanRendering", "AddWhiteNoise", "ObstructView"),
    }
    if name in ("ArrayConversion", "JaxToNumpy", "JaxToTorch", "NumpyToTorch"):  # some need packages that are not here
        return
    assert (getattr(gymnasium.wrappers, name) in KEEPING) == (name in keeping)


class Knowing(Plain):
    """A wrapper that turns actions around and says so."""

    def step(self, action: Any) -> Any:
        return self.env.step(1 - action)

    def true_model(self) -> Truth:
        inside = make(self.env).truth()
        return {**inside, "B": [moves[..., ::-1] for moves in inside["B"]], "rewards": inside["rewards"][:, ::-1]}


class Deaf(Knowing):
    """One that changes what its truth tells."""

    def step(self, action: Any) -> Any:
        return self.env.step(action)


class Lake(FrozenLakeEnv):
    """A lake on which nobody moves, whose table was left as it was."""

    def step(self, action: Any) -> Any:
        return self.s, 0.0, False, False, {}


def test_a_wrapper_that_defines_its_truth_is_believed_and_one_that_inherits_another_is_not() -> None:
    truth = make(gymnasium.wrappers.TimeLimit(Knowing(TwoPlaces()), 5)).truth()
    np.testing.assert_array_equal(truth["rewards"], TwoPlaces().true_model()["rewards"][:, ::-1])
    with pytest.raises(UserError, match=r"Deaf defines its own step and inherits true_model\(\), .* on Deaf as well"):
        make(Deaf(TwoPlaces())).truth()
    with pytest.raises(UserError, match="Lake defines its own step and inherits the table P"):
        make(Lake()).truth()


def test_rows_of_different_worlds_have_no_truth_in_common() -> None:
    assert same_truth(make([TwoPlaces(), TwoPlaces()]).truth(), make(TwoPlaces()).truth())
    with pytest.raises(UserError, match="the rows of this batch of TwoPlaces are different worlds"):
        make([TwoPlaces(), Knowing(TwoPlaces())]).truth()


def test_a_vector_environment_is_looked_through_where_nothing_around_it_changes_the_world() -> None:
    rows = SyncVectorEnv([TwoPlaces, TwoPlaces])
    assert same_truth(make(gymnasium.wrappers.vector.RecordEpisodeStatistics(rows)).truth(), make(TwoPlaces()).truth())
    changed = make(gymnasium.wrappers.vector.TransformReward(rows, lambda reward: 10 * reward))
    for ask in (changed.truth, changed.copies):
        with pytest.raises(UserError, match="TransformReward"):
            ask()


def test_numbers_that_mean_nothing_are_named() -> None:
    truth = TwoPlaces().true_model()
    nowhere: Any = {"rewards": [np.full((2, 2), np.nan)], "ends": [np.array([0.5, 1.5]), np.full(2, np.nan)]}
    for name, arrays in nowhere.items():
        for wrong in arrays:
            changed: Any = {**truth, name: wrong}
            with pytest.raises(UserError, match=f"{name} must be"):
                check_truth(changed)


class Listed(gymnasium.Env[Any, Any]):
    """An environment of two places that tells `truth`."""

    observation_space, action_space = Discrete(2), Discrete(2)

    def __init__(self, **truth: Any) -> None:
        identity = [[1.0, 0.0], [0.0, 1.0]]
        moves = [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]
        plain = {"A": [identity], "B": [moves], "D": [[1, 0]], "rewards": [[0, 1], [2, 3]], "ends": [False, True]}
        self.truth = {name: each for name, each in {**plain, **truth}.items() if each is not None}

    def true_model(self) -> Any:
        return self.truth


def test_a_truth_may_be_lists_of_numbers() -> None:
    truth = truth_of(Listed())
    assert {each.dtype for each in (*truth["A"], *truth["B"], *truth["D"], truth["rewards"], truth["ends"])} == {
        np.dtype(np.float64)
    }
    assert truth["ends"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ends": None}, r"a dict with A, B, D, rewards, ends, got \['A', 'B', 'D', 'rewards'\]"),
        ({"D": 1.0}, r"D must be a list of arrays, got float: write \[D\]"),
        ({"A": []}, "A must be a list of arrays"),
        ({"A": [[[1, 0], [0]]]}, r"A\[0\] must be a rectangular array of real numbers"),
        ({"rewards": np.zeros((2, 2), complex)}, "rewards must be .* real numbers .*complex"),
        ({"rewards": np.array([[None, 1], [2, 3]])}, "rewards must be .* real numbers .*object"),
        ({"rewards": 1.0}, r"rewards must be a rectangular array of real numbers .*of shape \(\)"),
        ({"D": [1.0]}, r"D\[0\] must be a rectangular array of real numbers .*of shape \(\)"),
        ({"ends": np.ma.masked_array([0.0, 0.5], [False, True])}, "ends must be .* masked"),
    ],
)
def test_what_is_no_truth_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        truth_of(Listed(**wrong))


def test_steps_that_were_set_on_one_object_are_another_world() -> None:
    for layer in ("env", "unwrapped"):
        env = gymnasium.wrappers.TimeLimit(gymnasium.make("FrozenLake-v1"), 10)
        inside: Any = getattr(env, layer)
        inside.reward = 1.0  # no method: nobody's world
        truth_of(env)
        inside.step = lambda action: (0, 1.0, False, False, {})
        with pytest.raises(UserError, match="was given step of its own"):
            truth_of(env)
