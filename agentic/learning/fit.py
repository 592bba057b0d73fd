"""Learning from data at hand: a loss lowered over batches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from agentic.engine.draws import permutation
from agentic.errors import RunError, UserError
from agentic.learning.learner import Loss
from agentic.models.model import Model


@final
@dataclass(frozen=True)
class Fit:
    """The outcome of fitting: the mean loss of every epoch (epochs,), and the last epoch's means of its reports."""

    losses: Tensor
    info: Mapping[str, float]


def fit(
    module: nn.Module,
    loss: Loss,
    data: Sequence[Tensor],
    *,
    optimizer: torch.optim.Optimizer,
    epochs: int = 1,
    batch: int = 256,
    generator: torch.Generator | None = None,
    observer: Callable[[int, float], None] | None = None,
) -> Fit:
    """Lower `loss` over the weights that `optimizer` holds, in shuffled batches of rows of `data` (each (n, ...)).

    Without a `generator` rows keep their order. `observer` is told every epoch's number and mean loss. A model's
    version goes up by one. Raises UserError for data of different lengths or none, RunError where the loss is not a
    finite number: the weights are then those before the step.
    """
    count = len(data[0]) if data else 0
    if not count or any(len(part) != count for part in data):
        raise UserError(f"fit expects rows of data, equally many in each tensor, got {[len(part) for part in data]}")
    place = data[0].device
    losses, info = list[Tensor](), dict[str, list[Tensor]]()
    for epoch in range(epochs):
        sums, info = torch.zeros((), dtype=torch.float64, device=place), {}
        order = torch.arange(count, device=place) if generator is None else permutation(data[0], generator)
        for chosen in order.split(batch):
            value, reported = loss(module, tuple(part[chosen] for part in data), generator=generator)
            if not bool(torch.isfinite(value)):
                name = type(loss).__name__
                raise RunError(f"{name} is {float(value.detach())} in epoch {epoch}: lower the rate, or scale the data")
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            optimizer.step()
            sums += len(chosen) * value.detach().double()
            for name, part in reported.items():
                info.setdefault(name, []).append(part.detach().double().mean())
        losses.append(sums / count)
        if observer is not None:
            observer(epoch, float(losses[-1]))
    if isinstance(module, Model):
        module.version += 1
    return Fit(torch.stack(losses), {name: float(torch.stack(parts).mean()) for name, parts in info.items()})
