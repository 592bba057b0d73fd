"""Changed worlds: each change does to a truth what the same change of the world itself does, and no more."""

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings, strategies as st

from agentic import Change, Environment, Intervention, Truth, UserError, load, make
from agentic.plugins import Registry
from agentic_envs.changes import RemapActions
from agentic_envs.gridworld import EAST, GridWorld
from agentic_envs.tmaze import TMaze
from agentic_metrics import Payoff, Simulation, World, battery_truth, intervention, random_interventions
from agentic_metrics.finite.places import reached
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.payoff import Basis

LAYOUT = ("...G", ".#.X", "....")
KNOWN: dict[str, Any] = {
    "grid": lambda: GridWorld(LAYOUT, slip=0.2),
    "lake": lambda: gymnasium.make("FrozenLake-v1"),
    "taxi": lambda: gymnasium.make("Taxi-v4"),
    "cliff": lambda: gymnasium.make("CliffWalking-v1"),
    "maze": TMaze,
    "battery": lambda: Simulation(battery_truth(), steps=60),
}
STOCK = ("CartPole-v1", "Pendulum-v1", "MountainCarContinuous-v0", "Acrobot-v1", "Blackjack-v1")


def truth(name: str) -> Truth:
    return make(KNOWN[name]()).truth()


def same(one: Truth, other: Truth, states: Any = slice(None)) -> None:
    np.testing.assert_allclose(one["B"][0][:, states], other["B"][0][:, states], atol=1e-12)
    np.testing.assert_allclose(one["rewards"][states], other["rewards"][states], atol=1e-9)


class TestPayoff:
    @pytest.mark.parametrize("unit", [1e-8, 1e-3, 1e9])
    def test_the_unit_of_reward_changes_neither_outcomes_nor_what_is_drawn(self, unit: float) -> None:
        truth = battery_truth()
        other = truth.copy()
        other["rewards"] = truth["rewards"] * unit
        payoff, scaled = Payoff.of(World.of(truth)), Payoff.of(World.of(other))
        assert scaled.basis is payoff.basis
        np.testing.assert_allclose(scaled.outcomes, payoff.outcomes * unit, rtol=1e-12)
        for amount in payoff.outcomes:
            assert scaled.places(amount * unit).tolist() == payoff.places(amount).tolist()

    @pytest.mark.parametrize(
        ("name", "basis", "outcomes"),
        [
            ("grid", Basis.ENTERING, [1.0, -1.0]),
            ("lake", Basis.ENTERING, [1.0]),
            ("taxi", Basis.DOING, [20.0, -10.0]),
            ("cliff", Basis.DOING, [-100.0]),
            ("maze", Basis.ENTERING, [1.0, -1.0]),
            ("battery", Basis.BEING, [1.0, 0.6]),
        ],
    )
    def test_says_what_is_paid_for(self, name: str, basis: Basis, outcomes: list[float]) -> None:
        world = World.of(truth(name))
        payoff = Payoff.of(world)
        assert payoff.basis is basis
        assert payoff.outcomes.tolist() == outcomes
        met = reached(world)
        np.testing.assert_allclose(payoff.rewards(world.dynamics, world.ended)[met], world.rewards[met], atol=1e-9)

    def test_names_the_amounts_there_are(self) -> None:
        with pytest.raises(UserError, match=r"nothing pays 3 in this world; it pays 1, 0.6, 0"):
            changes.devalue(battery_truth(), 3.0)
        with pytest.raises(UserError, match="this world has 2 outcomes, counted from 0, the largest; got 2"):
            Payoff.of(World.of(battery_truth())).outcome(2)


