"""Counts learned beside pymdp 1.0.4 in float64: 30 random models, a tick each, by products of marginals."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import Categorical, Decision, Evidence, Tick, minimize
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_optimizers.exact import Exact

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64


@pytest.fixture(scope="module")
def learning() -> Any:
    """Its updates, in float64."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        yield pytest.importorskip("pymdp.learning")


@pytest.mark.parametrize("seed", range(30))
def test_counts_are_pymdps(learning: Any, seed: int) -> None:
    draws = np.random.default_rng(seed)
    states, outcomes, actions = (int(each) for each in draws.integers(2, 6, 3))
    counts = {
        "A": [draws.uniform(0.2, 3, (outcomes, states)), draws.uniform(0.2, 3, (2, states))],
        "B": [draws.uniform(0.2, 3, (states, states, actions))],
    }
    rate = float(draws.uniform(0.1, 1))
    learn = {"A": {"rate": rate}, "B": {"rate": rate, "pairs": "outer"}}
    model = CategoricalModel(D=[draws.dirichlet(np.ones(states))], counts=counts, learn=learn)
    arrays = {name: [each / each.sum(0) for each in start] for name, start in counts.items()}
    now, then = ([int(draws.integers(outcomes)), int(draws.integers(2))] for _ in range(2))
    action = int(draws.integers(actions))
    seen, after = (model.outcome.one_hot(torch.tensor([each]), F64) for each in (now, then))
    before = posterior(model, seen, model.begin(1))
    taken = torch.eye(actions, dtype=F64)[[action]]
    following = posterior(model, after, model.predict(before, taken))

    def batched(q: Categorical) -> Any:
        return np.asarray(q.mean)[:1]

    theirs_A, means_A = learning.update_obs_likelihood_dirichlet(
        counts["A"], arrays["A"], [np.array([o]) for o in now], [batched(before)],
        A_dependencies=[[0], [0]], categorical_obs=False, num_obs=[outcomes, 2], lr=rate,
    )  # fmt: skip
    theirs_B, means_B = learning.update_state_transition_dirichlet(
        counts["B"], arrays["B"], [[batched(following), batched(before)]], np.array([[action]]),
        num_controls=[actions], lr=rate,
    )  # fmt: skip
    flags, zero = np.zeros(1, bool), np.zeros(1, np.int64)
    model.condition(
        Tick(seen, taken, after, np.zeros(1), flags, flags, ~flags, zero, zero, Decision(taken, belief=before),
             Native(None, None, None))
    )  # fmt: skip
    for number, (own, mean) in enumerate(zip(theirs_A, means_A, strict=True)):
        assert_close(model.learned.counts("A")[number].alpha(), torch.tensor(np.array(own)), atol=1e-6, rtol=0)
        assert_close(model.observation.tables[number], torch.tensor(np.array(mean)), atol=1e-6, rtol=0)
    assert_close(
        model.learned.counts("B")[0].alpha(), torch.tensor(np.array(theirs_B[0])).flatten(1), atol=1e-6, rtol=0
    )
    assert_close(model.dynamics(), torch.tensor(np.array(means_B[0])), atol=1e-6, rtol=0)


def posterior(model: CategoricalModel, seen: torch.Tensor, prior: Any) -> Categorical:
    evidence = Evidence(model, seen, prior)
    belief = minimize(evidence, Exact(), evidence.start(None)).belief
    assert isinstance(belief, Categorical)
    return belief
