"""Policy adaptation: who is told plans anew, who is a table does not, who learns needs time."""

from math import isnan, nan
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from scipy.stats import binom
from torch import Tensor

from agentic import (
    Agent,
    Categorical,
    Change,
    Decision,
    EnergyAgent,
    Intervention,
    Purpose,
    Softmax,
    Subject,
    UserError,
    make,
    measure,
)
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_agents.habit import Habit
from agentic_agents.planner import Planner
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences
from agentic_energies.reward import Reward
from agentic_envs.changes import RemapActions
from agentic_envs.gridworld import GridWorld
from agentic_envs.tmaze import TMaze
from agentic_metrics import (
    PolicyAdaptation,
    Simulation,
    World,
    adaptation_index,
    battery_policies,
    battery_truth,
    greedy,
    half_life,
    intervention,
    query,
)
from agentic_metrics.interventions.battery import CHANGES
from agentic_metrics.interventions.trials import Returns
from agentic_optimizers.backups import Max
from agentic_optimizers.conjugate_learner import ConjugateLearner
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch
from tests.metrics.agents import Table

METRIC = PolicyAdaptation()
BANDIT = World(np.ones((1, 3, 1)), np.array([[0.0, 1.0, 0.5]]), np.ones(1), np.zeros(1, bool))


def row(*probabilities: float) -> np.ndarray:
    return np.array([probabilities])


class TestTheIndex:
    @pytest.mark.parametrize(
        ("frozen", "after", "index"),
        [
            (row(1, 0, 0), row(0, 1, 0), 1.0),
            (row(1, 0, 0), row(1, 0, 0), 0.0),
            (row(1, 0, 0), row(0, 0, 1), 0.5),
            (row(0, 0, 1), row(1, 0, 0), -1.0),
            (row(0, 0.995, 0.005), row(0, 1, 0), np.nan),
        ],
    )
    def test_is_the_share_of_what_could_be_gained(self, frozen: Any, after: Any, index: float) -> None:
        found = adaptation_index(BANDIT, frozen, after, horizon=7, discount=0.9)
        np.testing.assert_allclose(found, index, atol=1e-12)

    def test_of_a_family_is_the_mean_over_the_worlds_that_ask_for_it(self) -> None:
        found = METRIC.estimate([0.0, 0.0, 1.0], [1.0, 0.5, 1.0], [1.0, 1.0, 1.0])
        assert float(found) == 0.75
        assert found.interval is not None
        half = 12.7062047 * np.sqrt(0.125 / 2)
        assert found.interval.high - found.value == pytest.approx(half)
        assert found.diagnostics["undefined"] == 1
        assert found.null is not None
        assert found.null.p_value == 0

    def test_of_nothing_to_adapt_to_is_undefined_and_not_zero(self) -> None:
        found = METRIC.estimate([1.0], [1.0], [1.0])
        assert isnan(found.value)
        assert found.null is None
        assert found.warnings[0].startswith("0 interventions with something to adapt to are few")

    @pytest.mark.parametrize(("unit", "offset"), [(1.0, 0.0), (1e-8, 0.0), (1e9, 0.0), (1.0, 1e3), (1.0, -1e3)])
    def test_neither_unit_nor_zero_of_the_rewards_matters(self, unit: float, offset: float) -> None:
        """2 of 3 could be gained: of a return of 1000 that would be less than 1 %, of what chance leaves it is more."""
        world = World(BANDIT.dynamics, unit * BANDIT.rewards + offset, BANDIT.start, BANDIT.ended)
        found = adaptation_index(world, row(1, 0, 0), row(0, 0, 1), horizon=7, discount=0.9)
        assert found == pytest.approx(0.5)
        assert isnan(adaptation_index(world, row(0, 0.998, 0.002), row(0, 1, 0), horizon=7, discount=0.9))

    def test_is_not_distinguished_from_noise(self) -> None:
        noisy = np.array([[0.0, 2.0, 0.0, 2.0]])
        found = METRIC.estimate(noisy, noisy, [1.5], generator=np.random.default_rng(0))
        assert found.diagnostics["undefined"] == 1
        assert "run more episodes" in found.warnings[1]

    def test_half_life(self) -> None:
        assert half_life([0.0, 0.2, 0.5, 0.4]) == 2
        assert half_life([1.0]) == 0
        assert isnan(half_life([0.0, 0.1]))

    @pytest.mark.parametrize(
        ("course", "after", "value", "warned"),
        [([0.0, 0.2, 0.6], 0.6, 2.0, False), ((), 1.0, 0.0, False), ([0.0, 0.2, 0.3], 0.3, nan, True)],
    )
    def test_in_episodes_is_the_half_life_of_the_course(
        self, course: Any, after: float, value: float, warned: bool
    ) -> None:
        metric = PolicyAdaptation(half_life=True, episodes=2)
        found = metric.estimate([0.0], [after], [1.0], course=course, decided=True)
        assert found.value == pytest.approx(value, nan_ok=True)
        assert (found.interval, found.null) == (None, None)
        assert any("one half within 2 episodes" in each for each in found.warnings) == warned

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (([0.0], [0.0, 1.0], [1.0]), r"got \(1,\), \(2,\) and \(1,\)"),
            (([[0.0]], [[1.0]], [1.0]), "needs a generator"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, arguments: Any, sentence: str) -> None:
        with pytest.raises(UserError, match=sentence):
            METRIC.estimate(*arguments)

    def test_the_null_of_sampled_returns_raises_no_false_alarms(self) -> None:
        seeds, alarms = 200, 0
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            frozen, after = rng.normal(size=(2, 8, 12))
            found = METRIC.estimate(frozen, after, np.full(8, 3.0), generator=rng)
            assert found.null is not None
            alarms += found.null.p_value < 0.05
        assert binom.sf(alarms - 1, seeds, 0.05) > 1e-3
        assert binom.cdf(alarms, seeds, 0.05) > 1e-3


