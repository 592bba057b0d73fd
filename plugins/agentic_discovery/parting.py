"""The parts of a recording that hang together, each with its roles."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic_discovery.columns import Columns
from agentic_discovery.couplings import Moments
from agentic_discovery.energies import Form, energy
from agentic_discovery.roles import ENOUGH, MORE, Choice, Settled, forms_of, mirrored, settled_best

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]
Progress = Callable[[str, int, int], None]

NEIGHBORS = 130  # steps, at least, where couplings are estimated from nearest neighbors
MOST = 4  # objects in one part that are looked for by themselves


@final
@dataclass(frozen=True)
class Look:
    """How a recording is looked at: what comes first within a step, lag and resolution, the most objects of a part.

    `estimator` is that of couplings, `axes` are the endings of a particle's coordinates, and `reach` is how far forces
    between particles reach, None where there are no particles.
    """

    ranks: Ints
    lag: int
    resolution: float
    objects: int
    estimator: str = "gaussian"
    axes: tuple[str, ...] = ()
    reach: float | None = None

    def moments(self, recording: Columns, more: int = 0) -> Moments:
        """The covariances of a recording, over so many steps more than the lag; none where steps are far too few."""
        lag, columns = self.lag + more, len(recording.names)
        if not self.affords(recording, more):  # nothing is made of them, however long the lag
            return Moments(np.eye(columns), self.steps(recording, more), columns, lag)
        return Moments.of(recording.values, recording.episodes, lag=lag, resolution=self.resolution)

    def affords(self, recording: Columns, more: int = 0) -> bool:
        """Whether a recording has half of the steps that are needed, with a past of so many more than the lag."""
        return self.steps(recording, more) >= max(self.needed // 2, 1)

    def steps(self, recording: Columns, more: int = 0) -> int:
        """How many steps of a recording have a past of so many more than the lag."""
        return sum(max(length - self.lag - more, 0) for length in recording.episodes)

    def at(self, places: Any) -> "Look":
        """The same look at the columns, or things, at some places."""
        return replace(self, ranks=self.ranks[places])

    @property
    def needed(self) -> int:
        """The least steps: three for each regressor of a column, and enough for neighbors in each half."""
        count = len(self.ranks)
        now = int((self.ranks < self.ranks.max(initial=0)).sum())
        forces = max(count // len(self.axes) - 1, 0) if self.axes else 0
        return max(3 * ((count + forces) * self.lag + now), NEIGHBORS if self.estimator == "neighbors" else 0)


@final
@dataclass(frozen=True)
class Part:
    """One part of a recording that hangs together: its columns, its couplings, and its roles as they settled."""

    places: Ints
    couplings: Floats
    found: Settled

    @property
    def detected(self) -> bool:
        """Whether roles save enough over free blocks, and none is empty."""
        return self.found.evidence >= ENOUGH and self.found.best.whole


def settled_part(
    nats: Floats, places: Ints, how: Look, generator: np.random.Generator, progress: Progress
) -> Part | None:
    """A part with its roles; None for one of fewer than four columns, which cannot hold a boundary."""
    if len(places) < 4:
        return None
    progress("roles", 0, len(places))
    inner = nats[np.ix_(places, places)]
    found = settled_best(inner, how.objects, generator=generator)
    if found.best.form.objects == 1:
        found = _turned(inner, found, how.ranks[places])
    return Part(places, inner, found)


def _turned(couplings: Floats, found: Settled, order: Ints) -> Settled:
    """The same with inside and world exchanged, where that costs next to nothing and fits better otherwise.

    The inside comes after the world within a step; without an order it is what has fewer columns.
    """
    best = found.best
    turned = min(
        (_priced(couplings, mirrored(best.labels, form), form) for form in forms_of(1)),
        key=lambda choice: choice.energy,
    )
    if turned.energy - best.energy >= MORE:
        return found
    inner, outer = best.labels == 3, best.labels == 0
    if not inner.any() or not outer.any():
        return found
    now = order[inner].mean() - order[outer].mean()
    worse = now < 0 or (now == 0 and turned.energy - best.energy < 1 and inner.sum() > outer.sum())
    if not worse:
        return found
    others = tuple(other for other in found.choices if not np.array_equal(other.labels, turned.labels))
    return Settled((turned, *others), found.alone, found.blocks)


def _priced(couplings: Floats, labels: Ints, form: Form) -> Choice:
    return Choice(labels, form, energy(couplings, labels, form))


def mirror(main: Part | None) -> float | None:
    """By how many nats the roles are worse with inside and world exchanged; None for several objects."""
    if main is None or main.found.best.form.objects > 1:
        return None
    best = main.found.best
    return min(energy(main.couplings, mirrored(best.labels, form), form) for form in forms_of(1)) - best.energy
