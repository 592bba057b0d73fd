"""What must not matter: names, units, offsets, places nobody comes to, factors nothing depends on, order, precision.

A table of everything exact and of all planners against all changes that leave the problem the same. Where a definition
does depend on one, the table says why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from agentic import Categorical, ExpectedEnergy, Minimizer, Plan, Purpose, UserError, World, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.reward import Reward
from agentic_metrics import (
    Controllability,
    Empowerment,
    GoalDirectedness,
    IntentionalStance,
    InverseTemperature,
    OutcomeDevaluation,
    Payoff,
    PlanningDepth,
    adaptation_index,
    effective_information,
    excess_complexity,
    expected_return,
    optimal_return,
    policy_complexity,
    soft_policy,
    visits,
)
from agentic_metrics.finite.places import choices, reached
from agentic_optimizers.backups import Max
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.tree import TreeSearch

Floats = Any  # an array, or a number
DISCOUNT, HORIZON = 0.9, 6
PAYS = "returns are in units of reward"
LASTS = "where episodes end early, a constant per step rewards or punishes staying alive"
COUNTS = "states count whether they can be reached or not"


@dataclass(frozen=True)
class Case:
    """A world with a policy in it; `states` and `actions` say where those of the original are, `unit` its rewards'."""

    world: World
    policy: Floats
    states: Floats
    actions: Floats
    unit: float = 1.0

    @property
    def endless(self) -> bool:
        return not self.world.ended.any()


def drawn(seed: int) -> Case:
    """A small world whose numbers are binary fractions, so that float32 holds them; ties are frequent."""
    random = np.random.default_rng(seed)
    states, actions = int(random.integers(2, 6)), int(random.integers(2, 4))
    moves = np.zeros((states, actions, states))
    for s, a in np.ndindex(states, actions):
        for target in random.integers(states, size=random.choice([1, 1, 2, 4])):
            moves[s, a, target] += 1
    moves /= moves.sum(-1, keepdims=True)
    rewards, ended = random.integers(-4, 5, size=(states, actions)) / 4, np.zeros(states, bool)
    if random.random() < 0.5:
        ended[-1], moves[-1], rewards[-1] = True, np.eye(states)[-1], 0.0
    start = np.bincount(random.integers(max(1, states - 1), size=4), minlength=states) / 4
    policy = random.integers(1, 9, size=(states, actions)).astype(float)
    policy /= policy.sum(-1, keepdims=True)
    return Case(World(moves, rewards, start, ended), policy, np.arange(states), np.arange(actions))


def relabeled(case: Case, random: np.random.Generator) -> Case:
    s, a = random.permutation(case.world.states), random.permutation(case.world.actions)
    old = case.world
    world = World(old.dynamics[s][:, a][:, :, s], old.rewards[s][:, a], old.start[s], old.ended[s])
    return Case(world, case.policy[s][:, a], np.argsort(s), np.argsort(a))


def scaled(case: Case, random: np.random.Generator) -> Case:
    unit = float(10.0 ** random.integers(-8, 10))
    return replace(case, world=replace(case.world, rewards=case.world.rewards * unit), unit=unit)


def shifted(case: Case, random: np.random.Generator) -> Case:
    offset = float(random.choice([-1e6, -3.0, 0.1, 7.0, 1e6]))
    paid = np.where(case.world.ended[:, None], 0.0, case.world.rewards + offset)
    return replace(case, world=replace(case.world, rewards=paid))


def with_unreachable(case: Case, random: np.random.Generator) -> Case:
    old, more, n = case.world, 2, case.world.states
    moves = np.zeros((n + more, old.actions, n + more))
    moves[:n, :, :n] = old.dynamics
    for s, a in np.ndindex(more, old.actions):
        moves[n + s, a, random.integers(n + more)] = 1.0
    start, ended = np.concatenate([old.start, np.zeros(more)]), np.pad(old.ended, (0, more))
    pays = np.concatenate([old.rewards, random.integers(-64, 65, size=(more, old.actions))])
    policy = np.concatenate([case.policy, np.full((more, old.actions), 1 / old.actions)])
    return replace(case, world=World(moves, pays, start, ended), policy=policy)


