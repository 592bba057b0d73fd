"""Particles: coordinates that are one thing, and forces between particles that fall off with their distance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic import UserError
from agentic.errors import shown
from agentic_discovery.columns import Columns
from agentic_discovery.couplings import Couplings, Moments, eliminated, lost, unexplained

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

FITTED = 1000  # steps in which a reach is fitted
MOST = 8  # times that the shortest reach tried is doubled, at most, to be the usual distance


def axes_of(given: str) -> tuple[str, ...]:
    """The names of coordinates, from `x,y`. Raises UserError where there are none, or one twice."""
    axes = tuple(word.strip() for word in given.split(","))
    if not all(axes) or len(set(axes)) < len(axes):
        raise UserError(f"particles are given by the endings of their coordinates, as 'x,y', got {shown(given)}")
    return axes


def particles(names: Sequence[str], axes: Sequence[str]) -> list[list[int]]:
    """The places of the coordinates of each particle: columns of one stem with every ending, as `p1.x` and `p1_y`."""
    found: dict[str, dict[str, int]] = {}
    for place, name in enumerate(names):
        for axis in axes:
            for ending in (f".{axis}", f"_{axis}"):
                if name.endswith(ending):
                    found.setdefault(name.removesuffix(axis), {})[axis] = place
    return [[places[axis] for axis in axes] for places in found.values() if axes and len(places) == len(axes)]


def things(names: Sequence[str], axes: Sequence[str]) -> Ints:
    """For each column the number of the thing that it belongs to, a particle or itself, in the order of columns."""
    first = np.arange(len(names))
    for places in particles(names, axes):
        first[places] = min(places)
    return np.unique(first, return_inverse=True)[1]


def first_columns(numbers: Ints) -> Ints:
    """The first column of each thing."""
    return np.unique(numbers, return_index=True)[1]


def of_things(nats: Floats, numbers: Ints) -> Floats:
    """Couplings of things: the sum of those of their columns, none of a thing with itself."""
    one = (numbers[:, None] == np.arange(numbers.max(initial=-1) + 1)).astype(float)
    found = one.T @ nats @ one
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


@final
@dataclass(frozen=True)
class Forces:
    """The particles of a recording, each the places of its coordinates, and the forces between them.

    The force on i from j is (x_j - x_i) exp(-|x_j - x_i|^2 / (2 reach^2)), in the units of the coordinates.
    """

    recording: Columns
    coordinates: list[list[int]]
    reach: float

    @property
    def owners(self) -> Ints:
        """For each column the first coordinate of its particle, or itself."""
        found = np.arange(len(self.recording.names))
        for places in self.coordinates:
            found[places] = places[0]
        return found

    def on(self, one: int) -> Columns:
        """The recording and beside it the forces on a particle, by axis and then by particle."""
        places = self.recording.values[:, self.coordinates]  # (steps, particles, axes)
        ways = places - places[:, [one]]
        weight = np.exp(-(ways**2).sum(-1, keepdims=True) / (2 * self.reach**2))
        forces = (weight * ways).transpose(0, 2, 1).reshape(len(places), -1)
        names = tuple(f"force {number}" for number in range(forces.shape[1]))
        wide = np.concatenate([self.recording.values, forces], axis=1)
        return Columns((*self.recording.names, *names), wide, self.recording.episodes)


@final
@dataclass(frozen=True)
class Regression:
    """The regression of one column: the covariances, its place, the places tried, and whose each of these is."""

    moments: Moments
    target: int
    tried: Ints
    sources: Ints


def regressions(forces: Forces, lag: int, resolution: float, ranks: Ints) -> Iterator[tuple[int, list[Regression]]]:
    """For each thing its first column, and the regressions of all of its columns.

    A coordinate of a particle may hear the forces of all other particles on it along its axis, in the steps before.
    """
    p, owners = len(forces.recording.names), forces.owners
    numbers = {place: number for number, places in enumerate(forces.coordinates) for place in places}
    firsts = [places[0] for places in forces.coordinates]
    for owner in np.unique(owners).tolist():
        one = numbers.get(owner)
        wide = forces.recording if one is None else forces.on(one)
        moments = Moments.of(wide.values, wide.episodes, lag=lag, resolution=resolution)
        sources = np.concatenate([owners, np.resize(firsts, moments.columns - p)]).astype(np.intp)
        along = np.arange(moments.columns - p) // len(firsts)
        found = []
        for axis, target in enumerate([owner] if one is None else forces.coordinates[one]):
            here = np.concatenate([np.ones(p, bool), (along == axis) & (sources[p:] != owner)])
            tried = moments.candidates(target, ranks)
            tried = tried[here[tried % moments.columns]]
            found.append(Regression(moments, target, tried, sources[tried % moments.columns]))
        yield owner, found


def fitted_reach(recording: Columns, coordinates: list[list[int]], lag: int, resolution: float, ranks: Ints) -> float:
    """The reach of forces that leaves least unexplained, in the first steps.

    Tried are the median distance from a particle to the nearest other, twice that, four times, ..., up to twice the
    median distance between two.
    """
    some = recording.cut(0, FITTED)
    places = some.values[::10][:, coordinates]
    far = np.linalg.norm(places[:, :, None] - places[:, None], axis=-1)
    far[:, np.arange(len(coordinates)), np.arange(len(coordinates))] = np.inf
    usual = float(np.median(far[np.isfinite(far)]))
    if usual == 0:
        return 1.0  # all are in one place, and there are no forces
    near = max(float(np.median(far.min(2))), usual / 2**MOST)
    tried = near * 2.0 ** np.arange(int(np.ceil(np.log2(2 * usual / near))) + 1)

    def left(reach: float) -> float:
        every = regressions(Forces(some, coordinates, reach), lag, resolution, ranks)
        shares = [unexplained(each.moments, each.target, each.tried) for _, found in every for each in found]
        return float(np.log(np.maximum(shares, 1e-12)).sum())

    return float(min(tried, key=left))


def force_couplings(
    forces: Forces, lag: int, resolution: float, ranks: Ints, *, progress: Callable[[int, int], None] | None = None
) -> Couplings:
    """Couplings in nats by linear regression on columns and on forces, as `gaussian_couplings`.

    A particle's own past always stays. What the evidence loses without all regressors of a particle is shared evenly by
    the coordinates of that particle.
    """
    p, owners = len(forces.recording.names), forces.owners
    shares = np.bincount(owners, minlength=p)[owners]
    nats, sets = np.zeros((p, p)), [np.zeros(0, np.intp)] * p
    for owner, found in regressions(forces, lag, resolution, ranks):
        for each in found:
            moments, target = each.moments, each.target
            kept = eliminated(moments, target, each.tried, each.sources == owner)
            alone = lost(moments, target, kept, each.sources[np.isin(each.tried, kept)], owner)
            nats[:, target] = alone[owners] / shares
            back, place = np.divmod(kept, moments.columns)
            sets[target] = (place + p * back)[place < p]
        if progress is not None:
            progress(owner + 1, p)
    return Couplings(nats, tuple(sets))
