"""The model with a belief per factor: beside the joint state, with missing observations, and its free energy."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Categorical,
    Evidence,
    ExpectedEnergy,
    Gain,
    Minimizer,
    Plan,
    Purpose,
    Sequence,
    UserError,
    make,
    minimize,
)
from agentic.testing import Check, checks_for
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import LogPreferences
from agentic_envs.cuechain import CueChain, corridor
from agentic_envs.pomdp import Pomdp
from agentic_optimizers.belief_propagation import BeliefPropagation
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.mcts import MonteCarloTree
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch
from agentic_optimizers.tree_plan import Tree
from agentic_optimizers.window import Window

F64 = torch.float64
MODELS = pytest.mark.parametrize("kind", [CategoricalModel, FactoredModel])
seeds = st.integers(0, 2**32 - 1)


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    """Probabilities along axis 0, some of them zero."""
    table = np.moveaxis(draws.dirichlet(np.full(shape[0], 0.5), shape[1:]), -1, 0)
    table = np.where(table < 0.02, 0.0, table)
    normalized: np.ndarray = table / table.sum(0)
    return normalized


def apart(seed: int) -> dict[str, Any]:
    """Two factors that are seen and move by themselves, each by a control of its own."""
    draws = np.random.default_rng(seed)
    return {
        "A": [columns(draws, 3, 2), columns(draws, 2, 3), columns(draws, 2, 3)],
        "B": [columns(draws, 2, 2, 2), columns(draws, 3, 3, 3)],
        "D": [columns(draws, 2), columns(draws, 3)],
        "dependencies": {"A": [[0], [1], [1]], "B_actions": [[0], [1]]},
    }


def together(seed: int) -> dict[str, Any]:
    """Three factors that are seen together and act on each other."""
    draws = np.random.default_rng(seed)
    return {
        "A": [columns(draws, 3, 2, 3), columns(draws, 2, 2, 2, 3)],
        "B": [columns(draws, 2, 2, 3, 2), columns(draws, 3, 3, 2), columns(draws, 2, 2, 2, 3, 2)],
        "D": [columns(draws, 2), columns(draws, 3), columns(draws, 2)],
        "dependencies": {"A": [[0, 1], [2, 0, 1]], "B": [[0, 1], [1], [2, 0, 1]]},
    }


def seen(model: CategoricalModel | FactoredModel, seed: int) -> Tensor:
    draws = np.random.default_rng(seed)
    return model.outcome.one_hot(torch.tensor([[int(draws.integers(n)) for n in model.outcome.sizes]]))


def outer(belief: Tensor, sizes: tuple[int, ...]) -> Tensor:
    joint, *rest = torch.split(belief, list(sizes), -1)
    for block in rest:
        joint = (joint.unsqueeze(-1) * block.unsqueeze(-2)).flatten(-2)
    return joint


@checks_for(FactoredModel)
def test_it_is_a_model(check: Check) -> None:
    check()


@settings(derandomize=True, deadline=None, max_examples=20)
@given(seeds)
def test_factors_apart_are_the_joint_state(seed: int) -> None:
    """Posterior, free energy and expected energies: for such models mean field is exact."""
    factored, joint = FactoredModel(**apart(seed)), CategoricalModel(**apart(seed))
    obs, goal = seen(factored, seed), LogPreferences([[0.0, 1.0, -2.0], [0.5, 0.0], [0.0, -1.0]])
    few = minimize(Evidence(factored, obs, factored.begin(1)), Mirror())
    whole = minimize(Evidence(joint, obs, joint.begin(1)), Exact())
    assert_close(outer(few.belief.mean, (2, 3)), whole.belief.mean, atol=1e-12, rtol=0)
    assert_close(few.value, whole.value)
    plans = [
        minimize(ExpectedEnergy(model, belief, Purpose(goal, 2, SummedGain())), Enumerate()).belief
        for model, belief in ((factored, few.belief), (joint, whole.belief))
    ]
    assert isinstance(plans[0], Sequence)
    assert isinstance(plans[1], Sequence)
    assert_close(plans[0].values, plans[1].values, atol=1e-12, rtol=0)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(seeds)
def test_no_sweep_raises_the_free_energy(seed: int) -> None:
    """Nor does any go below minus the log evidence, which the joint state has exactly (R17)."""
    factored, joint = FactoredModel(**together(seed)), CategoricalModel(**together(seed))
    obs = seen(factored, seed)
    evidence = Evidence(factored, obs, factored.begin(1))
    solution = minimize(evidence, Mirror(steps=50), evidence.start(None))
    assert bool((solution.trace.diff(dim=0) <= 1e-12 * solution.trace.abs().max()).all())
    bound = minimize(Evidence(joint, obs, joint.begin(1)), Exact()).value
    assert float(solution.value) >= float(bound) - 1e-10


@MODELS
@settings(derandomize=True, deadline=None, max_examples=20)
@given(seed=seeds)
def test_lists_of_a_few_and_of_all_factors_are_the_same(
    kind: type[CategoricalModel | FactoredModel], seed: int
) -> None:
    """A table that is told of more factors than matter, repeated along their axes (R17)."""
    given = together(seed)
    a, _ = given["A"]
    b = given["B"][1]
    more = given | {
        "A": [np.repeat(a[..., None], 2, -1), given["A"][1]],
        "B": [given["B"][0], np.repeat(b[:, None], 2, 1), given["B"][2]],
        "dependencies": {"A": [[0, 1, 2], [2, 0, 1]], "B": [[0, 1], [2, 1], [2, 0, 1]]},
    }
    few, all_ = kind(**given), kind(**more)
    belief = few.begin(1)
    evidences = [Evidence(model, seen(few, seed), belief) for model in (few, all_)]
    assert_close(evidences[0](belief.mean), evidences[1](belief.mean))
    solver = Exact() if kind is CategoricalModel else Mirror()
    posteriors = [minimize(evidence, solver, belief.mean).belief.mean for evidence in evidences]
    assert_close(posteriors[0], posteriors[1])
    goal, values = LogPreferences([[0.0, 1.0, 2.0], [0.0, 1.0]]), []
    for model in (few, all_):
        plan = minimize(ExpectedEnergy(model, belief, Purpose(goal, 2, SummedGain())), Enumerate()).belief
        assert isinstance(plan, Sequence)
        values.append(plan.values)
    assert_close(values[0], values[1], atol=1e-10, rtol=0)


@MODELS
@pytest.mark.parametrize("missing", [(0,), (1,), (0, 1)])
def test_a_missing_modality_contributes_nothing(
    kind: type[CategoricalModel | FactoredModel], missing: tuple[int, ...]
) -> None:
    """A block of NaN: posterior and free energy are those of the model without that modality."""
    whole, lists = together(5), together(5)["dependencies"]
    model = kind(**whole)
    obs = seen(model, 5)
    blocks = list(torch.split(obs, list(model.outcome.sizes), -1))
    kept = [m for m in range(2) if m not in missing]
    holed = torch.cat([block * torch.nan if m in missing else block for m, block in enumerate(blocks)], -1)
    solver = Exact() if kind is CategoricalModel else Mirror(steps=200)
    solution = minimize(Evidence(model, holed, model.begin(1)), solver, model.begin(1).mean)
    if not kept:
        assert_close(solution.belief.mean, model.begin(1).mean)
        assert_close(solution.value, torch.zeros(1, dtype=F64), atol=1e-12, rtol=0)
        return
    left = whole | {"A": [whole["A"][m] for m in kept], "dependencies": lists | {"A": [lists["A"][m] for m in kept]}}
    other = kind(**left)
    evidence = Evidence(other, torch.cat([blocks[m] for m in kept], -1), other.begin(1))
    expected = minimize(evidence, solver, other.begin(1).mean)
    assert_close(solution.belief.mean, expected.belief.mean)
    assert_close(solution.value, expected.value)


@MODELS
def test_a_row_may_miss_what_others_see(kind: type[CategoricalModel | FactoredModel]) -> None:
    model = kind(**together(6))
    obs = seen(model, 6).repeat(2, 1)
    obs[1, :3] = torch.nan
    solver = Exact() if kind is CategoricalModel else Mirror()
    both = minimize(Evidence(model, obs, model.begin(2)), solver, model.begin(2).mean)
    for row in range(2):
        alone = minimize(Evidence(model, obs[[row]], model.begin(1)), solver, model.begin(1).mean)
        assert_close(both.belief.mean[[row]], alone.belief.mean)


@MODELS
def test_an_observation_that_is_a_distribution_costs_its_mean(kind: type[CategoricalModel | FactoredModel]) -> None:
    model = kind(**together(7))
    z = model.begin(1).mean
    corners = model.outcome.one_hot(torch.tensor([[0, 0], [2, 1]])).unsqueeze(1)
    mixed = 0.3 * corners[0] + 0.7 * corners[1]
    sure = model.observation(z, corners[0]), model.observation(z, corners[1])
    assert_close(model.observation(z, mixed), 0.3 * sure[0] + 0.7 * sure[1])


@MODELS
def test_everything_is_finite_and_differentiable_with_zeros(kind: type[CategoricalModel | FactoredModel]) -> None:
    """pymdp's issue 394: zero probabilities in every table."""
    model = kind(
        A=[np.eye(2)[:, :, None] * np.ones(2)],
        B=[np.eye(2)[:, :, None], np.eye(2)[:, ::-1, None]],
        D=[[1.0, 0.0], [0.5, 0.5]],
    )
    z = model.begin(1).mean.requires_grad_()
    action = torch.ones(1, 1, dtype=F64)
    after = model.predict(Categorical(z, model.latent.sizes), action)
    energy = model.observation(z, torch.tensor([[0.0, 1.0]], dtype=F64)) + model.ambiguity(after)
    energy = energy + model.transition((z, action), after.mean) + model.prior(torch.empty(1, 0), z)
    (slope,) = torch.autograd.grad(energy.sum(), z)
    assert bool(torch.isfinite(energy).all())
    assert bool(torch.isfinite(slope).all())


