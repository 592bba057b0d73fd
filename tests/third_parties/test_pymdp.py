"""Beside pymdp 1.0.4 in float64: 20 shapes of 15 random models each.

Its fixed-point sweeps update all factors at once and need not settle: where they have, posteriors are compared, and
where not, ours must end at no higher free energy. Its expected energies take the product of the factors' beliefs.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Evidence, ExpectedEnergy, Purpose, Sequence, Simplex, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64
MODELS = 15
SHARP = 0.3  # the smaller, the nearer to certain are tables, and the more factors depend on each other once seen
CLOSE = 1e-6
SETTLED = 1e-8


@dataclass(frozen=True)
class Shape:
    """The sizes and dependency lists that 15 random models share."""

    factors: tuple[int, ...]
    outcomes: tuple[int, ...]
    controls: tuple[int, ...]
    horizon: int
    A: tuple[tuple[int, ...], ...]
    B: tuple[tuple[int, ...], ...]
    moved: tuple[tuple[int, ...], ...]

    @property
    def exact(self) -> bool:
        """Whether factors stay independent: each modality is about one, and each moves by itself."""
        return all(len(own) == 1 for own in (*self.A, *self.B))


# factors, outcomes, controls, horizon, A, B, controls of each factor
ONE = [
    Shape((2,), (3,), (2,), 1, ((0,),), ((0,),), ((0,),)),
    Shape((3,), (2, 2), (3,), 2, ((0,), (0,)), ((0,),), ((0,),)),
    Shape((4,), (3, 2, 2), (2,), 4, ((0,), (0,), (0,)), ((0,),), ((0,),)),
    Shape((3,), (3,), (2, 2), 3, ((0,),), ((0,),), ((0, 1),)),
    Shape((5,), (4, 3), (5,), 4, ((0,), (0,)), ((0,),), ((0,),)),
]
APART = [
    Shape((2, 3), (2, 3), (2, 2), 1, ((0,), (1,)), ((0,), (1,)), ((0,), (1,))),
    Shape((3, 2), (2, 3, 2), (3,), 3, ((0,), (1,), (1,)), ((0,), (1,)), ((0,), (0,))),
    Shape((2, 2, 3), (2, 2, 3), (2, 3), 2, ((0,), (1,), (2,)), ((0,), (1,), (2,)), ((0,), (), (0, 1))),
    Shape((3, 3), (4,), (2, 2), 4, ((1,),), ((0,), (1,)), ((0,), (1,))),
]
TOGETHER = [
    Shape((2, 3), (3,), (2,), 2, ((0, 1),), ((0,), (1,)), ((0,), (0,))),
    Shape((3, 2), (2, 3), (2, 3), 3, ((0, 1), (1,)), ((0,), (1,)), ((0,), (1,))),
    Shape((2, 2, 2), (2, 3, 2), (2,), 4, ((0, 2), (1,), (2, 0)), ((0,), (1,), (2,)), ((0,), (0,), ())),
    Shape((3, 3), (3, 3), (4,), 1, ((0, 1), (0, 1)), ((0,), (1,)), ((0,), ())),
    Shape((2, 3, 2), (4,), (2, 2), 2, ((0, 1, 2),), ((0,), (1,), (2,)), ((0,), (1,), (1,))),
    Shape((4, 2), (5, 3), (3,), 4, ((0,), (0, 1)), ((0,), (1,)), ((0,), ())),
]
ACTING = [
    Shape((2, 3), (2, 3), (2,), 3, ((0,), (1,)), ((0,), (1, 0)), ((0,), (0,))),
    Shape((3, 2), (3,), (2, 2), 2, ((0, 1),), ((0, 1), (1,)), ((0,), (1,))),
    Shape((2, 2, 3), (2, 2, 2), (3,), 4, ((0,), (0, 1), (2,)), ((0,), (1, 2), (0, 2)), ((0,), (), (0,))),
    Shape((2, 3, 2), (3, 2), (2, 2), 3, ((0, 1), (2,)), ((0, 1, 2), (1,), (2, 1)), ((0, 1), (1,), ())),
    Shape((3, 3), (2, 2, 2), (3, 2), 1, ((0,), (1,), (0, 1)), ((1, 0), (0, 1)), ((0,), (1,))),
]
SHAPES = [*ONE, *APART, *TOGETHER, *ACTING]


@dataclass(frozen=True)
class Case:
    """15 random models of a shape as arrays with a leading axis, what each sees, and pymdp's answers."""

    shape: Shape
    arrays: dict[str, list[np.ndarray]]
    E: np.ndarray
    gamma: np.ndarray
    seen: np.ndarray
    beliefs: Tensor
    vfe: Tensor
    efe: Tensor
    plans: Tensor

    def given(self, row: int) -> dict[str, Any]:
        """What a pymdp Agent of one of the models is given, without its plans and preferences."""
        lists: dict[str, Any] = {"A_dependencies": self.shape.A, "B_dependencies": self.shape.B}
        lists |= {"B_action_dependencies": self.shape.moved, "num_controls": self.shape.controls}
        return {name: [a[row] for a in self.arrays[name]] for name in "ABD"} | lists

    def plan(self, row: int, model: CategoricalModel | FactoredModel, belief: Tensor) -> Sequence:
        """Our plan posterior from a belief."""
        goal = LogPreferences.from_pymdp([c[row] for c in self.arrays["C"]])
        purpose = Purpose(goal, self.shape.horizon, SummedGain())
        f = ExpectedEnergy(model, Categorical(belief, model.latent.sizes), purpose)
        plan = minimize(f, Enumerate(E=tuple(self.E[row].tolist()))).belief
        assert isinstance(plan, Sequence)
        return plan


