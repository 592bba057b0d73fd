"""Newton's method along the central path: a dozen steps where alternating takes thousands.

Channels of which several inputs are nearly as good as the best are hard for alternating steps, which then gain ever
less. Second derivatives know which inputs to give up.
"""

import numpy as np

from agentic_metrics.channels.stack import Stack, bounds, normalized
from agentic_metrics.finite.arrays import Floats, Ints

STEPS = 60  # more than any channel was seen to take
CENTER = 0.1  # how much nearer to the boundary each step aims
ROUNDING = 1e-14  # share by which a diagonal is raised, so that rounding makes no system singular
SHORT = 0.95  # part of the way to the boundary that a step may go


def central_path(stack: Stack, weights: Floats, tolerance: float) -> tuple[Floats, Ints]:
    """Input weights (c, x) whose bounds lie within `tolerance` nats, or the best met; and the steps (c,) taken.

    maximize I(p) subject to p >= 0 and sum p = 1 has the optimum D(x) + z(x) = C, p(x) z(x) = 0, z >= 0. Primal-dual
    steps solve this with p(x) z(x) = mu for ever smaller mu (Wright 1997, Primal-Dual Interior-Point Methods). The
    Hessian of I is -W diag(1/q) W^T, so that the linear systems are as small as the number of outputs.
    """
    best, gaps, taken = weights.copy(), np.full(len(weights), np.inf), np.zeros(len(weights), np.int64)
    left = np.arange(len(weights))
    slack = np.zeros_like(weights)
    for step in range(STEPS + 1):
        divergences = stack.divergences(weights)
        low, high = bounds(weights, divergences)
        if step == 0:
            slack = np.where(stack.real, (2 * high - low)[:, None] - divergences, 1.0)
        better = high - low < gaps[left]
        best[left[better]], gaps[left[better]] = weights[better], (high - low)[better]
        taken[left] = step
        going = (gaps[left] > tolerance) & np.isfinite(weights).all(-1)
        if not going.any():
            break
        left, stack = left[going], stack if going.all() else stack.take(np.flatnonzero(going))
        weights, slack = _step(stack, weights[going], slack[going], divergences[going] - low[going, None])
    return best, taken


def _step(stack: Stack, weights: Floats, slack: Floats, excess: Floats) -> tuple[Floats, Floats]:
    """One Newton step; `excess` is D(x) - I (c, x)."""
    real = stack.real
    mu = CENTER * (weights * slack).sum(-1, keepdims=True) / real.sum(-1, keepdims=True)
    inverse = np.divide(1.0, weights, out=np.zeros_like(weights), where=real)
    target = np.where(real, excess, 0.0) + mu * inverse
    free, constant = _solve(stack, weights, weights / slack, target)
    multiplier = free.sum(-1, keepdims=True) / constant.sum(-1, keepdims=True)
    change = free - multiplier * constant
    slack_change = np.where(real, (mu - change * slack) * inverse - slack, 0.0)
    moved = weights + _length(weights, change) * change
    return normalized(moved, real), slack + _length(slack, slack_change) * slack_change


def _solve(stack: Stack, weights: Floats, stiff: Floats, target: Floats) -> tuple[Floats, Floats]:
    """M^-1 target and M^-1 1 for M = diag(1 / stiff) + W diag(1/q) W^T, without ever forming M."""
    table, q = stack.table, stack.outputs(weights)
    small = table.swapaxes(1, 2) @ (stiff[..., None] * table)
    at = np.arange(q.shape[1])
    small[:, at, at] = (small[:, at, at] + np.where(q > 0, q, 1.0)) * (1 + ROUNDING)
    sides = np.stack([((stiff * target)[:, None] @ table)[:, 0], q], -1)
    solved = table @ np.linalg.solve(small, sides)
    return stiff * (target - solved[..., 0]), stiff * solved[..., 1]


def _length(position: Floats, change: Floats) -> Floats:
    """How far to go along `change` (c, x) so that every position stays positive, (c, 1)."""
    ratio = np.divide(position, -change, out=np.full_like(position, np.inf), where=change < 0)
    return np.asarray(np.minimum(1.0, SHORT * ratio.min(-1, keepdims=True)))