def with_irrelevant_factor(case: Case, random: np.random.Generator) -> Case:
    """A weather of two values that moves by itself; the original states are those of its first value."""
    old, weather = case.world, np.array([[0.75, 0.25], [0.5, 0.5]])
    joint = 2 * old.states
    moves = np.einsum("sat,wv->swatv", old.dynamics, weather).reshape(joint, old.actions, joint)
    start: Floats = np.kron(old.start, [0.5, 0.5])
    world = World(moves, np.repeat(old.rewards, 2, axis=0), start, np.repeat(old.ended, 2))
    return replace(case, world=world, policy=np.repeat(case.policy, 2, axis=0), states=2 * case.states)


def in_float32(case: Case, random: np.random.Generator) -> Case:
    old = case.world
    moves, rewards, start = (part.astype(np.float32) for part in (old.dynamics, old.rewards, old.start))
    single: Any = World
    return replace(case, world=single(moves, rewards, start, old.ended))


CHANGES: Mapping[str, Callable[[Case, np.random.Generator], Case]] = {
    "relabeling": relabeled,
    "scale": scaled,
    "offset": shifted,
    "unreachable states": with_unreachable,
    "an irrelevant factor": with_irrelevant_factor,
    "float32": in_float32,
}


@dataclass(frozen=True)
class Row:
    """What is asked of a case: a number, a vector over states or a table over states and actions.

    `power` is the power of the unit of reward that it has; `depends` names the changes that its definition depends on,
    and why.
    """

    ask: Callable[[Case], Floats]
    power: int = 0
    depends: Mapping[str, str] = field(default_factory=dict)


def by_energy(solver: Minimizer, horizon: int) -> Callable[[Case], Floats]:
    return lambda case: plan(case, solver, horizon, torch.eye(case.world.states, dtype=torch.float64))


def plan(case: Case, solver: Minimizer, horizon: int, beliefs: torch.Tensor) -> Floats:
    """The greedy policy (beliefs, actions) of minimizing expected energy."""
    world = case.world
    ends = world.ended.astype(float)
    model = CategoricalModel([np.eye(world.states)], [world.dynamics.transpose(2, 0, 1)], [world.start], ends=ends)
    objective = ExpectedEnergy(model, Categorical(beliefs), Purpose(Reward(world.rewards), horizon, discount=DISCOUNT))
    found = minimize(objective, solver).belief
    assert isinstance(found, Plan)
    policy = found.first_action(inf)
    assert isinstance(policy, Categorical)
    return policy.probs.numpy()


def values(case: Case) -> Floats:
    return case.world.action_values(depth=HORIZON, discount=DISCOUNT)


def law(case: Case) -> Floats:
    seen = visits(case.world, case.policy, horizon=HORIZON)
    return seen / seen.sum()


def adapted(case: Case) -> float:
    best = case.world.planned_policy(depth=3, discount=DISCOUNT)
    return float(adaptation_index(case.world, case.policy, best, horizon=HORIZON, discount=DISCOUNT))


def stance(case: Case) -> float:
    """Of one life of the policy in the original world, told in the names of this one."""
    lived = [(case.states[0], case.actions[0]), (case.states[-1], case.actions[-1]), (case.states[0], case.actions[0])]
    went, did = (np.array(each) for each in zip(*lived, strict=True))
    return float(IntentionalStance().evidence([went], [did], case.world, goals=case.states.tolist()).bits)


def outcomes(case: Case) -> Floats:
    return Payoff.of(case.world).outcomes


def soft(case: Case) -> Floats:
    unit = np.ptp(case.world.rewards[case.states]) or 1.0
    return soft_policy(case.world, case.world.rewards / unit, beta=2.0, horizon=HORIZON, discount=DISCOUNT)[0][0]


