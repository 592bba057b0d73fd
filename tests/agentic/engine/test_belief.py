"""Beliefs: entropies and divergences against torch's own, draws, rows, conditioning."""

from math import inf, log

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor, distributions
from torch.testing import assert_close

from agentic import Belief, Categorical, Gaussian, Particles, Point

F64 = torch.float64
SEEDS = st.integers(0, 10_000)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussian(seed: int, batch: int = 3, d: int = 2) -> Gaussian:
    draws = seeded(seed)
    root = torch.randn(batch, d, d, generator=draws, dtype=F64)
    covariance = root @ root.transpose(-2, -1) + 0.1 * torch.eye(d, dtype=F64)
    return Gaussian(torch.randn(batch, d, generator=draws, dtype=F64), covariance)


def categorical(seed: int, batch: int = 3, sizes: tuple[int, ...] = (4,)) -> Categorical:
    draws = seeded(seed)
    blocks = [torch.softmax(torch.randn(batch, n, generator=draws, dtype=F64), -1) for n in sizes]
    return Categorical(torch.cat(blocks, -1), sizes)


def particles(seed: int, batch: int = 3, k: int = 6) -> Particles:
    draws = seeded(seed)
    z = torch.randn(k, batch, 2, generator=draws, dtype=F64)
    return Particles(z, torch.log_softmax(torch.randn(k, batch, generator=draws, dtype=F64), 0))


class TestGaussian:
    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=20)
    def test_it_agrees_with_torch(self, seed: int) -> None:
        one, other = gaussian(seed), gaussian(seed + 1)
        p = distributions.MultivariateNormal(one.mean, one.covariance)
        q = distributions.MultivariateNormal(other.mean, other.covariance)
        assert_close(one.entropy(), p.entropy())
        assert_close(one.divergence(other), distributions.kl_divergence(p, q))
        assert_close(one.energy(other.mean), -p.log_prob(other.mean))
        assert_close(one.divergence(one), torch.zeros(3, dtype=F64), atol=1e-12, rtol=0)

    def test_derivatives_of_its_energy(self) -> None:
        one, z = gaussian(0), gaussian(1).mean.requires_grad_()
        assert_close(one.gradient(z.detach()), torch.autograd.grad(one.energy(z).sum(), z)[0])
        assert_close(one.hessian(z.detach()), torch.linalg.inv(one.covariance))

    def test_draws_have_its_moments(self) -> None:
        one = gaussian(4)
        draws = one.sample(40_000, seeded())
        assert draws.shape == (40_000, 3, 2)
        gaps = draws - draws.mean(0)
        spread = torch.einsum("nbi,nbj->bij", gaps, gaps) / len(draws)
        scale = float(one.covariance.abs().max())
        assert_close(draws.mean(0), one.mean, atol=5 * (scale / 40_000) ** 0.5, rtol=0)
        assert_close(spread, one.covariance, atol=0.03 * scale, rtol=0)

    @pytest.mark.parametrize("rank", [1, 2, 3])
    def test_cubature_has_its_moments_also_where_it_is_singular(self, rank: int) -> None:
        draws = torch.Generator().manual_seed(rank)
        root = torch.randn(5, 3, rank, dtype=F64, generator=draws)
        belief = Gaussian(torch.randn(5, 3, dtype=F64, generator=draws), root @ root.mT)
        points = belief.cubature()
        gap = points - belief.mean
        assert points.shape == (6, 5, 3)
        assert_close(points.mean(0), belief.mean)
        assert_close((gap.unsqueeze(-1) * gap.unsqueeze(-2)).mean(0), belief.covariance)

    def test_a_singular_covariance_can_be_drawn_from(self) -> None:
        line = Gaussian(torch.zeros(1, 2, dtype=F64), torch.ones(1, 2, 2, dtype=F64))
        draws = line.sample(100, seeded())
        assert_close(draws[..., 0], draws[..., 1], atol=1e-7, rtol=0)


