"""Predictive coding: equilibria of linear networks in closed form, and chains of any depth."""

from math import log, pi
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.testing import assert_close

from agentic import Clamped, Gaussian, Minimizer, UserError, fit, minimize
from agentic.testing import checks_for
from agentic_energies.network import Network
from agentic_energies.predictive_coding import PredictiveCoding
from agentic_optimizers.gradient import GradientDescent
from agentic_optimizers.newton import Newton
from agentic_optimizers.settled import Settled

F64 = torch.float64


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chain(seed: int, *, supervised: bool, activation: str = "identity") -> PredictiveCoding:
    """One to three random layers of weights (supervised: two to four), random biases and variances."""
    source = draws(seed)
    layers = int(torch.randint(2 if supervised else 1, 5 if supervised else 4, (), generator=source))
    sizes = torch.randint(1, 5, (layers + 1,), generator=source).tolist()
    network = Network(sizes, activation, generator=source, dtype=F64)
    with torch.no_grad():
        for bias in network.biases:
            bias.copy_(torch.randn(bias.shape, generator=source, dtype=F64))
    variances = torch.empty(layers + 1, dtype=F64).uniform_(0.3, 3, generator=source).tolist()
    return PredictiveCoding(network, variances[1:], prior=None if supervised else variances[0])


def settle(energy: PredictiveCoding, x: Any, solver: Minimizer) -> Tensor:
    return minimize(Clamped(energy, x, energy.latent), solver, energy.start(x).detach()).belief.mean


def assert_equal_to_eight_digits(got: Any, expected: Any) -> None:
    assert_close(got, expected, atol=1e-8, rtol=0)


def weight_gradients(energy: PredictiveCoding, value: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value.sum(), list(energy.network.parameters())))


SUPERVISED = PredictiveCoding(Network((3, 4, 2, 3), generator=draws(), dtype=F64), [0.5, 2.0, 1.0], prior=None)
SMOOTH = PredictiveCoding(Network((2, 3, 4), "silu", generator=draws()), 0.7, learned_variances=True)


@checks_for(SUPERVISED)
def test_both_ends_clamped_keeps_the_contract(check) -> None:  # type: ignore[no-untyped-def]
    check()


@checks_for(SMOOTH)
def test_learned_variances_keep_the_contract(check) -> None:  # type: ignore[no-untyped-def]
    check()


class TestFormula:
    @pytest.mark.parametrize("supervised", [False, True])
    def test_written_out(self, supervised: bool) -> None:
        """Two layers of weights, tanh: once as a generative model with a prior of variance 2, once clamped above."""
        network = Network((1, 2, 2), generator=draws(), dtype=F64)
        energy = PredictiveCoding(network, [0.5, 3.0], prior=None if supervised else 2.0)
        top, middle, data = (torch.full((1, n), v, dtype=F64) for n, v in ((1, 0.7), (2, -0.4), (2, 1.5)))
        x, z = ((top, data), middle) if supervised else (data, torch.cat([top, middle], -1))
        first = ((middle - top @ network.weights[0].T) ** 2).sum(-1) / (2 * 0.5)
        second = ((data - middle.tanh() @ network.weights[1].T) ** 2).sum(-1) / (2 * 3.0)
        expected = {"layer_1": first, "layer_2": second}
        if not supervised:
            expected["prior"] = (top**2).sum(-1) / (2 * 2.0)
        terms = energy.terms(x, z)
        assert set(terms) == set(expected)
        for name, value in expected.items():
            assert_close(terms[name], value)
        assert_close(0.5 * (energy.residuals(x, z) ** 2).sum(-1), energy(x, z))

    def test_the_forward_pass_has_no_error_but_at_the_end(self) -> None:
        x, _ = SUPERVISED.example_inputs(4, generator=draws())
        terms = SUPERVISED.terms(x, SUPERVISED.start(x))
        assert_close(terms["layer_1"] + terms["layer_2"], torch.zeros(4, dtype=F64))
        assert_close(terms["layer_3"], 0.5 * ((x[1] - SUPERVISED.network(x[0])) ** 2).sum(-1))


