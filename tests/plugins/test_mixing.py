"""Effective sample sizes and R-hat on series whose truth is known."""

from math import sqrt

import pytest
import torch
from scipy.signal import lfilter
from torch import Tensor
from torch.testing import assert_close

from agentic_optimizers.mixing import Diagnostics, effective_samples, r_hat

F64 = torch.float64


def autoregressive(coefficient: float, count: int, chains: int) -> Tensor:
    """x' = c x + sqrt(1 - c^2) n, after it has forgotten its start: (count, chains)."""
    noise = torch.randn(chains, count + 500, generator=torch.Generator().manual_seed(5), dtype=F64)
    series = lfilter([sqrt(1 - coefficient**2)], [1, -coefficient], noise.numpy())
    return torch.from_numpy(series.copy()).T[500:]


@pytest.mark.parametrize("coefficient", [-0.5, 0.0, 0.5, 0.9])
def test_effective_samples_of_an_autoregression(coefficient: float) -> None:
    """n (1 - c) / (1 + c)."""
    found = effective_samples(autoregressive(coefficient, 4000, 50)).mean()
    assert float(found) == pytest.approx(4000 * (1 - coefficient) / (1 + coefficient), rel=0.06)


def test_effective_samples_predict_the_error_of_a_mean() -> None:
    draws = autoregressive(0.8, 1000, 2000)
    predicted = draws.std() / effective_samples(draws).mean().sqrt()
    assert float(draws.mean(0).std()) == pytest.approx(float(predicted), rel=0.06)


def test_what_does_not_move_is_one_draw_and_few_are_their_number() -> None:
    assert effective_samples(torch.ones(50, 2, dtype=F64)).tolist() == [1, 1]
    assert effective_samples(torch.randn(3, 2, generator=torch.Generator().manual_seed(0))).tolist() == [3, 3]


def test_r_hat_is_one_for_chains_that_agree_and_large_for_those_that_do_not() -> None:
    draws = autoregressive(0.5, 2000, 4)
    assert float(r_hat(draws)) == pytest.approx(1, abs=0.02)
    assert float(r_hat(draws + torch.tensor([0.0, 0, 0, 3]))) > 1.5
    drifting = draws + torch.linspace(0, 4, 2000, dtype=F64).unsqueeze(-1)
    assert float(r_hat(drifting[:, :1])) > 1.3
    assert bool(r_hat(draws[:3]).isnan())


def test_r_hat_by_hand() -> None:
    """Two chains 0 1 0 1 and 2 3 2 3: halves of variance 1/2, half means .5 .5 2.5 2.5, of variance 4/3."""
    draws = torch.tensor([[0.0, 2], [1, 3], [0, 2], [1, 3]], dtype=F64)
    assert_close(r_hat(draws), torch.tensor(0.5 + (4 / 3) / 0.5, dtype=F64).sqrt())


class TestDiagnostics:
    draws = torch.stack([autoregressive(0.0, 400, 3), autoregressive(0.9, 400, 3)], -1)

    def test_the_worst_coordinate_counts(self) -> None:
        message = Diagnostics(self.draws, False, {"acceptance": torch.ones(3)})
        assert_close(message["ess"], effective_samples(self.draws[..., 1]))
        assert set(message) == {"acceptance", "ess", "r_hat"}
        assert len(message) == 3
        assert message["acceptance"].tolist() == [1, 1, 1]

    def test_r_hat_is_over_rows_where_they_share_a_target(self) -> None:
        apart = self.draws + torch.tensor([0.0, 0, 5]).view(1, 3, 1)
        assert bool((Diagnostics(apart, False, {})["r_hat"] < 1.3).all())
        shared = Diagnostics(apart, True, {})["r_hat"]
        assert shared.shape == (3,)
        assert bool((shared > 2).all())
