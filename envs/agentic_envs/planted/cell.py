"""A cell of particles in a bath: a membrane with sensors and actuators, an inside, and what drifts around it."""

import numpy as np
from numpy.typing import NDArray

from agentic_envs.planted.recording import REACHED, Floats, Planted

AXES = ("x", "y")
TICK = 0.1  # s, dt


def cell(
    seed: int,
    *,
    inside: int = 6,
    membrane: int = 10,
    bath: int = 14,
    steps: int = 4000,
    hold: float = 0.5,
    force: float = 1.5,
    reach: float = 1.0,
    noise: float = 0.3,
) -> Planted:
    """Simulate a cell of particles in the plane; columns are the coordinates of each, in m, in random order.

    Overdamped: p' = p + dt (-hold (p - home) + sum_j force d exp(-|d|^2 / (2 reach^2))) + noise sqrt(dt) w, where d =
    p_j - p is the way to a particle j that p hears, w ~ N(0, 1); `hold` and `force` in 1/s, `reach` in m, dt = .1 s,
    `noise` in m/s^(1/2). Homes: a ring of radius 1.6 m for the membrane, the inside within it, the bath around. Every
    other particle of the membrane is a sensor, which hears the bath and which the inside hears; the others are
    actuators, which hear the inside and which the bath hears. Forces are not mutual, and none reaches past the membrane
    (`REACHED`).
    """
    source, dt = np.random.default_rng(seed), TICK
    skin = ["sensor", "actuator"] * (membrane // 2) + ["sensor"] * (membrane % 2)
    roles = ["inside"] * inside + skin + ["world"] * bath
    homes = np.concatenate([_ring(inside, 0.7, source), _ring(membrane, 1.6, source), _ring(bath, 2.5, source)])
    hears = np.array([[one in REACHED[other] for other in roles] for one in roles]) & ~np.eye(len(roles), dtype=bool)
    places, warming = homes.copy(), 200
    values = np.empty((steps, len(roles), 2))
    for step in range(-warming, steps):
        pull = _pull(places, hears, force, reach) - hold * (places - homes)
        places = places + dt * pull + noise * np.sqrt(dt) * source.standard_normal(places.shape)
        if step >= 0:
            values[step] = places
    order = source.permutation(len(roles))
    chosen = [roles[place] for place in order for _ in AXES]
    return Planted(
        names=tuple(f"p{number}.{axis}" for number in range(len(roles)) for axis in AXES),
        values=values[:, order].reshape(steps, -1),
        roles=tuple(chosen),
        objects=tuple(int(role != "world") for role in chosen),
    )


def _ring(count: int, radius: float, source: np.random.Generator) -> Floats:
    """Places at equal distances on a circle, turned at random, (count, 2)."""
    angles = 2 * np.pi * (np.arange(count) / max(count, 1) + source.random())
    return radius * np.stack([np.cos(angles), np.sin(angles)], 1)


def _pull(places: Floats, hears: NDArray[np.bool_], force: float, reach: float) -> Floats:
    """The force on each particle toward those that it hears, (particles, 2)."""
    ways = places[None] - places[:, None]
    weight = np.where(hears, force * np.exp(-(ways**2).sum(-1) / (2 * reach**2)), 0.0)
    found: Floats = (weight[..., None] * ways).sum(1)
    return found
