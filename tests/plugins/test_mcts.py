"""Monte-Carlo tree search: the whole tree's answers once all is expanded, and good ones long before."""

import time
from math import inf
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Backup,
    Categorical,
    EnergyAgent,
    ExpectedEnergy,
    Purpose,
    Solution,
    UserError,
    make,
    minimize,
    ticks,
)
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import Effort, LogPreferences
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_energies.reward import Reward
from agentic_envs.cuechain import CueChain, corridor
from agentic_envs.tiger import LISTEN, Tiger
from agentic_envs.tmaze import TMaze
from agentic_optimizers.backups import Max, MeanUnderSoftmax, SoftMin
from agentic_optimizers.mcts import MonteCarloTree
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree

F64 = torch.float64
BACKUPS: list[Backup] = [Max(), SoftMin(2.0), MeanUnderSoftmax(2.0)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def searched(f: ExpectedEnergy, seed: int = 0, **options: Any) -> tuple[Tree, Solution]:
    solution = minimize(f, MonteCarloTree(**options), generator=seeded(seed))
    assert isinstance(solution.belief, Tree)
    return solution.belief, solution


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    return np.moveaxis(draws.dirichlet(np.ones(shape[0]), shape[1:]), -1, 0)


def problem(seed: int, horizon: int = 4) -> ExpectedEnergy:
    """A small world in part seen, with or without ends, habits, gain, effort, and an energy of where a course ends."""
    draws = np.random.default_rng(seed)
    ends = draws.uniform(0, 0.4, 3) if seed % 2 else None
    habits = [0.3, 0.7] if seed % 3 else None
    model = CategoricalModel(
        [columns(draws, 2, 3)], [columns(draws, 3, 3, 2)], [columns(draws, 3)], E=habits, ends=ends
    )
    goal, terminal = (LogPreferences([draws.normal(size=2)], after=draws.normal()) for _ in range(2))
    purpose = Purpose(
        goal,
        horizon,
        SummedGain() if seed % 5 else None,
        Effort([0.3, 0.0]) if seed % 7 else None,
        terminal if seed % 4 > 1 else None,
        0.9,
    )
    beliefs = torch.cat([model.begin(1).mean, torch.from_numpy(draws.dirichlet(np.ones(3), 1))])
    return ExpectedEnergy(model, Categorical(beliefs), purpose)


def tiger(horizon: int) -> ExpectedEnergy:
    truth = Tiger().true_model()
    model = CategoricalModel(truth["A"], truth["B"], truth["D"])
    return ExpectedEnergy(model, model.begin(1), Purpose(Reward(truth["rewards"]), horizon, discount=0.95))


def tmaze(horizon: int) -> ExpectedEnergy:
    model = CategoricalModel.from_env(make(TMaze()))
    flat = [[0.0] * size for size in model.outcome.sizes[:-1]]
    worth = torch.linspace(-2, 2, model.outcome.sizes[-1]).tolist()
    return ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([*flat, worth]), horizon, SummedGain()))


