"""Contingency degradation: whether behavior changes when an outcome no longer depends on it.

An outcome is made free, without further experience of acting for it, and the agent is tested in extinction (Hammond
1980). A habit, a reflex and a clone go on as before.
"""

from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Measurement, Subject, UserError
from agentic_metrics.estimate import EXACT, Estimate, exact_null
from agentic_metrics.finite.places import choices
from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.families import intervention
from agentic_metrics.responses.devaluation import (
    STATES,
    Extinction,
    checked_policies,
    exact_estimate,
    extinction_frame,
    known_payoff,
)
from agentic_metrics.responses.response import Response


def contingency(delivery: ArrayLike) -> Floats:
    """Delta P (states, actions) = P(O | A) - P(O | not A) of an outcome, in each state (Allan 1980).

    `delivery` (states, actions): probability that the action brings the outcome there; "not A" is any of the other
    actions, equally likely. Raises UserError for fewer than two actions.
    """
    table = np.asarray(delivery, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise UserError(f"contingency expects a table (states, at least 2 actions) of probabilities, got {table.shape}")
    others = (table.sum(-1, keepdims=True) - table) / (table.shape[1] - 1)
    return np.asarray(table - others)


@final
@dataclass(frozen=True)
class ContingencyDegradation(Response):
    """How much less often an agent does what an outcome depended on, once that outcome comes for free.

    In every state where some action brings the outcome more probably than another does, all are made to bring it as
    probably. Responses are the actions whose contingency Delta P was positive; probed is where there are such.
    `outcome`, `horizon` and `discount` as in `OutcomeDevaluation`. The agent is told of its goal.
    """

    outcome: int = 0
    horizon: int = 60
    discount: float = 0.99

    unit = "probability"

    def estimate(
        self,
        policy_before: ArrayLike,
        policy_after: ArrayLike,
        responses: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> Estimate:
        """How much less often the responses are made once the outcome no longer depends on them, from -1 to 1, exactly.

        sum over states of w(s) [pi_before(responses | s) - pi_after(responses | s)]. Policies (states, actions);
        `responses` (states, actions), true for the actions on which the outcome depended; `weights` as for
        `OutcomeDevaluation.estimate`. Source: Hammond 1980; Balleine and Dickinson 1998.
        """
        before, after, probes = checked_policies(policy_before, policy_after, weights)
        made = np.asarray(responses, dtype=bool)
        if made.shape != before.shape:
            raise UserError(f"responses must have the shape {before.shape} of the policies, got {made.shape}")
        value = float(probes @ ((before - after) * made).sum(-1))
        return Estimate(
            value=value, estimator="exact policies", null=exact_null(value, "a policy that does not change")
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        payoff = known_payoff("contingency_degradation", subject)
        amount = payoff.outcome(self.outcome)
        name = f"what pays {amount:g} comes for free"
        change = intervention(name, partial(changes.free, outcome=amount), subject.environment, informed="goal")
        test = Extinction.of(subject, change, generator, horizon=self.horizon, discount=self.discount)
        delta = contingency(payoff.delivery(test.world.dynamics, amount))
        responses = (delta > EXACT) & choices(test.world)[:, None]
        if not responses.any():
            raise UserError(
                f"contingency_degradation needs an outcome that depends on the action; {amount:g} is paid whatever is "
                "done: choose another outcome"
            )
        value = self.estimate(test.before, test.after, responses, responses.any(-1)).value
        more = {"outcome": amount, "contingency": float(delta[responses].mean())}
        found = exact_estimate([test], [value], more)
        frame = extinction_frame([change], STATES, self.horizon, self.discount)
        return found.measurement("contingency_degradation", self, frame)
