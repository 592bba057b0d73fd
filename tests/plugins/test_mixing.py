"""Effective sample sizes and R-hat on series whose truth is known."""

from math import inf, sqrt

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from scipy.stats import norm, rankdata
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
    assert float(r_hat(draws + torch.tensor([0.0, 0, 0, 3]))) > 1.4  # of ranks; of the draws themselves it is 1.7
    drifting = draws + torch.linspace(0, 4, 2000, dtype=F64).unsqueeze(-1)
    assert float(r_hat(drifting[:, :1])) > 1.3
    assert bool(r_hat(draws[:3]).isnan())


def test_r_hat_by_hand() -> None:
    """Chains 0 1 0 1 and 2 3 2 3: ranks 1.5 3.5 5.5 7.5, so normal scores -b -a a b of halves (-b, -a) and (a, b).

    The variance in halves is (b - a)^2 / 2, of their means (a + b)^2 / 3; distances from the median are less apart.
    """
    draws = torch.tensor([[0.0, 2], [1, 3], [0, 2], [1, 3]], dtype=F64)
    a, b = norm.ppf((5.5 - 3 / 8) / 8.25), norm.ppf((7.5 - 3 / 8) / 8.25)
    assert float(r_hat(draws)) == pytest.approx((1 / 2 + (a + b) ** 2 / 3 / ((b - a) ** 2 / 2)) ** 0.5)


def in_words(draws: np.ndarray) -> float:
    """The formulas of Vehtari et al. (2021) and `arviz.rhat` for chains (chains, draws), one after the other."""
    half = draws.shape[1] // 2
    split = np.concatenate([draws[:, :half], draws[:, -half:]])

    def classic(values: np.ndarray) -> float:
        ranks = rankdata(values, method="average").reshape(values.shape)
        z, n = norm.ppf((ranks - 3 / 8) / (values.size - 2 * 3 / 8 + 1)), values.shape[1]
        between, within = n * z.mean(1).var(ddof=1), z.var(1, ddof=1).mean()
        return float(np.sqrt((between / within + n - 1) / n))

    return max(classic(split), classic(np.abs(split - np.median(split))))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("tails", 1.0004966163), ("scales", 1.2046455841), ("drift", 1.3823708493), ("ties", 1.1321743041)],
)
def test_r_hat_is_rank_normalized_and_folded(kind: str, value: float) -> None:
    """Digits of `arviz.rhat`'s formula: heavy tails, chains of the same mean but another scale, drift, equal draws."""
    r = np.random.default_rng(0)
    r.normal(size=(4, 100))
    draws = {"tails": r.standard_cauchy((4, 101)), "scales": r.normal(size=(3, 50)) * np.array([[1], [1], [4]])}
    draws |= {"drift": np.cumsum(r.normal(size=(2, 40)), 1), "ties": np.round(r.normal(size=(2, 30)))}
    found = float(r_hat(torch.from_numpy(draws[kind].T.copy())))
    assert found == pytest.approx(value, abs=1e-9)
    assert found == pytest.approx(in_words(draws[kind]))


def test_chains_that_rest_have_agreed_on_nothing() -> None:
    assert bool(r_hat(torch.ones(10, 2, dtype=F64)).isnan())
    assert float(r_hat(torch.tensor([[0.0, 1.0]] * 10, dtype=F64))) == inf


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
        assert bool((shared > 1.7).all())  # ranks are bounded; of the draws themselves it is 2.8
