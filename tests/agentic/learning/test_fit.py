"""Fitting a module to rows of data: epochs, batches, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import Loss, RunError, UserError, fit
from agentic.testing.trolley import Trolley

F64 = torch.float64


@dataclass(frozen=True)
class Square(Loss):
    """mean (weight - row)^2, infinite for rows above `limit`."""

    limit: float = torch.inf

    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        (y,) = rows
        value = (module.weight - y).square().mean() + torch.where(y > self.limit, torch.inf, 0.0).sum()
        return value, {"rows": torch.tensor(float(len(y)))}


def one_weight(at: float = 0.0) -> torch.nn.Linear:
    module = torch.nn.Linear(1, 1, bias=False, dtype=F64)
    torch.nn.init.constant_(module.weight, at)
    return module


class TestFit:
    def test_the_mean_is_found(self) -> None:
        module, y = one_weight(), torch.tensor([[1.0], [2.0], [6.0]], dtype=F64)
        done = fit(module, Square(), (y,), optimizer=torch.optim.SGD(module.parameters(), 0.25), epochs=40)
        assert module.weight.item() == pytest.approx(3.0)
        assert done.losses.shape == (40,)
        assert done.losses[0].item() == pytest.approx((1 + 4 + 36) / 3)  # before the first step
        assert done.losses[-1].item() == pytest.approx((4 + 1 + 9) / 3)
        assert done.info == {"rows": 3.0}

    def test_an_epoch_sees_every_row_once_and_weighs_batches_by_their_rows(self) -> None:
        module, y = one_weight(), torch.arange(7, dtype=F64).unsqueeze(-1)
        still = torch.optim.SGD(module.parameters(), 0.0)
        draws = torch.Generator().manual_seed(0)
        done = fit(module, Square(), (y,), optimizer=still, epochs=2, batch=3, generator=draws)
        assert_close(done.losses, torch.full((2,), float(y.square().mean()), dtype=F64))

    def test_without_a_generator_rows_keep_their_order(self) -> None:
        module, before, seen = one_weight(), torch.get_rng_state(), list[list[float]]()
        rows = (torch.arange(5, dtype=F64).unsqueeze(-1),)

        class Watching(Loss):
            def __call__(self, module: Any, rows: Any, *, generator: Any) -> Any:
                seen.append(rows[0].flatten().tolist())
                return Square()(module, rows, generator=generator)

        fit(module, Watching(), rows, optimizer=torch.optim.SGD(module.parameters(), 0.1), batch=2)
        assert seen == [[0.0, 1.0], [2.0, 3.0], [4.0]]
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_model_that_was_fitted_says_so(self) -> None:
        model, still = Trolley(), torch.get_rng_state()
        rows = tuple(torch.zeros(3, n, dtype=F64) for n in (2, 1, 2))
        fit(model, model.loss, rows, optimizer=torch.optim.SGD(model.parameters(), 0.0), epochs=3)
        assert model.version == 1
        assert torch.equal(torch.get_rng_state(), still)

    def test_the_observer_is_reported_every_epoch(self) -> None:
        module, reported = one_weight(), list[tuple[int, float]]()
        optimizer = torch.optim.SGD(module.parameters(), 0.1)
        rows, watch = (torch.ones(2, 1, dtype=F64),), lambda epoch, loss: reported.append((epoch, loss))
        done = fit(module, Square(), rows, optimizer=optimizer, epochs=3, observer=watch)
        assert reported == list(enumerate(done.losses.tolist()))

    def test_the_same_seed_shuffles_alike(self) -> None:
        ends = []
        for seed in (3, 3, 4):
            module, y = one_weight(), torch.arange(6, dtype=F64).unsqueeze(-1)
            draws, optimizer = torch.Generator().manual_seed(seed), torch.optim.SGD(module.parameters(), 0.3)
            fit(module, Square(), (y,), optimizer=optimizer, epochs=2, batch=2, generator=draws)
            ends.append(module.weight.item())
        assert ends[0] == ends[1] != ends[2]

    @pytest.mark.parametrize("lengths", [(), (0,), (3, 2)])
    def test_bad_data(self, lengths: tuple[int, ...]) -> None:
        module = one_weight()
        data = [torch.zeros(n, 1, dtype=F64) for n in lengths]
        with pytest.raises(UserError, match="fit expects rows of data, equally many"):
            fit(module, Square(), data, optimizer=torch.optim.SGD(module.parameters(), 0.1))

    @pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")  # said of the loss in the message
    def test_a_loss_that_is_no_number_changes_nothing(self) -> None:
        module, y = one_weight(2.0), torch.tensor([[9.0]], dtype=F64)
        with pytest.raises(RunError, match=r"Square is inf in epoch 0: lower the rate, or scale the data"):
            fit(module, Square(limit=5.0), (y,), optimizer=torch.optim.SGD(module.parameters(), 0.1))
        assert module.weight.item() == 2.0