class TestOfDecidedInterventions:
    def test_is_the_index_itself_without_an_interval(self) -> None:
        found = METRIC.estimate([0.0], [0.5], [1.0], decided=True)
        assert (found.value, found.interval, found.warnings) == (0.5, None, ())
        assert found.null is not None
        assert found.null.p_value == 0
        assert (found.episodes, found.samples) == (0, 0)

    def test_is_the_mean_over_those_that_leave_something_to_gain(self) -> None:
        found = METRIC.estimate([0.0, 0.0, 1.0], [1.0, 0.5, 1.0], [1.0, 1.0, 1.0], decided=True)
        assert found.value == 0.75
        assert found.warnings == (
            "1 of 3 interventions leave nothing to gain and are left out: there is nothing to adapt to",
        )

    def test_is_undefined_where_none_does(self) -> None:
        found = METRIC.estimate(
            np.ones((1, 12)), np.ones((1, 12)), [1.0], generator=np.random.default_rng(0), decided=True
        )
        assert isnan(found.value)
        assert (found.interval, found.null) == (None, None)
        assert "there is nothing to adapt to" in found.warnings[0]

    def test_says_where_episodes_are_few(self) -> None:
        returns = np.arange(4.0)[None]
        found = METRIC.estimate(returns, returns + 5, [10.0], generator=np.random.default_rng(0), decided=True)
        assert found.warnings == ("4 episodes are too few for the interval: run at least 10",)

    @pytest.mark.parametrize("own", [False, True])
    def test_its_interval_holds_the_truth(self, own: bool) -> None:
        """Of two interventions with indices 0.5 and 0.9, the second of more noise; `own`: what is best is sampled."""
        rng, seeds, held = np.random.default_rng(1), 300, 0
        for _ in range(seeds):
            frozen = rng.normal(0, [[0.3], [0.6]], (2, 12))
            after = 0.5 * frozen + rng.normal([[0.5], [0.9]], 0.2, (2, 12))
            best = np.repeat(rng.normal(1, 0.4, (1, 12)), 2, axis=0) if own else np.ones((2, 1))
            interval = Returns.of(frozen, after, best).interval(0.95, decided=True)
            assert interval is not None
            held += interval.low <= 0.7 <= interval.high
        assert binom.sf(held - 1, seeds, 0.95) > 1e-3
        assert held / seeds > 0.91

    def test_its_null_raises_no_false_alarms(self) -> None:
        seeds, alarms = 150, 0
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            frozen, after = rng.normal(size=(2, 1, 20))
            found = METRIC.estimate(frozen, after, [3.0], generator=rng, decided=True)
            assert found.null is not None
            alarms += found.null.p_value < 0.05
        assert binom.sf(alarms - 1, seeds, 0.05) > 1e-3


