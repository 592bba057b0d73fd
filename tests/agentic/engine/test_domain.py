"""Domains: corners, projections, uniform draws."""

from math import prod

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.testing import assert_close

from agentic import Box, Domain, Real, Repeated, Simplex, UserError
from agentic.engine.domain import Product

F64 = torch.float64
INF = float("inf")
SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
DOMAINS: list[Domain] = [
    Real((3,)),
    Real((2, 2)),
    Box(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 3.0])),
    Box(torch.tensor([-INF, 0.0, -INF]), torch.tensor([INF, INF, 2.0])),
    Simplex((5, 3)),
    Product((Simplex((2,)), Real((2,)))),
    Repeated(Simplex((2, 2)), 3),
    Repeated(Real((2,)), 3),
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
class TestEvery:
    def test_events_have_its_shape(self, domain: Domain) -> None:
        assert domain.center(4).shape == (4, *domain.event)
        assert domain.draw(4, generator=seeded()).shape == (4, *domain.event)
        assert domain.size == prod(domain.event)

    def test_its_dtype_is_the_one_asked_for(self, domain: Domain) -> None:
        assert domain.center(2, torch.float32).dtype == torch.float32
        assert domain.draw(2, generator=seeded(), dtype=torch.float32).dtype == torch.float32

    def test_projecting_twice_is_projecting_once(self, domain: Domain) -> None:
        z = torch.randn(5, 4, *domain.event, generator=seeded(), dtype=F64)
        once = domain.project(z)
        assert once.shape == z.shape
        assert_close(domain.project(once), once)

    def test_draws_lie_in_it_and_come_from_the_generator_alone(self, domain: Domain) -> None:
        before = torch.get_rng_state()
        draws = domain.draw(50, generator=seeded(3))
        assert_close(domain.project(draws), draws)
        assert_close(domain.draw(50, generator=seeded(3)), draws)
        assert torch.equal(torch.get_rng_state(), before)


class TestBox:
    box = Box(torch.tensor([-1.0, 0.0, -INF]), torch.tensor([1.0, INF, INF]))

    def test_projection_is_the_nearest_point(self) -> None:
        z = torch.tensor([[-3.0, -2.0, -9.0], [0.5, 7.0, 9.0]])
        assert self.box.project(z).tolist() == [[-1.0, 0.0, -9.0], [0.5, 7.0, 9.0]]

    def test_center_is_the_middle_where_there_is_one(self) -> None:
        box = Box(torch.tensor([1.0, 2.0, -INF]), torch.tensor([3.0, INF, -5.0]))
        assert box.center(1).tolist() == [[2.0, 2.0, -5.0]]

    def test_draws_are_uniform_between_bounds_and_exponential_from_one(self) -> None:
        draws = self.box.draw(20_000, generator=seeded())
        assert_close(draws.mean(0), torch.tensor([0.0, 1.0, 0.0], dtype=F64), atol=0.03, rtol=0)
        assert_close(draws.var(0), torch.tensor([1 / 3, 1.0, 1.0], dtype=F64), atol=0.06, rtol=0)

    @pytest.mark.parametrize("huge", [1e30, 1.7e38, 1e300])
    def test_bounds_that_stand_for_none_are_none(self, huge: float) -> None:
        box = Box(torch.tensor([-huge, 2.0, -huge], dtype=F64), torch.tensor([huge, huge, -5.0], dtype=F64))
        assert (box.low.tolist(), box.high.tolist()) == ([-INF, 2.0, -INF], [INF, INF, -5.0])
        draws = box.draw(20_000, generator=seeded(), dtype=torch.float32)
        assert_close(draws.mean(0), torch.tensor([0.0, 3.0, -6.0]), atol=0.03, rtol=0)
        assert_close(box.center(1), torch.tensor([[0.0, 2.0, -5.0]], dtype=F64))

    def test_large_bounds_that_mean_something_stay(self) -> None:
        box = Box(torch.tensor([-1e29, 1e31], dtype=F64), torch.tensor([1e29, 1e32], dtype=F64))
        assert (box.low.tolist(), box.high.tolist()) == ([-1e29, 1e31], [1e29, INF])
        assert len(box.draw(50, generator=seeded(), dtype=torch.float32)[:, 0].unique()) == 50

    def test_bounds_the_wrong_way_round(self) -> None:
        with pytest.raises(UserError, match=r"Box expects low <= high of one shape, got \[1.0\] and \[0.0\]"):
            Box(torch.ones(1), torch.zeros(1))
        with pytest.raises(UserError, match="of one shape"):
            Box(torch.zeros(1), torch.ones(2))


class TestSimplex:
    @given(SIZES)
    @settings(derandomize=True, deadline=None, max_examples=20)
    def test_corners_are_all_joint_values_with_the_last_factor_fastest(self, sizes: tuple[int, ...]) -> None:
        simplex = Simplex(sizes)
        corners = simplex.corners()
        assert corners.shape == (simplex.count, sum(sizes))
        indices = simplex.indices(corners)
        ranges = torch.cartesian_prod(*[torch.arange(n) for n in sizes]).reshape(-1, len(sizes))
        assert torch.equal(indices, ranges)
        assert torch.equal(simplex.one_hot(indices), corners)
        assert torch.equal(simplex.project(corners), corners)

    @given(SIZES, st.integers(0, 100))
    @settings(derandomize=True, deadline=None, max_examples=20)
    def test_every_block_of_a_draw_is_one_hot(self, sizes: tuple[int, ...], seed: int) -> None:
        simplex = Simplex(sizes)
        for block in simplex.blocks(simplex.draw(6, generator=seeded(seed))):
            assert torch.equal(block.sum(-1), torch.ones(6, dtype=F64))
            assert torch.equal(block.amax(-1), torch.ones(6, dtype=F64))

    def test_the_lowest_index_wins_a_tie(self) -> None:
        z = torch.tensor([[0.4, 0.4, 0.2, 0.5, 0.5]])
        assert Simplex((3, 2)).project(z).tolist() == [[1, 0, 0, 1, 0]]
        assert Simplex((3, 2)).indices(z).tolist() == [[0, 0]]

    def test_center_is_uniform_in_each_factor(self) -> None:
        assert Simplex((2, 4)).center(1).tolist() == [[0.5, 0.5, 0.25, 0.25, 0.25, 0.25]]

    @pytest.mark.parametrize("sizes", [(), (0,), (3, -1)])
    def test_sizes_must_be_positive(self, sizes: tuple[int, ...]) -> None:
        with pytest.raises(UserError, match="one positive size per factor"):
            Simplex(sizes)


@pytest.mark.parametrize("indices", [[[2, 0]], [[-1, 0]], [[0, 3]], [[0]], [[0, 0, 0]]])
def test_an_index_that_is_none_is_one_sentence(indices: list[list[int]]) -> None:
    with pytest.raises(UserError, match=r"values .* of Simplex\(sizes=\(2, 3\)\) are 0 to 1 and 0 to 2, got "):
        Simplex((2, 3)).one_hot(torch.tensor(indices))


def test_a_repeated_domain_repeats_its_base() -> None:
    plans = Repeated(Simplex((3,)), 4)
    assert plans.event == (4, 3)
    assert_close(plans.center(2), torch.full((2, 4, 3), 1 / 3, dtype=F64))
    assert torch.equal(plans.draw(2, generator=seeded()).sum(-1), torch.ones(2, 4, dtype=F64))
