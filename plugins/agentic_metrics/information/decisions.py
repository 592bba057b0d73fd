"""Policy complexity from decisions whose states are known, of agents that hardly err.

A deterministic policy has no noise whose bias could be removed: the correction for independent variables, one degree of
freedom for every pair of a state and an action, takes away what it does not have. Here only what was seen counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np

from agentic import UserError
from agentic_metrics.estimate import Estimate
from agentic_metrics.sampling.embedding import Places
from agentic_metrics.sampling.information import Estimator, Information, Values
from agentic_metrics.sampling.resampling import Jackknife
from agentic_metrics.sampling.samples import Samples
from agentic_metrics.sampling.series import Series, codes, pairs


@final
class Counted(Estimator):
    """The estimator of I(X; Y) by frequencies, less the bias of the actions that were seen in each state.

    sum over x of (|Y_x| - 1) - (|Y| - 1), over 2 N ln 2, with |Y_x| the number of y seen with x (Panzeri and Treves
    1996): not (|X| - 1)(|Y| - 1), which is the same only where every y is seen with every x.
    """

    name = "counts"

    def information(self, x: Values, y: Values, given: Values | None = None) -> Information:
        n, seen, done = len(x), codes(x), codes(y)
        both = pairs(seen, done)
        together, alone, taken = (np.bincount(code)[code] for code in (both, seen, done))
        local = np.log2(together * n / (alone * taken))
        freedom = int(both.max()) - int(seen.max()) - int(done.max())
        return Information(local, freedom / (2 * n * np.log(2)), max(0, freedom))


def decided_complexity(
    states: Sequence[Places],
    actions: Sequence[Places],
    *,
    surrogates: int = 499,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """Policy complexity I(S; A), in bits, from decisions of a policy that looks at the state alone.

    `states` and `actions` are one array (t,) of names per episode. The bias that is left, because the steps of one
    episode depend on each other, and the interval are those of leaving out parts of the episodes in turn. In the null
    the states are those of other episodes. Raises UserError where there is no decision.
    """
    kept = [(seen, done) for seen, done in zip(states, actions, strict=True) if len(done)]
    if not kept:
        raise UserError("a policy is told from decisions, there are none in states where actions differ: record more")
    samples = Samples.of_steps(*(Series.of(list(part)) for part in zip(*kept, strict=True)))
    x, y, estimator = samples.source.joined(), samples.target, Counted()
    found, against = samples.compared(estimator, surrogates=surrogates, generator=generator)
    shown = {"raw": float(found.local.mean()), "states": len(np.unique(x)), "actions": len(np.unique(y))}
    estimate = Estimate.of(found, estimator.name, samples.episode, null=against, diagnostics=shown, level=level)
    if len(kept) < 2:
        return estimate
    left_out = Jackknife.of(found.value, lambda part: estimator.information(x[part], y[part]), samples.episode)
    value = found.value - left_out.bias
    return replace(estimate, value=value, interval=left_out.interval(found, value, level=level))