BATTERY: Any = lambda: Simulation(battery_truth(), steps=60)  # noqa: E731


class TestDecidedInterventionsOfASubject:
    """The battery's own changes, one at a time, through the metric."""

    @pytest.mark.parametrize(
        ("name", "indices"),
        [
            ("planner-3", {"deval": 0.2294, "swap": 0.0837, "wall": 0.0533, "remap": 0.5983}),
            ("planner-40", dict.fromkeys(CHANGES, 1.0)),
            ("clone", dict.fromkeys(CHANGES, 0.0)),
        ],
    )
    def test_are_those_of_the_table(self, name: str, indices: dict[str, float]) -> None:
        world = World.of(battery_truth())
        deaf = Table(battery_policies()["clone"](world))
        agent: Agent = deaf if name == "clone" else Planner(world, int(name.removeprefix("planner-")), 0.9)
        family = tuple(intervention(each, change, BATTERY) for each, change in CHANGES.items())
        metric = PolicyAdaptation(discount=0.9)
        for one in family:
            found = measure(metric, Subject(None, agent, BATTERY, (one,)))
            assert found.value == pytest.approx(indices[one.name], abs=1.0001e-4)
            assert (found.interval, found.warnings, found.samples) == (None, (), 0)
            assert found.outside_null == (indices[one.name] > 0)
            assert found.frame.interventions == (one.name,)
        together = measure(metric, Subject(None, agent, BATTERY, family))
        assert together.value == pytest.approx(np.mean(list(indices.values())), abs=1.0001e-4)

    def test_from_rollouts_their_interval_holds_the_exact_index(self) -> None:
        agent = Planner(World.of(battery_truth()), 3, 0.9)
        one = intervention("remap", CHANGES["remap"], BATTERY)
        found = measure(PolicyAdaptation(discount=0.9, exact=False, episodes=60), Subject(None, agent, BATTERY, (one,)))
        assert found.interval is not None
        assert found.interval.low < 0.5983 < found.interval.high
        assert found.interval.low > 0.2
        assert found.outside_null

    @pytest.mark.parametrize(("informed", "words"), [("goal", "told of the new goal"), ("nothing", "told nothing")])
    def test_each_is_informed_as_it_says(self, informed: Any, words: str) -> None:
        one = intervention("remap", CHANGES["remap"], BATTERY, informed=informed)
        agent = Planner(World.of(battery_truth()), 40, 0.9)
        found = measure(PolicyAdaptation(discount=0.9), Subject(None, agent, BATTERY, (one,)))
        assert found.value == 0
        assert words in found.frame.boundary


GRID: Any = lambda: GridWorld("...G\n.#.X\n....")  # noqa: E731


def energetic(environment: Any, **more: Any) -> EnergyAgent:
    env = make(environment)
    purpose = Purpose(Reward.from_env(env, scale=2.0), 40, discount=0.9)
    return EnergyAgent(
        CategoricalModel.from_env(env), purpose, Mirror(), TreeSearch(Max()), selection=Softmax(1e4), **more
    )


