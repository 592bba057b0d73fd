"""Networks: derivatives in closed form against autograd, and weights from a generator."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import UserError
from agentic_energies.network import ACTIVATIONS, Network

F64 = torch.float64


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(activation: str, seed: int = 0) -> Network:
    """Two hidden layers, and biases that are not zero."""
    made = Network((3, 5, 4, 2), activation, generator=draws(seed), dtype=F64)
    with torch.no_grad():
        for number, bias in enumerate(made.biases):
            bias.copy_(torch.linspace(-1, 1, len(bias)) + 0.1 * number)
    return made


def inputs() -> tuple[Tensor, Tensor]:
    source = draws(1)
    return torch.randn(2, 6, 3, generator=source, dtype=F64), torch.randn(2, 6, 2, generator=source, dtype=F64)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
class TestDerivatives:
    def test_a_forward_pass_is_that_of_torch(self, activation: str) -> None:
        made, (x, _) = network(activation), inputs()
        name = {"identity": "Identity", "relu": "ReLU", "silu": "SiLU", "gelu": "GELU"}.get(
            activation, activation.title()
        )
        value, function = x, getattr(torch.nn, name)()
        for index, (weight, bias) in enumerate(zip(made.weights, made.biases, strict=True)):
            value = (function(value) if index else value) @ weight.T + bias
        assert_close(made(x), value)

    def test_pullback_and_jacobian_are_the_derivative(self, activation: str) -> None:
        made, (x, v) = network(activation), inputs()
        value, pull = made.pullback(x)
        free = x.clone().requires_grad_()
        slope = torch.autograd.grad((made(free) * v).sum(), free)[0]
        assert_close(value, made(x))
        assert_close(pull(v), slope)
        assert_close((v.unsqueeze(-2) @ made.jacobian(x)).squeeze(-2), slope)

    def test_without_a_graph_the_pullback_is_the_same(self, activation: str) -> None:
        made, (x, v) = network(activation), inputs()
        _, recorded = made.pullback(x)
        with torch.no_grad():
            _, pull = made.pullback(x)
            assert_close(pull(v), recorded(v).detach())

    def test_the_pullback_can_be_differentiated(self, activation: str) -> None:
        """As score matching and the Laplace evidence do, by inputs and weights."""
        made, (x, v) = network(activation), inputs()
        free = x.clone().requires_grad_()
        slope = made.pullback(free)[1](v)
        wanted = (made.curvature(x, v) @ torch.ones(3, dtype=F64)).detach()
        if made.linear or activation == "relu":
            assert not bool(wanted.any())
        else:
            assert_close(torch.autograd.grad(slope.sum(), free, create_graph=True)[0], wanted)
        assert torch.autograd.grad(slope.sum(), made.weights[0])[0].shape == (5, 3)

    def test_curvature_is_the_second_derivative(self, activation: str) -> None:
        made, (x, v) = network(activation), inputs()
        rows = [torch.autograd.functional.hessian(lambda free, w=w: (made(free) * w).sum(), row)
                for row, w in zip(x.flatten(0, 1), v.flatten(0, 1), strict=True)]  # fmt: skip
        assert_close(made.curvature(x, v), torch.stack(rows).view(2, 6, 3, 3))


class TestWeights:
    def test_equal_generators_give_equal_weights_and_the_global_one_stands_still(self) -> None:
        before = torch.get_rng_state()
        first, second, other = (Network((2, 3, 1), generator=draws(seed)) for seed in (0, 0, 1))
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(first.weights[0], second.weights[0])
        assert not torch.equal(first.weights[0], other.weights[0])

    @pytest.mark.parametrize(("activation", "gain"), [("tanh", 1.0), ("relu", 2.0)])
    def test_their_scale_keeps_the_signal(self, activation: str, gain: float) -> None:
        made = Network((50, 400, 400), activation, generator=draws(), dtype=F64)
        assert float(made.weights[0].detach().var()) == pytest.approx(1 / 50, rel=0.05)
        assert float(made.weights[1].detach().var()) == pytest.approx(gain / 400, rel=0.02)
        assert not bool(made.biases[0].any())

    def test_the_dtype_is_as_given_and_biases_can_be_left_out(self) -> None:
        made = Network((2, 3), generator=draws(), bias=False, dtype=F64)
        assert [tuple(part.shape) for part in made.parameters()] == [(3, 2)]
        assert made(torch.zeros(1, 2, dtype=F64)).dtype == F64
        assert Network((2, 3), generator=draws())(torch.zeros(1, 2)).dtype == torch.float32

    def test_what_is_linear(self) -> None:
        assert Network((2, 3), "tanh", generator=draws()).linear
        assert Network((2, 4, 3), "identity", generator=draws()).linear
        assert not Network((2, 4, 3), "tanh", generator=draws()).linear


class TestDoors:
    @pytest.mark.parametrize("sizes", [(3,), (), (3, 0)])
    def test_sizes(self, sizes: tuple[int, ...]) -> None:
        with pytest.raises(UserError, match="at least two positive sizes"):
            Network(sizes, generator=draws())

    def test_activations(self) -> None:
        with pytest.raises(UserError, match=r"expects one of identity, tanh, relu.*got 'tan'"):
            Network((1, 1), "tan", generator=draws())
