"""Two readings of one expected energy: pragmatic value and gain, or risk and ambiguity (Friston et al. 2015).

For goals over observations risk + ambiguity = pragmatic - state gain + log Z. For goals over latents the entropies of
what is seen and of the latent stand between the two.
"""

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, ExpectedEnergy, Gaussian, Goal, LatentGoal, Model, Purpose
from agentic.engine import Density
from agentic_energies.categorical import CategoricalModel
from agentic_energies.gains import SummedGain
from agentic_energies.goals import LogPreferences, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian

F64 = torch.float64
properties = settings(derandomize=True, deadline=None, max_examples=100)


class StatePreferences(LatentGoal):
    """-C[z], a goal over a discrete latent as somebody else might write it."""

    def __init__(self, preferences: np.ndarray) -> None:
        super().__init__()
        self.costs = -torch.from_numpy(preferences)

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return z @ self.costs

    def log_normalizer(self, x: Any) -> Tensor:
        return torch.logsumexp(-self.costs, 0)


def both_readings(model: Model, goal: Goal, action: Tensor) -> tuple[Tensor, Tensor]:
    """Risk + ambiguity, and pragmatic - state gain + log Z, of one step from the start."""
    objective = ExpectedEnergy(model, model.begin(1), Purpose(goal, 1, SummedGain()))
    split, parts = objective.split(objective.imagine(objective.belief, action)), objective.terms(action.unsqueeze(1))
    log_z = goal.log_normalizer(None)
    assert log_z is not None
    return split["risk"] + split["ambiguity"], parts["pragmatic"] - parts["state_gain"] + log_z


def discrete(draws: np.random.Generator) -> tuple[CategoricalModel, Tensor]:
    """Random arrays, zeros among them, and one action."""
    n, levels = int(draws.integers(2, 5)), draws.integers(2, 5, size=draws.integers(1, 4))

    def columns(rows: int, *rest: int) -> np.ndarray:
        table = draws.dirichlet(np.full(rows, 0.5), size=rest)
        table = np.where(table < 0.05, 0.0, table)
        return np.moveaxis(table / table.sum(-1, keepdims=True), -1, 0)

    model = CategoricalModel([columns(k, n) for k in levels], [columns(n, n, 2)], [columns(n, 1)[:, 0]])
    return model, torch.eye(2, dtype=F64)[draws.integers(2, size=1)]


def continuous(draws: np.random.Generator) -> tuple[LinearGaussian, Tensor]:
    """A random linear-Gaussian system and one action."""
    n, o = int(draws.integers(1, 4)), int(draws.integers(1, 4))
    A, B, C = draws.normal(size=(n, n)), draws.normal(size=(n, 2)), draws.normal(size=(o, n))
    model = LinearGaussian(A, B, Q=spread(draws, n), R=spread(draws, o), C=C, covariance=spread(draws, n))
    return model, torch.from_numpy(draws.normal(size=(1, 2)))


def spread(draws: np.random.Generator, size: int) -> np.ndarray:
    root = draws.normal(size=(size, size))
    matrix = root @ root.T + 0.1 * np.eye(size)
    return 0.5 * (matrix + matrix.T)


seeds = st.integers(0, 2**32 - 1)


@properties
@given(seeds)
def test_log_preferences_over_observations(seed: int) -> None:
    draws = np.random.default_rng(seed)
    model, action = discrete(draws)
    goal = LogPreferences([draws.normal(scale=3, size=n).tolist() for n in model.outcome.sizes])
    assert_close(*both_readings(model, goal, action), atol=1e-10, rtol=0)


@properties
@given(seeds)
def test_risk_is_the_divergence_from_the_preferred_outcomes(seed: int) -> None:
    draws = np.random.default_rng(seed)
    model, action = discrete(draws)
    raw = [draws.normal(scale=3, size=n) for n in model.outcome.sizes]
    objective = ExpectedEnergy(model, model.begin(1), Purpose(LogPreferences([c.tolist() for c in raw]), 1))
    preferred = torch.cat([torch.softmax(torch.from_numpy(c), 0) for c in raw]).unsqueeze(0)
    expected = model.emit(model.predict(model.begin(1), action))
    divergence = expected.divergence(Categorical(preferred, model.outcome.sizes))
    assert_close(objective.split(objective.imagine(objective.belief, action))["risk"], divergence, atol=1e-10, rtol=0)


@properties
@given(seeds)
def test_quadratic_goals_over_observations(seed: int) -> None:
    draws = np.random.default_rng(seed)
    model, action = continuous(draws)
    goal = QuadraticGoal(spread(draws, model.outcome.size), draws.normal(size=model.outcome.size))
    assert_close(*both_readings(model, goal, action), atol=1e-8, rtol=1e-10)


@properties
@given(seeds)
def test_risk_of_a_quadratic_goal_is_the_divergence_from_its_gaussian(seed: int) -> None:
    draws = np.random.default_rng(seed)
    model, action = continuous(draws)
    weights, center = spread(draws, model.outcome.size), draws.normal(size=model.outcome.size)
    preferred = Gaussian(torch.from_numpy(center).unsqueeze(0), torch.linalg.inv(torch.from_numpy(weights)))
    objective = ExpectedEnergy(model, model.begin(1), Purpose(QuadraticGoal(weights, center), 1))
    seen = model.emit(model.predict(model.begin(1), action))
    assert isinstance(seen, Gaussian)
    risk = objective.split(objective.imagine(objective.belief, action))["risk"]
    assert_close(risk, seen.divergence(preferred), atol=1e-8, rtol=1e-10)


@properties
@given(seeds, st.booleans())
def test_goals_over_latents_need_the_entropy_correction(seed: int, finite: bool) -> None:
    """risk + ambiguity = pragmatic - state gain + log Z + H[q(obs)] - H[q(z)]."""
    draws = np.random.default_rng(seed)
    model: CategoricalModel | LinearGaussian
    goal: LatentGoal
    if finite:
        model, action = discrete(draws)
        goal = StatePreferences(draws.normal(scale=3, size=model.latent.size))
    else:
        model, action = continuous(draws)
        goal = QuadraticLatentGoal(spread(draws, model.latent.size), draws.normal(size=model.latent.size))
    after = model.predict(model.begin(1), action)
    seen = model.emit(after)
    assert isinstance(seen, Density)
    correction = seen.entropy() - after.entropy()
    left, right = both_readings(model, goal, action)
    assert_close(left, right + correction, atol=1e-8, rtol=1e-10)


def test_where_there_is_no_normalizer_there_is_no_split() -> None:
    """A goal that leaves a direction free is no probability: its pragmatic value stands, its risk does not."""
    model = LinearGaussian.example()
    free = QuadraticLatentGoal([1.0, 0.0])
    objective = ExpectedEnergy(model, model.begin(1), Purpose(free, 1, SummedGain()))
    assert objective.split(objective.imagine(objective.belief, torch.zeros(1, 1, dtype=F64))) == {}
