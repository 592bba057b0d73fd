"""Pursuit: who answers to how the world moves though nothing is paid, on the grid of the bench and in two places."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from agentic import Agent, Change, Decision, EnergyAgent, Intervention, Purpose, Subject, UserError, make, measure
from agentic.testing.worlds import Coin, TwoPlaces
from agentic_agents.habit import Habit
from agentic_agents.planner import Planner
from agentic_energies.categorical import CategoricalModel
from agentic_energies.goals import LogPreferences
from agentic_energies.reward import Reward
from agentic_envs.gridworld import GridWorld
from agentic_envs.room import Room
from agentic_metrics import Pursuit, World, battery_policies, battery_truth, intervention
from agentic_metrics.interventions.battery import CHANGES
from agentic_metrics.interventions.changes import remap, sever
from agentic_optimizers.backups import Max
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch
from tests.metrics.agents import Table
from tests.metrics.test_adaptation import BATTERY

MOVES = tuple(intervention(name, CHANGES[name], BATTERY) for name in ("wall", "remap"))
SOURCE = np.random.default_rng(0)


class Goer(Agent):
    """Goes to the second place for its own sake, or where it is paid there more than in the first."""

    def __init__(self, own: bool, moves: Any = None, rewards: Any = None) -> None:
        truth = TwoPlaces().true_model()
        self.own = own
        self.moves = truth["B"][0] if moves is None else moves
        self.rewards = truth["rewards"] if rewards is None else rewards

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        worth = self.moves[1].T if self.own else self.rewards.T
        best = torch.as_tensor(np.asarray(worth)).argmax(0)[obs.argmax(-1)]
        return Decision(torch.nn.functional.one_hot(best, 2).to(obs))

    def informed(self, change: Change) -> "Goer":
        moves = self.moves if change.model is None else change.model.truth()["B"][0]
        return Goer(self.own, moves, self.rewards if change.goal is None else change.goal.truth()["rewards"])


def corridor() -> GridWorld:
    return GridWorld("S..G")


def energetic(environment: Any, sight: int | None, horizon: int) -> EnergyAgent:
    env = make(environment)
    levels = int(env.observation.size)
    goal = Reward.from_env(env) if sight is None else LogPreferences([4.0 * np.eye(levels)[sight]])
    purpose = Purpose(goal, horizon, discount=0.9)
    return EnergyAgent(CategoricalModel.from_env(env), purpose, Mirror(), TreeSearch(Max()))


def found(agent: Agent, changes: tuple[Intervention, ...] = MOVES) -> Any:
    return measure(Pursuit(), Subject(None, agent, BATTERY, changes))


def test_a_planner_answers_to_moves_because_it_is_paid() -> None:
    measured = found(Planner(World.of(battery_truth()), 40, 0.9))
    assert measured.value == 0
    assert measured.null.p_value == 1
    assert measured.diagnostics["paid"] == pytest.approx([0.3272, 0.46], abs=1e-4)


@pytest.mark.parametrize(("sight", "value"), [(None, 0.0), (3, 1.0)])
def test_an_energy_agent_turns_unpaid_for_a_sight_that_it_prefers(sight: int | None, value: float) -> None:
    turned = intervention("remap", partial(remap, order=[0, 1, 3, 2, 4]), corridor)
    measured = measure(Pursuit(), Subject(None, energetic(corridor, sight, 4), corridor, (turned,)))
    assert measured.value == value
    assert measured.diagnostics["paid"].tolist() == [1.0]
    assert measured.null is not None
    assert measured.null.p_value == 1 - value
    assert measured.interval is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sight", "severed", "paid"),
    [(None, [0, 0], [0.64, 0.16]), (24, [0.64, 0.16], [0.64, 0.16]), (4, [0, 0.16], [0, 0.16])],
)
def test_energy_agents_on_the_grid_of_the_bench(sight: int | None, severed: list[float], paid: list[float]) -> None:
    measured = found(energetic(BATTERY, sight, 10))  # the longest way round the wall
    assert measured.diagnostics["shift"] == pytest.approx(severed)
    assert measured.diagnostics["paid"] == pytest.approx(paid)
    assert measured.value == pytest.approx(sum(severed) / 2)


@pytest.mark.parametrize("name", ["clone", "reflex", "random", "rock"])
def test_tables_answer_to_nothing(name: str) -> None:
    measured = found(Table(battery_policies()[name](World.of(battery_truth()))))
    assert measured.value == 0
    assert not any(measured.diagnostics["paid"])


def test_a_habit_answers_to_nothing_though_it_was_formed_by_reward() -> None:
    measured = found(Habit(battery_policies()["planner-40"](World.of(battery_truth()))))
    assert measured.value == 0
    assert not any(measured.diagnostics["paid"])


@pytest.mark.parametrize(("own", "value"), [(True, 1.0), (False, 0.0)])
def test_who_wants_to_go_somewhere_turns_when_its_actions_are_exchanged(own: bool, value: float) -> None:
    measured = measure(Pursuit(kinds=("remap",)), Subject(None, Goer(own), TwoPlaces))
    assert measured.value == value
    assert measured.diagnostics["paid"].tolist() == [1.0]
    assert measured.warnings[0].startswith("1 interventions are few")


def test_who_is_not_informed_of_the_moves_cannot_answer_to_them() -> None:
    silent = intervention("remap", partial(remap, order=[1, 0]), TwoPlaces, informed="goal")
    assert measure(Pursuit(), Subject(None, Goer(True), TwoPlaces, (silent,))).value == 0


def test_drawn_interventions_have_an_interval_over_them() -> None:
    estimate = Pursuit().estimate([0.2, 0.4], generator=SOURCE)
    assert estimate.value == pytest.approx(0.3)
    assert estimate.interval is not None
    assert estimate.interval.high - 0.3 == pytest.approx(12.7062047 * 0.1)
    assert Pursuit().estimate([0.2, 0.4], decided=True, generator=SOURCE).interval is None


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(UserError, match="one or more interventions"):
        Pursuit().estimate([], generator=SOURCE)
    with pytest.raises(UserError, match="interventions >= 1"):
        Pursuit(interventions=0)
    with pytest.raises(UserError, match="pursuit needs a finite known world"):
        measure(Pursuit(), Subject(None, Coin(), lambda: Room(measured=True)))


def test_a_severed_world_pays_nothing_and_moves_as_before() -> None:
    truth = battery_truth()
    assert not sever(truth)["rewards"].any()
    assert (sever(truth)["B"][0] == truth["B"][0]).all()
    assert truth["rewards"].any()
