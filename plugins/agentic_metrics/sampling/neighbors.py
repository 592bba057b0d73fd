"""Information between numbers, or between numbers and names, from distances to nearest neighbors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import ceil, gcd
from typing import final

import numpy as np
from scipy.special import digamma

from agentic import UserError
from agentic_metrics.cautions import Caution, few_samples, too_few
from agentic_metrics.sampling.boxes import Counts, inside, nearest
from agentic_metrics.sampling.information import FIXED, Estimator, Floats, Information, Values, refuse_names
from agentic_metrics.sampling.plugin import Plugin
from agentic_metrics.sampling.series import codes, pairs
from agentic_metrics.sampling.units import lost, parted, standard

REPEATED = 0.1  # share of samples with a value seen before, above which a column is not continuous
CEILING = 0.8  # share of the largest estimate that N samples can give, above which one is not to be believed

SMALLEST = 25  # times k, the fewest samples from which the spread of estimates is looked at
PARTS = 80  # estimates from parts of the sample whose spread is looked at
WAYS = 8  # in which a small sample is divided
GOLDEN = 0.6180339887498949  # its multiples are spread evenly (Weyl 1916)


@dataclass(frozen=True)
class ByDistance(Estimator):
    """An estimator from the distance to the k-th nearest neighbor, for which `workers` processors search."""

    k: int = 4
    workers: int = 1

    def __post_init__(self) -> None:
        if self.k < 1 or self.workers == 0:
            raise UserError(f"neighbors are counted with k >= 1 and workers >= 1 (-1: all processors), got {self}")


@final
@dataclass(frozen=True)
class Neighbors(ByDistance):
    """The estimator of I(X; Y | Z) between numbers from distances to nearest neighbors (largest-difference norm).

    With n the number of other points strictly nearer than the k-th neighbor in (x, y, z), in the axes of the index,
    a sample contributes psi(k) + psi(n_z + 1) - psi(n_xz + 1) - psi(n_yz + 1) nats (Frenzel and Pompe 2007); without
    Z, n_z + 1 is N (Kraskov, Stoegbauer and Grassberger 2004, their first estimator). Every column is scaled to unit
    variance first.

    Raises UserError for names, and for columns in which values repeat: `Mixed` takes those.
    """

    name = "neighbors"

    def information(self, x: Values, y: Values, given: Values | None = None) -> Information:
        for label, values in (("x", x), ("y", y), ("given", given)):
            if values is not None:
                _refuse_repeated(label, values)
        return _information(self, x, y, given)


@final
@dataclass(frozen=True)
class Mixed(ByDistance):
    """The estimator of I(X; Y | Z) where some columns are names (whole numbers) and others numbers that may repeat.

    Numbers that repeat are `parted`: rounded ones are spread out below their resolution, which leaves the information
    as it is, values as frequent as a bound that numbers are clipped to become names. Neighbors are looked for among
    the samples that agree in all names (Ross 2014), so that no distance between names is needed; where names are all
    that more than k samples have, psi of their number, the sample itself included, replaces psi(k) (Gao, Kannan, Oh and
    Viswanath 2017; Mesner and Shalizi 2019). Otherwise as `Neighbors`; of names alone, as `Plugin`.
    """

    name = "mixed"

    def information(self, x: Values, y: Values, given: Values | None = None) -> Information:
        return _information(self, x, y, given)


def _information(settings: ByDistance, x: Values, y: Values, given: Values | None) -> Information:
    labeled = {"x": x, "y": y, "given": np.empty((len(x), 0)) if given is None else given}
    source = np.random.default_rng(0)  # of digits below the resolution of the data
    parts = [parted(values, source) for values in labeled.values()]
    numbers, names = [part[0] for part in parts], [part[1] for part in parts]
    if any(each.shape[1] for each in numbers) or isinstance(settings, Neighbors):
        found = _counted(settings, numbers, names)
    else:
        found = Plugin().information(*(name[:, None] for name in names))
    return replace(found, cautions=(*lost(labeled), *_copies(x, y), *found.cautions))


def _counted(settings: ByDistance, numbers: Sequence[Floats], names: Sequence[Counts]) -> Information:
    """From x, y and z, each parted into columns of numbers (n, d) and the code (n,) of its names."""
    n, k, workers = len(names[0]), settings.k, settings.workers
    if n <= k:
        raise UserError(f"the {settings.name} estimator needs more samples than its k = {k}, got {n}: record more")
    x, y, z = (standard(part) for part in numbers)
    name_z = names[2]
    name_xz, name_yz = pairs(names[0], name_z), pairs(names[1], name_z)
    joint, name = np.concatenate([x, y, z], axis=1), pairs(name_xz, name_yz)
    psi = digamma(np.arange(n + 1))
    radius, own, order = _reaches(joint, name, k, workers)
    spaces = [
        (np.concatenate(parts, axis=1)[order], code[order])
        for parts, code in (([x, z], name_xz), ([y, z], name_yz), ([z], name_z))
    ]
    reach = radius[order]
    in_xz, in_yz, in_z = (_inside(points, code, reach, workers) for points, code in spaces)
    local = np.empty(n)
    local[order] = psi[own[order]] + psi[in_z] - psi[in_xz] - psi[in_yz]
    cautions = tuple(_cautions(local, joint.shape[1], k, psi, in_z, in_yz))
    return Information(local / np.log(2), cautions=cautions, noise=partial(_noise, settings, numbers, names))


def _noise(settings: ByDistance, numbers: Sequence[Floats], names: Sequence[Counts]) -> float:
    """The variance that comes from each sample being a neighbor of others, which its own contribution does not show.

    Estimates from disjoint parts of the sample vary by all there is to vary, at the size of a part (Holmes and Nemenman
    2019). What their variance exceeds that of their contributions by goes with one over the size, here to all samples.
    Zero where the sample is too small to be divided.
    """
    n, excess = len(names[0]), []
    for rows in _parts(n, max(SMALLEST * settings.k, n // PARTS)):
        found = [_counted(settings, [a[row] for a in numbers], [a[row] for a in names]).local for row in rows]
        means = np.array([local.mean() for local in found])
        excess.append(n / len(rows) * means.var(ddof=1) - np.mean([local.var() for local in found]))
    return max(0.0, float(np.mean(excess))) / n if excess else 0.0


def _parts(n: int, size: int) -> Iterator[list[Counts]]:
    """Ways to divide n samples evenly into parts of about that size, spread over the whole as if drawn at random."""
    parts = max(2, n // size)
    for way in range(1, 1 + min(WAYS, ceil(PARTS / parts)) if n >= size else 1):
        stride = int(n * (way * GOLDEN % 1))
        stride = next(each for each in count(max(1, stride)) if gcd(each, n) == 1)
        order = np.arange(n) * stride % n
        yield [order[part::parts] for part in range(parts)]


def _reaches(points: Floats, name: Counts, k: int, workers: int) -> tuple[Floats, Counts, Counts]:
    """For each point (n, d) how far its k-th neighbor of the same name is, how many count as that near, and an order.

    A name with few points looks as far as all of them; a point alone in its name, everywhere.
    """
    radius, own, order = np.empty(len(name)), np.empty(len(name), np.int64), np.empty(0, np.int64)
    for rows in _groups(name):
        near = min(k, len(rows) - 1)
        own[rows] = max(1, near)
        radius[rows], inner = nearest(points[rows], near, workers=workers) if near else (np.inf, np.zeros(1, np.int64))
        order = np.concatenate([order, rows[inner]])
    crowd = np.flatnonzero(radius == 0)
    place = codes(np.column_stack([name[crowd], points[crowd]]))
    own[crowd] = np.bincount(place)[place]
    return radius, own, order


def _inside(points: Floats, name: Counts, radius: Floats, workers: int) -> Counts:
    """How many points of the same name, itself included, are nearer to each than its radius."""
    if not points.shape[1]:
        return np.bincount(name)[name]
    found = np.empty(len(name), np.int64)
    for rows in _groups(name):
        found[rows] = inside(points[rows], radius[rows], workers=workers)
    return found


def _groups(name: Counts) -> list[Counts]:
    """The rows of each name."""
    if not name.any():
        return [np.arange(len(name))]
    order = np.argsort(name, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(name[order])) + 1)


def _copies(x: Values, y: Values) -> Iterator[Caution]:
    """The caution of samples that look copied: they repeat, and each x comes with one and the same y."""
    if x.dtype.kind == y.dtype.kind == "f" and x.shape[1] and y.shape[1]:
        one, other = codes(x), codes(y)
        rows, most = int(pairs(one, other).max()) + 1, max(int(one.max()), int(other.max())) + 1
        if rows < (1 + REPEATED) * most and REPEATED * len(x) < rows < (1 - REPEATED) * len(x):
            yield Caution(
                f"{len(x)} samples are {rows} different ones, and where x repeats so does y: leave copies out, which "
                "pass for information, unless y is a function of x"
            )


def _refuse_repeated(label: str, values: Values) -> None:
    refuse_names(label, values, "and nearest neighbors of names mean nothing")
    for column in values.T:
        ordered = np.sort(column)
        repeated = float((ordered[1:] == ordered[:-1]).mean())
        if repeated > REPEATED:
            raise UserError(
                f"{repeated:.0%} of the values of {label} repeat earlier ones, so it is not continuous: use the mixed "
                "estimator, or the plug-in one on whole numbers"
            )


def _cautions(local: Floats, dimensions: int, k: int, psi: Floats, in_z: Counts, in_yz: Counts) -> Iterator[Caution]:
    n = len(local)
    yield from few_samples(n, k * 4**dimensions, detail=f"neighbors in {dimensions} dimensions to be near")
    if (in_z == in_yz).all():
        yield FIXED
    highest = float(psi[in_z].mean() - psi[k])
    if local.mean() > CEILING * highest > 0:
        yield too_few(
            f"the estimate is near {highest / np.log(2):.3g} bits, the most that {n} samples can show: the truth may "
            "be higher; record more, or use the gaussian estimator"
        )
