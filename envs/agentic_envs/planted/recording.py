"""Recordings with planted boundaries: columns whose roles are known, and sparse linear networks that have them."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

ROLES = ("world", "sensor", "actuator", "inside")

Floats = NDArray[np.floating[Any]]

# Who may hear whom, by role: the world does not reach actuators and inside, the inside does not reach sensors and world.
HEARD = {
    "world": ("world", "sensor"),
    "sensor": ("sensor", "inside"),
    "actuator": ("world", "actuator"),
    "inside": ("actuator", "inside"),
}


@final
@dataclass(frozen=True)
class Planted:
    """A recording whose boundaries are known: columns by steps, and what each column is.

    `values` are (steps, columns), one episode after another; `episodes` are their lengths. `roles` are `world`, `sensor`,
    `actuator` or `inside`, and `objects` say whose: 1, 2, ... for a column of an object, 0 for one of the world.
    `order` says which columns come first within a step, as `agentic discover --order` takes it; None where all columns
    are of one moment, so that only earlier steps have effects. `switches` are the steps at which roles change;
    then `roles` are those before the first, and `later` those from each switch on.
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

    @classmethod
    def example(cls) -> Self:
        """A small network."""
        return cls.of(network(0, world=3, sensors=1, actuators=1, inside=2, steps=50))

    @classmethod
    def of(cls, other: "Planted") -> Self:
        """The same recording as an object of this class."""
        return cls(**vars(other))


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
    columns that its role may reach (`HEARD`), and at least one from each role to the next around the loop for every
    column. A is scaled to the spectral radius `radius`.
    """
    source = np.random.default_rng(seed)
    counts = dict(zip(ROLES, (world, sensors, actuators, inside), strict=True))
    roles = [role for role in ROLES for _ in range(counts[role])]
    weights = _weights(roles, density, source)
    return _simulated(weights, roles, steps, radius, source)


def structureless(seed: int, columns: int = 28, density: float = 0.1, *, steps: int = 2000) -> Planted:
    """Simulate a linear network without any boundary: each pair of columns is coupled with the same chance."""
    source = np.random.default_rng(seed)
    coupled = source.random((columns, columns)) < density
    weights = np.where(coupled, _strengths((columns, columns), source), 0.0)
    np.fill_diagonal(weights, source.uniform(0.3, 0.6, columns))
    return _simulated(weights, ["world"] * columns, steps, 0.9, source)


def _weights(roles: list[str], density: float, source: np.random.Generator) -> Floats:
    """Entry [i, j] is what j adds to i's next value."""
    p = len(roles)
    allowed = np.array([[target in HEARD[origin] for origin in roles] for target in roles])
    coupled = allowed & (source.random((p, p)) < density)
    for place, role in enumerate(roles):
        _hear_one(coupled, place, [j for j, other in enumerate(roles) if role in HEARD[other] and j != place], source)
        reached = [i for i, other in enumerate(roles) if other in HEARD[role] and i != place]
        if reached and not coupled[reached, place].any():
            coupled[source.choice(reached), place] = True
    weights: Floats = np.where(coupled, _strengths((p, p), source), 0.0)
    np.fill_diagonal(weights, source.uniform(0.3, 0.6, p))
    return weights


def _hear_one(coupled: NDArray[np.bool_], place: int, sources: list[int], source: np.random.Generator) -> None:
    """Let a column that hears nobody hear somebody."""
    if sources and not coupled[place, sources].any():
        coupled[place, source.choice(sources)] = True


def _strengths(shape: tuple[int, int], source: np.random.Generator) -> Floats:
    return source.uniform(0.3, 0.7, shape) * source.choice([-1.0, 1.0], shape)


def _simulated(
    weights: Floats, roles: list[str], steps: int, radius: float, source: np.random.Generator, warming: int = 200
) -> Planted:
    """Run the network and put its columns in random order."""
    largest = np.abs(np.linalg.eigvals(weights)).max()
    weights = weights * (radius / max(largest, radius))
    noise = source.standard_normal((warming + steps, len(roles)))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for step in range(1, len(noise)):
        values[step] = weights @ values[step - 1] + noise[step]
    places = source.permutation(len(roles))
    chosen = tuple(roles[place] for place in places)
    return Planted(
        names=tuple(f"x{place}" for place in range(len(roles))),
        values=values[warming:][:, places],
        roles=chosen,
        objects=tuple(int(role != "world") for role in chosen),
    )