class TestCategorical:
    @given(SEEDS)
    @settings(derandomize=True, deadline=None, max_examples=20)
    def test_it_agrees_with_torch(self, seed: int) -> None:
        one, other = categorical(seed), categorical(seed + 1)
        p, q = (distributions.Categorical(probs=belief.probs) for belief in (one, other))
        assert_close(one.entropy(), p.entropy())
        assert_close(one.divergence(other), distributions.kl_divergence(p, q))
        corners = torch.eye(4, dtype=F64).unsqueeze(1)
        assert_close(one.energy(corners), -one.probs.log().T)
        assert_close(one.energy(one.probs), one.entropy())

    def test_independent_factors_add(self) -> None:
        both, other = categorical(0, sizes=(2, 3)), categorical(5, sizes=(2, 3))
        alone = [Categorical(block) for block in both.blocks]
        others = [Categorical(block) for block in other.blocks]
        assert_close(both.entropy(), alone[0].entropy() + alone[1].entropy())
        assert_close(both.divergence(other), alone[0].divergence(others[0]) + alone[1].divergence(others[1]))

    def test_zero_probabilities_give_no_nan(self) -> None:
        sure = Categorical(torch.tensor([[1.0, 0.0, 0.0]], dtype=F64))
        fair = Categorical(torch.tensor([[0.5, 0.5, 0.0]], dtype=F64))
        assert sure.entropy().tolist() == [0]
        assert sure.energy(sure.probs).tolist() == [0]
        assert sure.divergence(fair).tolist() == pytest.approx([log(2)])
        assert fair.divergence(sure).tolist() == [inf]
        assert sure.energy(fair.probs).tolist() == [inf]

    def test_draws_are_corners_at_its_frequencies(self) -> None:
        one = categorical(2, sizes=(2, 3))
        draws = one.sample(20_000, seeded())
        assert draws.shape == (20_000, 3, 5)
        assert torch.equal(draws.sum(-1), torch.full((20_000, 3), 2.0, dtype=F64))
        assert_close(draws.mean(0), one.probs, atol=5 * (0.25 / 20_000) ** 0.5, rtol=0)

    def test_conditioning_is_bayes_rule(self) -> None:
        one, chance = categorical(3), torch.tensor([1.0, 0.5, 0.0, 0.25], dtype=F64)
        given_it, probability = one.reweighted(lambda z: z @ chance)
        assert probability is not None
        assert_close(probability, one.probs @ chance)
        assert_close(given_it.mean, one.probs * chance / (one.probs @ chance).unsqueeze(-1))

    def test_an_impossible_event_leaves_it_as_it_is(self) -> None:
        one = categorical(3)
        given_it, probability = one.reweighted(lambda z: torch.zeros(z.shape[:-1], dtype=F64))
        assert probability is not None
        assert probability.tolist() == [0, 0, 0]
        assert_close(given_it.mean, one.probs)

    @pytest.mark.parametrize("rows", [(3,), (2, 3)])
    def test_of_several_factors_each_has_its_marginal_given_the_event(self, rows: tuple[int, ...]) -> None:
        """Beside the joint distribution; an event that one factor decides says nothing of the other."""
        two = categorical(3, sizes=(2, 3))
        two = Categorical(two.probs.expand(*rows, -1), (2, 3))
        chance = torch.tensor([[1.0, 0.5, 0.0], [0.25, 0.75, 0.1]], dtype=F64)
        one, other = two.blocks
        joint = one.unsqueeze(-1) * other.unsqueeze(-2) * chance
        given_it, probability = two.reweighted(lambda z: ((z[..., :2] @ chance) * z[..., 2:]).sum(-1))
        assert probability is not None
        assert_close(probability, joint.sum((-2, -1)))
        expected = torch.cat([joint.sum(-1), joint.sum(-2)], -1) / probability.unsqueeze(-1)
        assert_close(given_it.mean, expected)
        assert isinstance(given_it, Categorical)
        assert given_it.sizes == (2, 3)
        alone, _ = two.reweighted(lambda z: z[..., 0])
        assert_close(alone.mean, torch.cat([torch.tensor([1.0, 0.0], dtype=F64).expand(*rows, -1), other], -1))

    def test_mode_is_a_corner_of_each_factor(self) -> None:
        belief = Categorical(torch.tensor([[0.3, 0.7, 0.4, 0.4, 0.2]], dtype=F64), (2, 3))
        assert belief.mode.tolist() == [[0, 1, 1, 0, 0]]


