"""The capacity of a discrete channel, with a certificate of how far off the number can be.

Every distribution of the inputs brackets the capacity: what it transmits is achieved, and no input says more about the
output than the one that stands out most. Iterations only bring the two bounds together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from agentic import UserError
from agentic_metrics.channels.newton import central_path
from agentic_metrics.channels.stack import Stack, bounds, normalized
from agentic_metrics.finite.arrays import Episodes, Floats, Ints
from agentic_metrics.finite.laws import checked_law

SAME = 12  # decimals to which rows must agree to be one and the same input
EASY = 48  # alternating steps after which Newton's method takes over where they have been slow
CELLS = 2**18  # entries solved at a time: they stay in the cache
ALIKE = 1.25  # how many times more inputs a channel may have than the smallest it is solved with


@final
@dataclass(frozen=True)
class Capacity:
    """The capacity of a channel: `value` bits by the `distribution` (x,) of inputs, at most `upper` by any.

    `gap` = upper - value is the certificate; `iterations` is how many steps it took.
    """

    value: float
    upper: float
    distribution: Floats
    iterations: int

    @property
    def gap(self) -> float:
        """The most, in bits, that the capacity may lie above the value."""
        return self.upper - self.value


def capacity(channel: ArrayLike, *, tolerance: float = 1e-6) -> Capacity:
    """The capacity max over p(x) of I(X; Y) of a channel (x, y) of probabilities p(y|x), in bits, within `tolerance`.

    With q(y) = sum_x p(x) p(y|x), the steps p(x) <- p(x) 2^D(x) / sum, D(x) = D(p(y|x) || q), raise
    I = sum_x p(x) D(x), and I <= C <= max_x D(x) at every step (Blahut 1972; Arimoto 1972), so that they stop on a
    certificate. Near ties they slow down to a crawl: Newton steps along the central path of the same problem take over,
    and what they find is certified by the same bounds. Inputs with equal rows are one input, whose weight they share.

    Raises UserError where rows are no distributions.
    """
    return capacities([channel], tolerance=tolerance)[0]


def capacities(channels: Episodes, *, tolerance: float = 1e-6) -> list[Capacity]:
    """The capacities of many channels (x, y) of any sizes, solved side by side; see `capacity`."""
    merged = [_merged(checked_law(channel, "a channel", dimensions=2, close=1e-9)) for channel in channels]
    solved = solve([distinct for distinct, _ in merged], tolerance=tolerance)
    return [_shared(found, which) for found, (_, which) in zip(solved, merged, strict=True)]


def solve(channels: Sequence[Floats], *, tolerance: float) -> list[Capacity]:
    """The capacities of channels whose rows are known to be distinct distributions."""
    if not tolerance > 0:
        raise UserError(f"tolerance is the gap between the bounds in bits, it must be positive, got {tolerance}")
    found: dict[int, Capacity] = {}
    for chunk in _chunks([channel.shape for channel in channels]):
        table = np.zeros((len(chunk), *np.max([channels[i].shape for i in chunk], axis=0)))
        for row, i in zip(table, chunk, strict=True):
            row[: channels[i].shape[0], : channels[i].shape[1]] = channels[i]
        weights, low, high, steps = _search(Stack.of(table), tolerance * log(2))
        for k, i in enumerate(chunk):
            value = max(0.0, float(low[k]) / log(2))
            found[i] = Capacity(
                value, max(value, float(high[k]) / log(2)), weights[k, : len(channels[i])], int(steps[k])
            )
    return [found[i] for i in range(len(channels))]


def _merged(channel: Floats) -> tuple[Floats, Ints]:
    """The distinct rows, and which of them each input (x,) has."""
    _, first, which = np.unique(channel.round(SAME), axis=0, return_index=True, return_inverse=True)
    return channel[first], which.reshape(-1)


def _shared(found: Capacity, which: Ints) -> Capacity:
    """Equal inputs share the weight of the one that stood for them."""
    return Capacity(found.value, found.upper, (found.distribution / np.bincount(which))[which], found.iterations)


def _chunks(shapes: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Channels of similar size together, so that little is lost to padding."""
    chunks: list[list[int]] = []
    width = 0
    for i in sorted(range(len(shapes)), key=lambda i: shapes[i]):
        rows, width = shapes[i][0], max(width, shapes[i][1])
        if not chunks or (len(chunks[-1]) + 1) * rows * width > CELLS or rows > ALIKE * shapes[chunks[-1][0]][0]:
            chunks.append([])
            width = shapes[i][1]
        chunks[-1].append(i)
    return chunks


def _search(stack: Stack, tolerance: float) -> tuple[Floats, Floats, Floats, Ints]:
    """Weights (c, x), both bounds (c,) in nats and steps (c,): cheap steps first, Newton's for what is hard."""
    weights, steps = _alternate(stack, tolerance)
    low, high = bounds(weights, stack.divergences(weights))
    hard = np.flatnonzero(high - low > tolerance)
    if len(hard):
        part = stack.take(hard)
        weights[hard], more = central_path(part, part.even(), tolerance)
        steps[hard] += more
        low[hard], high[hard] = bounds(weights[hard], part.divergences(weights[hard]))
    return weights, low, high, steps


def _alternate(stack: Stack, tolerance: float) -> tuple[Floats, Ints]:
    """Blahut and Arimoto's steps until the bounds lie within `tolerance` nats; what is solved is retired."""
    weights = stack.even()
    found, taken, left = weights.copy(), np.zeros(len(weights), np.int64), np.arange(len(weights))
    for step in range(EASY + 1):
        divergences = stack.divergences(weights)
        low, high = bounds(weights, divergences)
        going = high - low > tolerance
        found[left], taken[left] = weights, step
        if not going.all():
            left, stack, weights = left[going], stack.take(np.flatnonzero(going)), weights[going]
            divergences, high = divergences[going], high[going]
        if not len(left):
            break
        weights = normalized(weights * np.exp(divergences - high[:, None]), stack.real)
    return found, taken