ENDS = {"offset": LASTS}
TABLE: Mapping[str, Row] = {
    "planner": Row(lambda case: case.world.planned_policy(depth=HORIZON, discount=DISCOUNT), depends=ENDS),
    "tree": Row(by_energy(TreeSearch(Max()), 4), depends=ENDS),
    "enumerate": Row(by_energy(Enumerate(), 3), depends=ENDS),
    "soft policy": Row(soft, depends=ENDS),
    "action values": Row(values, power=1, depends={"offset": PAYS}),
    "expected return": Row(
        lambda case: expected_return(case.world, case.policy, horizon=HORIZON), power=1, depends={"offset": PAYS}
    ),
    "optimal return": Row(lambda case: optimal_return(case.world, horizon=HORIZON), power=1, depends={"offset": PAYS}),
    "outcomes": Row(
        outcomes, power=1, depends={"offset": "an outcome is an amount other than 0, what is paid for nothing"}
    ),
    "choices": Row(lambda case: choices(case.world)),
    "states in reach": Row(lambda case: reached(case.world)),
    "adaptation": Row(adapted, depends=ENDS),
    "inverse temperature": Row(
        lambda case: InverseTemperature(depth=HORIZON, horizon=HORIZON).of_policy(case.policy, case.world).value,
        power=-1,
        depends=ENDS,
    ),
    "planning depth": Row(
        lambda case: PlanningDepth(deepest=4, weights="own", horizon=HORIZON).of_policy(case.policy, case.world).value,
        depends=ENDS,
    ),
    "goal directedness": Row(
        lambda case: GoalDirectedness(horizon=4).of_policy(case.policy, case.world).value, depends=ENDS
    ),
    "intentional stance": Row(
        stance, depends={"an irrelevant factor": "a goal is a state, so that twice as many goals are meant"}
    ),
    "policy complexity": Row(lambda case: policy_complexity(case.policy, law(case))),
    "excess complexity": Row(lambda case: excess_complexity(case.policy, values(case), law(case)), depends=ENDS),
    "devaluation": Row(
        lambda case: OutcomeDevaluation().of_policies(case.policy, case.policy[:, ::-1], law(case)).value,
        depends={"relabeling": "the policy afterwards is made by the order of actions"},
    ),
    "effective information": Row(
        lambda case: effective_information(case.world.dynamics.mean(1)),
        depends={
            "unreachable states": COUNTS,
            "an irrelevant factor": "the factor is a part of the state whose influence is measured",
        },
    ),
    "empowerment": Row(
        lambda case: Empowerment(horizon=2, tolerance=1e-9).map(case.world.dynamics).value,
    ),
    "controllability": Row(
        lambda case: Controllability(horizon=3).of_world(case.world).value,
        depends={
            "unreachable states": COUNTS,
            "an irrelevant factor": "pairs of states count, the factor's too",
        },
    ),
}


def answered(row: Row, case: Case) -> Floats:
    """The answer in units of reward and in the order of the original; the error's class where there is none."""
    try:
        found = np.asarray(row.ask(case), np.float64) / case.unit**row.power
    except UserError as error:
        return type(error).__name__
    if found.ndim == 0 or row.ask is outcomes:
        return found
    return found[case.states] if found.ndim == 1 else found[np.ix_(case.states, case.actions)]


def check(name: str, change: str, seed: int) -> None:
    row, case = TABLE[name], drawn(seed)
    if change in row.depends and not (row.depends[change] is LASTS and case.endless):
        return
    before, after = answered(row, case), answered(row, CHANGES[change](case, np.random.default_rng(seed)))
    if isinstance(before, str) or isinstance(after, str):
        assert isinstance(before, str), (name, change, seed, before, after)
        assert before == after
        return
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-6, err_msg=f"{name}, {change}, seed {seed}")


PAIRS = [(name, change) for name, row in TABLE.items() for change in CHANGES]
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("name", "change"), PAIRS)
@given(seed=SEEDS)
@settings(derandomize=True, deadline=None, max_examples=6)
def test_what_does_not_matter_changes_nothing(name: str, change: str, seed: int) -> None:
    check(name, change, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "change"), PAIRS)
@given(seed=SEEDS)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_what_does_not_matter_changes_nothing_in_many_worlds(name: str, change: str, seed: int) -> None:
    check(name, change, seed)


@pytest.mark.soak
@pytest.mark.parametrize(("name", "change"), PAIRS)
@given(seed=SEEDS)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_what_does_not_matter_changes_nothing_in_more_worlds(name: str, change: str, seed: int) -> None:
    check(name, change, seed)


@pytest.mark.parametrize(("solver", "horizon"), [(TreeSearch(Max()), 4), (TreeSearch(), 4), (Enumerate(), 3)])
@given(seed=SEEDS)
@settings(derandomize=True, deadline=None, max_examples=10)
def test_rows_of_a_batch_are_planned_for_alone_and_in_any_order(solver: Minimizer, horizon: int, seed: int) -> None:
    case, random = drawn(seed), np.random.default_rng(seed)
    beliefs = torch.from_numpy(random.dirichlet(np.ones(case.world.states), size=5))
    order = random.permutation(5)
    together = plan(case, solver, horizon, beliefs)
    np.testing.assert_allclose(plan(case, solver, horizon, beliefs[order]), together[order], atol=1e-9)
    for row in range(5):
        np.testing.assert_allclose(plan(case, solver, horizon, beliefs[[row]]), together[[row]], atol=1e-9)
