"""Adam with decoupled weight decay, stepped by torch's own function."""

from collections.abc import Iterable
from typing import NamedTuple, final

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


class Moments(NamedTuple):
    """What is remembered of each weight: means of its gradient and of its square, and the steps it took."""

    mean: list[Tensor]
    square: list[Tensor]
    steps: list[Tensor]


@final
class Adam:
    """AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019) over `parameters`, each step at a rate of its own.

    The numbers are those of `torch.optim.AdamW(fused=True)`. Its class brings torch's compiler along, which takes a
    second of every process that learns, and at a few small weights it costs as much as the step itself.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float = 0.0) -> None:
        self.parameters, self.weight_decay = list(parameters), weight_decay
        mean, square = ([torch.zeros_like(each) for each in self.parameters] for _ in range(2))
        counts = [torch.zeros((), dtype=torch.float32, device=each.device) for each in self.parameters]
        self.moments = Moments(mean, square, counts)

    def lower(self, loss: Tensor, rate: float) -> None:
        """One step down the gradient of `loss`; weights it does not depend on stay."""
        for each in self.parameters:
            each.grad = None
        torch.autograd.backward(loss)
        slopes = [each.grad for each in self.parameters]
        moved = [i for i, slope in enumerate(slopes) if slope is not None]
        weights, mean, square, steps = ([part[i] for i in moved] for part in (self.parameters, *self.moments))
        with torch.no_grad():
            adamw(
                weights,
                [slope for slope in slopes if slope is not None],
                mean,
                square,
                [],
                steps,
                fused=True,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=rate,
                weight_decay=self.weight_decay,
                eps=1e-8,
                maximize=False,
            )
