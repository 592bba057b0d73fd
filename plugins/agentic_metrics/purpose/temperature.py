"""Bounded rationality: the inverse temperature with which choices follow what is good.

A policy pays for information with expected utility; beta is the rate of exchange, 0 for chance, negative for choosing
what is bad.
"""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtrc, logsumexp, ndtri, rel_entr, xlogy

from agentic import Access, Frame, Interval, Measurement, Metric, Null, Subject, UserError
from agentic_metrics.cautions import Caution, too_few
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.arrays import Floats
from agentic_metrics.finite.behavior import Steps, checked_names, recorded_behavior
from agentic_metrics.finite.fitting import climb
from agentic_metrics.finite.query import known_policy
from agentic_metrics.finite.world import World, action_values, ties, visits

FEW = 20  # choices between unequal options below which the interval is not to be believed


@final
@dataclass(frozen=True)
class Rational:
    """A boundedly rational `policy` (..., a), its `divergence` KL(policy || prior) and `free_energy` (...), in nats."""

    policy: Floats
    divergence: Floats
    free_energy: Floats


def bounded_rational(utilities: ArrayLike, beta: float, prior: ArrayLike | None = None) -> Rational:
    """The policy pi(a) ~ prior(a) exp(beta U(a)) for `utilities` (..., a): it buys utility with least information.

    The free energy F = (1/beta) ln sum_a prior(a) exp(beta U(a)) = E_pi[U] - KL(pi || prior) / beta is in units of
    utility; at beta = 0 it is the prior's mean utility. `prior` (a,) is uniform by default (Ortega and Braun 2013).
    """
    table = np.asarray(utilities, dtype=np.float64)
    chance = _checked_prior(prior, table.shape[-1])
    log, total = _soft(table, beta, chance)
    policy = np.exp(log)
    free = total / beta if beta else table @ chance
    return Rational(policy, rel_entr(policy, chance).sum(-1), np.asarray(free))


