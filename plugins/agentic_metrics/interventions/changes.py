"""Changes of a world, as functions from one truth to another.

Each gives the changed world with all its factors joined in one, the last varying fastest. Whatever an action does is
changed together with what it pays, so that the changed truth is again that of a world.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Truth, UserError
from agentic_metrics.finite.world import Floats, World
from agentic_metrics.interventions.payoff import Payoff


def joined(truth: Truth) -> Truth:
    """The same world with a single state factor."""
    world = World.of(truth).merged()
    return _truth(truth, world, world.dynamics, world.rewards)


def swap(truth: Truth, one: float, other: float) -> Truth:
    """The world whose places that paid `one` pay `other`, and the other way round.

    Raises UserError where nothing pays one.
    """
    payoff = Payoff.of(World.of(truth).merged())
    exchanged = {int(place): other for place in payoff.places(one)}
    exchanged |= {int(place): one for place in payoff.places(other)}
    return _repaid(truth, payoff.paying(exchanged))


def devalue(truth: Truth, outcome: float, value: float = 0.0) -> Truth:
    """The world whose places that paid `outcome` pay `value`. Raises UserError where nothing pays it."""
    payoff = Payoff.of(World.of(truth).merged())
    return _repaid(truth, payoff.paying({int(place): value for place in payoff.places(outcome)}))


def relocate(truth: Truth, place: int, other: int) -> Truth:
    """The world in which two places exchange what they pay.

    Places are states, or state * actions + action in a world that pays for doing (see `Payoff`). Episodes end where
    they did.
    """
    payoff = Payoff.of(World.of(truth).merged())
    values = payoff.values.ravel()
    _inside("place", [place, other], values.size)
    return _repaid(truth, payoff.paying({place: float(values[other]), other: float(values[place])}))


def free(truth: Truth, outcome: float) -> Truth:
    """The world in which `outcome` comes for free, in every state as probably as by the best action (Hammond 1980).

    An action that paid it pays what it did; the others pay it on top of what they paid. Raises UserError where
    nothing pays it.
    """
    world = World.of(truth).merged()
    delivery = Payoff.of(world).delivery(world.dynamics, outcome)
    more = outcome * (delivery.max(-1, keepdims=True) - delivery)
    return _truth(truth, world, world.dynamics, np.where(world.ended[:, None], 0.0, world.rewards + more))


def wall(truth: Truth, passages: Sequence[tuple[int, int]]) -> Truth:
    """The world in which moves along `passages` (from state, to state) become staying.

    A way back is a passage of its own.
    """
    world = World.of(truth).merged()
    blocked: NDArray[np.bool_] = np.zeros((world.states, world.states), dtype=bool)
    ways = np.asarray(passages, dtype=np.int64).reshape(-1, 2)
    _inside("state", ways.ravel().tolist(), world.states)
    blocked[tuple(ways.T)] = True
    np.fill_diagonal(blocked, False)
    lost = np.where(blocked[:, None, :], world.dynamics, 0.0)
    moves, at = world.dynamics - lost, np.arange(world.states)
    moves[at, :, at] += lost.sum(-1)
    return _truth(truth, world, moves, Payoff.of(world).rewards(moves, world.ended))


def close(truth: Truth, state: int) -> Truth:
    """The world with a wall in place of a state: moves into it become staying. Whoever starts there can leave."""
    states = World.of(truth).merged().states
    _inside("state", [state], states)
    return wall(truth, [(other, state) for other in range(states)])


def actuate(truth: Truth, channel: ArrayLike) -> Truth:
    """The world in which what is executed is drawn from `channel` (chosen, executed), whose rows sum to 1."""
    world, table = World.of(truth).merged(), np.asarray(channel, dtype=np.float64)
    if table.shape != (world.actions, world.actions) or table.min() < 0 or np.abs(table.sum(-1) - 1).max() > 1e-9:
        raise UserError(
            f"a channel is a table ({world.actions}, {world.actions}) of rows that sum to 1, got {channel!r}"
        )
    return _truth(truth, world, np.einsum("ab,sbn->san", table, world.dynamics), world.rewards @ table.T)


def remap(truth: Truth, order: Sequence[int]) -> Truth:
    """The world in which action i is executed as `order[i]`, a permutation."""
    actions = truth["rewards"].shape[-1]
    if sorted(order) != list(range(actions)):
        raise UserError(f"order must hold each of 0 to {actions - 1} once, got {list(order)}")
    return actuate(truth, np.eye(actions)[list(order)])


def slip(truth: Truth, probability: float) -> Truth:
    """The world in which with `probability` the action is replaced by one drawn uniformly from all."""
    actions = truth["rewards"].shape[-1]
    _chance(probability)
    return actuate(truth, (1 - probability) * np.eye(actions) + probability / actions)


def blur(truth: Truth, probability: float) -> Truth:
    """The world in which with `probability` a sensor shows a level drawn uniformly from all of its modality."""
    _chance(probability)
    changed = joined(truth)
    changed["A"] = [(1 - probability) * levels + probability / len(levels) for levels in changed["A"]]
    return changed


def sever(truth: Truth) -> Truth:
    """The world in which nothing is paid."""
    severed = joined(truth)
    severed["rewards"] = np.zeros_like(severed["rewards"])
    return severed


def _inside(kind: str, found: Sequence[int], count: int) -> None:
    if not all(0 <= each < count for each in found):
        raise UserError(f"this world has {count} {kind}s, counted from 0, got {list(found)}")


def _chance(probability: float) -> None:
    if not 0 <= probability <= 1:
        raise UserError(f"probability must be a number from 0 to 1, got {probability}")


def _repaid(truth: Truth, payoff: Payoff) -> Truth:
    world = World.of(truth).merged()
    return _truth(truth, world, world.dynamics, payoff.rewards(world.dynamics, world.ended))


def _truth(truth: Truth, world: World, dynamics: Floats, rewards: Floats) -> Truth:
    return {
        "A": [levels.reshape(len(levels), world.states) for levels in truth["A"]],
        "B": [dynamics.transpose(2, 0, 1).copy()],
        "D": [world.start],
        "rewards": rewards,
        "ends": truth["ends"].reshape(world.states),
    }
