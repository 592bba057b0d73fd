"""Families of changed worlds, drawn at random after the agent is sealed: no list of them can be learned by heart.

A known finite world is changed in its truth. Any other keeps its dynamics unknown and gets other sensors, other
actuators, and other constants where it has such.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import numpy as np

from agentic import Informed, Intervention, Truth, UserError, make
from agentic_metrics.finite.query import known_world
from agentic_metrics.interventions.known import KNOWN
from agentic_metrics.interventions.simulation import Maker, Simulation, Wrapper, Wrapping
from agentic_metrics.interventions.stock import WRAPPED

Draw = Callable[[np.random.Generator], Wrapping | None]

TRIES = 20  # draws in a row that were there before, after which there seem to be no others


def intervention(
    name: str, change: Callable[[Truth], Truth], environment: Maker, *, informed: Informed = "both"
) -> Intervention:
    """A change of the truth of `environment`, and what the agent is told of it: the changed world itself, or nothing.

    Raises UserError where the truth is not known.
    """
    changed = change(known_world(environment)[0])
    return Intervention.announced(name, partial(Simulation.like, truth=changed), environment, informed)


def random_interventions(
    environment: Maker,
    count: int,
    generator: np.random.Generator,
    *,
    kinds: Sequence[str] = (),
    informed: Informed = "both",
) -> list[Intervention]:
    """`count` different changes of a world, fewer where it admits no more, of `kinds` in turn (none named: of all).

    Known finite worlds: `swap` (two outcomes exchange what they pay), `relocate` (an outcome is paid in another place),
    `wall` (a state is closed; outcomes and ends stay within reach), `remap` (actions are permuted), `slip` (some
    actions are replaced by random ones), and only on request `noise` (sensors may show anything).
    Others: `remap` (actions are permuted, actuators reversed), `sensors` (reversed), `noise`, `constants` (gravity,
    masses, lengths, forces are scaled).

    Raises UserError for unknown kinds, and where the world admits none of them.
    """
    env = environment()
    draws: dict[str, Draw] = {kind: partial(draw, env) for kind, draw in WRAPPED.items()}
    usual = list(draws)
    with suppress(UserError):
        truth = make(env).truth()
        draws = {kind: partial(draw, truth) for kind, draw in KNOWN.items()}
        usual = [kind for kind in draws if kind != "noise"]
    found = _drawn(draws, kinds or usual, count, generator)
    env.close()
    return [Intervention.announced(name, apply, environment, informed) for name, apply in found.items()]


def _drawn(
    draws: Mapping[str, Draw], kinds: Sequence[str], count: int, generator: np.random.Generator
) -> dict[str, Wrapper]:
    if unknown := [kind for kind in kinds if kind not in draws]:
        raise UserError(f"this world can be changed by {', '.join(draws)}, got {', '.join(unknown)}")
    found: dict[str, Wrapper] = {}
    possible = list(kinds)
    while possible and len(found) < count:
        kind = possible.pop(0)
        new = _new(draws[kind], found, generator)
        if new is not None:
            found[new[0]] = new[1]
            possible.append(kind)
    if not found:
        raise UserError(f"this world admits no intervention of the kinds {', '.join(kinds)}: name others")
    return found


def _new(draw: Draw, found: Mapping[str, Wrapper], generator: np.random.Generator) -> Wrapping | None:
    """One that was not drawn before; None where the world has no room for it, or seems to have no more."""
    for _ in range(TRIES):
        drawn = draw(generator)
        if drawn is None or drawn[0] not in found:
            return drawn
    return None
