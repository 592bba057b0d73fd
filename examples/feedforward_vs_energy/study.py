"""What the three questions share: a setting, a learner with its candidate settings, a question; fitting; budgets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, final

import torch
from torch import Tensor, nn

from agentic import Loss, fit

RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # every learner chooses among these and two values of its own `extra`
BATCH = 64
Measures = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Setting:
    """How a learner learns: the rate of Adam, one number whose meaning is the learner's own, and the steps of Adam."""

    rate: float
    extra: float
    updates: int


@final
@dataclass(frozen=True)
class Learner:
    """One way to learn from `size` data with a seed and a setting, and what is measured of each of its `variants`.

    `extras` are the two values that the search tries, `extra` says what they are. The variants share what was learned
    and differ in how they answer. `run(size, seed, setting)` gives measures by variant.
    """

    name: str
    extra: str
    extras: tuple[float, float]
    updates: int
    run: Callable[[int, int, Setting], Mapping[str, Measures]]

    @property
    def candidates(self) -> list[Setting]:
        """What the search tries: as many for every learner."""
        return [Setting(rate, extra, self.updates) for rate, extra in product(RATES, self.extras)]


@final
@dataclass(frozen=True)
class Question:
    """A world, numbers of data, learners, and the measure by which their settings are chosen (lower is better).

    `tuned_on` are the numbers of data of the search.
    """

    name: str
    sizes: tuple[int, ...]
    learners: tuple[Learner, ...]
    criterion: Callable[[Sequence[Measures]], float]
    tuned_on: tuple[int, ...]

    def learner(self, name: str) -> Learner:
        """The learner of that name."""
        return next(learner for learner in self.learners if learner.name == name)


def chance(seed: int, purpose: int) -> torch.Generator:
    """A source of chance of its own for every purpose (data, weights, tests ...) of a seed."""
    return torch.Generator().manual_seed(1_000 * seed + purpose)


def learn(module: nn.Module, loss: Loss, data: Sequence[Tensor], setting: Setting, *, seed: int) -> None:
    """Lower a loss in about `setting.updates` steps of Adam, the last three tenths of them at a tenth of the rate."""
    generator, steps_per_epoch = chance(seed, 2), -(-len(data[0]) // BATCH)
    for share, speed in ((0.7, setting.rate), (0.3, setting.rate / 10)):
        optimizer = torch.optim.Adam(module.parameters(), lr=speed, fused=True)
        epochs = max(1, round(share * setting.updates / steps_per_epoch))
        fit(module, loss, data, optimizer=optimizer, epochs=epochs, batch=BATCH, generator=generator)


def count(*modules: nn.Module) -> int:
    """Number of weights."""
    return sum(weight.numel() for module in modules for weight in module.parameters())


def width(budget: int, numbers: Callable[[int], int]) -> int:
    """The width of hidden layers that brings the number of weights, `numbers(width)`, nearest to a budget."""
    return min(range(4, 256), key=lambda hidden: abs(numbers(hidden) - budget))


def layers(inputs: int, outputs: int, hidden: int, depth: int) -> int:
    """Number of weights of a perceptron with `depth` hidden layers of one width."""
    inner = (depth - 1) * hidden * (hidden + 1)
    return (inputs + 1) * hidden + inner + (hidden + 1) * outputs
