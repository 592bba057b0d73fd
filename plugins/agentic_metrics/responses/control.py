"""The bound on what control removes of a world's entropy: as much as blind action, and what the sensor told."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, xlogy

from agentic import UserError
from agentic_metrics.finite.laws import positive

Floats = NDArray[np.float64]

GAP = 1e-12  # nats at which the maximum over starts counts as found
ROUNDS = 20_000


@final
@dataclass(frozen=True)
class ControlBound:
    """The entropy that a controller removes and its bound, `removed` <= `open_loop` + `information`, all in bits."""

    removed: float
    open_loop: float
    information: float

    @property
    def bound(self) -> float:
        """The largest entropy that any controller with so much information can remove."""
        return self.open_loop + self.information


def control_bound(start: ArrayLike, controller: ArrayLike, moves: ArrayLike) -> ControlBound:
    """The bound dH_closed <= dH_open + I(X; C) on control (Touchette and Lloyd 2000), for one step of a finite world.

    `start` (x,): p(x). `controller` (x, c): p(c | x), sensing and choosing in one. `moves` (x, c, x'): p(x' | x, c).
    dH_closed = H(X) - H(X') is what this controller removes; I(X; C) what its action tells of the state; dH_open the
    most that any single action, taken blindly, removes from any distribution of X. That is a concave problem, climbed
    by mirror ascent, whose upper bound is returned: `bound` is a bound even if the climb was cut short.

    Raises UserError where shapes disagree or something is no distribution.
    """
    p, choice, kernel = (np.asarray(part, np.float64) for part in (start, controller, moves))
    if kernel.ndim != 3 or p.shape != kernel.shape[:1] or choice.shape != kernel.shape[:2]:
        raise UserError(
            "control_bound needs start (x,), controller (x, c) and moves (x, c, x'), got shapes "
            f"{p.shape}, {choice.shape} and {kernel.shape}"
        )
    for name, rows in (("start", p), ("controller", choice), ("moves", kernel)):
        if not (rows >= 0).all() or np.abs(rows.sum(-1) - 1).max() > 1e-9:
            raise UserError(f"{name} must hold probabilities that sum to 1 along the last axis: normalize them")
    joint = p[:, None] * choice
    after = np.einsum("xc,xcy->y", joint, kernel)
    information = positive(entr(p).sum() + entr(joint.sum(0)).sum() - entr(joint).sum())
    open_loop = max(_most_removed(kernel[:, c]) for c in range(kernel.shape[1]))
    bits = np.array([entr(p).sum() - entr(after).sum(), open_loop, information]) / np.log(2)
    return ControlBound(*map(float, bits))


def _most_removed(kernel: Floats) -> float:
    """The maximum over p of H(p) - H(p K), nats, from above within GAP.

    The objective is concave, and smooth relative to the entropy, so that p <- exp(K log(p K)), normalized, climbs; the
    largest entry of its gradient less the mean one bounds what is missing, as in Blahut and Arimoto's algorithm.
    """
    p = np.full(len(kernel), 1 / len(kernel))
    best = np.inf
    for _ in range(ROUNDS):
        after = p @ kernel
        slope = np.where(kernel > 0, xlogy(kernel, np.maximum(after, 1e-300)), 0.0).sum(-1)
        value = float(entr(p).sum() - entr(after).sum())
        best = min(best, float((slope - np.log(np.maximum(p, 1e-300))).max()))
        if best - value < GAP:
            break
        p = np.exp(slope - slope.max())
        p /= p.sum()
    return best