class TestTheWholeTree:
    @settings(derandomize=True, deadline=None, max_examples=8)
    @given(st.integers(0, 10_000), st.sampled_from(BACKUPS), st.booleans())
    def test_once_all_is_expanded(self, seed: int, backup: Backup, puct: bool) -> None:
        """In random worlds: values, parts and scales, and the policy of every belief and step that can be met."""
        f = problem(seed, 3)
        whole = minimize(f, TreeSearch(backup))
        found, solution = searched(f, simulations=2000, puct=puct, backup=backup)
        assert isinstance(whole.belief, Tree)
        assert solution.converged is not None
        assert bool(solution.converged.all())
        assert solution.steps < 30
        assert_close(found.values, whole.belief.values)
        assert_close(solution.value, whole.value)
        for name, part in whole.belief.parts.items():
            assert_close(found.parts[name], part)
        assert_close(found.scales[-1][found.roots], whole.belief.scales[-1][whole.belief.roots])
        for t in range(3):
            met = Categorical(found.beliefs[found.depths[2 - t].isfinite().all(-1)])
            assert_close(found.act(met, t, 2.0).mean, whole.belief.act(met, t, 2.0).mean)

    @pytest.mark.parametrize("f", [tiger(3), tmaze(3)], ids=["tiger", "tmaze"])
    def test_of_known_worlds_at_horizon_3(self, f: ExpectedEnergy) -> None:
        whole, (found, _) = minimize(f, TreeSearch(Max())).belief, searched(f, simulations=2000)
        assert isinstance(whole, Tree)
        assert_close(found.values, whole.values)
        assert_close(found.first_action(inf).mean, whole.first_action(inf).mean)

    def test_is_approached(self) -> None:
        """The tiger with six steps ahead: the gap to the whole tree's value closes, and 60 paths choose rightly."""
        f = tiger(6)
        best = float(minimize(f, TreeSearch(Max())).value[0])
        gaps = [abs(float(searched(f, simulations=n)[1].value[0]) - best) for n in (4, 16, 64, 256)]
        assert gaps[0] > gaps[2] >= gaps[3]
        assert gaps[3] == pytest.approx(0, abs=1e-12)
        assert int(searched(f, simulations=64)[0].first_action(inf).mean.argmax()) == LISTEN


class TestTheSearch:
    def test_one_seed_is_one_plan(self) -> None:
        f = tmaze(6)
        first, again, other = (searched(f, seed, simulations=24)[0] for seed in (0, 0, 1))
        assert torch.equal(first.values, again.values)
        assert torch.equal(first.beliefs, again.beliefs)
        assert first.beliefs.shape != other.beliefs.shape or not torch.equal(first.beliefs, other.beliefs)

    def test_rows_have_trees_of_their_own(self) -> None:
        """Equal rows know no more than one alone, and each ends at its own whole tree."""
        f = problem(3, 4)
        twice = f.at(Categorical(f.belief.mean[[0, 0, 1]]))
        _, solution = searched(twice, simulations=8, paths=1)
        assert solution.diagnostics["beliefs"].tolist() == [9, 9, 9]
        found, _ = searched(twice, simulations=2000)
        assert_close(found.values[:, 1:], searched(f, simulations=2000)[0].values)

    def test_habits_forbid(self) -> None:
        draws = np.random.default_rng(0)
        model = CategoricalModel([columns(draws, 2, 3)], [columns(draws, 3, 3, 2)], [columns(draws, 3)], E=[0, 1])
        f = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([draws.normal(size=2)]), 4))
        found, solution = searched(f, simulations=2000)
        assert found.first_action(1.0).mean.tolist() == [[0, 1]]
        assert float(solution.diagnostics["beliefs"]) == 1 + 2 + 4 + 8
        assert_close(solution.value, minimize(f, TreeSearch(Max())).value)

    def test_habits_lead_with_puct(self) -> None:
        """Where all is alike, the second action is tried as often as the habits say."""
        flat = np.full((2, 2, 2), 0.5)
        model = CategoricalModel([np.eye(2)], [flat], [[0.5, 0.5]], E=[0.1, 0.9])
        f = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([[0.0, 0.0]]), 9))
        solver = MonteCarloTree(simulations=100, paths=1, puct=True)
        tree = solver.run(f, solver.init(f, None), 40, generator=seeded()).memory
        tries = tree.edges.tries[0]
        assert tries[1] > 5 * tries[0]

    def test_energies_may_be_infinite(self) -> None:
        """Two cells that are seen, of which one must not be entered: the first action leads there."""
        leads = np.stack([np.array([[0, 0], [1, 1]]), np.eye(2)], -1)
        model = CategoricalModel([np.eye(2)], [leads], [[1, 0]])
        f = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([[0.0, -inf]]), 4))
        found, solution = searched(f, simulations=100)
        assert found.values.tolist() == [[inf], [0.0]]
        assert bool(solution.converged)

    def test_single_precision(self) -> None:
        f = problem(6)
        double, _ = searched(f, simulations=2000)
        f.model.float()
        assert f.purpose.terminal is not None
        f.purpose.goal.float()
        f.purpose.terminal.float()
        single, _ = searched(f.at(Categorical(f.belief.mean.float())), simulations=2000)
        assert single.values.dtype == torch.float32
        assert_close(single.values.double(), double.values, atol=1e-4, rtol=1e-4)

    def test_what_it_cannot_follow(self) -> None:
        f = problem(1)
        with pytest.raises(UserError, match="mcts counts gains outcome by outcome, which JointGain"):
            searched(ExpectedEnergy(f.model, f.belief, Purpose(f.purpose.goal, 2, JointGain("final"))))
        linear = LinearGaussian.example()
        with pytest.raises(
            UserError, match="mcts needs the expected energy of a finite model, got ExpectedEnergy of L"
        ):
            searched(ExpectedEnergy(linear, linear.begin(1), f.purpose))
        with pytest.raises(UserError, match="mcts expects simulations >= 1, paths >= 1 and a finite exploration >= 0"):
            MonteCarloTree(exploration=-1.0)


