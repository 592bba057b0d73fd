"""Networks with several objects in one world, and networks whose roles change on the way."""

import numpy as np

from agentic_envs.planted.recording import LOOP, REACHED, Floats, Planted, weighed


def objects(
    seed: int,
    *,
    count: int = 2,
    world: int = 12,
    sensors: int = 2,
    actuators: int = 2,
    inside: int = 6,
    steps: int = 2000,
    density: float = 0.25,
    radius: float = 0.9,
) -> Planted:
    """Simulate a sparse linear network with `count` objects in one world, its columns in random order.

    x' = A x + noise of unit variance, as `network`; what is of one object reaches its own parts and, by its actuators,
    the world, and no other object.
    """
    source = np.random.default_rng(seed)
    parts = [("world", 0)] * world
    for number in range(1, count + 1):
        parts += [("sensor", number)] * sensors + [("actuator", number)] * actuators + [("inside", number)] * inside
    return _run([parts], source, steps, density, radius)


def switching(
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
    """Simulate a network with one object whose columns exchange their roles half way, at random; else as `network`.

    From the step `switches[0]` on the network is another one, of the roles in `later`; the state goes on.
    """
    source = np.random.default_rng(seed)
    counts = {"world": world, "sensor": sensors, "actuator": actuators, "inside": inside}
    parts = [(role, int(role != "world")) for role, size in counts.items() for _ in range(size)]
    second = [parts[place] for place in source.permutation(len(parts))]
    return _run([parts, second], source, steps, density, radius)


Parts = list[tuple[str, int]]  # the role of each column, and whose it is


def _run(phases: list[Parts], source: np.random.Generator, steps: int, density: float, radius: float) -> Planted:
    """Run one network after the other, each for its share of the steps, and put the columns in random order."""
    every = [_weights(parts, density, radius, source) for parts in phases]
    size, warming, last = len(phases[0]), 200, steps // len(phases)
    noise = source.standard_normal((warming + steps, size))
    values = np.zeros_like(noise)
    for step in range(1, len(noise)):
        phase = min(max(step - warming, 0) // last, len(phases) - 1)
        values[step] = every[phase] @ values[step - 1] + noise[step]
    order = source.permutation(size)
    roles = [tuple(parts[place][0] for place in order) for parts in phases]
    return Planted(
        names=tuple(f"x{place}" for place in range(size)),
        values=values[warming:][:, order],
        roles=roles[0],
        objects=tuple(phases[0][place][1] for place in order),
        switches=tuple(last * number for number in range(1, len(phases))),
        later=tuple(roles[1:]),
    )


def _weights(parts: Parts, density: float, radius: float, source: np.random.Generator) -> Floats:
    """Entry [i, j] is what j adds to i's next value; around the loop of roles each of the fewer has a partner."""
    size = len(parts)
    allowed = np.array([[_reaches(one, other) for one in parts] for other in parts])
    coupled = allowed & (source.random((size, size)) < density)
    for number in sorted({owner for _, owner in parts} - {0}):
        for origin, target in LOOP:
            sources, targets = (_places(parts, role, number) for role in (origin, target))
            for one in min(sources, targets, key=len):
                if len(sources) < len(targets) and not coupled[targets, one].any():
                    coupled[source.choice([each for each in targets if each != one]), one] = True
                elif len(sources) >= len(targets) and not coupled[one, [each for each in sources if each != one]].any():
                    coupled[one, source.choice([each for each in sources if each != one])] = True
    return weighed(coupled, radius, source)


def _reaches(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether a column may reach another: within its object, or through the world, in which all columns are of 0."""
    (origin, owner), (target, belongs) = one, other
    return target in REACHED[origin] and (owner == belongs or 0 in (owner, belongs))


def _places(parts: Parts, role: str, number: int) -> list[int]:
    return [place for place, (other, owner) in enumerate(parts) if other == role and owner in (0, number)]
