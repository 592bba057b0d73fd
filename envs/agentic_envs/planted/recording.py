"""Recordings with planted boundaries: columns whose roles are known, and sparse linear networks that have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

ROLES = ("world", "sensor", "actuator", "inside")

Floats = NDArray[np.floating[Any]]

# Which roles each reaches: the world neither actuators nor inside, the inside neither sensors nor world.
REACHED = {
    "world": ("world", "sensor"),
    "sensor": ("sensor", "inside"),
    "actuator": ("world", "actuator", "inside"),
    "inside": ("actuator", "inside"),
}


@final
@dataclass(frozen=True)
class Planted:
    """A recording whose boundaries are known: columns by steps, and what each column is.

    `values` are (steps, columns), one episode after another; `episodes` are their lengths. `roles` are `world`,
    `sensor`, `actuator` or `inside`, and `objects` say whose: 1, 2, ... for a column of an object, 0 for one of the
    world. `order` says which columns come first within a step, as `agentic discover --order` takes it; None where
    all columns are of one moment, so that only earlier steps have effects. `switches` are the steps at which roles
    change; then `roles` are those before the first, and `later` those from each switch on.
    """

    names: tuple[str, ...]
    values: Floats
    roles: tuple[str, ...]
    objects: tuple[int, ...]
    order: str | None = None
    episodes: tuple[int, ...] = ()
    switches: tuple[int, ...] = ()
    later: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.episodes:
            object.__setattr__(self, "episodes", (len(self.values),))


def network(
    seed: int,
    *,
    world: int = 14,
    sensors: int = 3,
    actuators: int = 3,
    inside: int = 8,
    steps: int = 2000,
    density: float = 0.25,
    radius: float = 0.9,
) -> Planted:
    """Simulate a sparse linear network with one object in a world, its columns in random order.

    x' = A x + noise of unit variance, where A has an entry from each column to itself, to a share `density` of the
    columns that its role may reach (`REACHED`), and around the loop of roles
    (`LOOP`) at least one for each column of the fewer. A is scaled to the spectral radius `radius`.
    """
    source = np.random.default_rng(seed)
    roles = listed((world, sensors, actuators, inside))
    return _simulated(weighed(coupled(roles, density, source), radius, source), roles, steps, source)


def structureless(seed: int, columns: int = 28, density: float = 0.1, *, steps: int = 2000) -> Planted:
    """Simulate a linear network without any boundary: each pair of columns is coupled with the same chance."""
    source = np.random.default_rng(seed)
    any_of = source.random((columns, columns)) < density
    return _simulated(weighed(any_of, 0.9, source), ["world"] * columns, steps, source)


# Between the roles of each pair every column of the fewer is coupled at least once.
LOOP = (
    ("world", "world"), ("world", "sensor"), ("sensor", "inside"), ("inside", "inside"), ("inside", "actuator"),
    ("actuator", "world"),
)  # fmt: skip


def listed(counts: Sequence[int]) -> list[str]:
    """The role of each column, from how many there are of world, sensors, actuators and inside."""
    return [role for role, count in zip(ROLES, counts, strict=True) for _ in range(count)]


def weighed(coupled: NDArray[np.bool_], radius: float, source: np.random.Generator) -> Floats:
    """Draw what couplings [i, j] of j's value with i's next add, and what columns keep, scaled to a spectral radius."""
    shape = coupled.shape
    strengths = source.uniform(0.3, 0.7, shape) * source.choice([-1.0, 1.0], shape)
    weights: Floats = np.where(coupled, strengths, 0.0)
    np.fill_diagonal(weights, source.uniform(0.3, 0.6, len(coupled)))
    largest = np.abs(np.linalg.eigvals(weights)).max()
    scaled: Floats = weights * (radius / max(largest, radius))
    return scaled


def coupled(roles: list[str], density: float, source: np.random.Generator) -> NDArray[np.bool_]:
    """Draw who reaches whom, as roles may; entry [i, j] says whether j reaches i."""
    p = len(roles)
    allowed = np.array([[target in REACHED[origin] for origin in roles] for target in roles])
    reached = allowed & (source.random((p, p)) < density)
    places = {role: [place for place, other in enumerate(roles) if other == role] for role in ROLES}
    for origin, target in LOOP:
        if origin == target:
            for column in places[target]:  # it hears one of its kind, and reaches one
                others = [place for place in places[target] if place != column]
                _ensure(reached, [column], others, source)
                _ensure(reached, others, [column], source)
            continue
        narrow = min(places[origin], places[target], key=len)  # each of the fewer, as three sensors cannot hear all
        for column in narrow:
            hears = narrow is places[target]
            _ensure(reached, *(([column], places[origin]) if hears else (places[target], [column])), source)
    return reached


def _ensure(coupled: NDArray[np.bool_], targets: list[int], sources: list[int], source: np.random.Generator) -> None:
    """Couple one source and one target at random where none of them are."""
    if targets and sources and not coupled[np.ix_(targets, sources)].any():
        coupled[source.choice(targets), source.choice(sources)] = True


def _simulated(
    weights: Floats, roles: list[str], steps: int, source: np.random.Generator, warming: int = 200
) -> Planted:
    """Run the network and put its columns in random order."""
    noise = source.standard_normal((warming + steps, len(roles)))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for step in range(1, len(noise)):
        values[step] = weights @ values[step - 1] + noise[step]
    return shuffled(values[warming:], roles, source)


def shuffled(values: Floats, roles: Sequence[str], source: np.random.Generator) -> Planted:
    """A recording of columns (steps, columns) with one object, in random order."""
    places = source.permutation(len(roles))
    chosen = tuple(roles[place] for place in places)
    return Planted(
        names=tuple(f"x{place}" for place in range(len(roles))),
        values=values[:, places],
        roles=chosen,
        objects=tuple(int(role != "world") for role in chosen),
    )
