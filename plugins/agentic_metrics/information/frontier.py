"""The complexity frontier: the least policy complexity that earns a given mean value.

To depend on what is seen costs information, and beyond some point the information buys little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from agentic import UserError
from agentic_metrics.finite.laws import Floats, mutual_information, positive
from agentic_metrics.finite.world import ties
from agentic_metrics.information.complexity import policy_complexity, weighted

SETTLED = 1e-12  # nats: how far below the optimum at most
ROUNDS = 500
STEEPEST = 1e6  # inverse temperature, in units of the spread of the values, taken for infinite; its inverse, for zero


@final
@dataclass(frozen=True, eq=False)
class Frontier:
    """The best mean value at each complexity, from the least to the most faithful policy.

    `betas` (k,) inverse temperatures per unit of value; `values` (k,) sum_s p(s) pi(a|s) Q(s, a); `bits` (k,) I(S; A);
    `policies` (k, states, actions).
    """

    betas: Floats
    values: Floats
    bits: Floats
    policies: Floats


def complexity_frontier(
    values: ArrayLike, weights: ArrayLike | None = None, *, betas: Sequence[float] | Floats = (0.5, 1, 2, 4, 8, 16)
) -> Frontier:
    """The policies of least I(S; A) for what they earn: pi(a|s) ~ p(a) exp(beta Q(s, a)), p(a) their own mean.

    `values` Q (states, actions), `weights` p(s), uniform where None. It is the rate-distortion problem of Blahut (1972)
    and Arimoto (1972), as a theory of policies in Tishby and Polani (2011) and Lai and Gershman (2021).
    Raises UserError for betas that are negative or not finite.
    """
    table, law = weighted(values, weights)
    temperatures = np.asarray(betas, np.float64)
    if temperatures.ndim != 1 or not np.isfinite(temperatures).all() or temperatures.min(initial=0) < 0:
        raise UserError(f"betas must be a list of numbers from 0 up, got {betas}")
    policies = np.stack([_optimal(table, law, beta)[0] for beta in temperatures])
    earned = np.einsum("s,bsa,sa->b", law, policies, table)
    bits = np.array([mutual_information(law[:, None] * policy) for policy in policies])
    return Frontier(temperatures, earned, bits, policies)


def excess_complexity(policy: ArrayLike, values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The excess complexity of a policy over the least that earns the same mean value, in bits.

    The least are max over beta of beta V - sum_s p(s) log sum_a p(a) exp(beta Q(s, a)). 0 on the frontier; all of its
    I(S; A) where a policy that does not look earns as much. Raises UserError where the tables differ in shape.
    """
    table, law = weighted(policy, weights)
    wanted, _ = weighted(values, weights)
    if wanted.shape != table.shape:
        raise UserError(f"policy and values are tables of one shape, got {table.shape} and {wanted.shape}")
    spent, earned = policy_complexity(table, law), float(law @ (table * wanted).sum(1))
    blind = law @ wanted
    if ties([blind.max(), earned], np.repeat((law @ np.abs(wanted)).max(), 2))[0]:
        return spent
    spread = float(np.ptp(wanted))

    def short(power: float) -> float:
        policy = _optimal(wanted, law, 2.0**power)[0]
        earning: Floats = (policy * wanted).sum(1)
        return float(law @ earning) - earned

    low, high = (float(np.log2(beta / spread)) for beta in (1 / STEEPEST, STEEPEST))
    power = high if short(high) <= 0 else low if short(low) >= 0 else float(brentq(short, low, high, xtol=1e-12))
    beta = 2.0**power
    wins = _optimal(wanted, law, beta)[1]
    missed = float(law @ wanted.max(1)) - earned
    return positive(spent + float((beta * missed + wins) / np.log(2)))


def _optimal(values: Floats, law: Floats, beta: float) -> tuple[Floats, float]:
    """The policy (states, actions) on the frontier, and sum_s p(s) log sum_a p(a) exp(beta (Q(s, a) - max Q(s)))."""
    weights = np.exp(beta * (values - values.max(1, keepdims=True)))
    seen = law > 0
    marginal = _mixture(weights[seen], law[seen])
    joint = marginal * weights
    total = joint.sum(1, keepdims=True)
    return joint / total, float(law[seen] @ np.log(total[seen, 0]))


def _mixture(weights: Floats, law: Floats) -> Floats:
    """The p (actions,) that maximizes sum_s law(s) log sum_a p(a) weights(s, a), a concave function.

    Its gradient is 1 where p > 0 and at most 1 elsewhere. Found by a primal-dual interior point method (Wright 1997):
    the fixed-point iteration of Blahut and Arimoto takes as many steps as 1 / beta squared. Actions that are alike get
    alike shares.
    """
    count = weights.shape[1]
    p, slack = np.full(count, 1 / count), np.ones(count)
    for _ in range(ROUNDS):
        ratios = weights / (weights @ p)[:, None]
        gradient = law @ ratios
        if max(gradient.max() - 1, float(p @ slack)) < SETTLED:
            return np.asarray(p / p.sum())
        pull = 0.1 * float(p @ slack) / count
        curvature = (ratios * law[:, None]).T @ ratios
        step = np.linalg.solve(curvature + np.diag(slack / p), gradient - 1 + pull / p)
        change = pull / p - slack - slack / p * step
        p, slack = p + _reach(p, step) * step, slack + _reach(slack, change) * change
    raise UserError(f"the frontier did not settle in {ROUNDS} rounds: values differ by too many orders of magnitude")


def _reach(place: Floats, step: Floats) -> float:
    """The share of a step that keeps everything positive."""
    falls = step < 0
    return min(1.0, 0.95 * float(np.min(-place[falls] / step[falls], initial=np.inf)))