PLANNERS = (Enumerate(), Enumerate(plans=((0, 1), (1, 1), (0, 0)), E=(0.5, 0.3, 0.2)), TreeSearch())
GAINS = (None, SummedGain(), JointGain("trajectory"), JointGain("final"))
SINGLE = [
    (kind, planner, gain)
    for kind in (CategoricalModel, FactoredModel)
    for planner in PLANNERS
    for gain in GAINS
    if kind is CategoricalModel or (not isinstance(planner, TreeSearch) and not isinstance(gain, JointGain))
    if not isinstance(planner, TreeSearch) or not isinstance(gain, JointGain)
]


@pytest.mark.parametrize(("kind", "planner", "gain"), SINGLE)
@pytest.mark.parametrize("seed", range(3))
def test_single_precision(
    kind: type[CategoricalModel | FactoredModel], planner: Minimizer, gain: Gain | None, seed: int
) -> None:
    """`model.float()` is enough: perceiving and planning are within 1e-4 of double precision."""
    found = []
    for model in (kind(**together(seed)), kind(**together(seed)).float()):
        assert isinstance(model, kind)
        obs = seen(model, seed).to(model.begin(1).mean.dtype)
        solver = Exact() if kind is CategoricalModel else Mirror()
        perceived = minimize(Evidence(model, obs, model.begin(1)), solver, model.begin(1).mean)
        purpose = Purpose(LogPreferences([[0.0, 1.0, 2.0], [0.0, -1.0]]), 2, gain)
        plan = minimize(ExpectedEnergy(model, perceived.belief, purpose), planner).belief
        assert isinstance(plan, Plan)
        found.append((perceived.belief.mean, perceived.value, plan.first_action(2.0).mean))
    assert found[1][0].dtype == torch.float32
    for double, single in zip(*found, strict=True):
        assert_close(single.double(), double.double(), atol=1e-4, rtol=1e-4)


