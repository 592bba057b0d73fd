"""What one look teaches about which member is right, against the true gain (R22)."""

from math import log, pi

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic_energies.ensemble_gain import gain_bounds, matched_gain

F64 = torch.float64


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mixture_gain(means: Tensor) -> float:
    """H[mixture] - H[member] of one-dimensional members of unit noise, by a sum over a fine grid."""
    z = torch.linspace(-12, float(means.max()) + 12, 200_001, dtype=F64)
    density = torch.exp(-0.5 * (z - means.unsqueeze(-1)).square()).mean(0) / (2 * pi) ** 0.5
    entropy = -torch.special.xlogy(density, density).sum() * (z[1] - z[0])
    return float(entropy) - 0.5 * log(2 * pi * torch.e)


class TestGain:
    """R22: five members of unit noise, at even distances."""

    def members(self, distance: float) -> tuple[Tensor, Tensor]:
        means = distance * torch.arange(5, dtype=F64).view(5, 1, 1)
        return means, torch.ones_like(means)

    def test_far_apart_the_gain_is_capped_at_the_log_of_their_number(self) -> None:
        means, variances = self.members(5.0)
        uncapped = 0.5 * torch.log(1 + means.var(0, correction=0))
        assert uncapped.item() == pytest.approx(1.96591, abs=5e-6)
        bounds = gain_bounds(means, variances)
        assert bounds.matched.item() == pytest.approx(1.60944, abs=5e-6)
        assert mixture_gain(means.flatten()) == pytest.approx(1.58191, abs=5e-6)
        assert bounds.lower.item() < 1.58191 < bounds.upper.item() <= log(5) + 1e-12

    def test_close_together_all_three_bounds(self) -> None:
        bounds = gain_bounds(*self.members(0.5))
        assert mixture_gain(self.members(0.5)[0].flatten()) == pytest.approx(0.202210, abs=5e-7)
        assert bounds.matched.item() == pytest.approx(0.202733, abs=5e-7)
        assert bounds.lower.item() == pytest.approx(0.116186, abs=5e-7)
        assert bounds.upper.item() == pytest.approx(0.377771, abs=5e-7)

    def test_members_that_differ_in_confidence_alone_are_distinguished_too(self) -> None:
        means, variances = torch.zeros(2, 1, 3, dtype=F64), torch.tensor([1.0, 9.0], dtype=F64).view(2, 1, 1)
        bounds = gain_bounds(means, variances.expand(2, 1, 3))
        assert 0.1 < bounds.lower.item() < bounds.upper.item()
        assert bounds.matched.item() == pytest.approx(min(log(2), 1.5 * (log(5) - log(9) / 2)))

    def test_members_that_agree_teach_nothing(self) -> None:
        means, variances = torch.ones(4, 2, 3, dtype=F64), torch.full((4, 2, 3), 0.3, dtype=F64)
        for part in gain_bounds(means, variances):
            assert_close(part, torch.zeros(2, dtype=F64), atol=1e-12, rtol=0)

    def test_rows_and_samples_do_not_see_one_another(self) -> None:
        means = torch.randn(3, 4, 5, 2, generator=source(), dtype=F64)
        variances = torch.rand(3, 4, 5, 2, generator=source(1), dtype=F64) + 0.1
        whole = gain_bounds(means, variances)
        for part, single in zip(whole, gain_bounds(means[:, 2, 3:4], variances[:, 2, 3:4]), strict=True):
            assert part.shape == (4, 5)
            assert_close(part[2, 3:4], single)

    def test_two_looks_are_one_look_at_both(self) -> None:
        """Independent given the member: the joint gain is that of the looks side by side, not the sum."""
        means, variances = self.members(0.5)
        one, two = matched_gain(means, variances), matched_gain(means.expand(5, 1, 2), variances.expand(5, 1, 2))
        assert two.item() == pytest.approx(0.5 * log(1 + 2 * 0.5), abs=1e-12)
        assert one.item() < two.item() < 2 * one.item()
