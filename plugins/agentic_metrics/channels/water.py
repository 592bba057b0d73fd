"""Gaussian channels: power spread over directions by water-filling, and the empowerment of a linear world.

The number is a matter of the noise that is assumed. An unstable world amplifies what an agent does and every kick that
it gets on the way: with noise at the readout only, an inverted pendulum is most in control upright; with noise at every
step, least.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from agentic import UserError
from agentic_metrics.finite.arrays import Floats

NONE = 1e-300  # a gain whose inverse is infinite


@final
@dataclass(frozen=True)
class Filling:
    """The capacity, `value` bits, by `powers` (k,) over directions; in those used, noise and power sum to `level`."""

    value: float
    powers: Floats
    level: float


def water_filling(gains: ArrayLike, power: float) -> Filling:
    """The capacity of parallel Gaussian channels y_i = sqrt(g_i) x_i + unit noise under sum_i E x_i^2 <= P, in bits.

    C = sum_i 1/2 log2(1 + g_i p_i) with p_i = max(0, mu - 1/g_i), and mu such that the p_i sum to P = `power`
    (Cover and Thomas 2006, section 9.4). `gains` (k,) are squared singular values; 0 is a direction without effect.

    Raises UserError for negative gains or power.
    """
    given = np.asarray(gains, np.float64).reshape(-1)
    if not (np.isfinite(given).all() and (given >= 0).all() and np.isfinite(power) and power >= 0):
        raise UserError(f"gains and power must be finite and not negative, got gains {given} and power {power}")
    floors = np.divide(1.0, given, out=np.full_like(given, np.inf), where=given > NONE)
    rising = np.sort(floors[np.isfinite(floors)])
    if not len(rising) or power == 0:
        return Filling(0.0, np.zeros_like(given), 0.0)
    levels = (power + np.cumsum(rising)) / np.arange(1, len(rising) + 1)
    level = float(levels[np.flatnonzero(levels >= rising)[-1]])
    powers = np.maximum(0.0, level - floors)
    return Filling(float(np.log2(1 + given * powers).sum() / 2), powers, level)


def linear_capacity(gain: ArrayLike, covariance: ArrayLike, power: float) -> Filling:
    """The capacity of y = G u + noise, G (outputs, inputs), noise covariance (outputs, outputs), E |u|^2 <= power.

    Raises UserError where the covariance is not positive definite: some output would be known without error.
    """
    try:
        factor = np.linalg.cholesky(np.asarray(covariance, np.float64))
    except np.linalg.LinAlgError:
        raise UserError(
            "the noise must reach every direction of the reading, or infinitely many bits fit through: add noise"
        ) from None
    whitened = np.linalg.solve(factor, np.asarray(gain, np.float64))
    return water_filling(np.linalg.svd(whitened, compute_uv=False) ** 2, power)


def gaussian_empowerment(
    dynamics: ArrayLike,
    control: ArrayLike,
    horizon: int,
    *,
    power: float = 1.0,
    noise: ArrayLike = 0.01,
    process_noise: ArrayLike = 0.0,
) -> float:
    """The empowerment of x' = A x + B u + process noise, read after n steps with noise: the same everywhere, in bits.

    G = [A^(n-1) B, ..., A B, B] takes the n = `horizon` actions to the state, and the covariance of what disturbs the
    reading is R + sum_(k<n) A^k Q A^kT. Water-filling spreads the total `power` over the singular values of the
    whitened map (Salge, Glackin and Polani 2013). `dynamics` A is (d, d), `control` B (d,) or (d, m); `noise` R is
    added once, to the reading, and `process_noise` Q at every step: a variance, variances (d,) or a covariance (d, d).

    Raises UserError where shapes disagree or no noise reaches some direction.
    """
    transition, push = checked_system(dynamics, control, horizon)
    size = len(transition)
    covariance, disturbance = covariance_of(noise, size), covariance_of(process_noise, size)
    reach = []
    for _ in range(horizon):
        reach.append(push)
        covariance = covariance + disturbance
        push, disturbance = transition @ push, transition @ disturbance @ transition.T
    return linear_capacity(np.concatenate(reach, axis=1), covariance, power).value


def checked_system(dynamics: ArrayLike, control: ArrayLike, horizon: int) -> tuple[Floats, Floats]:
    """The matrices A (d, d) and B (d, m) of x' = A x + B u, as float64. Raises UserError where they are none."""
    a, b = np.atleast_2d(np.asarray(dynamics, np.float64)), np.asarray(control, np.float64)
    b = b.reshape(-1, 1) if b.ndim < 2 else b
    if a.ndim != 2 or a.shape[0] != a.shape[1] or b.ndim != 2 or len(b) != len(a) or horizon < 1:
        raise UserError(
            f"dynamics must be A (d, d), control B (d,) or (d, m) and the horizon at least 1, got {a.shape}, "
            f"{np.shape(control)} and {horizon}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise UserError("A and B must be finite, got NaN or infinity")
    return a, b


def covariance_of(noise: ArrayLike, size: int) -> Floats:
    """The covariance (size, size) of a variance, of variances (size,) or of itself."""
    given = np.asarray(noise, np.float64)
    if given.shape not in ((), (size,), (size, size)):
        raise UserError(f"noise is a variance, {size} variances or a ({size}, {size}) covariance, got {given.shape}")
    return given if given.ndim == 2 else np.eye(size) * given