@settings(derandomize=True, deadline=None, max_examples=10)
@given(seeds)
def test_ends_that_depend_on_one_factor_are_those_of_the_joint_state(seed: int) -> None:
    """Having survived, and what plans are expected to cost: exact where factors are independent."""
    given, chances = apart(seed), np.random.default_rng(seed).random(3)
    given |= {"ends": chances, "dependencies": given["dependencies"] | {"ends": [1]}}
    factored, joint = FactoredModel(**given), CategoricalModel(**given)
    assert_close(joint.going_on, torch.from_numpy(1 - chances).repeat(2))
    goal, found = LogPreferences([[0.0, 1.0, -2.0], [0.5, 0.0], [0.0, -1.0]], after=-0.3), []
    for model in (factored, joint):
        belief = minimize(Evidence(model, seen(factored, seed), model.begin(1)), Exact()).belief
        survived, chance = model.condition_on_alive(belief)
        assert chance is not None
        plan = minimize(ExpectedEnergy(model, belief, Purpose(goal, 2, SummedGain())), Enumerate()).belief
        assert isinstance(plan, Sequence)
        found.append(
            (factored.latent.joint(survived.mean) if model is factored else survived.mean, chance, plan.values)
        )
    for mine, theirs in zip(*found, strict=True):
        assert_close(mine, theirs, atol=1e-12, rtol=0)