class TestOurAgent:
    def test_adapts_when_it_is_informed_and_its_clone_does_not(self) -> None:
        agent = energetic(GRID)
        clone = Table(query(agent, make(GRID()).truth(), generator=np.random.default_rng(0)))
        metric = PolicyAdaptation(interventions=6, discount=0.9)
        found = {name: measure(metric, Subject(None, each, GRID)) for name, each in (("own", agent), ("clone", clone))}
        assert found["own"].value == pytest.approx(1.0, abs=0.02)
        assert found["own"].null is not None
        assert found["own"].null.p_value == 0
        assert found["own"].outside_null is None, "of six interventions too few leave something to adapt to"
        assert found["clone"].value == 0
        assert not found["clone"].outside_null
        assert found["own"].estimator == "exact returns"

    def test_asks_its_parts_for_themselves_in_the_announced_world(self) -> None:
        agent = energetic(GRID)
        other = make(lambda: GridWorld("G...\n....\n....", slip=0.1))
        informed = agent.informed(Change(goal=other, model=other))
        assert isinstance(informed.model, CategoricalModel)
        torch.testing.assert_close(informed.model.dynamics(), torch.as_tensor(other.truth()["B"][0]))
        assert isinstance(informed.purpose.goal, Reward)
        assert informed.purpose.goal.scale == 2.0
        assert (informed.purpose.horizon, informed.purpose.discount) == (40, 0.9)
        assert agent.informed(Change(goal=other)).model is agent.model
        assert agent.informed(Change(model=other)).purpose is agent.purpose

    def test_its_habits_and_what_comes_after_are_announced_too(self) -> None:
        env, other = make(GRID), make(lambda: GridWorld("G...\n....\n...."))
        model = CategoricalModel.from_env(env, E=[0.2, 0.2, 0.2, 0.2, 0.2])
        assert model.for_env(other).log_habits is not None
        purpose = Purpose(Reward.from_env(env), 3, terminal=Reward.from_env(env))
        informed = EnergyAgent(model, purpose, Mirror(), TreeSearch(Max())).informed(Change(goal=other))
        assert isinstance(informed.purpose.terminal, Reward)
        torch.testing.assert_close(informed.purpose.terminal.costs, -torch.as_tensor(other.truth()["rewards"]))

    def test_a_part_that_does_not_say_what_it_is_elsewhere_stays(self) -> None:
        model = CategoricalModel(B=[np.tile(np.eye(2)[:, :, None], 2)], D=[[0.5, 0.5]], counts=[np.ones((2, 2))])
        goal = LogPreferences([[0.0, 1.0]])
        learner = ConjugateLearner(model)
        agent = EnergyAgent(model, Purpose(goal), Mirror(), TreeSearch(Max()), learner=learner)
        informed = agent.informed(Change(goal=make(TwoPlaces)))
        assert informed.purpose.goal is goal
        assert informed.learner is learner
        assert agent.informed(Change(model=make(TwoPlaces))).learner is None


LEVERS: Any = {
    "A": [np.eye(2)],
    "B": [np.repeat(np.array([[0.0, 0.0], [1.0, 1.0]])[:, :, None], 2, axis=2)],
    "D": [np.array([1.0, 0.0])],
    "rewards": np.array([[1.0, 0.8], [0.0, 0.0]]),
    "ends": np.array([0.0, 1.0]),
}


class TestWhoeverIsInformedOfNothing:
    def levers(self) -> Simulation:
        return Simulation(LEVERS)

    @pytest.mark.parametrize("exact", [True, False])
    def test_a_habit_finds_out_in_time(self, exact: bool) -> None:
        agent = Habit(LEVERS["rewards"])
        metric = PolicyAdaptation(kinds=("swap",), informed="nothing", episodes=150, exact=exact)
        found = measure(metric, Subject(None, agent, self.levers))
        assert found.value == pytest.approx(0.19 / 0.2 - 0.005, abs=0.01 if exact else 0.1)
        course = np.array(found.diagnostics["course"])
        assert course[0] == 0
        assert len(course) == 151
        assert found.diagnostics["half_life"] >= 1
        np.testing.assert_array_equal(agent.values, LEVERS["rewards"])

    def test_what_does_not_learn_never_does(self) -> None:
        metric = PolicyAdaptation(kinds=("swap",), informed="nothing")
        found = measure(metric, Subject(None, Planner(World.of(LEVERS), 1), self.levers))
        assert found.value == 0
        assert "half_life" not in found.diagnostics
        assert "told nothing" in found.frame.boundary


