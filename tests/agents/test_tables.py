"""Agents that follow a rule: what they do is known by hand."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from agentic import Agent, Environment, Schedule, Simplex, UserError, World, make, run
from agentic.agents import policy_table
from agentic.testing.worlds import TwoPlaces
from agentic_agents.constant import Constant
from agentic_agents.habit import Habit
from agentic_agents.reflex import Reflex
from agentic_agents.rock import Rock
from agentic_agents.thermostat import Thermostat
from agentic_metrics import Simulation, battery_policies, battery_truth

TRUTH = battery_truth()


class Room(gymnasium.Env[Any, Any]):
    """A room that drifts: the temperature grows by 0.3 and by the action (heating less cooling), from 5 degrees."""

    def __init__(self, action: Any = None, observation: Any = None) -> None:
        self.action_space = action or Box(-1.0, 1.0, (1,))
        self.observation_space = observation or Box(-50.0, 50.0, (2,))
        self.heat, self.time = 5.0, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.heat, self.time = 5.0, 0
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        push = float(action[0]) if isinstance(self.action_space, Box) else float(action) - 1.0
        self.heat, self.time = self.heat + 0.3 + push, self.time + 1
        return self._seen(), -abs(self.heat - 20), False, self.time == 100, {}

    def _seen(self) -> Any:
        if isinstance(self.observation_space, Discrete):
            return np.int64(np.clip(round(self.heat), 0, 40))
        return np.array([-1.0, self.heat], np.float32)


def battery() -> Environment:
    return make(lambda: Simulation(TRUTH))


def decided(agent: Agent, obs: Any) -> Any:
    source = torch.Generator().manual_seed(0)
    seen = torch.as_tensor(obs, dtype=torch.float32)
    return agent.decide(agent.start(len(seen), generator=source), seen, generator=source)


def table(agent: Agent) -> Any:
    return policy_table(agent, TRUTH, generator=torch.Generator().manual_seed(0))


class TestTheTablesOfTheBattery:
    @pytest.mark.parametrize(
        ("name", "agent"),
        [
            ("rock", Rock(Simplex((5,)), 4)),
            ("constant-E", Constant.from_env(battery(), 2)),
            ("reflex", Reflex.from_env(battery(), tuple(1 if cell % 5 == 4 else 2 for cell in range(26)))),
        ],
    )
    def test_are_theirs(self, name: str, agent: Agent) -> None:
        np.testing.assert_array_equal(table(agent), battery_policies()[name](World.of(TRUTH)))


class TestConstant:
    def test_one_index_for_each_factor(self) -> None:
        env = make(lambda: Room(MultiDiscrete([2, 3])))
        assert decided(Constant.from_env(env, (1, 2)), [[0.0, 0.0]]).action.tolist() == [[0, 1, 0, 0, 1]]
        assert decided(Constant.from_env(env, 1), [[0.0, 0.0]]).action.tolist() == [[0, 1, 0, 1, 0]]

    def test_a_vector_of_a_box(self) -> None:
        assert decided(Constant.from_env(make(Room), -0.25), [[0.0, 0.0]] * 2).action.tolist() == [[-0.25]] * 2

    @pytest.mark.parametrize("action", [5, -1, 0.5, (1, 2)])
    def test_an_index_that_there_is_not_is_refused(self, action: Any) -> None:
        with pytest.raises(UserError, match="is not an action of"):
            Constant.from_env(battery(), action)

    @pytest.mark.parametrize("action", [1.5, -2, (0.1, 0.2)])
    def test_numbers_outside_the_box_are_refused(self, action: Any) -> None:
        with pytest.raises(UserError, match="is not an action of"):
            Constant.from_env(make(Room), action)


class TestThermostat:
    def test_a_box_is_pushed_toward_the_setpoint_and_left_alone_in_the_band(self) -> None:
        agent = Thermostat.from_env(make(Room), sensor=1, setpoint=20.0, band=1.0, gain=0.1)
        action = decided(agent, [[0.0, 15.0], [0.0, 19.5], [0.0, 22.0], [0.0, 50.0]]).action
        np.testing.assert_allclose(action[:, 0], [0.5, 0.0, -0.2, -1.0], rtol=0, atol=1e-6)

    def test_choices_below_in_and_above_the_band(self) -> None:
        env = make(lambda: Room(Discrete(3), Discrete(41)))
        agent = Thermostat.from_env(env, setpoint=20.0, band=2.0, cold=2, rest=1, hot=0)
        action = decided(agent, torch.eye(41)[[0, 17, 18, 22, 23]]).action
        assert action.argmax(-1).tolist() == [2, 2, 1, 1, 0]

    @pytest.mark.parametrize(
        ("spaces", "settings"),
        [((), {"sensor": 1, "gain": 0.5}), ((Discrete(3), Discrete(41)), {"cold": 2, "rest": 1, "hot": 0})],
    )
    def test_holds_a_room_that_drifts(self, spaces: Any, settings: Any) -> None:
        env = make(lambda: Room(*spaces))
        record = run(Thermostat.from_env(env, setpoint=20.0, **settings), env, Schedule(episodes=1))
        (episode,) = record.episodes()
        assert np.abs(episode.arrays["reward"][50:]).max() < 1.2
        (alone,) = run(Rock(env.action, None if not spaces else 1), env, Schedule(episodes=1)).episodes()
        assert np.abs(alone.arrays["reward"][50:]).max() > 10

    def test_keeps_a_pole_up_far_longer_than_doing_nothing(self) -> None:
        env = make("CartPole-v1")
        kept = run(Thermostat.from_env(env, sensor=3), env, Schedule(episodes=5)).returns("evaluate")
        assert kept.mean() > 100 > run(Rock(env.action), env, Schedule(episodes=5)).returns("evaluate").mean()

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"sensor": 2}, "sensor = 2 is not one of the 2 sensors"),
            ({"band": -1.0}, "in the band = -1.0 it rests"),
            ({"gain": (1.0, 2.0)}, "gain needs 1 or 1 numbers"),
        ],
    )
    def test_what_the_room_lacks_is_refused(self, settings: Any, message: str) -> None:
        with pytest.raises(UserError, match=message):
            Thermostat.from_env(make(Room), **settings)

    def test_a_band_of_choices_needs_one_to_rest_with(self) -> None:
        with pytest.raises(UserError, match="rest = the action there"):
            Thermostat.from_env(make(TwoPlaces), band=0.5)
        with pytest.raises(UserError, match="must be indices of the 2 actions"):
            Thermostat.from_env(make(TwoPlaces), hot=2)


class TestReflex:
    def test_weights_are_a_linear_map(self) -> None:
        agent = Reflex.from_env(make(Room), weights=((0.5, -0.1),))
        np.testing.assert_allclose(decided(agent, [[1.0, 2.0], [9.0, 0.0]]).action, [[0.3], [1.0]], atol=1e-6)

    def test_the_largest_entry_is_the_choice(self) -> None:
        agent = Reflex.from_env(make("CartPole-v1"), weights=((0, 0, -1, -1), (0, 0, 1, 1)))
        assert decided(agent, [[0, 0, 0.1, 0], [0, 0, 0.1, -0.3]]).action.argmax(-1).tolist() == [1, 0]

    def test_several_factors_are_one_observation(self) -> None:
        agent = Reflex.from_env(make(lambda: Room(Discrete(3), MultiDiscrete([2, 2]))), actions=(0, 1, 2, 0))
        seen = [[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]
        assert decided(agent, seen).action.argmax(-1).tolist() == [1, 2, 0]

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({}, "needs actions = "),
            ({"actions": (0, 1), "weights": ((1.0,),)}, "needs actions = "),
            ({"actions": (0,)}, "actions must be 2 indices of the 2 actions"),
            ({"actions": (0, 2)}, "actions must be 2 indices of the 2 actions"),
            ({"weights": ((1.0,),)}, r"weights must be 2 lists \(actions\) of 2 numbers"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, settings: Any, message: str) -> None:
        with pytest.raises(UserError, match=message):
            Reflex.from_env(make(TwoPlaces), **settings)


class TestHabit:
    def test_values_move_toward_what_was_paid(self) -> None:
        env = make(TwoPlaces)
        agent = Habit.from_env(env, rate=0.5)
        run(agent, env, Schedule(learn_steps=1000, episodes=0))
        np.testing.assert_array_equal(agent.values.argmax(-1), [1, 1])
        sealed = agent.sealed()
        before = sealed.values.copy()
        run(agent, env, Schedule(learn_steps=50, episodes=1))
        np.testing.assert_array_equal(sealed.values, before)
        assert not np.array_equal(agent.values, before)

    def test_reports_what_it_does(self) -> None:
        agent = Habit([[0.0, 1.0, 1.0], [2.0, 0.0, 0.0]], epsilon=0.3)
        found = decided(agent, [[1, 0], [0, 1]]).policy.mean
        np.testing.assert_allclose(found, [[0.1, 0.45, 0.45], [0.8, 0.1, 0.1]])

    @pytest.mark.parametrize("settings", [{"rate": 0.0}, {"discount": 1.5}, {"epsilon": -0.1}])
    def test_numbers_out_of_range_are_refused(self, settings: Any) -> None:
        with pytest.raises(UserError, match="a habit needs a rate above 0"):
            Habit.from_env(make(TwoPlaces), **settings)

    def test_numbers_are_no_names(self) -> None:
        with pytest.raises(UserError, match="needs discrete observations"):
            Habit.from_env(make("CartPole-v1"))
        with pytest.raises(UserError, match="chooses one of several actions"):
            Habit.from_env(make(lambda: Room(None, Discrete(41))))