def columns(draws: np.random.Generator, *shape: int) -> np.ndarray:
    """Random probabilities along the first axis of each of 15 models."""
    return np.moveaxis(draws.dirichlet(np.full(shape[0], SHARP), (MODELS, *shape[1:])), -1, 1)


@cache
def answered(agents: Any, shape: Shape) -> Case:
    """Random models, and what pymdp makes of them."""
    draws = np.random.default_rng(SHAPES.index(shape))
    sizes, horizon = shape.factors, shape.horizon
    arrays = {
        "A": [columns(draws, n, *(sizes[f] for f in own)) for n, own in zip(shape.outcomes, shape.A, strict=True)],
        "B": [
            columns(draws, n, *(sizes[i] for i in own), *(shape.controls[u] for u in moved))
            for n, own, moved in zip(sizes, shape.B, shape.moved, strict=True)
        ],
        "C": [2 * draws.normal(size=(MODELS, n)) for n in shape.outcomes],
        "D": [columns(draws, n) for n in sizes],
    }
    count = int(np.prod(shape.controls)) ** horizon
    assert count <= 1000
    E, gamma = draws.dirichlet(np.ones(count), MODELS), draws.uniform(0.5, 4, MODELS)
    agent = agents(
        **{name: [np.asarray(a) for a in each] for name, each in arrays.items()},
        E=E,
        A_dependencies=[list(own) for own in shape.A],
        B_dependencies=[list(own) for own in shape.B],
        B_action_dependencies=[list(own) for own in shape.moved],
        num_controls=list(shape.controls),
        policy_len=horizon,
        gamma=gamma,
        num_iter=300,
        batch_size=MODELS,
    )
    seen = np.stack([draws.integers(n, size=MODELS) for n in shape.outcomes], -1)
    beliefs, info = agent.infer_states([np.asarray(o) for o in seen.T], agent.D, return_info=True)
    plans, efe = agent.infer_policies(beliefs)
    joined = np.concatenate([np.asarray(q)[:, -1] for q in beliefs], -1)
    vfe = torch.from_numpy(np.array(info["vfe"])).reshape(MODELS)
    answers = torch.from_numpy(joined), vfe, -torch.from_numpy(np.array(efe)), torch.from_numpy(np.array(plans))
    return Case(shape, arrays, E, gamma, seen, *answers)


def product_of(blocks: tuple[Tensor, ...]) -> Tensor:
    """The joint belief of independent ones."""
    joint, *rest = blocks
    for block in rest:
        joint = (joint.unsqueeze(-1) * block.unsqueeze(-2)).flatten(-2)
    return joint


def settled(evidence: Evidence, belief: Tensor) -> bool:
    """Whether another of pymdp's sweeps, of all factors at once, would leave a belief as it is."""
    assert isinstance(evidence.domain, Simplex)
    slopes = evidence.domain.blocks(evidence.gradient(belief))
    again = torch.cat([torch.softmax(-slope, -1) for slope in slopes], -1)
    return float((again - belief).abs().max()) < SETTLED


