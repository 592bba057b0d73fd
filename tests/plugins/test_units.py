"""Sizes that an ensemble cannot be taught of are said, each in one sentence."""

import warnings

import pytest
import torch

from agentic import EnergyAgent, Purpose, RunError, UserError
from agentic.errors import ThirdPartyWarning
from agentic.testing.worlds import Cart
from agentic_energies.goals import QuadraticGoal
from agentic_energies.units import check_size, warn_of_small
from agentic_optimizers.newton import Newton
from agentic_optimizers.shooting import Shooting

ROWS = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [1e16, 1e30, float("inf"), float("nan")])
def test_what_has_no_square_is_named_with_its_column(size: float) -> None:
    rows = ROWS.clone()
    rows[7, 1] = size
    with pytest.raises(RunError, match=r"observation 1 reaches .*float32 numbers learns of none beyond .*divide it"):
        check_size("observation", rows)


def test_double_precision_goes_farther_and_usual_sizes_pass() -> None:
    check_size("reward", 1e30 * ROWS.double())
    check_size("reward", 1e10 * ROWS)


@pytest.mark.parametrize("unit", [1e-10, 1e-20])
def test_what_varies_too_little_is_said(unit: float) -> None:
    with pytest.warns(ThirdPartyWarning, match=r"observation 2 varies by .* and is taken for constant"):
        warn_of_small("observation", ROWS * torch.tensor([1.0, 1.0, unit]))


def test_what_does_not_vary_is_no_matter() -> None:
    with warnings.catch_warnings(action="error"):
        warn_of_small("observation", torch.cat([ROWS, torch.zeros(50, 1), torch.full((50, 1), 0.1)], 1))


@pytest.mark.parametrize("planned", [1.0, 1e30])
def test_an_observation_without_a_square_is_no_start(planned: float) -> None:
    """At the first decision of a run, before anything is weighed."""
    agent = EnergyAgent(Cart(), Purpose(QuadraticGoal([1.0]), 2), Newton(steps=1), Shooting(steps=1))
    draws = torch.Generator().manual_seed(0)
    obs = torch.full((1, agent.model.outcome.size), planned)
    if planned == 1.0:
        assert agent.decide(agent.start(1, generator=draws), obs, generator=draws).action.isfinite().all()
    else:
        with pytest.raises(UserError, match=r"an observation of 1e\+30 has no square in float32: divide it by a unit"):
            agent.decide(agent.start(1, generator=draws), obs, generator=draws)
