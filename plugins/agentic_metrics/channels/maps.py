"""Empowerment of a finite world: how much of what it will sense an agent can choose, in every state."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import UserError
from agentic_metrics.channels.arimoto import solve
from agentic_metrics.channels.moves import Moves
from agentic_metrics.channels.outcomes import channels, standing
from agentic_metrics.channels.views import alike

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@final
@dataclass(frozen=True)
class EmpowermentMap:
    """Empowerment of each of `states` (n,) in bits: `value` (n,) is achieved, and no more than `upper` (n,) is.

    `estimator` is "reachability" where it was a matter of counting, and then both are equal; else "Blahut-Arimoto".
    """

    states: Ints
    value: Floats
    upper: Floats
    estimator: str

    @property
    def lower(self) -> Floats:
        """The certified lower bound, which is what is reported as the value."""
        return self.value

    @property
    def gap(self) -> float:
        """How far apart the bounds are where they are farthest apart, bits."""
        return float((self.upper - self.value).max())


def empowerment(
    dynamics: ArrayLike,
    horizon: int,
    *,
    sensor: ArrayLike | None = None,
    states: ArrayLike | None = None,
    tolerance: float = 1e-6,
) -> EmpowermentMap:
    """E_n(s) = max over p(a_1..a_n) of I(A_1..A_n; O_n | s): the capacity of acting blindly for n steps, in bits.

    `dynamics` (s, a, s') are probabilities, states in which nothing can be done any more stay as they are. `sensor` is
    what is told apart n = `horizon` steps later: a reading of each state (s,), or probabilities (s, o) of readings;
    without it states themselves. `states` (n,) are those of interest; all, if None. Where nothing is left to chance
    this is log2 of the number of readings that can be reached; elsewhere the capacity of the channel from sequences of
    actions to readings, certified to `tolerance` bits. An agent that has one action, or whose actions change nothing,
    has exactly 0. (Klyubin, Polani and Nehaniv 2005.)

    Raises UserError where shapes disagree, rows are no distributions, or a horizon is too long to be computed.
    """
    if horizon < 1:
        raise UserError(f"horizon is a number of actions, at least 1, got {horizon}")
    moves = Moves.of(dynamics, sensor)
    chosen = np.arange(moves.states) if states is None else np.asarray(states, np.int64).reshape(-1)
    if not len(chosen) or chosen.min() < 0 or chosen.max() >= moves.states:
        raise UserError(f"name at least one state, by its number from 0 to {moves.states - 1}, got {chosen}")
    if moves.certain:
        value = np.log2(_reached(moves, chosen, horizon))
        return EmpowermentMap(chosen, value, value, "reachability")
    first = alike(moves, chosen, horizon)
    different, which = np.unique(first, return_inverse=True)
    solved = solve(list(channels(moves, chosen[different], horizon)), tolerance=tolerance)
    value, upper = (np.array([getattr(found, name) for found in solved])[which] for name in ("value", "upper"))
    return EmpowermentMap(chosen, value, upper, "Blahut-Arimoto")


def _reached(moves: Moves, states: Ints, horizon: int) -> Ints:
    """How many readings can be had after exactly `horizon` steps, (n,)."""
    anywhere = sum((moves.under(action) for action in range(1, moves.actions)), start=moves.under(0)).sign()
    reached = standing(states, moves.states)
    for _ in range(horizon):
        reached = (reached @ anywhere).sign()
    return np.asarray(np.diff((reached @ moves.sensor.matrix()).indptr))
