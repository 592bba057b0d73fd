"""Processes whose information is known in closed form, and pairs of which neither tells anything of the other."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from calibration.case import Source

Series = NDArray[np.generic]  # (episodes, steps)
Pair = tuple[Series, Series]
EPISODES, STEPS = 20, 50


def doubt(p: float) -> float:
    """The entropy of a coin, in bits."""
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def flips(p: float, source: Source, episodes: int = EPISODES, steps: int = STEPS) -> NDArray[np.int64]:
    """Two states that change with probability p, from a random one."""
    changes = np.cumsum(source.random((episodes, steps)) < p, axis=1)
    return np.asarray((changes + source.integers(2, size=(episodes, 1))) % 2)


def bits(source: Source, episodes: int = EPISODES, steps: int = STEPS) -> NDArray[np.int64]:
    """Fair coins."""
    return source.integers(2, size=(episodes, steps))


def line(coefficient: float, source: Source, episodes: int = EPISODES, steps: int = STEPS) -> NDArray[np.float64]:
    """y' = coefficient y + N(0, 1), stationary."""
    noise = source.normal(size=(episodes, steps))
    noise[:, 0] /= np.sqrt(1 - coefficient**2)
    return np.asarray(lfilter([1], [1, -coefficient], noise, axis=1))


def copy(source: Source, episodes: int, steps: int) -> Pair:
    """y_{t+1} = x_t, one in ten flipped."""
    x, y = source.integers(0, 2, (2, episodes, steps))
    y[:, 1:] = x[:, :-1] ^ (source.random((episodes, steps - 1)) < 0.1)
    return x, y


def linear(source: Source, episodes: int, steps: int) -> Pair:
    """x' = x / 2 + ex, y' = y / 2 + x / 2 + ey."""
    noise = source.normal(size=(2, episodes, steps + 50))
    x = lfilter([1], [1, -0.5], noise[0], axis=1)
    noise[1, :, 1:] += 0.5 * x[:, :-1]
    return x[:, 50:], lfilter([1], [1, -0.5], noise[1], axis=1)[:, 50:]


def backward(source: Source, episodes: int, steps: int) -> Pair:
    """The same, asked for what y tells of x: nothing."""
    x, y = linear(source, episodes, steps)
    return y, x


def signs(source: Source, episodes: int, steps: int) -> Pair:
    """What is done is the noisy sign of what is seen."""
    seen, noise = source.normal(size=(2, episodes, steps))
    return seen, (seen + 0.5 * noise > 0).astype(np.int64)


def apart(source: Source, episodes: int, steps: int) -> Pair:
    """Two chains that turn once in ten steps, each by itself."""
    return flips(0.1, source, episodes, steps), flips(0.1, source, episodes, steps)


def ring(source: Source, episodes: int, steps: int) -> Pair:
    """A random agent on a ring of five places: nine in ten of its steps succeed."""
    done = source.integers(0, 2, (episodes, steps))
    moved = np.where(source.random(done.shape) < 0.9, 2 * done - 1, 0)
    return (source.integers(0, 5, (episodes, 1)) + np.cumsum(moved, axis=1) - moved) % 5, done


def pushed(source: Source, episodes: int, steps: int) -> Pair:
    """A random agent that pushes a place on a line left or right: o' = 0.8 o + a + noise."""
    done = source.integers(0, 2, (episodes, steps))
    return _moved(source, np.asarray(2.0 * done - 1, np.float64)), done


def pulled(source: Source, episodes: int, steps: int) -> Pair:
    """The same with any force."""
    done = source.normal(size=(episodes, steps))
    return _moved(source, done), done


def _moved(source: Source, force: NDArray[np.float64]) -> NDArray[np.float64]:
    noise = 0.5 * source.normal(size=force.shape)
    noise[:, 0] *= 2
    noise[:, 1:] += force[:, :-1]
    return np.asarray(lfilter([1], [1, -0.8], noise, axis=1))