class Balance(Agent):
    """Keeps CartPole's pole up, and exchanges its two actions when it is told that its model is wrong."""

    def __init__(self, reversed_: bool = False) -> None:
        self.reversed = reversed_

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
        right = (obs[:, 2] + obs[:, 3] > 0) ^ self.reversed
        action = torch.nn.functional.one_hot(right.long(), 2).to(obs.dtype)
        return Decision(action, policy=Categorical(action))

    def informed(self, change: Change) -> "Balance":
        return Balance(change.model is not None)


class TestWorldsThatNobodyKnows:
    def test_are_measured_by_rollouts_against_the_agents_own_best(self) -> None:
        metric = PolicyAdaptation(kinds=("remap",), horizon=50, episodes=8)
        pole: Any = lambda: gymnasium.make("CartPole-v1")  # noqa: E731
        found = measure(metric, Subject(None, Balance(), pole))
        assert found.estimator == "rollouts"
        assert found.value == pytest.approx(1.0, abs=1e-9)
        assert found.diagnostics["best"][0] == pytest.approx((1 - 0.99**50) / 0.01)
        assert "the agent's own in the unchanged world" in found.frame.goal
        assert found.null is not None
        assert found.null.p_value < 0.05
        assert found.outside_null is None, "one intervention is too few to judge by"
        frozen = measure(
            PolicyAdaptation(kinds=("remap",), informed="goal", horizon=50, episodes=8), Subject(None, Balance(), pole)
        )
        assert frozen.value == 0

    def test_decided_interventions_have_an_interval_over_episodes(self) -> None:
        pole: Any = lambda: gymnasium.make("CartPole-v1")  # noqa: E731
        swapped = Intervention.announced("swapped", lambda env: RemapActions(env, [1, 0]), pole)
        metric = PolicyAdaptation(horizon=50, discount=1.0, episodes=10, best=50.0)
        informed = measure(metric, Subject(None, Balance(), pole, (swapped,)))
        assert informed.value == 1
        assert informed.interval is not None
        assert (informed.interval.low, informed.interval.high) == (1, 1)
        assert informed.outside_null
        coin = measure(metric, Subject(None, Coin(), pole, (swapped,)))
        assert coin.value == 0
        assert not coin.outside_null

    def test_partial_observation_is_measured_by_rollouts_too(self) -> None:
        found = measure(PolicyAdaptation(interventions=2, episodes=3), Subject(None, energetic(TMaze), TMaze))
        assert found.estimator == "rollouts"

    def test_noise_of_sensors_is_measured_by_rollouts_too(self) -> None:
        metric = PolicyAdaptation(interventions=2, episodes=3, kinds=("noise",))
        found = measure(metric, Subject(None, Coin(), TwoPlaces))
        assert (found.estimator, found.value) == ("rollouts", 0.0)


def test_a_random_agent_that_does_not_report_its_policy_is_not_taken_to_adapt() -> None:
    class Silent(Agent):
        def start(self, batch: int, *, generator: torch.Generator) -> None:
            return None

        def decide(self, state: Any, obs: Tensor, *, generator: torch.Generator) -> Decision:
            chosen = torch.randint(5, (len(obs),), generator=generator)
            return Decision(torch.nn.functional.one_hot(chosen, 5).to(obs.dtype))

    found = measure(PolicyAdaptation(interventions=6), Subject(None, Silent(), lambda: Simulation(battery_truth())))
    assert found.value == 0
    assert not found.outside_null


def test_greedy_tables_adapt_in_the_limit_of_their_planner() -> None:
    assert adaptation_index(BANDIT, row(1, 0, 0), greedy(BANDIT.rewards), horizon=1) == 1


@pytest.mark.parametrize("bad", [{"informed": "everything"}, {"interventions": 0}, {"discount": 0.0}, {"episodes": 0}])
def test_parameters_that_make_no_sense_are_refused(bad: Any) -> None:
    with pytest.raises(UserError):
        PolicyAdaptation(**bad)
