"""Draws: the generator's own, in order, of the shape, type and place asked for."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from agentic import Box, Categorical, Gaussian, Real, Simplex, UserError
from agentic.engine import normal_like, permutation, uniform_like
from agentic.engine.draws import indices


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_they_are_the_generators_own(dtype: torch.dtype) -> None:
    z = torch.zeros(4, 2, dtype=dtype)
    assert torch.equal(normal_like(z, seeded()), torch.randn(4, 2, generator=seeded(), dtype=dtype))
    assert torch.equal(normal_like(z, seeded(), 3, 5), torch.randn(3, 5, 4, 2, generator=seeded(), dtype=dtype))
    assert torch.equal(uniform_like(z, seeded()), torch.rand(4, 2, generator=seeded(), dtype=dtype))
    assert torch.equal(permutation(z, seeded()), torch.randperm(4, generator=seeded()))


def test_without_a_generator_nothing_is_drawn() -> None:
    nothing: Any = None
    z, before = torch.full((4, 2), 0.5), torch.get_rng_state()
    asked: tuple[Callable[[], object], ...] = (
        lambda: normal_like(z, None),
        lambda: uniform_like(z, None),
        lambda: permutation(z, None),
        lambda: indices(z, None, 3),
        lambda: Simplex((2,)).draw(3, generator=nothing),
        lambda: Real((2,)).draw(3, generator=nothing),
        lambda: Box(z[0], z[1] + 1).draw(3, generator=nothing),
        lambda: Gaussian(z, torch.eye(2).expand(4, 2, 2)).sample(1, nothing),
        lambda: Categorical(z).sample(1, nothing),
    )
    for ask in asked:
        with pytest.raises(UserError, match=r"this draws at random: pass generator=torch\.Generator"):
            ask()
    assert torch.equal(torch.get_rng_state(), before)


def test_indices_follow_the_probabilities() -> None:
    probs = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [0.25, 0.75]]])
    drawn = indices(probs, seeded(), 4000)
    assert drawn.shape == (4000, 1, 3)
    assert drawn[:, 0, :2].unique(dim=0).tolist() == [[1, 0]]
    assert abs(float(drawn[:, 0, 2].double().mean()) - 0.75) < 0.03


def test_draws_are_made_where_the_generator_is_and_lie_where_the_tensor_does() -> None:
    elsewhere, generator = torch.zeros(4, 2, device="meta"), seeded()
    for drawn in (normal_like(elsewhere, generator), uniform_like(elsewhere, generator)):
        assert drawn.device == elsewhere.device
    assert permutation(elsewhere, generator).device == elsewhere.device
    again = seeded()
    for made in (torch.randn, torch.rand):
        made(4, 2, generator=again)
    torch.randperm(4, generator=again)
    assert torch.equal(generator.get_state(), again.get_state())
