"""Probabilities in tables: their checks, their information in bits, and where a chain spends its time."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import xlogy

from agentic import UserError
from agentic_metrics.finite.arrays import Floats as Floats

ROUNDING = 1e-12  # bits that are zero but for rounding
CLOSE = 1e-6  # sums of given probabilities may miss 1 by this much


def checked_law(values: ArrayLike, name: str, *, dimensions: int, close: float = CLOSE) -> Floats:
    """A table of probabilities along its last axis, up to `close`, as float64. Raises UserError where it is none."""
    table = np.asarray(values, np.float64)
    if table.ndim != dimensions or not table.size:
        raise UserError(f"{name} must be an array of {dimensions} axes with something in it, got shape {table.shape}")
    if not np.isfinite(table).all() or table.min() < 0 or np.abs(table.sum(-1) - 1).max() > close:
        raise UserError(f"{name} must hold probabilities that sum to 1 along the last axis: normalize them")
    return table


def checked_chain(values: ArrayLike) -> Floats:
    """A square table (n, n) of transition probabilities, rows the states they leave. Raises UserError otherwise."""
    table = checked_law(values, "a transition matrix", dimensions=2)
    if table.shape[0] != table.shape[1]:
        raise UserError(f"a transition matrix is square, (states, states), got shape {table.shape}")
    return table


def entropy(law: ArrayLike) -> Floats:
    """The entropy H = -sum p log2 p over the last axis, in bits; 0 log 0 is 0."""
    table = np.asarray(law, np.float64)
    return np.asarray(np.abs(xlogy(table, table).sum(-1)) / np.log(2))


def mutual_information(joint: ArrayLike) -> float:
    """The mutual information I(X; Y) in bits of a joint table (x, y) that sums to 1."""
    return conditional_information(np.asarray(joint, np.float64)[..., None])


def conditional_information(joint: ArrayLike) -> float:
    """The conditional mutual information I(X; Y | Z) >= 0 in bits of a joint table (x, y, z) that sums to 1."""
    table = np.asarray(joint, np.float64)
    logs = [_logs(table.sum(axes, keepdims=True)) for axes in ((), (0, 1), 1, 0)]  # differences: products underflow
    return positive(float((table * (logs[0] + logs[1] - logs[2] - logs[3])).sum() / np.log(2)))


def positive(bits: float) -> float:
    """An exact information, which rounding may have taken below zero."""
    return 0.0 if bits <= 0 else bits


def difference(bits: float, less: float) -> float:
    """A difference of exact informations, which may be negative: 0 where rounding is all there is of it."""
    return bits - less if abs(bits - less) > ROUNDING else 0.0


def _logs(table: Floats) -> Floats:
    """Natural logarithms, 0 where the probability is 0: such cells do not count."""
    return np.log(table, out=np.zeros_like(table), where=table > 0)


def stationary(transition: ArrayLike) -> Floats:
    """The stationary law (n,) of a chain (n, n); of a periodic one, its random phase.

    Raises UserError where there is more than one: the chain then falls into parts that it never leaves.
    """
    table = checked_chain(transition)
    _, part = connected_components(csr_array(table > 0), connection="strong")
    leaves = np.unique(part[np.nonzero((table > 0) & (part[:, None] != part[None, :]))[0]])
    closed = len(np.unique(part)) - len(leaves)
    if closed > 1:
        raise UserError(f"the chain has {closed} parts it never leaves, so no single stationary law: give the law")
    equations = np.vstack([table.T - np.eye(len(table)), np.ones(len(table))])
    law = np.linalg.lstsq(equations, np.append(np.zeros(len(table)), 1.0))[0]
    law[np.isin(part, leaves)] = 0.0  # states that are left for ever
    law = np.maximum(law, 0.0)
    return np.asarray(law / law.sum())
