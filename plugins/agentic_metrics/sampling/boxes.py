"""Distances to neighbors and numbers of neighbors in the largest-difference norm, for k-NN estimators.

A ball of that norm is a box. On a line and in a plane the points in a box are counted by sorting, several times
faster than by a tree; only in higher dimensions a tree is asked.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from agentic_metrics.sampling.information import Floats

Counts = NDArray[np.int64]

SHRINK = 1 - 1e-10  # of radii, so that the neighbor on the edge is outside however x + radius is rounded


def nearest(points: Floats, k: int, *, workers: int = 1) -> tuple[Floats, Counts]:
    """The distance of each point (n, d) to its k-th nearest other, (n,), and an order in which near points are near."""
    tree = cKDTree(points, leafsize=12)
    order = np.asarray(tree.indices, np.int64)
    radius = np.empty(len(points))
    radius[order] = tree.query(points[order], k=[k + 1], p=np.inf, workers=workers)[0][:, 0]
    return radius, order


def inside(points: Floats, radius: Floats, *, workers: int = 1) -> Counts:
    """The number of points (n, d), itself included, that are nearer to each than its radius (n,), (n,)."""
    count, dimensions = points.shape
    if dimensions == 0:
        return np.full(count, count, np.int64)
    radius = radius * SHRINK
    if dimensions == 1:
        return _on_line(points[:, 0], radius)
    if dimensions == 2:
        return _in_plane(points, radius)
    tree = cKDTree(points, leafsize=12)
    return np.asarray(tree.query_ball_point(points, radius, p=np.inf, return_length=True, workers=workers), np.int64)


def _on_line(points: Floats, radius: Floats) -> Counts:
    order = np.argsort(points)
    at, reach = points[order], radius[order]
    count = np.empty(len(points), np.int64)
    count[order] = np.searchsorted(at, at + reach, "right") - np.searchsorted(at, at - reach, "left")
    return count


def _in_plane(points: Floats, radius: Floats) -> Counts:
    """Points in squares: those of a range of places along one axis whose rank along the other is in a range."""
    count = len(points)
    order = np.argsort(points[:, 0])
    (across, along), reach = points[order].T, radius[order]
    first, last = np.searchsorted(across, across - reach, "left"), np.searchsorted(across, across + reach, "right")
    by_rank = np.argsort(along)
    ranked, reach = along[by_rank], reach[by_rank]
    rank, low, high = np.empty((3, count), np.int32)
    rank[by_rank] = np.arange(count)
    low[by_rank] = np.searchsorted(ranked, ranked - reach, "left")
    high[by_rank] = np.searchsorted(ranked, ranked + reach, "right")
    below = _below(rank, np.tile(first, 2), np.tile(last, 2), np.concatenate([low, high]))
    found = np.empty(count, np.int64)
    found[order] = below[count:] - below[:count]
    return found


def _below(rank: NDArray[np.int32], first: Counts, last: Counts, bound: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many of rank[first:last] are below bound, for all of many questions at once.

    A wavelet matrix (Claude, Navarro and Ordonez 2015): bit by bit, the ranks with a 0 are moved before those with a
    1, and each range follows the bit of its bound; where that is 1, the ranks with a 0 are counted and left behind.
    """
    first, last = first.astype(np.int32), last.astype(np.int32)
    found = np.zeros(len(bound), np.int32)
    zeros = np.zeros(len(rank) + 1, np.int32)
    for level in reversed(range(len(rank).bit_length())):
        one = (rank >> level & 1).astype(np.bool_)
        np.cumsum(~one, out=zeros[1:])
        up = (bound >> level & 1).astype(np.bool_)
        before, until = zeros[first], zeros[last]
        found += np.where(up, until - before, 0)
        first = np.where(up, first - before + zeros[-1], before)
        last = np.where(up, last - until + zeros[-1], until)
        rank = np.concatenate([rank[~one], rank[one]])
    return found