def policy_temperature(policy: ArrayLike, utilities: ArrayLike, weights: ArrayLike) -> float:
    """The inverse temperature of the soft choice nearest to a `policy` (s, a), by sum_s w(s) KL(policy || pi_beta).

    `utilities` (s, a), `weights` (s,). Infinite for a policy that always takes the best.
    """
    table, weight = np.asarray(utilities, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    counts, met = weight[:, None] * np.asarray(policy, dtype=np.float64), weight > 0
    return _Likelihood(counts[met], table[met], _checked_prior(None, table.shape[-1])).best()


@final
@dataclass(frozen=True)
class InverseTemperature(Metric):
    """The inverse temperature beta of pi(a|s) ~ exp(beta Q(s,a)), with which actions follow what is optimal.

    In a finite known world, in 1 / reward; 0 for chance, negative for an agent that avoids the reward, infinite for one
    that always takes a best action. Q is the value of acting optimally for `depth` steps. From a record or, with
    `exact`, from the agent's own action probabilities, states weighing as it visits them within `horizon` steps. An
    agent that follows something else, such as a rock, has a large deviance.
    """

    depth: int = 40
    discount: float = 0.9
    exact: bool = False
    horizon: int = 100
    level: float = 0.95

    access = Access.MODEL
    unit = "1/reward"

    def __post_init__(self) -> None:
        if min(self.depth, self.horizon) < 1 or not 0 < self.discount <= 1 or not 0 < self.level < 1:
            raise UserError(
                "inverse_temperature expects depth and horizon >= 1, a discount in (0, 1] and a level between 0 and 1, "
                f"got {self}"
            )

    @property
    def needs(self) -> tuple[Literal["record", "agent", "environment"], ...]:
        return ("agent", "environment") if self.exact else ("record", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        if self.exact:
            _, world, policy = known_policy(subject, generator=generator)
            found = self.of_policy(policy, world)
        else:
            world, states, actions = recorded_behavior(subject.record, subject.environment)
            steps = Steps.of(states, actions, world)
            found = self.estimate(steps.actions, self._values(world)[steps.states], groups=steps.episodes)
        frame = Frame(
            variables=("state", "action"),
            boundary="the agent chooses among actions, the world makes them good or bad",
            horizon=self.depth,
            goal=f"the environment's reward, discounted by {self.discount:g}",
            start="states weigh as the agent visits them" if self.exact else "the record's evaluation episodes",
            interventions=(),
        )
        return found.measurement("inverse_temperature", self, frame)

    def estimate(
        self,
        choices: ArrayLike,
        utilities: ArrayLike,
        prior: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Estimate:
        """The beta of pi(a|i) ~ prior(a) exp(beta U_i(a)) under which `choices` (n,) are most likely.

        `utilities` (n, a), or (a,) for all alike, of the options that were open; `prior` (a,) is uniform by default.
        The likelihood is concave in beta, the standard error comes from the Fisher information, sum_i Var_pi(U_i); with
        `groups` (n,), such as episodes, from the spread of the score between them. `deviance` is twice the
        log-likelihood that is missing to the best policy of any kind, `null_deviance` that of beta = 0, both in nats;
        choices that follow something else keep theirs. The null is beta = 0, by likelihood ratio.

        Where every choice was the best, beta is unbounded: the value is infinite and the interval what the likelihood
        leaves, at one-sided `level`. Raises UserError where all options are equally good.
        """
        table = np.atleast_2d(np.asarray(utilities, dtype=np.float64))
        chosen = checked_names("choices", choices, table.shape[-1])
        if not len(chosen) or len(table) not in (1, len(chosen)) or not np.isfinite(table).all():
            raise UserError(
                f"{len(chosen)} choices need finite utilities (choices, options) or (options,), got {table.shape}"
            )
        contexts, which = np.unique(table, axis=0, return_inverse=True)
        which = np.broadcast_to(which.ravel(), chosen.shape)
        counts = np.zeros_like(contexts)
        np.add.at(counts, (which, chosen), 1.0)
        fitted = _Likelihood(counts, contexts, _checked_prior(prior, table.shape[-1]))
        informative = int(counts[~ties(contexts).all(-1)].sum())
        few = too_few(f"{informative} choices between unequal options are too few: record at least {FEW}")
        cautions = [few] if informative < FEW else []
        beta = fitted.best()
        if np.isinf(beta):
            interval, error = fitted.bound(beta, self.level), np.inf
            limit = "every choice was the best, or every one the worst: beta is unbounded, read its interval"
            cautions.append(Caution(limit))
        else:
            error, freedom, method = fitted.error(beta, fitted.soft(beta)[1][which, chosen], groups)
            interval = Interval.student(beta, error, freedom, level=self.level, method=method)
        return Estimate(
            value=beta,
            estimator="maximum likelihood",
            interval=interval,
            null=fitted.null(beta),
            episodes=1 if groups is None else len(np.unique(np.asarray(groups))),
            samples=len(chosen),
            diagnostics={"standard_error": error, **fitted.deviances(beta)},
            cautions=tuple(cautions),
        )

    def of_policy(self, policy: ArrayLike, world: World) -> Estimate:
        """The inverse temperature of a known `policy` (states, actions), exactly; see `policy_temperature`."""
        values = self._values(world)
        beta = policy_temperature(policy, values, visits(world, policy, horizon=self.horizon))
        null = exact_null(beta * float(np.ptp(values, -1).max()), "a uniformly random policy")
        return Estimate(value=beta, estimator="exact", null=null)

    def _values(self, world: World) -> Floats:
        return action_values(world, depth=self.depth, discount=self.discount)


@final
@dataclass(frozen=True)
class _Likelihood:
    """Choices counted (contexts, a) among options of known utility (contexts, a)."""

    counts: Floats
    utilities: Floats
    prior: Floats

    def __post_init__(self) -> None:
        if ties(self.utilities[self.counts.sum(-1) > 0]).all():
            raise UserError("beta cannot be told from choices between equally good options: give some that differ")

    @property
    def span(self) -> float:
        return float(np.ptp(self.utilities, axis=-1).max())

    def soft(self, beta: float) -> tuple[Floats, Floats]:
        """ln of the soft choice's probabilities and its derivative, the utility less its mean, (contexts, a) each."""
        below = self.utilities - self.utilities.max(-1, keepdims=True)  # an offset would magnify rounding errors
        log, _ = _soft(below, beta, self.prior)
        return log, below - (np.exp(log) * below).sum(-1, keepdims=True)

    def at(self, beta: float) -> tuple[float, float, float]:
        """The log-likelihood and its first two derivatives."""
        log, score = self.soft(beta)
        bend = -self.counts.sum(-1) @ (np.exp(log) * score**2).sum(-1)
        return float((self.counts * log).sum()), float((self.counts * score).sum()), float(bend)

    def beyond(self, sign: float) -> float:
        """The log-likelihood as beta goes to `sign` infinity; -inf where some choice speaks against it."""
        valued = sign * self.utilities
        left = np.where(ties(valued), self.prior, 0.0)
        return float(xlogy(self.counts, left / left.sum(-1, keepdims=True)).sum())

    def best(self) -> float:
        """The beta of largest likelihood, infinite where it has none."""
        for sign in (1.0, -1.0):
            if np.isfinite(self.beyond(sign)):
                return sign * np.inf

        def slopes(scaled: Floats) -> tuple[Floats, Floats]:
            _, slope, bend = self.at(float(scaled[0]) / self.span)
            return np.array([slope / self.span]), np.array([bend / self.span**2])

        return float(climb(slopes, np.inf, where=np.ones(1, dtype=bool))[0]) / self.span

    def likelihood(self, beta: float) -> float:
        return self.beyond(float(np.sign(beta))) if np.isinf(beta) else self.at(beta)[0]

    def bound(self, beta: float, level: float) -> Interval:
        """What the likelihood leaves of an infinite beta: what is at most half a squared quantile less likely."""
        sign, least = float(np.sign(beta)), self.likelihood(beta) - ndtri(level) ** 2 / 2

        def above(scaled: float) -> float:
            return float(self.at(sign * scaled / self.span)[0] - least)

        far, near = 1.0, -1.0
        while above(far) < 0:
            far *= 2
        while above(near) > 0:
            near *= 2
        edge = sign * brentq(above, near, far) / self.span
        low, high = (edge, np.inf) if sign > 0 else (-np.inf, edge)
        return Interval(level, float(low), float(high), "profile likelihood, one-sided")

    def null(self, beta: float) -> Null:
        """Beta = 0: twice the gain in log-likelihood is chi-square of one degree of freedom (Wilks 1938)."""
        value, _, bend = self.at(0.0)
        gain = max(0.0, 2 * (self.likelihood(beta) - value))
        return Null("likelihood ratio against beta = 0", 0.0, float(1 / np.sqrt(-bend)), 1, float(chdtrc(1, gain)))

    def deviances(self, beta: float) -> dict[str, float]:
        total = self.counts.sum(-1, keepdims=True)
        most = float(xlogy(self.counts, self.counts / np.where(total > 0, total, 1.0)).sum())
        free = np.count_nonzero(total) * (self.counts.shape[1] - 1) - 1
        deviance, null = (2 * (most - self.likelihood(each)) for each in (beta, 0.0))
        return {"deviance": deviance, "null_deviance": null, "freedom": int(free)}

    def error(self, beta: float, scores: Floats, groups: ArrayLike | None) -> tuple[float, float, str]:
        """The standard error of beta, its degrees of freedom and the method; `scores` (n,) are those of the choices."""
        information = -self.at(beta)[2]
        members = np.zeros(1, np.int64) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        count = int(members.max()) + 1
        if count < 2:
            few = "" if groups is None else " of a single group"
            return float(1 / np.sqrt(information)), np.inf, f"Wald, Fisher information{few}"
        sums = np.bincount(members, scores)
        spread = np.sqrt(count / (count - 1) * (sums**2).sum())
        return float(spread / information), count - 1, f"Student t over {count} groups"


def _soft(utilities: Floats, beta: float, prior: Floats) -> tuple[Floats, Floats]:
    """ln prior(a) exp(beta U(a)) / Z (..., a), and ln Z (...)."""
    weights = beta * utilities + np.log(prior)
    total = logsumexp(weights, axis=-1)
    return weights - total[..., None], np.asarray(total)


def _checked_prior(prior: ArrayLike | None, options: int) -> Floats:
    chance = np.full(options, 1 / options) if prior is None else np.asarray(prior, dtype=np.float64)
    if chance.shape != (options,) or not chance.min() > 0 or abs(chance.sum() - 1) > 1e-6:
        raise UserError(f"a prior over {options} options is as many positive probabilities that sum to 1: normalize it")
    return chance
