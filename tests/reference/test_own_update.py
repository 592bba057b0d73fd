"""The predicted gain of the agent's own update beside simulation: 200 random models, fixed beforehand, of each kind.

The world draws what the model predicts, the agent perceives and counts as it does, and its belief about weights moves.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from agentic import Categorical, Decision, Evidence, Minimizer, Step, Tick, minimize
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.dirichlet import divergence
from agentic_energies.factored import FactoredModel
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64
Kind = CategoricalModel | FactoredModel
MODELS, DRAWS = 200, 2_000


def random_model(draws: np.random.Generator, name: str, pairs: str) -> CategoricalModel:
    states, outcomes = int(draws.integers(2, 4)), int(draws.integers(2, 4))
    start = {
        "A": [draws.uniform(0.2, 3, (outcomes, states))],
        "B": [draws.uniform(0.2, 3, (states, states, 2))],
        "D": [draws.uniform(0.2, 3, states)],
    }
    return CategoricalModel(**learning(draws, start, name, pairs))


def random_factors(draws: np.random.Generator, name: str, pairs: str) -> FactoredModel:
    """Two factors: one modality looks at both, the other at one, and the second is moved by both."""
    one, other, outcomes = (int(each) for each in draws.integers(2, 4, 3))
    start = {
        "A": [draws.uniform(0.2, 3, (outcomes, one, other)), draws.uniform(0.2, 3, (2, other))],
        "B": [draws.uniform(0.2, 3, (one, one, 2)), draws.uniform(0.2, 3, (other, other, one, 2))],
        "D": [draws.uniform(0.2, 3, one), draws.uniform(0.2, 3, other)],
    }
    given = learning(draws, start, name, pairs)
    return FactoredModel(**given, dependencies={"A": [[0, 1], [1]], "B": [[0], [1, 0]]})


def learning(
    draws: np.random.Generator, start: Mapping[str, Sequence[np.ndarray]], name: str, pairs: str
) -> dict[str, Any]:
    """What makes a model that learns one part by a random rate, and knows the means of the others."""
    arrays = {key: [each / each.sum(0) for each in own] for key, own in start.items() if key != name}
    learn = {name: {"rate": float(draws.uniform(0.3, 1)), "pairs": pairs}}
    return {**arrays, "counts": {name: start[name]}, "learn": learn}


def moved(model: Kind, name: str, step: Step, outcome: Tensor, solver: Minimizer) -> float:
    """How far one update moves the counts: of A by what is seen now, of B by what is seen after a step."""
    student, before = deepcopy(model), step.before
    seen = outcome.unsqueeze(0)
    if name == "A":  # seen in the state that the step led to
        evidence = Evidence(student, seen, step.after)
        before = minimize(evidence, solver, evidence.start(None)).belief
    flags, zero = np.zeros(1, bool), np.zeros(1, np.int64)
    decision, native = Decision(step.action, belief=before), Native(None, None, None)
    student.condition(Tick(seen, step.action, seen, np.zeros(1), flags, flags, ~flags, zero, zero, decision, native))
    pairs = zip(student.learned.counts(name), model.learned.counts(name), strict=True)
    return sum(float(divergence(after.alpha(), former.alpha()).sum()) for after, former in pairs)


def chances_of(model: Kind, after: Categorical) -> np.ndarray:
    """How likely every outcome is, the last modality fastest."""
    if isinstance(model, FactoredModel):  # whose outcomes are not independent
        sizes = model.latent.sizes
        pairs = model.observation.pairs()
        seen = [cpt.table.view(-1, *[sizes[f] for f in own]) for cpt, own in pairs]
        still, even = [np.ones((n, n, 1)) / n for n in sizes], [np.ones(n) / n for n in sizes]
        whole = CategoricalModel(seen, still, even, dependencies={"A": [own for _, own in pairs]})
        return np.asarray(whole.likelihood() @ model.latent.joint(after.probs)[0])
    return np.asarray(model.emit(after).probs[0])


@pytest.mark.parametrize(
    ("make", "name", "pairs", "solver"),
    [
        (random_model, "A", "joint", Exact()),
        (random_model, "B", "joint", Exact()),
        (random_model, "B", "outer", Exact()),
        (random_factors, "A", "joint", Mirror(steps=400, tolerance=1e-14)),
        (random_factors, "B", "joint", Mirror()),
        (random_factors, "B", "outer", Mirror()),
    ],
)
def test_predicted_gains_are_those_of_simulation(
    make: Callable[[np.random.Generator, str, str], Kind], name: str, pairs: str, solver: Minimizer
) -> None:
    draws, scores = np.random.default_rng(2026), []
    for _ in range(MODELS):
        model = make(draws, name, pairs)
        belief, action = model.begin(1), torch.eye(2, dtype=F64)[[int(draws.integers(2))]]
        after = model.predict(belief, action)
        step = Step(belief, action, after)
        (predicted,) = model.update_gain(step).values()
        chances = chances_of(model, after)
        each = np.array([moved(model, name, step, outcome, solver) for outcome in model.outcome.corners()])
        gains = each[draws.choice(len(chances), DRAWS, p=chances / chances.sum())]
        mean = float(chances @ each)
        assert float(predicted) == pytest.approx(mean, abs=1e-12)
        error = float(chances @ (each - mean) ** 2 / DRAWS) ** 0.5  # exact: rare outcomes may teach far more
        scores.append((gains.mean() - float(predicted)) / max(error, 1e-12))
    z = np.array(scores)
    assert (np.abs(z) > 3).sum() <= 2
    assert stats.chi2.sf((z**2).sum(), MODELS) > 0.01
