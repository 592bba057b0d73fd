"""Maximum entropy goal-directedness: how much of what an agent does is explained by its pursuing a goal.

In nats, over acting at random: known exactly for a policy, estimated for recorded episodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from agentic import Interval, Null, UserError
from agentic_metrics.cautions import Caution, few_episodes, too_few
from agentic_metrics.estimate import Estimate
from agentic_metrics.finite.behavior import Behavior
from agentic_metrics.finite.fitting import NONE, Decisions, Fit, fit
from agentic_metrics.finite.soft import checked_policies, checked_utility, occupancy
from agentic_metrics.finite.world import Floats, World
from agentic_metrics.sampling.surrogates import compare

FEW = 20  # episodes below which the interval is not to be believed


@final
@dataclass(frozen=True)
class Directedness:
    """`value` nats explained by the utility at inverse temperature `beta`, negative for what avoids it.

    `normalized` is the share of what could be explained at most, comparable between worlds. `limit`: beta is infinite,
    the value is what is approached; `capped`: beta lies at the largest allowed, the value is a lower bound.
    """

    value: float
    beta: float
    normalized: float
    limit: bool
    capped: bool

    @property
    def sign(self) -> int:
        """1 for the utility, -1 against it, 0 where it explains nothing."""
        return int(np.sign(self.beta))

    def __float__(self) -> float:
        return self.value


def goal_directedness(
    world: World,
    policy: ArrayLike,
    *,
    utility: ArrayLike | None = None,
    horizon: int,
    discount: float = 1.0,
    largest: float = np.inf,
) -> Directedness:
    """MEG = max over beta of E_policy[ sum_t discount^t (ln pi_beta,t(a_t|s_t) + ln|A|) ], t < `horizon`, in nats.

    pi_beta is soft-optimal for `utility` (s, a) or (s,), by default the reward; `policy` is (s, a) or (t, s, a). The
    objective is concave: beta E[return] - E[soft value] + sum_t discount^t ln|A|. Between 0, for a uniformly random
    policy, and sum_t discount^t ln|A|; the same for c U + d, with any c other than 0. Decisions after the end are
    random in every pi_beta and add nothing. A policy that is optimal, or worst, has no best beta and gets the limit of
    infinite beta, unless beta is kept below `largest` over the range of U.

    On the distribution the policy itself makes: a table cloned from a planner scores what the planner does. Grows with
    the horizon and |A|. A constant policy may score (MacDermott, Fox, Belardinelli and Everitt 2024).
    """
    decisions = Decisions.of_policy(
        occupancy(world, checked_policies(world, policy, horizon), horizon=horizon, discount=discount)
    )
    found = fit(world, checked_utility(world, utility), decisions, discount=discount, largest=checked_bound(largest))
    value = max(0.0, float(found.value[0]))  # what rounding takes below zero
    most = possible(world, horizon, discount)
    return Directedness(value, float(found.beta[0]), value / most, bool(found.limit[0]), bool(found.capped[0]))


def goal_directedness_from_episodes(
    world: World,
    states: Sequence[ArrayLike],
    actions: Sequence[ArrayLike],
    *,
    utility: ArrayLike | None = None,
    horizon: int,
    discount: float = 1.0,
    largest: float = np.inf,
    surrogates: int = 499,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """`goal_directedness` estimated from episodes in a known world, with an interval and a null.

    `actions`: an array (t,) per episode; `states`: (t,), or (t + 1,) with the place where it stopped. Only the first
    `horizon` decisions count. The value is the mean over episodes of l_i = sum_t discount^t (ln pi_beta(a_t|s_t)
    + ln|A|) at the best beta, less the excess of fitting it (1 / (2n) nats where the soft-optimal family is right,
    Var(l_i') / (2n |l''|) in general). By the envelope theorem the fit adds nothing to the first-order error, which is
    that of the mean of the l_i. The null are `surrogates` sets of as many episodes of a random agent from the same
    first states in the same world.
    """
    table = checked_utility(world, utility)
    behavior = Behavior.of(world, states, actions, most=horizon)
    if len(behavior.states) < 2:
        raise UserError("an interval over episodes needs at least 2 of them, got 1: record more")
    checked_bound(largest)
    decisions = Decisions.of_behavior(behavior, world.actions, discount)
    found = fit(world, table, decisions, discount=discount, largest=largest)
    value = float(found.value[0] - found.excess[0])
    null = None
    if surrogates:
        random = random_behavior(world, behavior, surrogates, generator)
        chance = Decisions.of_behavior(random, world.actions, discount, surrogates)
        lucky = fit(world, table, chance, discount=discount, largest=largest)
        null = _null(value, lucky.value - lucky.excess)
    return Estimate(
        value=value,
        estimator="soft-optimal likelihood",
        interval=_interval(found, level),
        null=null,
        episodes=len(behavior.states),
        samples=int(behavior.valid.sum()),
        diagnostics={
            "beta": float(found.beta[0]),
            "sign": int(np.sign(found.beta[0])),
            "normalized": value / possible(world, horizon, discount),
            "excess": float(found.excess[0]),
        },
        cautions=(*_cautions(found, largest), *sample_cautions(behavior)),
    )


def random_behavior(world: World, like: Behavior, copies: int, generator: np.random.Generator) -> Behavior:
    """Episodes of a uniformly random agent, (copies n, t): first states and cuts are those of each of `like`."""
    here, horizon = np.tile(like.states[:, 0], copies), like.states.shape[1]
    lengths = np.where(like.cut, like.valid.sum(1), horizon)
    flat = np.cumsum(world.dynamics.reshape(-1, world.states), axis=1)
    flat[:, -1] = 1.0
    ladder = (flat + np.arange(len(flat))[:, None]).ravel()  # the whole part of each number is its row
    states = np.empty((horizon, len(here)), dtype=np.int64)
    actions = generator.integers(world.actions, size=states.shape)
    for t in range(horizon):
        states[t] = here
        rows = here * world.actions + actions[t]
        place = np.searchsorted(ladder, rows + generator.random(len(rows)), side="right") - rows * world.states
        here = place.clip(max=world.states - 1)
    valid = np.arange(horizon) < np.tile(lengths, copies)[:, None]
    return Behavior(states.T, actions.T, valid, np.tile(like.cut, copies))


def possible(world: World, horizon: int, discount: float) -> float:
    """The most nats there are to explain: sum_t discount^t ln|A|."""
    if world.actions < 2:
        raise UserError("there is nothing to choose in a world of one action: goal-directedness has no meaning there")
    return float((discount ** np.arange(horizon)).sum() * np.log(world.actions))


def checked_bound(largest: float) -> float:
    if not largest > 0:
        raise UserError(f"the largest inverse temperature must be a positive number, got {largest}")
    return largest


def sample_cautions(behavior: Behavior) -> list[Caution]:
    """What is wrong with a sample: too few episodes, or episodes that stopped too early."""
    said = [*few_episodes(len(behavior.states), FEW)]
    if behavior.cut.any():
        shortest = int(behavior.valid.sum(1)[behavior.cut].min())
        text = (
            f"{int(behavior.cut.sum())} episodes were cut before the horizon of {behavior.states.shape[1]} decisions, "
            f"the rest of which counts as random: choose a horizon of at most {shortest}, or record longer ones"
        )
        said.append(Caution(text))
    return said


def _interval(found: Fit, level: float) -> Interval:
    """Student's t interval of sqrt(2 value), squared again.

    Near 0 the value is half the square of a normal quantity, elsewhere nearly normal itself: its root is normal in
    both, with the standard error of the mean of the local values over the root.
    """
    local = found.local[0]
    raw, count = max(float(found.value[0]), 0.0), len(local)
    root = np.sqrt(2 * raw)
    error = np.sqrt(local.var(ddof=1) / count) / root if raw > NONE else 0.0
    half = float(stdtrit(count - 1, 0.5 + level / 2) * error)
    low = max(root - half, 0.0) ** 2 / 2 if root > half else min(0.0, raw - float(found.excess[0]))
    return Interval(level, low, float((root + half) ** 2 / 2), f"Student t of the root over {count} episodes")


def _null(value: float, chance: Floats) -> Null:
    return compare(value, chance, "a uniformly random agent in the same world", tie=0.0)


def _cautions(found: Fit, largest: float) -> list[Caution]:
    if found.limit[0]:
        more = "every decision is optimal, so that beta is unbounded and the interval too narrow: record more episodes"
        return [too_few(more)]
    if found.capped[0]:
        bound = f"beta lies at its bound of {largest:g} over the range of the utility: the value is a lower bound"
        return [Caution(bound)]
    return []