class TestParticles:
    def test_the_mean_is_weighted(self) -> None:
        z = torch.tensor([[[0.0]], [[4.0]]], dtype=F64)
        belief = Particles(z, torch.tensor([[0.75], [0.25]], dtype=F64).log())
        assert belief.mean.item() == pytest.approx(1.0)
        assert belief.expected(z**2).item() == pytest.approx(4.0)

    def test_draws_follow_the_weights(self) -> None:
        belief = particles(1)
        draws = belief.sample(20_000, seeded())
        assert draws.shape == (20_000, 3, 2)
        spread = float(belief.expected(belief.z**2).max())
        assert_close(draws.mean(0), belief.mean, atol=5 * (spread / 20_000) ** 0.5, rtol=0)

    def test_conditioning_keeps_the_places_and_moves_the_weights(self) -> None:
        belief = particles(2)
        given_it, probability = belief.reweighted(lambda z: (z[..., 0] > 0).to(z.dtype))
        assert isinstance(given_it, Particles)
        assert probability is not None
        inside = (belief.z[..., 0] > 0).to(F64)
        assert_close(probability, belief.expected(inside))
        assert_close(given_it.log_weights.exp().sum(0), torch.ones(3, dtype=F64))
        assert_close(given_it.expected(inside), torch.ones(3, dtype=F64))

    def test_an_event_of_no_probability_changes_nothing_and_has_a_slope(self) -> None:
        belief, chance = particles(2), torch.zeros(6, 3, dtype=F64, requires_grad=True)
        assert belief.log_weights.shape == chance.shape
        given_it, probability = belief.reweighted(lambda z: chance)
        assert isinstance(given_it, Particles)
        assert probability is not None
        assert_close(given_it.log_weights, belief.log_weights)
        assert_close(probability, torch.zeros(3, dtype=F64))
        slope = torch.autograd.grad((given_it.mean.sum() + probability.sum()), chance)[0]
        assert bool(slope.isfinite().all())


def test_conditioning_a_point_tells_the_probability() -> None:
    belief = Point(torch.tensor([[0.25]], dtype=F64))
    same, probability = belief.reweighted(lambda z: z[..., 0])
    assert same is belief
    assert probability is not None
    assert probability.tolist() == [0.25]


@pytest.mark.parametrize("belief", [gaussian(0), categorical(1, sizes=(2, 3)), particles(2), Point(torch.zeros(1, 2))])
def test_an_event_that_is_certain_changes_nothing(belief: Belief) -> None:
    assert belief.reweighted(lambda z: None) == (belief, None)


def test_a_gaussian_cannot_be_conditioned_on_an_event() -> None:
    with pytest.raises(TypeError, match="use a Categorical or Particles"):
        gaussian(0).reweighted(lambda z: z[..., 0])


PAIRS: list[tuple[Belief, Belief]] = [
    (gaussian(1), gaussian(2)),
    (categorical(1), categorical(2)),
    (particles(1), particles(2)),
    (Point(gaussian(1).mean), Point(gaussian(2).mean)),
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda belief: type(belief).__name__)
class TestEvery:
    mask = torch.tensor([True, False, True])

    def test_where_takes_each_row_from_one_of_two(self, one: Belief, other: Belief) -> None:
        expected = torch.where(self.mask.unsqueeze(-1), one.mean, other.mean)
        assert_close(one.where(self.mask, other).mean, expected)

    def test_draws_come_from_the_generator_alone(self, one: Belief, other: Belief) -> None:
        before = torch.get_rng_state()
        first, again = one.sample(4, seeded(3)), one.sample(4, seeded(3))
        assert first.shape == (4, *one.mean.shape)
        assert_close(first, again)
        assert torch.equal(torch.get_rng_state(), before)


def test_events_on_the_right_and_samples_on_the_left() -> None:
    """One belief per plan and row: every operation keeps the axes it does not reduce."""

    def pushed(tensor: Tensor) -> Tensor:
        return tensor.expand(5, *tensor.shape)

    flat = gaussian(1)
    belief = Gaussian(pushed(flat.mean), pushed(flat.covariance))
    assert belief.entropy().shape == (5, 3)
    assert belief.divergence(flat).shape == (5, 3)
    assert belief.sample(2, seeded()).shape == (2, 5, 3, 2)
    assert Categorical(pushed(categorical(1).probs)).sample(2, seeded()).shape == (2, 5, 3, 4)
    assert belief.where(torch.tensor([True, False, True]), belief).mean.shape == (5, 3, 2)
