"""Many channels as one padded array, and the bounds on each one's capacity that a distribution of inputs gives."""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
from scipy.special import xlogy

from agentic_metrics.finite.arrays import Bools, Floats, Ints

LEAST = 1e-100  # weight of an input that is as good as never used


@final
@dataclass(frozen=True)
class Stack:
    """Channels (c, x, y) of probabilities p(y|x); inputs that pad a channel have rows of zeros.

    `certainty` (c, x) is sum_y p(y|x) log p(y|x), `real` (c, x) tells inputs from padding.
    """

    table: Floats
    certainty: Floats
    real: Bools

    @classmethod
    def of(cls, table: Floats) -> Self:
        return cls(table, xlogy(table, table).sum(-1), table.max(-1) > 0)

    def take(self, which: Ints) -> Self:
        """Some of the channels."""
        return type(self)(self.table[which], self.certainty[which], self.real[which])

    def outputs(self, weights: Floats) -> Floats:
        """The output distribution q(y) = sum_x p(x) p(y|x), (c, y)."""
        return np.asarray((weights[:, None] @ self.table)[:, 0])

    def divergences(self, weights: Floats) -> Floats:
        """The divergences D(p(y|x) || q) in nats, (c, x); minus infinity where there is no input."""
        q = self.outputs(weights)
        surprise = np.log(np.where(q > 0, q, 1.0))
        return np.where(self.real, self.certainty - (self.table @ surprise[..., None])[..., 0], -np.inf)

    def even(self) -> Floats:
        """The uniform distribution over inputs, (c, x)."""
        return np.asarray(self.real / self.real.sum(-1, keepdims=True))


def bounds(weights: Floats, divergences: Floats) -> tuple[Floats, Floats]:
    """The bounds on the capacity, (c,) nats each: sum_x p(x) D(x), achieved, and max_x D(x), never exceeded."""
    return (weights * np.where(weights > 0, divergences, 0.0)).sum(-1), divergences.max(-1)


def normalized(weights: Floats, real: Bools) -> Floats:
    """Weights that sum to 1, none of a real input so small that what only it reaches would vanish."""
    raised = np.where(real, np.maximum(weights, LEAST), 0.0)
    return np.asarray(raised / raised.sum(-1, keepdims=True))
