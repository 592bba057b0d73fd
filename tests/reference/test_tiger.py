"""R12 and R26: the tiger of Cassandra, Kaelbling and Littman 1994, planned over beliefs.

Listening costs 1 and hears right with probability .85, the treasure pays 10, the tiger costs 100, the discount is .95,
and opening a door starts anew. The optimal value 19.37 is usually quoted; here it and all others are derived by exact
value iteration on the chain of net hearings (how many more times the right side was heard than the left).
"""

from math import inf
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Agent,
    Categorical,
    Evidence,
    ExpectedEnergy,
    Experiment,
    Goal,
    Minimizer,
    Model,
    Purpose,
    Step,
    load,
    minimize,
)
from agentic.agents.energy_agent import EnergyState
from agentic.experiments.build import build
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.reward import Reward
from agentic_envs.tiger import LISTEN, OPEN_LEFT, OPEN_RIGHT, Tiger
from agentic_optimizers.backups import Max
from agentic_optimizers.mcts import MonteCarloTree
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64
HALF = 5e-7  # half a unit of the sixth printed digit
HEARING, DISCOUNT = 0.85, 0.95
TRUTH = Tiger().true_model()
MODEL = CategoricalModel(TRUTH["A"], TRUTH["B"], TRUTH["D"])
GOAL = Reward(TRUTH["rewards"])
TREE = TreeSearch(Max())
EXAMPLE = Path(__file__).parents[2] / "examples" / "tiger.toml"
ACTIONS = torch.eye(3, dtype=F64).unsqueeze(1)  # (3, b, 3): listen, open left, open right


def sureness(n: int) -> float:
    """Probability that the tiger is on the right after n net hearings there."""
    return 1 / (1 + ((1 - HEARING) / HEARING) ** n)


def after_hearings(*counts: int) -> Categorical:
    """The beliefs after net hearings on the right, one row each, the last action having been to listen."""
    sides = torch.tensor([[1 - sureness(n), sureness(n)] for n in counts], dtype=F64)
    listening = torch.tensor([0.0, 1.0], dtype=F64)
    return Categorical((sides.unsqueeze(-1) * listening).flatten(1))


def planned(horizon: int, belief: Categorical, terminal: Goal | None = None, planner: Minimizer = TREE) -> Tree:
    objective = ExpectedEnergy(MODEL, belief, Purpose(GOAL, horizon, terminal=terminal, discount=DISCOUNT))
    plan = minimize(objective, planner, generator=torch.Generator().manual_seed(0)).belief
    assert isinstance(plan, Tree)
    return plan


def choices(plan: Tree) -> list[int]:
    actions: list[int] = plan.first_action(inf).mean.argmax(-1).tolist()
    return actions


class Opening(Goal):
    """The energy of going on as a rule says that counts net hearings, and opens where there are two.

    Minus the return from the count that suits the belief best: one linear function of the belief for each count.
    """

    def __init__(self) -> None:
        super().__init__()
        counts = range(-2, 3)
        place = {(n, side): 2 * i + side for i, n in enumerate(counts) for side in (0, 1)}
        system, pay = np.eye(len(place)), np.full(len(place), -1.0)
        for (n, side), row in place.items():
            if abs(n) == 2:  # the right side was heard: the left door is opened
                pay[row] = 10.0 if (n > 0) == (side == 1) else -100.0
                ahead = {place[0, 0]: 0.5, place[0, 1]: 0.5}
            else:
                ahead = {place[n + 1, side]: HEARING if side else 1 - HEARING}
                ahead[place[n - 1, side]] = 1 - ahead[place[n + 1, side]]
            for column, chance in ahead.items():
                system[row, column] -= DISCOUNT * chance
        self.costs = torch.from_numpy(-np.linalg.solve(system, pay).reshape(-1, 2))

    def forward(self, x: object, z: Tensor) -> Tensor:
        sides: Tensor = z.reshape(*z.shape[:-1], 2, 2).sum(-1)
        return (sides @ self.costs.T).amin(-1)

    def expected(self, model: Model, step: Step) -> Tensor:
        return self.forward(None, step.after.mean)


