"""Families of changed worlds, drawn at random after the agent is sealed: no list of them can be learned by heart.

A known finite world is changed in its truth. Any other keeps its dynamics unknown and gets other sensors, other
actuators, and other constants where it has such.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from agentic import Informed, Intervention, Truth, UserError, truth_of
from agentic_metrics.finite.query import known_world
from agentic_metrics.interventions.known import KNOWN
from agentic_metrics.interventions.simulation import AnyEnv, Maker, Simulation
from agentic_metrics.interventions.stock import WRAPPED

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
    truth = _known(env)
    draws: dict[str, Callable[[np.random.Generator], Any]]
    if truth is None:
        draws = {kind: partial(draw, env) for kind, draw in WRAPPED.items()}
    else:
        draws = {kind: partial(draw, truth) for kind, draw in KNOWN.items()}
    usual = [kind for kind in draws if truth is None or kind != "noise"]
    found = _drawn(draws, kinds or usual, count, generator)
    env.close()
    applied = found if truth is None else [(name, partial(Simulation.like, truth=changed)) for name, changed in found]
    return [Intervention.announced(name, apply, environment, informed) for name, apply in applied]


def _known(env: AnyEnv) -> Truth | None:
    try:
        return truth_of(env)
    except UserError:
        return None


def _drawn(draws: Any, kinds: Sequence[str], count: int, generator: np.random.Generator) -> list[tuple[str, Any]]:
    if unknown := [kind for kind in kinds if kind not in draws]:
        raise UserError(f"this world can be changed by {', '.join(draws)}, got {', '.join(unknown)}")
    found: dict[str, Any] = {}
    possible = list(kinds)
    while possible and len(found) < count:
        kind = possible.pop(0)
        new = _new(draws[kind], found, generator)
        if new is not None:
            found[new[0]] = new[1]
            possible.append(kind)
    if not found:
        raise UserError(f"this world admits no intervention of the kinds {', '.join(kinds)}: name others")
    return list(found.items())


def _new(draw: Any, found: Mapping[str, Any], generator: np.random.Generator) -> tuple[str, Any] | None:
    """One that was not drawn before; None where the world has no room for it, or seems to have no more."""
    for _ in range(TRIES):
        drawn: tuple[str, Any] | None = draw(generator)
        if drawn is None or drawn[0] not in found:
            return drawn
    return None
