"""`model.float()` is enough: whatever takes a discrete model answers in float32 what it answers in float64, to 1e-4.

Every solver in the registry perceives and plans, with every gain in it, in every discrete model; what raises UserError
does not take such a problem. Planners that draw differ in what they draw: what they say of their plan must be right.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Categorical,
    Evidence,
    ExpectedEnergy,
    Gain,
    Minimizer,
    Model,
    Plan,
    Purpose,
    Sequence,
    Simplex,
    UserError,
    minimize,
)
from agentic.plugins import load
from agentic.testing import Example
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import JointGain, SummedGain
from agentic_energies.goals import LogPreferences
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.tree import TreeSearch
from tests.reference.shapes import MODELS, SHAPES, Shape, drawn

CLOSE = 1e-4
HORIZON = 2
TARGETS = ("states", "weights", "both", *JointGain.TARGETS)


class Answer(NamedTuple):
    """A belief, or the first action of a plan, with its value, and the plan."""

    mean: Tensor
    value: Tensor
    plan: Plan | None = None


def registered(kind: str, contract: type) -> dict[str, Any]:
    """Every component of a contract that the registry makes without being given anything, by name."""
    registry, made = load(), {}
    for name in registry.names(kind):
        component = registry.resolve(kind, name)
        if isinstance(component, type) and issubclass(component, contract):
            made[name] = component.example() if isinstance(component, Example) else component()
    return made


SOLVERS: Mapping[str, Minimizer] = registered("optimizers", Minimizer)
LEARNED = CategoricalModel(  # whose states are certain, so that gains about weights add up over plans
    counts=[[[3.0, 1.0], [1.0, 4.0]]],
    B=[[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]],
    D=[[1.0, 0.0]],
    ends=[0.0, 0.5],
)
DISCRETE: Mapping[str, Model] = {"learned": LEARNED} | {
    name: model
    for name, model in registered("energies", Model).items()
    if isinstance(model.latent, Simplex) and isinstance(model.outcome, Simplex)
}


def gains() -> list[Gain | None]:
    """None, and every gain in the registry with every target that it takes."""
    found: list[Gain | None] = [None]
    for gain in registered("energies", Gain).values():
        found.append(gain)
        for target in TARGETS:
            try:
                found.append(type(gain)(target=target))
            except (TypeError, UserError):  # it has no targets, or others
                continue
    return [gain for i, gain in enumerate(found) if gain not in found[:i]]


GAINS = gains()


def perceived(model: Model, solver: Minimizer, obs: Tensor, seed: int) -> Answer:
    """What a solver makes of an observation at the start of an episode."""
    begin = model.begin(len(obs))
    generator = torch.Generator().manual_seed(seed)
    solution = minimize(Evidence(model, obs.to(begin.mean.dtype), begin), solver, begin.mean, generator=generator)
    return Answer(solution.belief.mean, solution.value)


def planned(f: ExpectedEnergy, solver: Minimizer, seed: int) -> Answer:
    """What a planner does first."""
    solution = minimize(f, solver, generator=torch.Generator().manual_seed(seed))
    assert isinstance(solution.belief, Plan)
    return Answer(solution.belief.first_action(2.0).mean, solution.value, solution.belief)


def agree(double: Answer, single: Answer) -> None:
    """The answers are the same to 1e-4, and the second is in float32."""
    assert single.mean.dtype == torch.float32
    for exact, rounded in zip(double[:2], single[:2], strict=True):
        assert_close(rounded.double(), exact, atol=CLOSE, rtol=CLOSE)


def compared(ask: Callable[[Model, int], Answer], model: Model, exact: Callable[[Model], ExpectedEnergy]) -> None:
    """The answers to one question in both precisions; where draws decide, what is said of the plans weighed."""
    try:
        double, again = ask(model, 0), ask(model, 1)
    except UserError as reason:
        pytest.skip(str(reason))
    single = ask(deepcopy(model).float(), 0)
    if torch.equal(double.mean, again.mean) and torch.equal(double.value, again.value):
        agree(double, single)
    if isinstance(single.plan, Sequence):
        values = exact(model)(single.plan.actions.double())
        assert_close(single.plan.values.double(), values.expand_as(single.plan.values), atol=CLOSE, rtol=CLOSE)


def objective(model: Model, gain: Gain | None = None) -> ExpectedEnergy:
    """To see high levels, two steps from the start."""
    assert isinstance(model.outcome, Simplex)
    begin = model.begin(2)
    goal = LogPreferences([[float(level) for level in range(n)] for n in model.outcome.sizes]).to(begin.mean.dtype)
    return ExpectedEnergy(model, begin, Purpose(goal, HORIZON, gain))


def plans(model: str, solver: str, gain: Gain | None) -> None:
    """A planner answers the same in both precisions."""

    def exact(each: Model) -> ExpectedEnergy:
        return objective(each, gain)

    compared(lambda each, seed: planned(exact(each), SOLVERS[solver], seed), DISCRETE[model], exact)


def test_there_is_something_to_compare() -> None:
    assert {"categorical", "factored"} <= DISCRETE.keys()
    assert {"exact", "mirror", "enumerate", "tree", "cem"} <= SOLVERS.keys()
    assert {None, SummedGain(), SummedGain("both"), JointGain("first")} <= set(GAINS)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("model", DISCRETE)
def test_perceiving(model: str, solver: str) -> None:
    outcome = DISCRETE[model].outcome
    assert isinstance(outcome, Simplex)
    obs = outcome.one_hot(torch.tensor([[0] * len(outcome.sizes), [1] * len(outcome.sizes)]))
    compared(lambda each, seed: perceived(each, SOLVERS[solver], obs, seed), DISCRETE[model], objective)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("model", ["learned", "factored"])
def test_planning(model: str, solver: str) -> None:
    plans(model, solver, None)


@pytest.mark.parametrize("gain", GAINS, ids=str)
@pytest.mark.parametrize("model", DISCRETE)
def test_gains(model: str, gain: Gain | None) -> None:
    plans(model, "enumerate", gain)


@pytest.mark.slow
@pytest.mark.parametrize("gain", GAINS, ids=str)
@pytest.mark.parametrize("solver", SOLVERS)
def test_planning_with_every_gain(solver: str, gain: Gain | None) -> None:
    plans("learned", solver, gain)


KINDS = (
    (FactoredModel, Mirror(), Enumerate()),
    (CategoricalModel, Exact(), Enumerate()),
    (CategoricalModel, Exact(), TreeSearch()),
)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.factors}-{shape.controls}-{shape.horizon}")
def test_random_models(shape: Shape) -> None:
    """Where an observation is hardly possible or a factor has two explanations, too; gains take turns."""
    models = drawn(shape)
    for row in range(MODELS):
        seen = torch.from_numpy(models.seen[[row]])
        for kind, solver, planner in KINDS:
            gain = GAINS[row % len(GAINS)]
            answers = []
            for dtype in (torch.float64, torch.float32):
                model = kind.from_pymdp(**models.given(row)).to(dtype)
                before = perceived(model, solver, model.outcome.one_hot(seen), 0)
                agent = Purpose(models.goal(row).to(dtype), min(shape.horizon, 2), gain)
                f = ExpectedEnergy(model, Categorical(before.mean, model.latent.sizes), agent)
                try:
                    answers.append((before, planned(f, planner, 0)))
                except UserError:  # this gain is not for this model or this planner
                    answers.append((before, before))
            for double, single in zip(*answers, strict=True):
                agree(double, single)
