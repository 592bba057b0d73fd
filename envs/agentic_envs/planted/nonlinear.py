"""Networks with a planted boundary that are not linear: columns that act by their squares, or have two values."""

import numpy as np

from agentic_envs.planted.recording import Floats, Planted, coupled, listed, shuffled

WARMING = 500  # steps before the recording begins
SLOW = 0.02  # the share of a step in a mean that follows
MOST = 4.0  # of a square; more is cut off, so that nothing runs away


def squared(
    seed: int,
    *,
    world: int = 7,
    sensors: int = 2,
    actuators: int = 2,
    inside: int = 5,
    steps: int = 2000,
    density: float = 0.25,
    strength: float = 0.7,
) -> Planted:
    """Simulate a network with one object whose columns act by their squares, its columns in random order.

    x_i' = keep_i x_i +- `strength` sum_j (min(u_j^2, 4) - 1) + noise of unit variance, over the columns j that i hears,
    drawn as in `network`; u_j is x_j less its mean, in units of its spread, both as they were before the recording
    began. keep_i is uniform between .3 and .6, each sign as likely as the other.
    """
    source = np.random.default_rng(seed)
    roles = listed((world, sensors, actuators, inside))
    weights = strength * _signs(roles, density, source)
    keep = source.uniform(0.3, 0.6, len(roles))
    values = source.standard_normal((WARMING + steps, len(roles)))
    middle, square = np.zeros(len(roles)), np.ones(len(roles))
    for step in range(1, len(values)):
        before = values[step - 1]
        values[step] += keep * before + weights @ (np.minimum((before - middle) ** 2 / square, MOST) - 1)
        if step < WARMING:
            middle += SLOW * (values[step] - middle)
            square += SLOW * ((values[step] - middle) ** 2 - square)
    return shuffled(values[WARMING:], roles, source)


def binary(
    seed: int,
    *,
    world: int = 14,
    sensors: int = 3,
    actuators: int = 3,
    inside: int = 8,
    steps: int = 2000,
    density: float = 0.1,
    strength: float = 1.2,
) -> Planted:
    """Simulate a network with one object whose columns are 0 or 1, in random order.

    A column is 1 at the next step with a chance of 1 / (1 + exp(-sum_j w_ij (2 x_j - 1))), over itself and the columns
    j that it hears, drawn as in `network`; |w_ij| = `strength`, each sign as likely as the other, and for itself
    positive.
    """
    source = np.random.default_rng(seed)
    roles = listed((world, sensors, actuators, inside))
    weights = strength * (_signs(roles, density, source) + np.eye(len(roles)))
    chance = source.random((WARMING + steps, len(roles)))
    values = np.zeros(chance.shape)
    for step in range(1, len(values)):
        values[step] = chance[step] < 1 / (1 + np.exp(-weights @ (2 * values[step - 1] - 1)))
    return shuffled(values[WARMING:], roles, source)


def _signs(roles: list[str], density: float, source: np.random.Generator) -> Floats:
    """Draw who hears whom as roles may, not itself: 1 or -1 at [i, j] where i hears j, 0 elsewhere."""
    wired = coupled(roles, density, source)
    np.fill_diagonal(wired, False)
    signs: Floats = wired * source.choice([-1.0, 1.0], wired.shape)
    return signs
