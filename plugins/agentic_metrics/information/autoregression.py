"""Exact transfer entropy of a known linear-Gaussian process."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_discrete_lyapunov

from agentic import UserError
from agentic_metrics.finite.laws import positive

Floats = NDArray[np.float64]

SETTLED = 1e-14  # relative change of a covariance below which the recursion has found its fixed point
ROUNDS = 100_000


def gaussian_transfer_entropy(
    coefficients: ArrayLike,
    noise: ArrayLike,
    *,
    source: Sequence[int],
    target: Sequence[int],
    given: Sequence[int] = (),
    history: int | None = 1,
    source_history: int = 1,
) -> float:
    """The exact transfer entropy, in bits, of the stationary process v_{t+1} = A v_t + e_t, e ~ N(0, Q).

    `coefficients` A (d, d) and `noise` Q (d, d); source, target and given are places in v. From the covariances
    S(h) = A^h S(0), where S(0) solves S = A S A' + Q: half the log ratio of the determinants of what is left of the
    target at t + 1 without the source and with it. With `history` None all pasts are infinite: both variances are then
    fixed points P = A (P - P C' (C P C')^-1 C P) A' + Q of the Riccati equation, C picking what is seen (Barnett and
    Seth 2015). Raises UserError where the process is not stationary.
    """
    a, q = np.asarray(coefficients, np.float64), np.asarray(noise, np.float64)
    if a.ndim != 2 or a.shape != q.shape or a.shape[0] != a.shape[1]:
        raise UserError(f"coefficients and noise are square and of one shape, got {a.shape} and {q.shape}")
    if np.abs(np.linalg.eigvals(a)).max() >= 1:
        raise UserError(
            "the process has no stationary law: all eigenvalues of its coefficients must be inside the circle"
        )
    seen = [*target, *given]
    if history is None:
        left = [_innovation(a, q, places)[: len(target), : len(target)] for places in (seen, [*seen, *source])]
    else:
        own = [(lag, place) for lag in range(1, history + 1) for place in target]
        others = [(lag, place) for lag in range(1, source_history + 1) for place in given]
        added = [(lag, place) for lag in range(1, source_history + 1) for place in source]
        left = [_residual(a, q, target, [*own, *others]), _residual(a, q, target, [*own, *others, *added])]
    without, with_source = (float(np.linalg.slogdet(each)[1]) for each in left)
    return positive(float((without - with_source) / (2 * np.log(2))))


def _residual(a: Floats, q: Floats, target: Sequence[int], known: Sequence[tuple[int, int]]) -> Floats:
    """Covariance of the target given components (lag, place), lag steps before it."""
    deepest = max((lag for lag, _ in known), default=0)
    still = solve_discrete_lyapunov(a, q)
    powers = [np.linalg.matrix_power(a, lag) @ still for lag in range(deepest + 1)]
    variables = [*((0, place) for place in target), *known]
    joint = np.array([[_covariance(powers, one, other) for other in variables] for one in variables])
    size = len(target)
    across, past = joint[:size, size:], joint[size:, size:]
    return np.asarray(joint[:size, :size] - across @ np.linalg.solve(past, across.T))


def _covariance(powers: Sequence[Floats], one: tuple[int, int], other: tuple[int, int]) -> float:
    """Of components (lag, place): S(h)[i, j] is that of i now and j h steps ago."""
    apart = other[0] - one[0]
    later, earlier = (one, other) if apart >= 0 else (other, one)
    return float(powers[abs(apart)][later[1], earlier[1]])


def _innovation(a: Floats, q: Floats, seen: Sequence[int]) -> Floats:
    """Covariance of the next values of what is seen, given all of its past."""
    p = q
    for _ in range(ROUNDS):
        gain = np.linalg.solve(p[np.ix_(seen, seen)], p[seen])
        following = a @ (p - p[:, seen] @ gain) @ a.T + q
        if np.abs(following - p).max() <= SETTLED * np.abs(p).max():
            break
        p = following
    return np.asarray(following[np.ix_(seen, seen)])
