"""Ridge regression against leaving samples out one by one."""

import torch
from torch import Tensor
from torch.testing import assert_close

from agentic_energies.ridge import STRENGTHS, ridge

F64 = torch.float64


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestRidge:
    def test_it_is_the_best_strength_by_leaving_samples_out(self) -> None:
        draws = source(3)
        x = torch.randn(12, 4, generator=draws, dtype=F64) @ torch.diag(torch.tensor([3.0, 1.0, 0.1, 0.01], dtype=F64))
        x = x - x.mean(0)
        y = x @ torch.randn(4, 3, generator=draws, dtype=F64)
        y = y + torch.tensor([1e-3, 0.3, 10.0], dtype=F64) * torch.randn(12, 3, generator=draws, dtype=F64)
        y = y - y.mean(0)

        def solved(rows: Tensor, strength: float) -> Tensor:
            gram = x[rows].T @ x[rows] + strength * len(x) * torch.eye(4, dtype=F64)
            weights: Tensor = torch.linalg.solve(gram, x[rows].T @ y[rows])
            return weights

        every = torch.arange(12)
        errors = torch.zeros(len(STRENGTHS), 3, dtype=F64)
        for k, strength in enumerate(STRENGTHS):
            for out in range(12):
                errors[k] += (y[out] - x[out] @ solved(every[every != out], strength)).square()
        best = errors.argmin(0)
        assert len(set(best.tolist())) > 1  # outputs of different noise want different strengths
        expected = torch.stack([solved(every, STRENGTHS[int(k)])[:, j] for j, k in enumerate(best)], -1)
        assert_close(ridge(x, y), expected)

    def test_columns_that_never_vary_have_no_weight(self) -> None:
        x = torch.cat([torch.randn(9, 1, generator=source(), dtype=F64), torch.zeros(9, 2, dtype=F64)], -1)
        weights = ridge(x - x.mean(0), 2 * (x[:, :1] - x[:, :1].mean(0)))
        assert_close(weights, torch.tensor([[2.0], [0.0], [0.0]], dtype=F64), atol=1e-5, rtol=0)

    def test_fewer_samples_than_inputs(self) -> None:
        weights = ridge(*(torch.randn(3, n, generator=source(n), dtype=F64) for n in (5, 2)))
        assert weights.shape == (5, 2)
        assert bool(weights.isfinite().all())
