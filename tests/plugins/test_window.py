"""Windows of an episode: smoothing of the joint state and of factors, exactly and by chains, beside each other."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Categorical, Clamped, Simplex, UserError, minimize
from agentic_energies.categorical import CategoricalModel
from agentic_energies.factored import FactoredModel
from agentic_energies.table import Table
from agentic_optimizers.belief_propagation import BeliefPropagation
from agentic_optimizers.exact import Exact
from agentic_optimizers.mirror import Mirror
from agentic_optimizers.smoothing import smooth
from agentic_optimizers.structured import StructuredMeanField
from agentic_optimizers.window import Window
from tests.plugins.test_elimination import marginals, observations, random_model

F64 = torch.float64
seeds = st.integers(0, 2**32 - 1)


def lived(model: FactoredModel, seed: int, steps: int = 3) -> tuple[Tensor, Tensor]:
    """What two episodes showed, some of it missing, and what was done."""
    draws = np.random.default_rng(seed)
    controls = model.action.sizes
    did = model.action.one_hot(torch.from_numpy(draws.integers(controls, size=(steps - 1, 2, len(controls)))))
    return observations(model, seed, steps, 2), did


def apart(seed: int) -> dict[str, Any]:
    """Two factors that are seen and move by themselves."""
    draws = np.random.default_rng(seed)

    def columns(*shape: int) -> np.ndarray:
        table: np.ndarray = np.moveaxis(draws.dirichlet(np.full(shape[0], 0.5), shape[1:]), -1, 0)
        return table

    return {
        "A": [columns(3, 2), columns(2, 3), columns(2, 3)],
        "B": [columns(2, 2, 2), columns(3, 3, 3)],
        "D": [columns(2), columns(3)],
        "dependencies": {"A": [[0], [1], [1]], "B_actions": [[0], [1]]},
    }


@settings(derandomize=True, deadline=None, max_examples=6)
@given(seeds)
def test_factors_apart_are_each_smoothed_forward_and_back(seed: int) -> None:
    few, joint = FactoredModel(**apart(seed)), CategoricalModel(**apart(seed))
    obs, did = lived(few, seed, 5)
    chains, whole = smooth(few, obs, did), smooth(joint, obs, did)
    assert_close(few.latent.joint(chains.beliefs), whole.beliefs, atol=1e-12, rtol=0)
    assert_close(few.latent.joint(chains.filtered), whole.filtered, atol=1e-12, rtol=0)
    assert_close(chains.free_energies.sum(0), whole.free_energies.sum(0), atol=1e-11, rtol=0)
    pairs = whole.pairs.unflatten(-1, (2, 3)).unflatten(-3, (2, 3))
    assert_close(chains.pairs[..., :2, :2], pairs.sum((-3, -1)), atol=1e-12, rtol=0)
    assert_close(chains.pairs[..., 2:, 2:], pairs.sum((-4, -2)), atol=1e-12, rtol=0)
    assert_close(chains.pairs[..., :2, 2:], chains.beliefs[:-1, :, :2, None] * chains.beliefs[1:, :, None, 2:])
    window = Window(few, obs, did)
    settled = minimize(window, StructuredMeanField())
    assert settled.steps == 2  # the second sees that there is nothing to do
    assert_close(settled.value, minimize(window, Exact()).value)


@settings(derandomize=True, deadline=None, max_examples=6)
@given(seeds)
def test_a_window_by_elimination_is_the_joint_state_forward_and_back(seed: int) -> None:
    few, joint = FactoredModel(**random_model(seed)), CategoricalModel(**random_model(seed))
    obs, did = lived(few, seed)
    found, whole = minimize(Window(few, obs, did), Exact()), smooth(joint, obs, did)
    expected = marginals(whole.beliefs, few.latent.sizes).transpose(0, 1).flatten(1)
    assert_close(found.belief.mean, expected, atol=1e-11, rtol=0)
    assert_close(found.value, whole.free_energies.sum(0), atol=1e-11, rtol=0)


@settings(derandomize=True, deadline=None, max_examples=8)
@given(seeds)
def test_no_sweep_of_chains_raises_the_free_energy_which_bounds_the_evidence(seed: int) -> None:
    model = FactoredModel(**random_model(seed))
    window = Window(model, *lived(model, seed))
    exact, chains = minimize(window, Exact()), minimize(window, StructuredMeanField())
    rise = chains.trace.diff(dim=0).amax(0)
    assert bool((rise <= 1e-12 * (1 + chains.trace[0].abs())).all())
    assert bool((chains.value >= exact.value - 1e-9).all())
    assert chains.trace.shape == (chains.steps + 1, 2)


def test_chains_do_no_worse_than_states_apart() -> None:
    """Mean field over every step cannot say that what is there now was there before."""
    model = FactoredModel(**apart(1))
    window = Window(model, *lived(model, 1, 4))
    chains, steps = minimize(window, StructuredMeanField()), minimize(window, Mirror(steps=100))
    assert bool((chains.value < steps.value).all())
    assert bool((steps.trace.diff(dim=0) <= 1e-10).all())
    heard = minimize(window, BeliefPropagation())  # the tables of factors apart are two chains: trees
    assert not bool(heard.diagnostics["loopy"])
    assert_close(heard.value, chains.value)


def test_its_energy_is_that_of_its_steps_and_its_gradient_the_derivative() -> None:
    model = FactoredModel.example()
    obs, did = lived(model, 4)
    window, source = Window(model, obs, did), torch.Generator().manual_seed(0)
    parts = torch.softmax(torch.randn(4, 2, 3, 2, 2, generator=source, dtype=F64), -1)
    z = parts.flatten(-3).requires_grad_()
    now = z.detach().view(4, 2, 3, 4).movedim(-2, 0)
    energy = model.prior(torch.empty(2, 0), now[0]) + sum(model.observation(now[t], obs[t]) for t in range(3))
    energy = energy + sum(model.transition((now[t], did[t]), now[t + 1]) for t in range(2))
    assert_close(window(z.detach()), energy)
    (slope,) = torch.autograd.grad(window(z).sum(), z)
    assert_close(window.gradient(z.detach()), slope)
    assert window.domain == Simplex((2,) * 6)


def test_a_window_may_begin_at_a_belief_and_be_one_step_long() -> None:
    model = FactoredModel(**apart(2))
    obs, did = lived(model, 2)
    prior = Categorical(model.predict(model.begin(2), did[0]).mean, model.latent.sizes)
    one = minimize(Window(model, obs[:1], did[:0], prior), StructuredMeanField())
    assert_close(one.value, minimize(Window(model, obs[:1], did[:0], prior), Exact()).value)
    single = Window(model.float(), obs[:1].float(), did[:0].float())
    assert minimize(single, StructuredMeanField()).belief.mean.dtype == torch.float32


def test_what_is_no_window() -> None:
    model, joint = FactoredModel.example(), CategoricalModel.example()
    obs = torch.ones(3, 1, 4, dtype=F64)
    with pytest.raises(UserError, match="a window expects T observations and T - 1 actions, got 3 and 3"):
        Window(model, obs, torch.zeros(3, 1, 2))
    with pytest.raises(UserError, match="a window needs a model that is a sum of tables, as factored, got Simplex"):
        Window(joint, obs, torch.zeros(2, 1, 2))
    with pytest.raises(UserError, match="structured_mean_field settles a window of steps, got Clamped: use mirror"):
        minimize(Clamped(Table([0.0, 1.0]), None, Simplex((2,))), StructuredMeanField())
    with pytest.raises(UserError, match="structured_mean_field expects steps >= 0, got -1"):
        StructuredMeanField(steps=-1)