class TestR12:
    def test_posterior_after_hearing_the_same_side_again_and_again(self) -> None:
        belief, sides, heard_right = MODEL.begin(1), [], torch.tensor([[0.0, 1.0]], dtype=F64)
        for _ in range(4):
            predicted = MODEL.predict(belief, ACTIONS[LISTEN])
            belief = minimize(Evidence(MODEL, heard_right, predicted), Mirror(), predicted.mean).belief
            sides.append(belief.mean.reshape(2, 2).sum(1)[1])
        assert_close(
            torch.stack(sides), torch.tensor([0.85, 0.969799, 0.994534, 0.999031], dtype=F64), atol=HALF, rtol=0
        )
        assert_close(belief.mean, after_hearings(4).mean, atol=1e-12, rtol=0)

    def test_information_gain_of_one_listen(self) -> None:
        objective = ExpectedEnergy(MODEL, after_hearings(0, 1, 2, 3), Purpose(GOAL, gain=SummedGain()))
        gain = objective.terms(ACTIONS[LISTEN].expand(4, 1, 3))["state_gain"]
        assert_close(gain, torch.tensor([0.270438, 0.145053, 0.034982, 0.006579], dtype=F64), atol=HALF, rtol=0)

    def test_what_is_heard_after_opening_a_door_says_nothing(self) -> None:
        objective = ExpectedEnergy(MODEL, after_hearings(3), Purpose(GOAL, gain=SummedGain()))
        assert float(objective.terms(ACTIONS[OPEN_LEFT].unsqueeze(0))["state_gain"]) == pytest.approx(0, abs=1e-15)

    def test_immediate_value_of_opening_the_safer_door(self) -> None:
        objective = ExpectedEnergy(MODEL, after_hearings(0, 1, 2, 3), Purpose(GOAL))
        value = -objective(ACTIONS[OPEN_LEFT].expand(4, 1, 3))
        assert_close(value, torch.tensor([-45, -6.5, 6.677852, 9.398785], dtype=F64), atol=HALF, rtol=0)

    def test_optimal_values_and_policy(self) -> None:
        """A horizon of 400 leaves 2e-8 of value: beliefs that recur are one node, so it costs next to nothing."""
        plan = planned(400, after_hearings(0, 1, 2, 3, -1, -2, -3))
        value = -plan.values.amin(0)
        expected = torch.tensor([19.371368, 21.443546, 25.080652, 27.801585], dtype=F64)
        assert_close(value[:4], expected, atol=HALF, rtol=0)
        assert_close(value[4:], value[1:4])
        assert choices(plan) == [LISTEN, LISTEN, OPEN_LEFT, OPEN_LEFT, LISTEN, OPEN_RIGHT, OPEN_RIGHT]

    def test_optimal_value_from_the_environments_own_start(self) -> None:
        start = MODEL.begin(1)
        assert isinstance(start, Categorical)
        plan = planned(400, start)
        assert -float(plan.values.amin()) == pytest.approx(19.371368, abs=HALF)

    def test_tree_of_two_listens_agrees_with_counting_by_hand(self) -> None:
        """Listen, listen, then open where both agree; what follows is left out of a horizon of three."""
        agree = HEARING**2 + (1 - HEARING) ** 2
        by_hand = -1 - DISCOUNT + DISCOUNT**2 * (agree * 6.677852 + (1 - agree) * -1)
        value = -float(planned(3, after_hearings(0)).values[LISTEN])
        assert value == pytest.approx(by_hand, abs=1e-6)


