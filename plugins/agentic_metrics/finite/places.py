"""States of a finite world: those that an episode can come to, and those in which there is something to choose."""

import numpy as np
from scipy.sparse import csr_array

from agentic_metrics.finite.arrays import Bools, Ints
from agentic_metrics.finite.world import World, ties


def reached(world: World, first: Ints | None = None) -> Bools:
    """The states (s,) that an episode can come to, whatever is done; nothing is reached through an ended state.

    It starts in one of the states `first` (n,), by default wherever the world starts.
    """
    leads = csr_array((world.dynamics.max(axis=1) > 0) & ~world.ended[:, None])
    found = world.start > 0 if first is None else np.isin(np.arange(world.states), first)
    frontier = found
    while frontier.any():
        frontier = (leads.T @ frontier > 0) & ~found
        found = found | frontier
    return np.asarray(found)


def choices(world: World) -> Bools:
    """The states (s,) that can be met and in which actions differ in what they do or pay: where choice is probed."""
    differ = (np.ptp(world.dynamics, axis=1).max(-1) > World.tie) | ~ties(world.rewards).all(-1)
    return np.asarray(reached(world) & ~world.ended & differ)