@pytest.mark.parametrize("supervised", [False, True])
class TestLinearNetworks:
    @given(st.integers(0, 10_000))
    @settings(derandomize=True, deadline=None, max_examples=12)
    def test_settling_finds_the_analytic_equilibrium(self, supervised: bool, seed: int) -> None:
        energy = chain(seed, supervised=supervised)
        x, _ = energy.example_inputs(3, generator=draws(seed + 1))
        analytic = energy.equilibrium_energy(x)
        for z in (settle(energy, x, Newton()), energy.equilibrium(x)):
            assert_equal_to_eight_digits(energy(x, z), analytic)
        assert_equal_to_eight_digits(settle(energy, x, Newton()), energy.equilibrium(x))

    def test_so_does_descent(self, supervised: bool) -> None:
        energy = chain(5, supervised=supervised)
        x, z = energy.example_inputs(3, generator=draws(6))
        rate = 1 / float(torch.linalg.eigvalsh(energy.hessian(x, z)[0].detach())[-1])
        z = settle(energy, x, GradientDescent(rate=rate, momentum=0.7, steps=1000, tolerance=1e-10))
        assert_equal_to_eight_digits(energy(x, z), energy.equilibrium_energy(x))
        for got, expected in zip(
            weight_gradients(energy, energy(x, z)),
            weight_gradients(energy, energy.equilibrium_energy(x)),
            strict=True,
        ):
            assert_equal_to_eight_digits(got, expected)

    @given(st.integers(0, 10_000))
    @settings(derandomize=True, deadline=None, max_examples=12)
    def test_weight_gradients_there_are_those_of_the_analytic_energy(self, supervised: bool, seed: int) -> None:
        """Local products of errors and activities: no derivative of the equilibrium itself is taken."""
        energy = chain(seed, supervised=supervised)
        x, _ = energy.example_inputs(3, generator=draws(seed + 1))
        local = weight_gradients(energy, energy(x, settle(energy, x, Newton())))
        for got, expected in zip(local, weight_gradients(energy, energy.equilibrium_energy(x)), strict=True):
            assert_equal_to_eight_digits(got, expected)

    def test_laplace_free_energy_is_minus_log_evidence(self, supervised: bool) -> None:
        """The given end is Gaussian around the forward pass; its covariance here by multiplying out, layer by layer."""
        energy = chain(11, supervised=supervised)
        x, _ = energy.example_inputs(4, generator=draws(1))
        target = x[1] if supervised else x
        scales = energy.variances if not supervised else (0.0, *energy.variances)
        spread = scales[0] * torch.eye(energy.network.sizes[0], dtype=F64)
        for weight, scale in zip(energy.network.weights, scales[1:], strict=True):
            spread = weight.detach() @ spread @ weight.detach().T + scale * torch.eye(len(weight), dtype=F64)
        source = x[0] if supervised else torch.zeros(4, energy.network.sizes[0], dtype=F64)
        surprise = Gaussian(energy.network(source).detach(), spread.expand(4, -1, -1)).energy(target)
        with torch.no_grad():
            solution = minimize(Clamped(energy, x, energy.latent), Newton(), energy.start(x))
            assert_close(solution.value + energy.joint_log_normalizer(), surprise, atol=1e-10, rtol=0)


def test_unit_variances_and_both_ends_clamped_as_published() -> None:
    """Innocenti et al. 2024, equation 5: S = I + W_2 W_2' for one hidden layer."""
    network = Network((3, 4, 2), "identity", generator=draws(), bias=False, dtype=F64)
    energy = PredictiveCoding(network, prior=None)
    (x, y), _ = energy.example_inputs(5, generator=draws(1))
    first, second = network.weights
    gap = y - x @ first.T @ second.T
    rescaling = torch.eye(2, dtype=F64) + second @ second.T
    assert_close(energy.equilibrium_energy((x, y)), 0.5 * (gap @ torch.linalg.inv(rescaling) * gap).sum(-1))


def test_the_normalizer() -> None:
    energy = PredictiveCoding(Network((2, 3), generator=draws()), 0.5, prior=4.0)
    assert float(energy.joint_log_normalizer()) == pytest.approx(2.5 * log(2 * pi) + log(4.0) + 1.5 * log(0.5))
    learned = PredictiveCoding(Network((2, 3), generator=draws()), 0.5, prior=4.0, learned_variances=True)
    assert_close(learned.joint_log_normalizer().detach(), energy.joint_log_normalizer())


def test_nonlinear_settling_ends_where_layers_agree() -> None:
    x, _ = SUPERVISED.example_inputs(4, generator=draws())
    solution = minimize(Clamped(SUPERVISED, x, SUPERVISED.latent), Newton(), SUPERVISED.start(x).detach())
    assert solution.converged is not None
    assert bool(solution.converged.all())
    assert bool((solution.trace[-1] < solution.trace[0]).all())
    assert float(SUPERVISED.gradient(x, solution.belief.mean).detach().norm()) < 1e-5


def test_it_learns_exclusive_or() -> None:
    """Which no network without a hidden layer computes; learned by settling only."""
    energy = PredictiveCoding(Network((2, 8, 1), generator=draws(100), dtype=F64), prior=None)
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=F64)
    y = torch.tensor([[0], [1], [1], [0]], dtype=F64)
    optimizer = torch.optim.Adam(energy.parameters(), lr=0.05)
    loss = Settled(GradientDescent(rate=0.3, steps=8), allow_collapse=True)
    fit(energy, loss, (x, y), optimizer=optimizer, epochs=80, batch=4, generator=draws(100))
    assert_close(energy.network(x).detach(), y, atol=0.1, rtol=0)


class TestDoors:
    def test_variances(self) -> None:
        network = Network((2, 3, 4), generator=draws())
        for variances in ([1.0], [1.0, 0.0], -1.0):
            with pytest.raises(UserError, match="expected 2 variances > 0"):
                PredictiveCoding(network, variances)
        with pytest.raises(UserError, match="a prior > 0"):
            PredictiveCoding(network, prior=0.0)

    def test_a_hidden_layer(self) -> None:
        with pytest.raises(UserError, match="needs a hidden layer"):
            PredictiveCoding(Network((2, 3), generator=draws()), prior=None)

    def test_no_closed_form_of_what_is_not_linear(self) -> None:
        x, _ = SUPERVISED.example_inputs(1, generator=draws())
        for ask in (SUPERVISED.equilibrium, SUPERVISED.equilibrium_energy):
            with pytest.raises(UserError, match="for the activation 'identity', got 'tanh'"):
                ask(x)
