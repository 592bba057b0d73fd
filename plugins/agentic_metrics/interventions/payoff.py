"""The payoff of a world, read off its truth, so that rewards can be moved without moving anything else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Self, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsmr

from agentic import UserError
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.world import Floats, World, ties

DIGITS = 9  # payments that agree to so many digits of their range are one outcome
RESOLVED = 12  # digits of a payment that rounding errors leave


class Basis(Enum):
    """The condition that payments depend on."""

    BEING = "being in a state"  # whatever is done there
    ENTERING = "entering a state"
    DOING = "an action in a state"


@final
@dataclass(frozen=True)
class Payoff:
    """The payments of a world: `values` (states,) for being in a place or entering it, (states, actions) for doing.

    `reachable`, of the same shape, are the places that an episode can come to. An outcome is an amount that is paid;
    several places may pay it.
    """

    basis: Basis
    values: Floats
    reachable: NDArray[np.bool_]
    origin: NDArray[np.int64]  # of the world's states

    @classmethod
    def of(cls, world: World) -> Self:
        """The payoff of `world`: for being where rewards ignore the action, for entering, or for doing."""
        reachable, alive = reached(world), ~world.ended
        inside = reachable & alive
        rewards = np.where(alive[:, None], world.rewards, 0.0)
        if ties(rewards[inside]).all():
            return cls(Basis.BEING, _rounded(rewards[:, 0], _decimals(rewards[inside])), inside, world.origin)
        entering = _entering(world, inside)
        if entering is not None:
            return cls(Basis.ENTERING, entering, reachable, world.origin)
        rewards = _rounded(rewards, _decimals(rewards[inside]))
        return cls(Basis.DOING, rewards, np.repeat(inside[:, None], world.actions, axis=1), world.origin)

    @property
    def amounts(self) -> Floats:
        """The amounts that can be met, largest first."""
        return np.unique(self.values[self.reachable])[::-1]

    @property
    def outcomes(self) -> Floats:
        """The amounts that make a difference, largest first: not 0, or where all pay, not what most places pay."""
        amounts, counts = np.unique(self.values[self.reachable], return_counts=True)
        common = amounts == 0 if (amounts == 0).any() else 2 * counts > counts.sum()
        return np.asarray(amounts[~common][::-1])

    def outcome(self, rank: int) -> float:
        """The amount at `rank`, 0 the largest. Raises UserError where there are not so many."""
        amounts = self.outcomes
        if not 0 <= rank < len(amounts):
            raise UserError(f"this world has {len(amounts)} outcomes, counted from 0, the largest; got {rank}")
        return float(amounts[rank])

    def places(self, amount: float) -> NDArray[np.int64]:
        """The flat indices of the places that pay `amount` and can be met. Raises UserError where none does."""
        near = np.abs(self.values - amount) <= 0.5 * 10.0 ** -_decimals(self.values[self.reachable])
        found = np.flatnonzero(near & self.reachable)
        if not len(found):
            raise UserError(
                f"nothing pays {amount:g} in this world; it pays {', '.join(f'{v:g}' for v in self.amounts)}"
            )
        return found

    def paying(self, places: Mapping[int, float]) -> Self:
        """The same payoff with other amounts at some flat indices."""
        values = self.values.copy()
        values.flat[list(places)] = list(places.values())
        return replace(self, values=values[self.origin] if self.basis is Basis.ENTERING else values)

    def rewards(self, dynamics: Floats, ended: NDArray[np.bool_]) -> Floats:
        """The expected rewards (s, a) under dynamics (s, a, s')."""
        return np.where(ended[:, None], 0.0, self._expected(dynamics, self.values))

    def delivery(self, dynamics: Floats, amount: float) -> Floats:
        """The probability (s, a) that acting pays `amount`."""
        pays = np.zeros(self.values.shape)
        pays.flat[self.places(amount)] = 1.0
        return self._expected(dynamics, pays)

    def _expected(self, dynamics: Floats, values: Floats) -> Floats:
        if self.basis is Basis.ENTERING:
            return np.asarray(dynamics @ values)
        return values if self.basis is Basis.DOING else np.repeat(values[:, None], dynamics.shape[1], axis=1)


def _entering(world: World, inside: NDArray[np.bool_]) -> Floats | None:
    """Values (states,) with rewards = dynamics @ values in the states `inside`, None where there are none."""
    whole = world.merged()
    moves = csr_array(whole.dynamics[inside[: whole.states]].reshape(-1, whole.states))
    rewards = world.rewards[inside].ravel()
    values = lsmr(moves, rewards, atol=1e-14, btol=1e-14, conlim=0, maxiter=20 * world.states)[0]
    decimals = _decimals(rewards)
    values = _rounded(values, decimals)
    return values[world.origin] if np.abs(moves @ values - rewards).max() < 10.0**-decimals else None


def _decimals(payments: Floats) -> int:
    """The decimals to which payments are told apart: `DIGITS` of their range, as far as those are `RESOLVED`."""
    most, spread = float(np.abs(payments).max(initial=0.0)), float(np.ptp(payments)) if payments.size else 0.0
    finest = RESOLVED - _order(most)
    return min(finest, DIGITS - _order(spread)) if spread > 10.0**-finest else min(finest, DIGITS - _order(most))


def _order(size: float) -> int:
    """The decimal exponent of a size, 0 of none."""
    return int(np.floor(np.log10(size))) if size > 0 else 0


def _rounded(values: Floats, decimals: int) -> Floats:
    return np.asarray(np.round(values, decimals) + 0.0)  # no minus zero