def chain(depth: int, **options: Any) -> tuple[EnergyAgent, Any]:
    env = make("agentic/CueChain-v0", kwargs=corridor(depth))
    model = FactoredModel.from_env(env)
    preferences = LogPreferences([*([0.0] * size for size in model.outcome.sizes[:-1]), [0.0, 2.0, -4.0]])
    purpose = Purpose(preferences, 6, SummedGain(), discount=0.95)
    return EnergyAgent(model, purpose, Mirror(), MonteCarloTree(**options)), env


def rewards(depth: int, episodes: int, **options: Any) -> tuple[list[float], Tensor]:
    """The reward of every episode, and the seconds of every decision but the first."""
    agent, env = chain(depth, **options)
    returns, taken, last = [], [], time.perf_counter()
    for tick in ticks(agent, env, episodes=episodes, dtype=F64, accounts=False):
        taken.append(time.perf_counter() - last)
        if bool((tick.terminated | tick.truncated)[0]):
            returns.append(float(tick.reward[0]))
        last = time.perf_counter()
    return returns, torch.tensor(taken[1:])


def test_it_plans_where_the_joint_state_is_out_of_reach() -> None:
    """A chain of twelve cues has 159,744 joint states: after a few paths there is something to learn."""
    agent, _ = chain(12, simulations=48)
    belief = agent.model.begin(1)
    plan, _ = searched(ExpectedEnergy(agent.model, belief, agent.purpose), simulations=48)
    assert float(plan.terms()["state_gain"]) >= np.log(2)


def test_it_solves_a_chain_of_cues() -> None:
    assert rewards(3, 2, simulations=64)[0] == [1.0] * 2


@pytest.mark.slow
def test_it_solves_a_chain_of_twelve_cues_within_a_second_a_decision() -> None:
    returns, seconds = rewards(12, 3, simulations=128)
    assert returns == [1.0] * 3
    assert float(seconds.median()) < 1


def test_the_default_grid_is_the_trees() -> None:
    """The chain of pymdp's demonstration, certain cues: the same value as the whole tree on products of beliefs."""
    model = FactoredModel.from_env(make(CueChain()))
    purpose = Purpose(
        LogPreferences([[0.0] * 35, [0.0] * 5, [0.0] * 3, [0.0, 2.0, -4.0]]), 4, SummedGain(), discount=0.95
    )
    f = ExpectedEnergy(model, model.begin(1), purpose)
    _, solution = searched(f, simulations=2000)
    assert_close(solution.value, minimize(f, TreeSearch(Max())).value)