@settings(derandomize=True, deadline=None, max_examples=10)
@given(seeds)
def test_ends_that_depend_on_several_factors_keep_the_marginals_of_having_survived(seed: int) -> None:
    given = together(seed) | {"ends": np.random.default_rng(seed).random((3, 2))}
    given["dependencies"] |= {"ends": [1, 0]}
    factored, joint = FactoredModel(**given), CategoricalModel(**given)
    action = factored.action.one_hot(torch.tensor([[[0], [1]]]))
    belief = factored.predict(factored.begin(2), action)
    some, chance = factored.condition_on_alive(belief)
    whole, exact = joint.condition_on_alive(Categorical(factored.latent.joint(belief.mean)))
    survived = whole.mean.unflatten(-1, factored.latent.sizes)
    marginals = [survived.sum([axis for axis in (-3, -2, -1) if axis != own]) for own in (-3, -2, -1)]
    assert_close(some.mean, torch.cat(marginals, -1), atol=1e-12, rtol=0)
    assert_close(chance, exact, atol=1e-12, rtol=0)
    assert_close(factored.alive(belief.mean), chance)


def test_a_world_that_ends_is_known_by_the_factors_that_decide_it() -> None:
    """A chain of cues ends at a place: of ends over 39 places and 2^12 ways that cues can be, the places."""
    model = FactoredModel.from_env(make(CueChain(**corridor(12))))
    assert model.ending == (0,)
    assert (model.going_on.shape, int((model.going_on == 0).sum())) == ((39,), 2)
    belief, chance = model.condition_on_alive(model.predict(model.begin(2), model.action.corners()[:2]))
    assert chance is not None
    assert_close(chance, torch.ones(2, dtype=F64))
    endless = FactoredModel.from_env(make(CueChain(ends=False)))
    assert endless.alive(belief.mean[:, :41]) is None
    assert endless.condition_on_alive(endless.begin(1))[1] is None


def test_a_world_of_arrays_takes_the_list_of_what_ends_it_as_its_models_do() -> None:
    arrays = apart(3) | {"ends": [0.0, 0.5, 1.0]}
    arrays["dependencies"] |= {"ends": [1]}
    known, own = FactoredModel.from_env(make(Pomdp(**arrays))), FactoredModel(**arrays)
    assert_close(known.going_on, own.going_on)
    assert (known.ending, known.float().going_on.dtype) == ((1,), torch.float32)
    with pytest.raises(ValueError, match=r"dependencies.ends must be different indices below 2, got \[2\]"):
        Pomdp(**arrays | {"dependencies": {"ends": [2]}})


