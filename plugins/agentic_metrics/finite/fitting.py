"""The inverse temperature that explains decisions best: one concave search for exact policies and for records alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, final

import numpy as np

from agentic_metrics.finite.arrays import Bools, Floats, Ints
from agentic_metrics.finite.behavior import Behavior
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.soft import hard_backups, soft_backups
from agentic_metrics.finite.world import World

STEPS = 200  # of the search; Newton needs about six, halving the bracket fifty
CLOSE = 1e-8  # relative change of an inverse temperature at which the search ends
NONE = 1e-12  # nats below which nothing is explained


@final
@dataclass(frozen=True)
class Decisions:
    """The decisions to explain: in b samples and at t times, k `places` = state * actions + action, (t, b, k).

    `weights` (t, b, k) are what each counts for, the discount included; totals are multiplied by `share`.
    """

    places: Ints
    weights: Floats
    share: float

    @classmethod
    def of_policy(cls, occupied: Floats) -> Self:
        """The decisions of a policy: all (t, s, a), each as often as it is made."""
        weights = occupied.reshape(len(occupied), 1, -1)
        return cls(np.broadcast_to(np.arange(weights.shape[-1]), weights.shape), weights, 1.0)

    @classmethod
    def of_behavior(cls, behavior: Behavior, actions: int, discount: float, samples: int = 1) -> Self:
        """The decisions of `samples` equal sets of episodes; k are the episodes of one, totals are means over them."""
        episodes, horizon = behavior.states.shape[0] // samples, behavior.states.shape[1]
        shape = (horizon, samples, episodes)
        places = (behavior.states * actions + behavior.actions).T.reshape(shape)
        weights = (behavior.valid * discount ** np.arange(horizon)).T.reshape(shape)
        return cls(places, weights, 1 / episodes)

    def of(self, t: int, table: Floats) -> Floats:
        """The weighted entries (b, k) of a table (b or 1, s, a) at time t; those without weight are 0."""
        found = table.reshape(len(table), -1)[np.arange(len(table))[:, None], self.places[t]]
        return np.asarray(np.where(self.weights[t] > 0, found, 0.0) * self.weights[t])


@final
@dataclass(frozen=True)
class Fit:
    """The best inverse temperature of each of b samples, and each decision's or episode's part in it.

    `beta` (b,) is per unit of utility, infinite where `limit`; `capped` where it lies at the largest allowed. `local`
    (b, k) in nats: ln of the policy's probability over that of chance; `score` (b, k) its derivative in a scaled beta
    and `bend` (b,) the second derivative of the total.
    """

    beta: Floats
    limit: Bools
    capped: Bools
    local: Floats
    score: Floats
    bend: Floats
    share: float

    @property
    def value(self) -> Floats:
        """The nats that are explained, (b,)."""
        return np.asarray(self.share * self.local.sum(-1))

    @property
    def excess(self) -> Floats:
        """The nats (b,) by which fitting one parameter to these k episodes raises the value on average.

        Var(score) / (2 k |bend|), which is 1 / (2 k) where the soft-optimal family is right (Takeuchi 1976).
        """
        regular = ~self.limit & ~self.capped & (self.bend < 0)
        spread = self.score.var(-1, ddof=1) * self.share
        return np.where(regular, spread / (2 * np.where(regular, -self.bend, 1.0)), 0.0)


def fit(world: World, utility: Floats, decisions: Decisions, *, discount: float, largest: float) -> Fit:
    """The best beta for `utility` (s, a), at most `largest` divided by the range of the utility, of either sign.

    The range is that of the states that can be met: what would be paid elsewhere explains no decision.
    Where `largest` is infinite and nothing speaks against an infinite beta, what is approached there is the best.
    """
    horizon, count, size = decisions.places.shape
    first = np.unique(decisions.places[0][decisions.weights[0] > 0] // world.actions)
    met = reached(world, first)
    span = float(np.ptp(utility[met])) or 1.0
    unit, chance = np.where(met[:, None], utility, utility[met].min()) / span, np.log(world.actions)

    def parts(beta: Floats) -> tuple[Floats, Floats, Floats]:
        local, score, bend = (np.zeros((count, size)) for _ in range(3))
        backups = soft_backups(world, unit, beta, horizon=horizon, discount=discount)
        for t, soft in zip(reversed(range(horizon)), backups, strict=True):
            local += decisions.of(t, soft.log + chance)
            score += decisions.of(t, soft.slope)
            bend += decisions.of(t, soft.bend)
        return local, score, bend

    def slopes(beta: Floats) -> tuple[Floats, Floats]:
        _, score, bend = parts(beta)
        return decisions.share * score.sum(-1), decisions.share * bend.sum(-1)

    best, limit = np.zeros((count, size)), np.zeros(count)
    for sign in (-1.0, 1.0) if np.isinf(largest) else ():
        approached = _approached(world, sign * unit, decisions, discount)
        whole = np.asarray(np.isfinite(approached).all(-1))
        best, limit = np.where(whole[:, None], approached, best), np.where(whole, sign, limit)
    beta = climb(slopes, largest, where=limit == 0)
    local, score, bend = parts(beta)
    local = np.where(limit[:, None] != 0, best, local)
    some = decisions.share * local.sum(-1) > NONE
    limit, capped = limit * some, (np.abs(beta) >= largest) & some
    beta = np.where(limit != 0, np.inf * np.where(limit < 0, -1.0, 1.0), np.where(some, beta / span, 0.0))
    return Fit(beta, limit != 0, capped, local, score, decisions.share * bend.sum(-1), decisions.share)


def climb(slopes: Callable[[Floats], tuple[Floats, Floats]], largest: float, *, where: Bools) -> Floats:
    """The tops of functions of one number, between -largest and largest; 0 but for those `where` (b,) it is sought.

    `slopes` gives first and second derivatives. Newton's steps from 0 that grow at most geometrically; one that would
    leave the bracket of places where the slope changed its sign is replaced by the middle of it.
    """
    beta, low, high = np.zeros(len(where)), np.full(len(where), -np.inf), np.full(len(where), np.inf)
    for _ in range(STEPS):
        slope, bend = slopes(beta)
        low, high = np.where(slope > 0, beta, low), np.where(slope < 0, beta, high)
        reach = 2 * (1 + np.abs(beta))
        step = np.where(bend < 0, slope / np.where(bend < 0, -bend, 1.0), reach * np.sign(slope))
        newton = np.clip(beta + np.clip(step, -reach, reach), -largest, largest)
        inside = (newton > low) & (newton < high) | (newton == beta)
        best = np.where(where, newton, 0.0)
        middle = np.asarray(where & ~inside)
        best[middle] = (low[middle] + high[middle]) / 2
        moved, beta = np.abs(best - beta), best
        if (moved <= CLOSE * (1 + np.abs(beta))).all():
            break
    return beta


def _approached(world: World, utility: Floats, decisions: Decisions, discount: float) -> Floats:
    """Each part's nats (b, k) as beta grows without bound; -inf where a decision speaks against that."""
    horizon, count, size = decisions.places.shape
    local = np.zeros((count, size))
    backups = hard_backups(world, utility, horizon=horizon, discount=discount)
    for t, log in zip(reversed(range(horizon)), backups, strict=True):
        local += decisions.of(t, log[None] + np.log(world.actions))
    return local
