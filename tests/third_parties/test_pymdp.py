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
from agentic_optimizers.enumerate import Enumerate
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror
from tests.reference.shapes import APART, MODELS, ONE, SHAPES, Drawn, Shape, drawn

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64
CLOSE = 1e-6
SETTLED = 1e-8


@dataclass(frozen=True)
class Case:
    """Random models of a shape, and pymdp's answers."""

    models: Drawn
    beliefs: Tensor
    vfe: Tensor
    efe: Tensor
    plans: Tensor

    def plan(self, row: int, model: CategoricalModel | FactoredModel, belief: Tensor) -> Sequence:
        """Our plan posterior from a belief."""
        purpose = Purpose(self.models.goal(row), self.models.shape.horizon, SummedGain())
        f = ExpectedEnergy(model, Categorical(belief, model.latent.sizes), purpose)
        plan = minimize(f, Enumerate(E=tuple(self.models.E[row].tolist()))).belief
        assert isinstance(plan, Sequence)
        return plan


@cache
def answered(agents: Any, shape: Shape) -> Case:
    """What pymdp makes of them."""
    models = drawn(shape)
    agent = agents(
        **{name: [np.asarray(a) for a in each] for name, each in models.arrays.items()},
        E=models.E,
        A_dependencies=[list(own) for own in shape.A],
        B_dependencies=[list(own) for own in shape.B],
        B_action_dependencies=[list(own) for own in shape.moved],
        num_controls=list(shape.controls),
        policy_len=shape.horizon,
        gamma=models.gamma,
        num_iter=300,
        batch_size=MODELS,
    )
    beliefs, info = agent.infer_states([np.asarray(o) for o in models.seen.T], agent.D, return_info=True)
    plans, efe = agent.infer_policies(beliefs)
    joined = np.concatenate([np.asarray(q)[:, -1] for q in beliefs], -1)
    vfe = torch.from_numpy(np.array(info["vfe"])).reshape(MODELS)
    answers = torch.from_numpy(joined), vfe, -torch.from_numpy(np.array(efe)), torch.from_numpy(np.array(plans))
    return Case(models, *answers)


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
    assert_close(plan.weights(float(case.models.gamma[row]))[:, 0], case.plans[row], atol=CLOSE, rtol=0)


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
        theirs, model = case.beliefs[[row]], FactoredModel.from_pymdp(**case.models.given(row))
        obs = model.outcome.one_hot(torch.from_numpy(case.models.seen[[row]]))
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
        model = CategoricalModel.from_pymdp(**case.models.given(row))
        theirs = product_of(torch.split(case.beliefs[[row]], list(shape.factors), -1))
        obs = model.outcome.one_hot(torch.from_numpy(case.models.seen[[row]]))
        own = minimize(Evidence(model, obs, model.begin(1)), Exact())
        assert_close(own.belief.mean, theirs, atol=CLOSE, rtol=0)
        assert_close(own.value, case.vfe[[row]], atol=CLOSE, rtol=0)
        agrees(case, row, case.plan(row, model, own.belief.mean))


@pytest.mark.parametrize("kind", ["distributions", "mask"])
def test_distributions_and_missing_observations(pymdp: Any, kind: str) -> None:
    """A mask leaves the posterior to the other modalities, as NaN does here."""
    shape = APART[1]
    case, draws = answered(pymdp, shape), np.random.default_rng(1)
    arrays = {name: [np.asarray(a) for a in case.models.arrays[name]] for name in "ABD"}
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
        model = FactoredModel.from_pymdp(**case.models.given(row))
        evidence = Evidence(model, obs[[row]], model.begin(1))
        own = minimize(evidence, Mirror(), evidence.start(None))
        assert_close(own.belief.mean, theirs[[row]], atol=CLOSE, rtol=0)
        if mask is None:
            assert float(own.value) == pytest.approx(float(np.reshape(info["vfe"], -1)[row]), abs=CLOSE)
