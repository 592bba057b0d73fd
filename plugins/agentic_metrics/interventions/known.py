"""Random changes of a known finite world, each from a truth and a generator; None where there is no room for one."""

from collections.abc import Callable
from functools import partial

import numpy as np

from agentic import Truth
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.world import World
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.payoff import Basis, Payoff
from agentic_metrics.interventions.simulation import Simulation, Wrapping

TRIES = 20  # walls tried before a world is taken to have no room for one


def _swap(truth: Truth, generator: np.random.Generator) -> Wrapping | None:
    outcomes = Payoff.of(World.of(truth).merged()).outcomes
    if len(outcomes) < 2:
        return None
    one, other = sorted(map(float, generator.choice(outcomes, 2, replace=False)), reverse=True)
    return _simulated(f"swap {one:g} and {other:g}", changes.swap(truth, one, other))


def _relocate(truth: Truth, generator: np.random.Generator) -> Wrapping | None:
    payoff = Payoff.of(World.of(truth).merged())
    pays = np.isin(payoff.values, payoff.outcomes) & payoff.reachable
    sources, targets = np.flatnonzero(pays), np.flatnonzero(~pays & payoff.reachable)
    if not len(sources) or not len(targets):
        return None
    place, other = int(generator.choice(sources)), int(generator.choice(targets))
    return _simulated(f"relocate {place} to {other}", changes.relocate(truth, place, other))


def _wall(truth: Truth, generator: np.random.Generator) -> Wrapping | None:
    world = World.of(truth).merged()
    payoff, ends = Payoff.of(world), reached(world) & world.ended
    open_ = reached(world) & ~world.ended
    if payoff.basis is not Basis.DOING:
        open_ &= ~np.isin(payoff.values, payoff.outcomes)
    for state in generator.permutation(np.flatnonzero(open_))[:TRIES].tolist():
        changed = changes.close(truth, state)
        after = World.of(changed).merged()
        kept = Payoff.of(after).outcomes
        if np.array_equal(kept, payoff.outcomes) and np.array_equal(reached(after) & after.ended, ends):
            return _simulated(f"wall {state}", changed)
    return None


def _remap(truth: Truth, generator: np.random.Generator) -> Wrapping | None:
    order = permutation(truth["rewards"].shape[-1], generator)
    return None if order is None else _simulated(f"remap {order}", changes.remap(truth, order))


def _sometimes(
    name: str, change: Callable[[Truth, float], Truth], truth: Truth, generator: np.random.Generator
) -> Wrapping:
    probability = float(generator.uniform(0.1, 0.6))
    return _simulated(f"{name} {probability:.2f}", change(truth, probability))


def _simulated(name: str, truth: Truth) -> Wrapping:
    return name, partial(Simulation.like, truth=truth)


def permutation(size: int, generator: np.random.Generator) -> list[int] | None:
    """A random order of `size` other than the natural one; None where there is no other."""
    order = list(range(size))
    while size > 1 and order == sorted(order):
        order = generator.permutation(size).tolist()
    return order if size > 1 else None


KNOWN: dict[str, Callable[..., Wrapping | None]] = {
    "swap": _swap,
    "relocate": _relocate,
    "wall": _wall,
    "remap": _remap,
    "slip": partial(_sometimes, "slip", changes.slip),
    "noise": partial(_sometimes, "noise", changes.blur),
}
