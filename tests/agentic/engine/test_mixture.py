"""Beliefs without a closed form: the mixture that particles become, and rows of two families."""

from math import log

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Evidence, Gaussian, Particles, Point, UserError
from agentic.engine import Either, PushForward
from tests.agentic.standins import Linear

F64 = torch.float64
MODEL = Linear([[1.0]], [[1.0]], [0.5], [0.5], [[1.0]])
CLOUD = Particles(
    torch.tensor([[[0.0], [0.0]], [[1.0], [1.0]], [[2.0], [-1.0]]], dtype=F64),
    torch.tensor([[0.5, 0.2], [0.25, 0.3], [0.25, 0.5]], dtype=F64).log(),
)
ACTION = torch.tensor([[0.5], [0.0]], dtype=F64)
AHEAD = PushForward(MODEL.transition, CLOUD, ACTION)
PLACE = torch.tensor([[0.3], [0.7]], dtype=F64)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(x: Tensor, variance: float) -> Tensor:
    density: Tensor = (-0.5 * x.square() / variance).exp() / (2 * torch.pi * variance) ** 0.5
    return density


class TestPushForward:
    def test_its_density_is_the_mixture(self) -> None:
        parts = normal(PLACE - CLOUD.z - ACTION, 0.5).squeeze(-1)
        assert_close(AHEAD.energy(PLACE), -(CLOUD.log_weights.exp() * parts).sum(0).log())
        assert_close(AHEAD.energy(torch.stack([PLACE, PLACE]))[1], AHEAD.energy(PLACE))
        assert_close(AHEAD.mean, CLOUD.mean + ACTION)

    def test_its_derivatives(self) -> None:
        z = PLACE.clone().requires_grad_()
        slope = torch.autograd.grad(AHEAD.energy(z).sum(), z, create_graph=True)[0]
        assert_close(AHEAD.gradient(PLACE), slope.detach())
        bend = torch.autograd.grad(slope.sum(), z)[0]
        assert_close(AHEAD.hessian(PLACE).squeeze(-1), bend)

    def test_its_draws_have_its_mean_and_variance(self) -> None:
        draws = AHEAD.sample(40_000, seeded(5))
        assert_close(draws.mean(0), AHEAD.mean, atol=0.03, rtol=0)
        spread = CLOUD.expected((CLOUD.z - CLOUD.mean).square()) + 0.5
        assert_close(draws.var(0), spread, atol=0.05, rtol=0)

    def test_moved_particles_keep_their_weights_and_its_mean(self) -> None:
        copies = Particles(CLOUD.z.repeat(9_000, 1, 1), CLOUD.log_weights.repeat(9_000, 1) - log(9_000))
        moved = PushForward(MODEL.transition, copies, ACTION).moved(seeded(6))
        assert torch.equal(moved.log_weights, copies.log_weights)
        assert_close(moved.mean, AHEAD.mean, atol=0.03, rtol=0)
        assert_close((moved.z - copies.z - ACTION).var(0), torch.full((2, 1), 0.5, dtype=F64), atol=0.02, rtol=0)

    def test_rows_of_two_of_them(self) -> None:
        other = PushForward(MODEL.transition, Particles(CLOUD.z + 1, CLOUD.log_weights), ACTION + 1)
        both = AHEAD.where(torch.tensor([True, False]), other)
        assert_close(both.mean, torch.stack([AHEAD.mean[0], other.mean[1]]))


class TestEither:
    both = Either(torch.tensor([True, False]), MODEL.begin(2), AHEAD)

    def test_each_row_is_its_own_belief(self) -> None:
        first = MODEL.begin(2)
        assert isinstance(first, Gaussian)
        for mine, one, two in (
            (self.both.mean, first.mean, AHEAD.mean),
            (self.both.energy(PLACE), first.energy(PLACE), AHEAD.energy(PLACE)),
            (self.both.gradient(PLACE), first.gradient(PLACE), AHEAD.gradient(PLACE)),
            (self.both.hessian(PLACE), first.hessian(PLACE), AHEAD.hessian(PLACE)),
        ):
            assert_close(mine, torch.stack([one[0], two[1]]))
        draws = self.both.sample(20_000, seeded(7))
        assert_close(draws.mean(0), self.both.mean, atol=0.04, rtol=0)

    def test_a_part_without_a_density_has_none_here_either(self) -> None:
        mixed = Either(torch.tensor([True, False]), Point(PLACE), AHEAD)
        with pytest.raises(UserError, match="a prior belief with a density, got Point: weigh particles with"):
            mixed.energy(PLACE)


def test_the_evidence_of_particles_has_no_value_but_that_of_their_push_forward_has() -> None:
    obs = torch.tensor([[1.0], [-1.0]], dtype=F64)
    with pytest.raises(UserError, match="a prior belief with a density, got Particles"):
        Evidence(MODEL, obs, CLOUD)(PLACE)
    evidence = Evidence(MODEL, obs, AHEAD)
    assert_close(evidence(PLACE), MODEL.observation(PLACE, obs) + AHEAD.energy(PLACE))
    free = PLACE.clone().requires_grad_()
    slope = torch.autograd.grad(MODEL.observation(free, obs).sum(), free)[0]
    assert_close(evidence.gradient(PLACE), slope + AHEAD.gradient(PLACE))