@MODELS
def test_ends_that_do_not_fit_are_named(kind: type[CategoricalModel | FactoredModel]) -> None:
    arrays, lists = apart(3), apart(3)["dependencies"]
    with pytest.raises(UserError, match=r"dependencies.ends expects different indices below 2, got \[1, 1\]"):
        kind(**arrays | {"ends": [0.0, 1.0], "dependencies": lists | {"ends": [1, 1]}})
    with pytest.raises(UserError, match=r"dependencies.ends expects different indices below 2, got 1"):
        kind(**arrays | {"ends": [0.0, 1.0], "dependencies": lists | {"ends": 1}})
    with pytest.raises(UserError, match=r"ends expects shape \(3\) = the state factors, got \(2,\)"):
        kind(**arrays | {"ends": [0.0, 1.0], "dependencies": lists | {"ends": [1]}})
    with pytest.raises(UserError, match="ends must hold probabilities between 0 and 1"):
        kind(**arrays | {"ends": [0.0, 2.0], "dependencies": lists | {"ends": [0]}})


def test_what_does_not_fit_is_named() -> None:
    given = together(8)
    with pytest.raises(UserError, match=r"A\[0\] expects shape \(any, 2, 2\) = \(outcomes, \*state factors 0, 2\)"):
        FactoredModel(**given | {"dependencies": given["dependencies"] | {"A": [[0, 2], [2, 0, 1]]}})
    with pytest.raises(UserError, match=r"E expects shape \(2\) = \(actions,\), got \(3,\)"):
        FactoredModel(**given, E=[0.2, 0.3, 0.5])


def three_tables(kind: type[CategoricalModel | FactoredModel], **given: Any) -> CategoricalModel | FactoredModel:
    """A factor beside modalities of which one looks at it, and others at nothing."""
    draws = np.random.default_rng(11)
    seen = [columns(draws, 3, 4), columns(draws, 2), columns(draws, 3)]
    lists = {"A": [[0], [], []], "B": [[]], "ends": []}
    return kind(seen, [columns(draws, 4, 2)], [columns(draws, 4)], ends=0.25, dependencies=lists, **given)


@pytest.mark.parametrize("solver", [Exact(), Mirror(), BeliefPropagation()])
def test_modalities_that_look_at_nothing_cost_what_they_are_worth(solver: Minimizer) -> None:
    """Also where there is one factor only, whose evidence is a product over modalities."""
    one, other = three_tables(FactoredModel), three_tables(CategoricalModel)
    obs = one.outcome.one_hot(torch.tensor([[0, 1, 2], [2, 0, 0]]))
    obs[1, 3:5] = torch.nan
    found = minimize(Evidence(one, obs, one.begin(2)), solver)
    exact = minimize(Evidence(other, obs, other.begin(2)), Exact())
    assert_close(found.value, exact.value, atol=1e-12, rtol=0)
    assert_close(found.belief.mean, exact.belief.mean, atol=1e-12, rtol=0)
    window = Window(one, obs.unsqueeze(0), torch.zeros(0, 2, 2, dtype=F64))
    assert_close(minimize(window, Exact()).value, exact.value, atol=1e-12, rtol=0)


@pytest.mark.parametrize("solver", [Enumerate(), TreeSearch(), MonteCarloTree(simulations=3000)])
def test_what_looks_at_nothing_is_planned_with(solver: Minimizer) -> None:
    """A hazard that is the same everywhere, and outcomes that tell nothing."""
    goal = LogPreferences([[0.0, 1.0, 2.0], [0.0, 1.0], [0.5, 0.0, 0.0]], after=0.7)
    purpose, values = Purpose(goal, 3, SummedGain(), terminal=goal, discount=0.9), []
    for kind in (FactoredModel, CategoricalModel):
        model = three_tables(kind)
        assert_close(model.condition_on_alive(model.begin(1))[1], torch.tensor([0.75], dtype=F64))
        f = ExpectedEnergy(model, model.begin(1), purpose)
        plan = minimize(f, solver, generator=torch.Generator().manual_seed(0)).belief
        assert isinstance(plan, Sequence | Tree)
        values.append(plan.values)
    assert_close(*values, atol=1e-12, rtol=0)