def agrees(case: Case, row: int, plan: Sequence) -> None:
    """Our expected energies and plan posterior, beside pymdp's."""
    assert_close(plan.values[:, 0], case.efe[row], atol=CLOSE, rtol=0)
    assert_close(plan.weights(float(case.gamma[row]))[:, 0], case.plans[row], atol=CLOSE, rtol=0)


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    """In how many models pymdp's sweeps have settled; it shows with `pytest -s`."""
    counted: Counter[str] = Counter()
    yield counted
    assert counted["settled"] > 20 * counted["not settled"]
    print(dict(counted))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.factors}-{shape.controls}-{shape.horizon}")
def test_a_belief_per_factor(pymdp: Any, shape: Shape, tally: Counter[str]) -> None:
    case = answered(pymdp, shape)
    for row in range(MODELS):
        theirs, model = case.beliefs[[row]], FactoredModel.from_pymdp(**case.given(row))
        obs = model.outcome.one_hot(torch.from_numpy(case.seen[[row]]))
        evidence = Evidence(model, obs, model.begin(1))
        vfe = evidence(theirs) - Categorical(theirs, model.latent.sizes).entropy()
        assert_close(vfe, case.vfe[[row]], atol=CLOSE, rtol=0)
        even = model.latent.center(1)  # where pymdp begins; an agent of ours begins at what it believed before
        own = minimize(evidence, Mirror(steps=3000, tolerance=1e-13), even)
        if settled(evidence, theirs):
            assert_close(own.belief.mean, theirs, atol=CLOSE, rtol=0)
            tally["settled"] += 1
        else:
            assert float(own.value) <= float(vfe) + CLOSE
            assert not shape.exact
            tally["not settled"] += 1
        agrees(case, row, case.plan(row, model, theirs))


@pytest.mark.parametrize("shape", [*ONE, *APART], ids=lambda shape: f"{shape.factors}-{shape.controls}-{shape.horizon}")
def test_the_joint_state(pymdp: Any, shape: Shape) -> None:
    """Where factors are seen and move apart, pymdp's posterior is exact, and so are its expected energies."""
    case = answered(pymdp, shape)
    for row in range(MODELS):
        model = CategoricalModel.from_pymdp(**case.given(row))
        theirs = product_of(torch.split(case.beliefs[[row]], list(shape.factors), -1))
        obs = model.outcome.one_hot(torch.from_numpy(case.seen[[row]]))
        own = minimize(Evidence(model, obs, model.begin(1)), Exact())
        assert_close(own.belief.mean, theirs, atol=CLOSE, rtol=0)
        assert_close(own.value, case.vfe[[row]], atol=CLOSE, rtol=0)
        agrees(case, row, case.plan(row, model, own.belief.mean))


@pytest.mark.parametrize("kind", ["distributions", "mask"])
def test_distributions_and_missing_observations(pymdp: Any, kind: str) -> None:
    """A mask leaves the posterior to the other modalities, as NaN does here."""
    shape = APART[1]
    case, draws = answered(pymdp, shape), np.random.default_rng(1)
    arrays = {name: [np.asarray(a) for a in case.arrays[name]] for name in "ABD"}
    lists = {"A_dependencies": [list(own) for own in shape.A], "B_dependencies": [list(own) for own in shape.B]}
    controls = {"B_action_dependencies": [list(own) for own in shape.moved], "num_controls": list(shape.controls)}
    agent = pymdp(**arrays, **lists, **controls, batch_size=MODELS, num_iter=50, categorical_obs=True)
    seen = [draws.dirichlet(np.ones(n), MODELS) for n in shape.outcomes]
    mask = [np.ones(1), np.zeros(1), np.ones(1)] if kind == "mask" else None
    beliefs, info = agent.infer_states([o.copy() for o in seen], agent.D, mask=mask, return_info=True)
    theirs = torch.from_numpy(np.concatenate([np.asarray(q)[:, -1] for q in beliefs], -1))
    if mask is not None:
        seen[1][:] = np.nan
    obs = torch.from_numpy(np.concatenate(seen, -1))
    for row in range(MODELS):
        model = FactoredModel.from_pymdp(**case.given(row))
        evidence = Evidence(model, obs[[row]], model.begin(1))
        own = minimize(evidence, Mirror(), evidence.start(None))
        assert_close(own.belief.mean, theirs[[row]], atol=CLOSE, rtol=0)
        if mask is None:
            assert float(own.value) == pytest.approx(float(np.reshape(info["vfe"], -1)[row]), abs=CLOSE)
