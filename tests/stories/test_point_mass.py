"""The point mass, planned for in five ways: the exact one says how far the others are from the best there is."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from agentic import (
    Box,
    CertaintyEquivalentEnergy,
    EnergyAgent,
    ExpectedEnergy,
    Minimizer,
    Point,
    Purpose,
    Real,
    Schedule,
    make,
    minimize,
    run,
)
from agentic_energies.goals import Effort, QuadraticGoal, QuadraticLatentGoal
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_envs.point_mass import PointMass
from agentic_optimizers.cem import CrossEntropy
from agentic_optimizers.icem import Icem
from agentic_optimizers.mppi import Mppi
from agentic_optimizers.newton import Newton
from agentic_optimizers.riccati import Riccati
from agentic_optimizers.shooting import Shooting

STATES = torch.tensor([[1.0, -0.5, 0.0, 0.0], [0.3, 0.8, -0.5, 0.2]], dtype=torch.float64)
HORIZON = 15
PLANNERS: list[tuple[Minimizer, float]] = [  # and how far above the optimum they may end, as a fraction of it
    (Riccati(), 1e-9),
    (CrossEntropy(samples=400, elites=40, steps=25), 0.04),
    (Icem(samples=400, elites=20, steps=20, color=0.0, shrink=1.0), 0.04),
    (Mppi(samples=400, steps=25, temperature=0.1, relative=True, spread=0.1), 0.02),
    (Shooting(steps=120), 0.001),
]


def known(env: PointMass) -> LinearGaussian:
    """The model that the world says it is, seen without noise but for a grain."""
    system, side = env.linear_system(), torch.full((env.dimensions,), env.bound)
    action = Box(-side, side) if np.isfinite(env.bound) else Real((env.dimensions,))
    grain = 1e-9 * torch.eye(2 * env.dimensions, dtype=torch.float64)
    return LinearGaussian(system.A, system.B, Q=system.Q, R=system.R + grain, action=action)


@pytest.mark.parametrize(("planner", "fraction"), PLANNERS, ids=lambda each: type(each).__name__)
def test_every_planner_comes_close_to_the_best_there_is(planner: Minimizer, fraction: float) -> None:
    env = PointMass(bound=4.0)
    weights, effort = env.weights()
    purpose = Purpose(QuadraticLatentGoal(weights), HORIZON, effort=Effort(effort))
    f = CertaintyEquivalentEnergy(known(env), Point(STATES), purpose)
    S = torch.from_numpy(env.cost_to_go(HORIZON)[0])
    best = 0.5 * ((STATES @ S) * STATES).sum(-1)
    value = minimize(f, planner, generator=torch.Generator().manual_seed(0)).value
    assert bool((value >= best * (1 - 1e-9)).all())
    assert_close(value, best, rtol=fraction, atol=0)


def test_what_riccati_expects_counts_the_noise_as_the_world_does() -> None:
    env = PointMass(noise=0.2, bound=np.inf)
    weights, effort = env.weights()
    model = known(env)
    f = ExpectedEnergy(model, Point(STATES), Purpose(QuadraticLatentGoal(weights), HORIZON, effort=Effort(effort)))
    S, constant = env.cost_to_go(HORIZON)
    best = 0.5 * ((STATES @ torch.from_numpy(S)) * STATES).sum(-1) + constant
    assert_close(minimize(f, Riccati()).value, best, rtol=1e-6, atol=0)


@pytest.mark.parametrize("planner", [Riccati(), Icem(steps=2, samples=64), Mppi(relative=True, temperature=0.1)])
def test_an_agent_brings_the_mass_to_rest(planner: Any) -> None:
    """Through its own eyes, in bounds, planning anew at every step from the last plan, one step on."""
    env = PointMass(steps=40)
    weights, effort = env.weights()
    model = known(env)
    agent = EnergyAgent(model, Purpose(QuadraticGoal(weights), 8, effort=Effort(effort)), Newton(), planner)
    record = run(agent, make(lambda: PointMass(steps=40)), Schedule(episodes=2), seed=1)
    for episode in record.episodes("evaluate"):
        assert np.abs(episode.arrays["next_obs"][-1, :2]).max() < 0.15
        assert np.abs(episode.arrays["next_obs"][-1, 2:]).max() < 0.4