@settings(max_examples=30)
@given(seeds)
def test_what_is_impossible_stays_so_in_mean_field(seed: int) -> None:
    """Without a floor: where factors are independent given what is seen, the posterior is that of the joint state."""
    draws = np.random.default_rng(seed)
    seen = [columns(draws, 3, 3) * (draws.random((3, 3)) < 0.6) + 0.01 * np.eye(3), columns(draws, 2, 2)]
    seen[0], seen[1][:, 0] = seen[0] / seen[0].sum(0), [1, 0]
    moves = [np.eye(3)[draws.permutation(3)][..., None], np.eye(2)[..., None]]
    starts = [np.array([0.5, 0.5, 0.0]), np.array([0.4, 0.6])]
    lists, state = {"A": [[0], [1]], "B_actions": [[0], [0]]}, (draws.integers(2), draws.integers(2))
    model = FactoredModel(seen, moves, starts, floor=0.0, dependencies=lists)
    joint = CategoricalModel(seen, moves, starts, floor=0.0, dependencies=lists)
    level = [int(draws.choice(len(a), p=a[:, s])) for a, s in zip(seen, state, strict=True)]
    obs = model.outcome.one_hot(torch.tensor([level]))
    found = minimize(Evidence(model, obs, model.begin(1)), Mirror())
    exact = minimize(Evidence(joint, obs, joint.begin(1)), Exact())
    assert_close(found.value, exact.value, atol=1e-12, rtol=0)
    assert_close(model.latent.joint(found.belief.mean), exact.belief.mean, atol=1e-12, rtol=0)
    ahead = model.predict(found.belief, torch.ones(1, 1, dtype=F64)).mean
    surprise = model.transition((found.belief.mean, torch.ones(1, 1, dtype=F64)), ahead)
    assert not bool(surprise.isnan().any())
    assert bool(model.prior(torch.empty(1, 0), found.belief.mean).isfinite().all())


@MODELS
@pytest.mark.parametrize("floor", [-1.0, 1.0, float("nan"), "0"])
def test_a_floor_is_a_probability(kind: type[CategoricalModel | FactoredModel], floor: Any) -> None:
    with pytest.raises(UserError, match="floor expects a probability from 0, which forbids, to less than 1"):
        three_tables(kind, floor=floor)


@MODELS
def test_lists_of_what_ends_may_be_arrays(kind: type[CategoricalModel | FactoredModel]) -> None:
    arrays: dict[str, Any] = {"A": [np.eye(2)], "B": [np.eye(2)[..., None]], "D": [[0.5, 0.5]]}
    model = kind(**arrays, ends=[0.0, 0.5], dependencies={"ends": np.array([0])})
    assert_close(model.condition_on_alive(model.begin(1))[1], torch.tensor([0.75], dtype=F64))
    world = Pomdp(**arrays, ends=[0.0, 0.5], dependencies={"ends": np.array([0])})
    assert make(world).truth()["ends"].tolist() == [0, 0.5]
    with pytest.raises(ValueError, match="must be different indices below 1, got 0"):
        Pomdp(**arrays, ends=[0.0, 0.5], dependencies={"ends": 0})


@pytest.mark.parametrize("kind", [FactoredModel, CategoricalModel])
def test_lists_of_dependencies_without_names_are_one_sentence(kind: Any) -> None:
    with pytest.raises(UserError, match=r"dependencies expects lists by name, .* got list"):
        kind([np.eye(2)], [np.eye(2)[..., None]], [[0.5, 0.5]], dependencies=[[0]])
