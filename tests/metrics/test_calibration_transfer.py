"""Whether 95 % intervals of transfer entropy cover the truth, and nulls raise 5 % false alarms, on 400 fixed seeds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.signal import lfilter
from scipy.stats import binomtest, norm

from agentic import holm
from agentic_metrics import (
    Estimate,
    Estimator,
    Gaussian,
    Mixed,
    Neighbors,
    Plugin,
    gaussian_transfer_entropy,
    transfer_entropy,
)

SEEDS = 400
SURROGATES = 99

Pair = tuple[NDArray[Any], NDArray[Any]]  # source and target, (episodes, steps) each
World = Callable[[np.random.Generator, int, int], Pair]


def copy(source: np.random.Generator, episodes: int, length: int) -> Pair:
    """y_{t+1} = x_t, one in ten flipped."""
    x, y = source.integers(0, 2, (2, episodes, length))
    y[:, 1:] = x[:, :-1] ^ (source.random((episodes, length - 1)) < 0.1)
    return x, y


def linear(source: np.random.Generator, episodes: int, length: int) -> Pair:
    """x' = x / 2 + ex, y' = y / 2 + x / 2 + ey."""
    noise = source.normal(size=(2, episodes, length + 50))
    x = lfilter([1], [1, -0.5], noise[0], axis=1)
    noise[1, :, 1:] += 0.5 * x[:, :-1]
    return x[:, 50:], lfilter([1], [1, -0.5], noise[1], axis=1)[:, 50:]


def backward(source: np.random.Generator, episodes: int, length: int) -> Pair:
    x, y = linear(source, episodes, length)
    return y, x


def signs(source: np.random.Generator, episodes: int, length: int) -> Pair:
    """What is done is the noisy sign of what is seen."""
    seen, noise = source.normal(size=(2, episodes, length))
    return seen, (seen + 0.5 * noise > 0).astype(np.int64)


def sticky(source: np.random.Generator, episodes: int, length: int) -> Pair:
    """Two independent chains that turn once in ten steps."""
    chains = np.cumsum(source.random((2, episodes, length)) < 0.1, axis=2) + source.integers(0, 2, (2, episodes, 1))
    return chains[0] % 2, chains[1] % 2


def ring(source: np.random.Generator, episodes: int, length: int) -> Pair:
    """A random agent on a ring of five places: nine in ten of its steps succeed."""
    done = source.integers(0, 2, (episodes, length))
    moved = np.where(source.random(done.shape) < 0.9, 2 * done - 1, 0)
    return (source.integers(0, 5, (episodes, 1)) + np.cumsum(moved, axis=1) - moved) % 5, done


def pushed(source: np.random.Generator, episodes: int, length: int) -> Pair:
    """A random agent that pushes a place on a line left or right: o' = 0.8 o + a + noise."""
    done = source.integers(0, 2, (episodes, length))
    return _line(source, np.asarray(2.0 * done - 1, np.float64)), done


def pulled(source: np.random.Generator, episodes: int, length: int) -> Pair:
    """The same with any force."""
    done = source.normal(size=(episodes, length))
    return _line(source, done), done


def _line(source: np.random.Generator, force: NDArray[np.float64]) -> NDArray[np.float64]:
    seen = source.normal(size=force.shape)
    for t in range(1, force.shape[1]):
        seen[:, t] = 0.8 * seen[:, t - 1] + force[:, t - 1] + 0.5 * seen[:, t]
    return seen


def doubt(p: float) -> float:
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def of_signs() -> float:
    return 1 - float(quad(lambda o: norm.pdf(o) * doubt(norm.cdf(2 * o)), -4, 4)[0])


LINEAR = gaussian_transfer_entropy([[0.5, 0], [0.5, 0.5]], np.eye(2), source=[0], target=[1])

# World, estimator, lag, episodes, steps; the truth in bits.
COVERED: dict[str, tuple[World, Estimator, int, int, int, float]] = {
    "copy channel, plugin": (copy, Plugin(), 1, 20, 50, 1 - doubt(0.1)),
    "linear process, gaussian": (linear, Gaussian(), 1, 20, 100, LINEAR),
    "linear process, neighbors": (linear, Neighbors(), 1, 20, 50, LINEAR),
    "noisy sign, mixed": (signs, Mixed(), 0, 20, 50, of_signs()),
}
NOTHING: dict[str, tuple[World, Estimator, int, int, int]] = {
    "sticky chains, plugin": (sticky, Plugin(), 1, 10, 50),
    "sticky chains, 4 episodes, plugin": (sticky, Plugin(), 1, 4, 125),
    "random agent on a ring, plugin": (ring, Plugin(), 0, 10, 50),
    "linear process backward, gaussian": (backward, Gaussian(), 1, 10, 50),
    "linear process backward, neighbors": (backward, Neighbors(), 1, 8, 20),
    "random agent on a line, mixed": (pushed, Mixed(), 0, 8, 30),
    "random agent of any force, neighbors": (pulled, Neighbors(), 0, 8, 20),
}
BY_THEORY = ("sticky chains, plugin", "random agent on a ring, plugin", "linear process backward, gaussian")


def estimates(world: World, estimator: Estimator, lag: int, size: tuple[int, int], surrogates: int) -> list[Estimate]:
    found = []
    for seed in range(SEEDS):
        generator = np.random.default_rng([seed, *size])
        x, y = world(generator, *size)
        options: Any = {"lag": lag, "estimator": estimator, "surrogates": surrogates, "generator": generator}
        found.append(transfer_entropy(list(x), list(y), **options))
    return found


def rates() -> dict[str, tuple[int, float]]:
    """Hits among the seeds and the rate that they should have."""
    found = {}
    for name, (world, estimator, lag, episodes, steps, truth) in COVERED.items():
        intervals = [each.interval for each in estimates(world, estimator, lag, (episodes, steps), 0)]
        hits = sum(each is not None and each.low <= truth <= each.high for each in intervals)
        found[f"coverage: {name}"] = (hits, 0.95)
    for name, (world, estimator, lag, episodes, steps) in NOTHING.items():
        nulls = [each.null for each in estimates(world, estimator, lag, (episodes, steps), SURROGATES)]
        found[f"alarms: {name}"] = (sum(each is not None and each.p_value <= 0.05 for each in nulls), 0.05)
    for name in BY_THEORY:
        world, estimator, lag, episodes, steps = NOTHING[name]
        nulls = [each.null for each in estimates(world, estimator, lag, (episodes, steps), 0)]
        alarms = sum(each is not None and each.p_value <= 0.05 for each in nulls)
        found[f"alarms of chi-square: {name}"] = (alarms, 0.05)
    return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_intervals_cover_and_nulls_are_honest() -> None:
    found = rates()
    p_values = [float(binomtest(hits, SEEDS, nominal).pvalue) for hits, nominal in found.values()]
    lines = [f"{name}: {hits}/{SEEDS}, nominal {nominal}" for name, (hits, nominal) in found.items()]
    assert min(holm(p_values)) > 0.001, "\n".join(lines)