class TestR26:
    """A short horizon without a terminal energy, replanned at every step, need not be better when it is longer."""

    REACH = 8  # net hearings after which every policy here has opened long ago

    def policy(self, depth: int, terminal: Goal | None = None, planner: Minimizer = TREE) -> dict[int, int]:
        counts = range(-self.REACH, self.REACH + 1)
        plan = planned(depth, after_hearings(*counts), terminal, planner)
        return dict(zip(counts, choices(plan), strict=True))

    def moments(self, policy: dict[int, int]) -> tuple[float, float]:
        """Mean and standard deviation of the discounted return from no hearing, exactly, by two linear systems."""
        size = 2 * self.REACH + 1
        chance, pay, square, cross = (np.zeros(s) for s in ((size, size), size, size, (size, size)))
        for n, action in policy.items():
            row, right = n + self.REACH, sureness(n)
            if action == LISTEN:
                louder = right * HEARING + (1 - right) * (1 - HEARING)
                ahead = {min(n + 1, self.REACH): louder, max(n - 1, -self.REACH): 1 - louder}
                treasure, rewards = 1.0, (-1.0, 0.0)
            else:
                ahead, rewards = {0: 1.0}, (10.0, -100.0)
                treasure = right if action == OPEN_LEFT else 1 - right
            mean = treasure * rewards[0] + (1 - treasure) * rewards[1]
            pay[row], square[row] = mean, treasure * rewards[0] ** 2 + (1 - treasure) * rewards[1] ** 2
            for where, p in ahead.items():
                chance[row, where + self.REACH] += p
            cross[row] = 2 * DISCOUNT * mean * chance[row]
        eye = np.eye(size)
        value = np.linalg.solve(eye - DISCOUNT * chance, pay)
        second = np.linalg.solve(eye - DISCOUNT**2 * chance, square + cross @ value)
        return float(value[self.REACH]), float(np.sqrt(second[self.REACH] - value[self.REACH] ** 2))

    @pytest.mark.parametrize(
        ("depth", "opens_at", "value"),
        [
            (1, 2, 19.3714),
            (2, 3, 16.2590),
            (3, 3, 16.2590),
            (5, 3, 16.2590),
            (4, 2, 19.3714),
            (6, 2, 19.3714),
            (7, 2, 19.3714),
            (8, 2, 19.3714),
            (13, 2, 19.3714),
            (20, 2, 19.3714),
        ],
    )
    def test_value_of_the_receding_horizon_policy(self, depth: int, opens_at: int, value: float) -> None:
        policy = self.policy(depth)
        assert all((action == LISTEN) == (abs(n) < opens_at) for n, action in policy.items())
        assert self.moments(policy)[0] == pytest.approx(value, abs=5e-5)

    @pytest.mark.parametrize("planner", [TREE, MonteCarloTree()], ids=["tree", "mcts"])
    @pytest.mark.parametrize("depth", [1, 2, 3, 5])
    def test_what_is_beyond_makes_a_short_horizon_enough(self, depth: int, planner: Minimizer) -> None:
        assert self.moments(self.policy(depth, Opening(), planner))[0] >= 19.37

    @pytest.mark.parametrize("horizon", [6, 20])
    def test_value_of_what_the_agent_of_the_example_does(self, horizon: int) -> None:
        """The actions of the whole agent, which hears and believes first, on the chain of net hearings."""
        built = build(Experiment.load(EXAMPLE, [f"planner.horizon={horizon}"]), load())
        policy = {0: self.action(built.agent, after_hearings(1), 0)}
        for n in range(1, self.REACH + 1):
            policy[n] = self.action(built.agent, after_hearings(n - 1), 1)
            policy[-n] = self.action(built.agent, after_hearings(1 - n), 0)
        assert self.moments(policy)[0] >= 19.37

    def action(self, agent: Agent, before: Categorical, heard: int) -> int:
        """What the agent does that believed `before`, listened, and hears the left (0) or the right (1)."""
        seen, draws = torch.eye(2, dtype=F64)[[heard]], torch.Generator().manual_seed(0)
        return int(agent.decide(EnergyState(before), seen, generator=draws).action.argmax())

    def test_one_return_says_little_about_the_value(self) -> None:
        """A simulation of ten thousand returns gives 30.1 or so; exact is 29.9935."""
        assert self.moments(self.policy(6))[1] == pytest.approx(29.9935, abs=5e-5)


def test_the_tree_is_what_it_says_at_beliefs_it_visits() -> None:
    """After listening twice and hearing the right side twice, the plan made at the start opens the left door."""
    plan = planned(400, after_hearings(0))
    two: Tensor = plan.act(after_hearings(2), 2, inf).mean
    assert_close(two, ACTIONS[OPEN_LEFT])
