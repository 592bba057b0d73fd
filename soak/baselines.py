"""Other ways to part columns into a world, a boundary and an inside: what a discovery is held against.

Each takes values (steps, columns) and gives a label (columns,): two sides and what lies between, in any order.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.signal import welch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching
from scipy.stats import t as student

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEVEL = 0.01  # of all tests of a graph together (Bonferroni)
PENALTY = 0.1  # of the graphical lasso, on correlations
REST = 3  # clusters: the world, the boundary, the inside


def granger_cut(values: Floats, ranks: Ints) -> Ints:
    """The graph of Granger causes, cut where fewest columns separate it: 0 and 2 the sides, 1 the cut.

    An edge is a coefficient of the regression of each column on all columns a step before, and on those of the same
    step that come first, which t-tests tell from zero. The cut is, among those along the Fiedler vector of the largest
    component, the one of the fewest columns per column of the smaller side; all else is with the larger side.
    """
    linked = _granger(values, ranks)
    linked = linked | linked.T
    labels = np.zeros(len(linked), np.int64)
    count, component = connected_components(csr_array(linked), directed=False)
    largest = np.flatnonzero(component == np.bincount(component, minlength=count).argmax())
    if len(largest) < REST:
        return labels
    inner = linked[np.ix_(largest, largest)]
    degrees = inner.sum(1)
    fiedler = np.linalg.eigh(np.diag(degrees) - inner.astype(float))[1][:, 1]
    order, best = np.argsort(fiedler), (np.inf, labels[largest])
    for place in range(1, len(order)):
        found = np.where(np.isin(np.arange(len(order)), order[:place]), 0, 2)
        found[_cover(inner, found)] = 1
        sizes = np.bincount(found, minlength=REST)
        if min(sizes[0], sizes[2]):
            best = min(best, (sizes[1] / min(sizes[0], sizes[2]), found), key=lambda each: each[0])
    found = best[1]
    sizes = np.bincount(found, minlength=REST)
    labels[largest] = found if sizes[0] >= sizes[2] else 2 - found
    return labels


def _granger(values: Floats, ranks: Ints) -> Bools:
    """Whether there is an edge (target, source)."""
    scaled = (values - values.mean(0)) / np.maximum(values.std(0), 1e-12)
    before, now = scaled[:-1], scaled[1:]
    steps, count = now.shape
    found = np.zeros((count, count), bool)
    for target in range(count):
        first = np.flatnonzero(ranks < ranks[target])
        inputs = np.hstack([before, now[:, first]])
        gram = np.linalg.inv(inputs.T @ inputs + 1e-6 * steps * np.eye(inputs.shape[1]))
        weights = gram @ inputs.T @ now[:, target]
        free = max(steps - len(weights), 1)
        error = np.sqrt(np.maximum((now[:, target] - inputs @ weights).var() * np.diag(gram), 1e-300))
        sure = 2 * student.sf(np.abs(weights) / error, free) < LEVEL / (count * count)
        found[target] = sure[:count]
        found[target, first] |= sure[count:]
    np.fill_diagonal(found, False)
    return found


def _cover(linked: Bools, sides: Ints) -> Ints:
    """The fewest columns that touch every edge between the sides 0 and 2 (König's theorem)."""
    left, right = np.flatnonzero(sides == 0), np.flatnonzero(sides == 2)
    edges = linked[np.ix_(left, right)]
    partner = maximum_bipartite_matching(csr_array(edges), perm_type="row")  # of each on the right, -1 for none
    reached = np.setdiff1d(np.arange(len(left)), partner)
    seen, across = set(reached.tolist()), set[int]()
    waiting = list(seen)
    while waiting:
        for other in np.flatnonzero(edges[waiting.pop()]):
            across.add(int(other))
            if partner[other] >= 0 and int(partner[other]) not in seen:
                seen.add(int(partner[other]))
                waiting.append(int(partner[other]))
    lost = [place for place in range(len(left)) if place not in seen]
    return np.concatenate([left[lost], right[sorted(across)]]).astype(np.int64)


def graph_lasso(values: Floats, ranks: Ints) -> Ints:
    """Spectral clustering of partial correlations in one step, by the graphical lasso (Friedman et al. 2008)."""
    correlation = np.nan_to_num(np.corrcoef(values.T)) + 1e-6 * np.eye(values.shape[1])
    precision = _lasso(correlation)
    scale = np.sqrt(np.diag(precision))
    affinity = np.abs(precision / np.outer(scale, scale))
    np.fill_diagonal(affinity, 0.0)
    root = 1 / np.sqrt(np.maximum(affinity.sum(1), 1e-9))
    vectors = np.linalg.eigh(root[:, None] * affinity * root)[1][:, -REST:]
    return _means(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _lasso(correlation: Floats, rounds: int = 300) -> Floats:
    """The penalized precision matrix, by ADMM with step 1 (Boyd et al. 2011)."""
    sparse, dual = np.eye(len(correlation)), np.zeros_like(correlation)
    free = ~np.eye(len(correlation), dtype=bool)
    for _ in range(rounds):
        values, vectors = np.linalg.eigh(sparse - dual - correlation)
        dense = (vectors * ((values + np.sqrt(values**2 + 4)) / 2)) @ vectors.T
        moved = dense + dual
        sparse = np.where(free, np.sign(moved) * np.maximum(np.abs(moved) - PENALTY, 0.0), moved)
        dual = moved - sparse
    return np.asarray(sparse)


def spectra(values: Floats, ranks: Ints) -> Ints:
    """k-means of the logarithms of each column's power spectrum."""
    scaled = (values - values.mean(0)) / np.maximum(values.std(0), 1e-12)
    power = welch(scaled, nperseg=min(64, len(values)), axis=0)[1]
    return _means(np.log(power.T + 1e-9))


def _means(points: Floats) -> Ints:
    """The clusters of the best of 20 starts."""
    source, best = np.random.default_rng(0), (np.inf, np.zeros(len(points), np.int64))
    for _ in range(20):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a cluster that stayed empty
            centers, labels = kmeans2(points, REST, minit="++", rng=source)
        spread = float(((points - centers[labels]) ** 2).sum())
        best = min(best, (spread, labels.astype(np.int64)), key=lambda each: each[0])
    return best[1]


BASELINES: dict[str, Any] = {
    "Granger graph, vertex cut": granger_cut,
    "graph-lasso, spectral": graph_lasso,
    "k-means on spectra": spectra,
}
