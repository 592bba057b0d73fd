"""Goal or habit: whether behavior changes when an outcome is no longer worth it, or no longer depends on it.

An outcome is devalued, or made free, without further experience of acting for it, and the agent is tested in
extinction (Adams and Dickinson 1981; Hammond 1980). A habit, a reflex and a clone go on as before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isnan
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Access, Frame, Measurement, Metric, Subject, Told, Truth, UserError
from agentic_metrics.estimate import EXACT, Estimate, exact_null
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats, World
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.families import intervention
from agentic_metrics.interventions.payoff import Payoff, reached
from agentic_metrics.responses.adaptation import adaptation_index


def outcome_devaluation(policy_before: ArrayLike, policy_after: ArrayLike, weights: ArrayLike | None = None) -> float:
    """DEV = sum over states of w(s) JS(pi_before(.|s) || pi_after(.|s)) in bits, from 0 to 1.

    Policies (states, actions), `weights` (states,) of the probe states, scaled to sum to 1 (None: all equal). JS is the
    Jensen-Shannon divergence (Lin 1991). Equally good actions can be told apart by it where nothing is gained: read it
    with the adaptation index. Raises UserError where shapes disagree or nothing has weight.
    """
    before, after, probes = _policies(policy_before, policy_after, weights)
    shift = _entropy((before + after) / 2) - (_entropy(before) + _entropy(after)) / 2
    return float(probes @ np.maximum(shift, 0.0))


def choice_shift(policy: ArrayLike, *, valued: int, devalued: int, weights: ArrayLike | None = None) -> float:
    """P(valued) - P(devalued): how much more often the action for what is still valued is chosen, from -1 to 1.

    `policy` (states, actions) as it is at test; `weights` as for `outcome_devaluation`.
    """
    table, _, probes = _policies(policy, policy, weights)
    return float(probes @ (table[:, valued] - table[:, devalued]))


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


def contingency_degradation(
    policy_before: ArrayLike, policy_after: ArrayLike, responses: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """How much less often the responses are made once the outcome no longer depends on them, from -1 to 1.

    sum over states of w(s) [pi_before(responses | s) - pi_after(responses | s)]. Policies (states, actions);
    `responses` (states, actions), true for the actions on which the outcome depended; `weights` as for
    `outcome_devaluation`. Source: Hammond 1980; Balleine and Dickinson 1998.
    """
    before, after, probes = _policies(policy_before, policy_after, weights)
    made = np.asarray(responses, dtype=bool)
    if made.shape != before.shape:
        raise UserError(f"responses must have the shape {before.shape} of the policies, got {made.shape}")
    return float(probes @ ((before - after) * made).sum(-1))


def choices(world: World) -> NDArray[np.bool_]:
    """The states (s,) that can be met and in which actions differ in what they do or pay: where choice is probed."""
    differ = (np.ptp(world.dynamics, axis=1).max(-1) > EXACT) | (np.ptp(world.rewards, axis=1) > EXACT)
    return np.asarray(reached(world) & ~world.ended & differ)


def _policies(before: ArrayLike, after: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    probes = np.ones(len(first)) if weights is None else np.asarray(weights, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape or probes.shape != first.shape[:1]:
        raise UserError(
            f"expected two policies (states, actions) and weights (states,), got {first.shape}, {second.shape} and "
            f"{probes.shape}"
        )
    if probes.min(initial=0.0) < 0 or probes.sum() <= 0:
        raise UserError("weights of probe states must be at least 0 and not all 0")
    return first, second, probes / probes.sum()


def _entropy(policy: Floats) -> Floats:
    """Bits per state, (states,)."""
    return np.asarray(-(policy * np.log2(np.where(policy > 0, policy, 1.0))).sum(-1))


@final
@dataclass(frozen=True)
class Extinction:
    """A test without further experience: the policy tables before and after the agent was told, and both worlds."""

    before: Floats
    after: Floats
    world: World
    changed: World
    name: str

    @classmethod
    def of(
        cls, name: str, change: Callable[[Truth], Truth], subject: Subject, told: Told, generator: np.random.Generator
    ) -> Self:
        """Raises UserError where the world is not finite, known and fully observed."""
        assert subject.agent is not None
        assert subject.environment is not None
        told_of = subject.under(intervention(name, change, subject.environment, told=told))
        assert told_of.agent is not None
        assert told_of.environment is not None
        seed = int(generator.integers(2**31))
        before, after = (
            query(agent, told_of.environment, generator=np.random.default_rng(seed))
            for agent in (subject.agent, told_of.agent)
        )
        return cls(before, after, known_world(subject.environment)[1], known_world(told_of.environment)[1], name)

    def estimate(self, value: float, horizon: int, discount: float, diagnostics: Mapping[str, Any]) -> Estimate:
        """`value`, told from its null only where the change of behavior also brings something."""
        index = adaptation_index(self.changed, self.before, self.after, horizon=horizon, discount=discount)
        useful = value if abs(index) > EXACT else 0.0  # equally good actions may be exchanged for nothing
        warnings = ("the change leaves nothing to gain, so that it cannot be adapted to",) if isnan(index) else ()
        return Estimate(
            value=value,
            estimator="exact policies",
            null=exact_null(0.0 if isnan(index) else useful, "a policy that does not change, or to no avail"),
            diagnostics={"adaptation_index": index, "probe_states": int(choices(self.world).sum()), **diagnostics},
            warnings=warnings,
        )

    def frame(self, horizon: int, discount: float) -> Frame:
        return Frame(
            variables=("policy",),
            boundary="the agent chooses actions; it is told of the change and gathers no experience of it",
            horizon=horizon,
            goal=f"reward discounted by {discount:g} per step",
            start="every state that can be met and in which actions differ, equally likely",
            interventions=(self.name,),
        )


@final
@dataclass(frozen=True)
class OutcomeDevaluation(Metric):
    """The mean Jensen-Shannon divergence between the policies before and after an outcome lost its value, in bits.

    `outcome` is the rank of what is devalued among the amounts that the world pays, 0 the largest; it pays `value`
    from then on. The agent is told of its goal and has no further experience. The adaptation index over `horizon`
    steps with `discount` is reported along: only a change of behavior that brings something is outside the null.
    """

    outcome: int = 0
    value: float = 0.0
    horizon: int = 60
    discount: float = 0.99

    access = Access.INTERVENE
    unit = "bits"
    needs = ("agent", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        payoff = _payoff("outcome_devaluation", subject)
        amount = payoff.outcome(self.outcome)
        name = f"what pays {amount:g} pays {self.value:g}"
        change = partial(changes.devalue, outcome=amount, value=self.value)
        test = Extinction.of(name, change, subject, "goal", generator)
        probes = choices(test.world)
        value = outcome_devaluation(test.before, test.after, probes)
        found = test.estimate(value, self.horizon, self.discount, {"outcome": amount})
        return found.measurement("outcome_devaluation", self, test.frame(self.horizon, self.discount))


@final
@dataclass(frozen=True)
class ContingencyDegradation(Metric):
    """How much less often an agent does what an outcome depended on, once that outcome comes for free.

    In every state where some action brings the outcome more probably than another does, all are made to bring it as
    probably. Responses are the actions whose contingency Delta P was positive; probed is where there are such.
    `outcome`, `horizon` and `discount` as in `OutcomeDevaluation`. The agent is told of its goal.
    """

    outcome: int = 0
    horizon: int = 60
    discount: float = 0.99

    access = Access.INTERVENE
    unit = "probability"
    needs = ("agent", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        payoff = _payoff("contingency_degradation", subject)
        amount = payoff.outcome(self.outcome)
        name = f"what pays {amount:g} comes for free"
        test = Extinction.of(name, partial(changes.free, outcome=amount), subject, "goal", generator)
        delta = contingency(payoff.delivery(test.world.dynamics, amount))
        responses = (delta > EXACT) & choices(test.world)[:, None]
        if not responses.any():
            raise UserError(
                f"contingency_degradation needs an outcome that depends on the action; {amount:g} is paid whatever is "
                "done: choose another outcome"
            )
        value = contingency_degradation(test.before, test.after, responses, responses.any(-1))
        more = {"outcome": amount, "contingency": float(delta[responses].mean())}
        found = test.estimate(value, self.horizon, self.discount, more)
        return found.measurement("contingency_degradation", self, test.frame(self.horizon, self.discount))


def _payoff(name: str, subject: Subject) -> Payoff:
    """What the unchanged world pays. Raises UserError where that is not known."""
    assert subject.environment is not None
    try:
        return Payoff.of(known_world(subject.environment)[1])
    except UserError as error:
        raise UserError(f"{name} needs a finite known world: {error}") from None
