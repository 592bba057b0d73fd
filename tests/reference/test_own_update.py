"""The predicted gain of the agent's own update beside simulation: 200 random models, fixed beforehand.

The world draws what the model predicts, the agent perceives and counts as it does, and its belief about weights moves.
"""

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy import stats

from agentic import Categorical, Decision, Evidence, Minimizer, Step, Tick, minimize
from agentic.tick import Native
from agentic_energies.categorical import CategoricalModel
from agentic_energies.dirichlet import divergence
from agentic_optimizers.exact import Exact

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
F64 = torch.float64
MODELS, DRAWS = 200, 2_000


def random_model(draws: np.random.Generator, name: str, pairs: str) -> CategoricalModel:
    states, outcomes = int(draws.integers(2, 4)), int(draws.integers(2, 4))
    start = {
        "A": draws.uniform(0.2, 3, (outcomes, states)),
        "B": draws.uniform(0.2, 3, (states, states, 2)),
        "D": draws.uniform(0.2, 3, states),
    }
    A, B, D = (None if key == name else [each / each.sum(0)] for key, each in start.items())
    learn = {name: {"rate": float(draws.uniform(0.3, 1)), "pairs": pairs}}
    return CategoricalModel(A, B or (), D or (), counts={name: [start[name]]}, learn=learn)


def moved(model: CategoricalModel, name: str, step: Step, outcome: int, solver: Minimizer) -> float:
    """How far one update moves the counts: of A by what is seen now, of B by what is seen after a step."""
    student, before = deepcopy(model), Categorical(step.before.mean)
    seen = model.outcome.one_hot(torch.tensor([[outcome]]), F64)
    if name == "A":  # seen in the state that the step led to
        evidence = Evidence(student, seen, step.after)
        belief = minimize(evidence, solver, evidence.start(None)).belief
        assert isinstance(belief, Categorical)
        before = belief
    flags, zero = np.zeros(1, bool), np.zeros(1, np.int64)
    decision, native = Decision(step.action, belief=before), Native(None, None, None)
    student.condition(Tick(seen, step.action, seen, np.zeros(1), flags, flags, ~flags, zero, zero, decision, native))
    after, former = (each.learned.counts(name)[0].alpha() for each in (student, model))
    return float(divergence(after, former).sum())


@pytest.mark.parametrize(
    ("name", "pairs", "solver"),
    [("A", "joint", Exact()), ("B", "joint", Exact()), ("B", "outer", Exact())],
)
def test_predicted_gains_are_those_of_simulation(name: str, pairs: str, solver: Minimizer) -> None:
    draws, scores = np.random.default_rng(2026), []
    for _ in range(MODELS):
        model = random_model(draws, name, pairs)
        belief, action = model.begin(1), torch.eye(2, dtype=F64)[[int(draws.integers(2))]]
        step = Step(belief, action, model.predict(belief, action))
        (predicted,) = model.update_gain(step).values()
        chances = model.emit(step.after).mean[0].numpy()
        each = np.array([moved(model, name, step, outcome, solver) for outcome in range(len(chances))])
        gains = each[draws.choice(len(chances), DRAWS, p=chances / chances.sum())]
        mean = float(chances @ each)
        assert float(predicted) == pytest.approx(mean, abs=1e-12)
        error = float(chances @ (each - mean) ** 2 / DRAWS) ** 0.5  # exact: rare outcomes may teach far more
        scores.append((gains.mean() - float(predicted)) / max(error, 1e-12))
    z = np.array(scores)
    assert (np.abs(z) > 3).sum() <= 2
    assert stats.chi2.sf((z**2).sum(), MODELS) > 0.01