class TestAChangeOfATruthIsAChangeOfTheWorld:
    def test_slipping(self) -> None:
        changed = changes.slip(make(GridWorld(LAYOUT)).truth(), 0.2)
        same(changed, make(GridWorld(LAYOUT, slip=0.2)).truth())

    def test_other_actions(self) -> None:
        order = [1, 3, 0, 2, 4]
        same(changes.remap(truth("grid"), order), make(RemapActions(KNOWN["grid"](), order=order)).truth())

    def test_a_wall(self) -> None:
        changed = changes.close(make(GridWorld(LAYOUT)).truth(), 9)
        states = np.setdiff1d(np.arange(12), [9])
        same(changed, make(GridWorld(LAYOUT, walls=[(2, 1)])).truth(), states)

    def test_a_wall_before_a_goal_keeps_its_reward_behind_it(self) -> None:
        changed = changes.wall(make(GridWorld("S.G")).truth(), [(1, 2)])
        assert changed["rewards"][1, EAST] == 0
        assert changed["B"][0][1, 1, EAST] == 1

    def test_other_rewards(self) -> None:
        swapped = changes.swap(truth("grid"), 1.0, -1.0)
        same(swapped, make(GridWorld(LAYOUT, goals=[(0, 3, -1.0), (1, 3, 1.0)], slip=0.2)).truth())
        devalued = changes.devalue(truth("grid"), 1.0, 0.25)
        same(devalued, make(GridWorld(LAYOUT, goals=[(0, 3, 0.25)], slip=0.2)).truth())
        moved = changes.relocate(truth("grid"), 3, 7)
        same(moved, swapped)

    def test_noisy_sensors(self) -> None:
        seen = changes.blur(truth("maze"), 0.3)["A"][1]
        np.testing.assert_allclose(seen[:, 0], [0.8, 0.1, 0.1])

    def test_free_outcomes_come_whatever_is_done_on_top_of_what_is_paid(self) -> None:
        levers = {**battery_truth(), "rewards": np.tile([1.0, 0.8, 0.0, 0.0, 0.0], (26, 1))}
        free = changes.free(levers, 1.0)  # type: ignore[arg-type]
        np.testing.assert_allclose(free["rewards"][0], [1.0, 1.8, 1.0, 1.0, 1.0])

    @given(order=st.permutations(range(5)), place=st.integers(0, 24), probability=st.floats(0, 1))
    @settings(max_examples=25, deadline=None)
    def test_what_was_changed_can_be_changed_back_and_stays_a_world(
        self, order: list[int], place: int, probability: float
    ) -> None:
        before = battery_truth()
        same(changes.remap(changes.remap(before, order), np.argsort(order).tolist()), before)
        same(changes.relocate(changes.relocate(before, place, 24), place, 24), before)
        same(changes.swap(changes.swap(before, 1.0, 0.6), 1.0, 0.6), before)
        World.of(changes.close(changes.slip(before, probability), place))

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (
                lambda t: changes.remap(t, [0, 0, 1, 2, 3]),
                r"order must hold each of 0 to 4 once, got \[0, 0, 1, 2, 3\]",
            ),
            (lambda t: changes.actuate(t, [[1.0]]), r"a channel is a table \(5, 5\) of rows that sum to 1"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, change: Any, sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            change(battery_truth())


class TestSimulation:
    @pytest.mark.parametrize("name", list(KNOWN))
    def test_it_is_an_environment_with_the_spaces_of_the_one_it_changes(self, name: str) -> None:
        env = KNOWN[name]()
        simulated = intervention("slip", lambda t: changes.slip(t, 0.1), KNOWN[name]).apply(env)
        assert simulated.observation_space == env.observation_space
        assert simulated.action_space == env.action_space
        check_env(simulated, skip_render_check=True)

    def test_it_does_what_its_truth_says(self) -> None:
        env, known = Simulation.like(KNOWN["lake"](), truth("lake")), truth("lake")
        rng, count = np.random.default_rng(0), np.zeros((16, 16, 4))
        env.reset(seed=1)
        state = 0
        for _ in range(20_000):
            action = int(rng.integers(4))
            after, reward, terminated, _, _ = env.step(action)
            assert reward == known["rewards"][state, action]
            assert terminated == (known["ends"][after] == 1)
            count[after, state, action] += 1
            state = int(env.reset()[0]) if terminated else int(after)
        total = count.sum(0)
        error = (count - total * known["B"][0]) / np.sqrt(np.maximum(total * known["B"][0] * (1 - known["B"][0]), 1))
        assert np.abs(error).max() < 4.5

    def test_it_shows_every_modality_and_keeps_the_step_limit(self) -> None:
        env = Simulation.like(TMaze(steps=3), truth("maze"))
        assert env.reset(seed=0)[0].tolist() == [0, 0]
        seen = [env.step(1) for _ in range(3)]
        assert [step[3] for step in seen] == [False, False, True]
        assert seen[0][0].tolist() in ([1, 1], [1, 2])

    def test_spaces_of_other_sizes_are_refused(self) -> None:
        with pytest.raises(UserError, match="the action space of this world must have sizes"):
            Simulation(battery_truth(), action_space=gymnasium.spaces.Discrete(3))
        with pytest.raises(UserError, match="needs a Discrete or MultiDiscrete observation space"):
            Simulation(battery_truth(), observation_space=gymnasium.spaces.Box(0, 1))
        with pytest.raises(ValueError, match="the action must be in"):
            Simulation(battery_truth()).step(7)


FENCE = [[13, 14], [14, 13], [18, 19], [19, 18], [23, 24], [24, 23]]
NAMED: dict[str, tuple[dict[str, Any], Callable[[Truth], Truth]]] = {
    "swap": ({"one": 1.0, "other": 0.6}, lambda t: changes.swap(t, 1.0, 0.6)),
    "devalue": ({"outcome": 1.0}, lambda t: changes.devalue(t, 1.0, 0.0)),
    "relocate": ({"place": 24, "other": 0}, lambda t: changes.relocate(t, 24, 0)),
    "free": ({"outcome": 0.6}, lambda t: changes.free(t, 0.6)),
    "wall": ({"passages": FENCE}, lambda t: changes.wall(t, [(a, b) for a, b in FENCE])),
    "close": ({"state": 12}, lambda t: changes.close(t, 12)),
    "slip": ({"probability": 0.3}, lambda t: changes.slip(t, 0.3)),
    "sever": ({}, changes.sever),
    "blur": ({"probability": 0.3}, lambda t: changes.blur(t, 0.3)),
}


def named(name: str) -> Any:
    return load().resolve("envs", name)


class TestNamedInAFile:
    """Changes of known worlds as wrappers that the registry knows."""

    @pytest.mark.parametrize("name", list(NAMED))
    def test_it_is_the_change_of_that_name(self, name: str) -> None:
        arguments, change = NAMED[name]
        changed, expected = make(named(name)(KNOWN["battery"](), **arguments)).truth(), change(battery_truth())
        same(changed, expected)
        np.testing.assert_allclose(changed["A"][0], expected["A"][0])

    def test_it_is_made_again_from_its_spec(self) -> None:
        inside = named("slip")(gymnasium.make("FrozenLake-v1", is_slippery=False), probability=0.3)
        env = named("close")(inside, state=4)
        assert env.spec.id == "FrozenLake-v1"
        again = gymnasium.make(pickle.loads(pickle.dumps(env.spec)))
        same(make(again).truth(), make(env).truth())
        same(make(pickle.loads(pickle.dumps(env))).truth(), make(env).truth())
        assert named("slip").example().spec is None

    def test_its_step_limit_is_that_of_the_world_inside(self) -> None:
        env = named("close")(gymnasium.make("FrozenLake-v1", max_episode_steps=7), state=14)
        env.reset(seed=0)
        assert [env.step(0)[3] for _ in range(7)] == [False] * 6 + [True]

    def test_a_batch_lives_in_it(self) -> None:
        world = make(KNOWN["grid"], envs=2, changes=[partial(named("relocate"), place=3, other=7)])
        assert World.of(world.truth()).rewards[2, EAST] == -0.8 * 1.0 - 0.2 / 5

    @pytest.mark.parametrize(
        ("name", "arguments", "sentence"),
        [
            ("swap", {"one": 3.0, "other": 1.0}, "nothing pays 3 in this world; it pays 1, 0.6, 0"),
            ("relocate", {"place": 24, "other": 26}, "this world has 26 places, counted from 0, got .24, 26."),
            ("close", {"state": 26}, "this world has 26 states, counted from 0, got .26."),
            ("wall", {"passages": [[0, -1]]}, "this world has 26 states, counted from 0, got .0, -1."),
            ("slip", {"probability": 1.5}, "probability must be a number from 0 to 1, got 1.5"),
            ("blur", {"probability": -0.5}, "probability must be a number from 0 to 1, got -0.5"),
        ],
    )
    def test_what_the_world_does_not_have_is_refused(self, name: str, arguments: Any, sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            named(name)(KNOWN["battery"](), **arguments)

    def test_a_world_that_is_not_known_is_refused(self) -> None:
        with pytest.raises(UserError, match="the truth of CartPoleEnv is not known"):
            named("slip")(gymnasium.make("CartPole-v1"), probability=0.1)


class TestFamilies:
    @pytest.mark.parametrize("name", list(KNOWN))
    def test_known_worlds_are_changed_in_their_truth(self, name: str) -> None:
        drawn = random_interventions(KNOWN[name], 5, np.random.default_rng(0))
        assert len({each.name for each in drawn}) == 5
        for each in drawn:
            assert make(each.apply(KNOWN[name]())).truth()["rewards"].size == truth(name)["rewards"].size
            assert isinstance(each.change, Change)
            assert isinstance(each.change.goal, Environment)
            np.testing.assert_array_equal(
                each.change.goal.truth()["rewards"], make(each.apply(KNOWN[name]())).truth()["rewards"]
            )

    @pytest.mark.parametrize("name", STOCK)
    def test_others_are_wrapped_and_still_run(self, name: str) -> None:
        for each in random_interventions(lambda: gymnasium.make(name), 6, np.random.default_rng(1)):
            env = each.apply(gymnasium.make(name))
            env.action_space.seed(0)
            assert env.observation_space.contains(env.reset(seed=0)[0])
            for _ in range(3):
                env.step(env.action_space.sample())

    def test_others_are_changed_without_asking_another_plugin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Registry, "resolve", None)
        drawn = random_interventions(lambda: gymnasium.make("CartPole-v1"), 4, np.random.default_rng(1))
        kinds = ("remap", "reverse sensors", "noise", "gravity")
        assert all(each.name.startswith(kind) for each, kind in zip(drawn, kinds, strict=True))
        assert all(each.apply(gymnasium.make("CartPole-v1")).reset(seed=0) for each in drawn)

    def test_noise_of_sensors_has_a_stream_of_its_own(self) -> None:
        plain = gymnasium.make("Pendulum-v1")
        (noise,) = random_interventions(lambda: plain, 1, np.random.default_rng(0), kinds=["noise"])
        noisy = noise.apply(gymnasium.make("Pendulum-v1"))

        def seen(env: Any, seed: int | None) -> np.ndarray:
            return np.array([env.reset(seed=seed)[0], *(env.step([0.5])[0] for _ in range(5))])

        first = seen(noisy, 3)
        assert not np.isclose(first, seen(plain, 3)).any()
        assert not np.array_equal(seen(noisy, None), first)
        np.testing.assert_array_equal(seen(noisy, 3), first)
        seen(plain, 3)
        np.testing.assert_array_equal(noisy.get_wrapper_attr("state"), plain.get_wrapper_attr("state"))

    def test_the_same_seed_draws_the_same_family_and_another_another(self) -> None:
        def names(seed: int) -> list[str]:
            drawn = random_interventions(KNOWN["battery"], 12, np.random.default_rng(seed))
            return [each.name for each in drawn]

        assert names(1) == names(1)
        assert names(1) != names(2)

    def test_walls_leave_every_outcome_within_reach(self) -> None:
        for each in random_interventions(KNOWN["grid"], 6, np.random.default_rng(0), kinds=["wall"]):
            after = World.of(make(each.apply(KNOWN["grid"]())).truth())
            assert Payoff.of(after).outcomes.tolist() == [1.0, -1.0]

    def test_fewer_are_drawn_where_there_are_no_more(self) -> None:
        drawn = random_interventions(KNOWN["battery"], 9, np.random.default_rng(0), kinds=["swap"])
        assert [each.name for each in drawn] == ["swap 1 and 0.6"]

    def test_what_the_agent_is_informed_is_what_was_asked_for(self) -> None:
        swapped = partial(changes.remap, order=[1, 0, 2, 3, 4])

        def change(informed: Any) -> Intervention:
            made: Intervention = intervention("remap", swapped, KNOWN["battery"], informed=informed)
            return made

        assert change("nothing").change is None
        goal, model = change("goal").change, change("model").change
        assert goal is not None
        assert model is not None
        assert (goal.model, model.goal) == (None, None)

    @pytest.mark.parametrize(
        ("name", "kinds", "sentence"),
        [
            ("battery", ["walls"], "this world can be changed by swap, relocate, wall, remap, slip, noise, got walls"),
            ("lake", ["swap"], "this world admits no intervention of the kinds swap"),
        ],
    )
    def test_kinds_that_there_are_not_are_refused(self, name: str, kinds: list[str], sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            random_interventions(KNOWN[name], 2, np.random.default_rng(0), kinds=kinds)
