"""A Gaussian belief about weights, alone and beside a loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi
from typing import Any, final

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from agentic import Gaussian, Loss, UserError
from agentic_energies.weight_prior import WeightPrior
from agentic_optimizers.weight_posterior import WithPrior, weights_of

F64 = torch.float64


@final
@dataclass(frozen=True)
class Zero(Loss):
    """Nothing at all."""

    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        return torch.zeros((), dtype=F64), {}


class TestWeightPrior:
    def test_known_value(self) -> None:
        z = torch.tensor([[3.0, 4.0]], dtype=F64)
        assert float(WeightPrior(2, 5.0)(None, z)) == pytest.approx(0.5 + log(2 * pi) + 2 * log(5))

    def test_it_is_of_all_trainable_weights_of_a_module(self) -> None:
        module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
        module[0].requires_grad_(False)
        assert WeightPrior.of(module, 2.0).size == 5 == len(weights_of(module))

    def test_it_is_a_normalized_gaussian(self) -> None:
        prior, z = WeightPrior(3, 0.7), torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=F64)
        belief = prior.given(z.new_empty(4, 0))
        assert isinstance(belief, Gaussian)
        assert_close(prior(None, z), belief.energy(z))

    def test_doors(self) -> None:
        with pytest.raises(UserError, match=r"is of 3 weights, got shape \(1, 2\)"):
            WeightPrior(3)(None, torch.zeros(1, 2))
        with pytest.raises(UserError, match=r"deviation > 0, got 3 and 0\.0"):
            WeightPrior(3, 0.0)


class TestWithPrior:
    def test_it_adds_the_prior_over_the_number_of_data_and_its_gradient_is_weight_decay(self) -> None:
        module = nn.Linear(2, 1, bias=False, dtype=F64)
        with torch.no_grad():
            module.weight.copy_(torch.tensor([[3.0, 4.0]]))
        prior = WeightPrior.of(module, 2.0)
        value, info = WithPrior(Zero(), prior, count=10)(module, (torch.zeros(1, 2),), generator=None)
        assert info["prior"].item() == pytest.approx(25 / 8 + log(2 * pi) + 2 * log(2))
        assert_close(value, info["prior"] / 10)
        slope = torch.autograd.grad(value, module.weight)[0]
        assert_close(slope, module.weight.detach() / (10 * 4))

    def test_doors(self) -> None:
        with pytest.raises(UserError, match="a count of at least 1 datum, got 0"):
            WithPrior(Zero(), WeightPrior(1), 0)
        with pytest.raises(UserError, match="Identity has no trainable weights"):
            WithPrior(Zero(), WeightPrior(1), 1)(nn.Identity(), (torch.zeros(1, 1),), generator=None)
