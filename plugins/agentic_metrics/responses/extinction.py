"""Outcome devaluation and contingency degradation: the tests in extinction that tell a goal from a habit.

An outcome is devalued or made free, without further experience of acting for it, and the agent is tested in extinction
(Adams and Dickinson 1981; Hammond 1980). A habit, a reflex and a clone go on as before.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from agentic import Frame, Intervention, Measurement, Subject, UserError
from agentic_metrics.cautions import Caution, Lack
from agentic_metrics.estimate import EXACT, Estimate, exact_null
from agentic_metrics.finite.places import choices
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats, World
from agentic_metrics.interventions import changes
from agentic_metrics.interventions.families import intervention
from agentic_metrics.interventions.payoff import Payoff
from agentic_metrics.interventions.probes import Shift, choices_in, lived_probes, state_probes
from agentic_metrics.responses.adaptation import adaptation_index, informed_of
from agentic_metrics.responses.response import Response

LIVED = 20  # episodes that are run for their observations where the subject has no record
STATES = "every state that can be met and in which actions differ, equally likely"
SINGLE = Caution("a single episode was recorded, too few for the interval: record more", Lack.EPISODES)


def choice_shift(policy: ArrayLike, *, valued: int, devalued: int, weights: ArrayLike | None = None) -> float:
    """The preference P(valued) - P(devalued) for the action that brings what is still valued, from -1 to 1.

    `policy` (states, actions) as it is at test; `weights` as for `OutcomeDevaluation.of_policies`.
    """
    table, _, probes = _checked(policy, policy, weights)
    return float(probes @ (table[:, valued] - table[:, devalued]))


def contingency(delivery: ArrayLike) -> Floats:
    """The contingency Delta P = P(O | A) - P(O | not A) of an outcome on actions, (states, actions) (Allan 1980).

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
class OutcomeDevaluation(Response):
    """The mean Jensen-Shannon divergence between the policies before and after an outcome lost its value, in bits.

    `outcome` is the rank of what is devalued among the amounts that the world pays, 0 the largest; it pays `value`
    from then on. The agent is told of its goal and has no further experience. Where the subject brings interventions
    that were decided on, those are taken instead, each told as it says: the value is the mean shift of the policy.

    With `exact`, policy tables are compared where the world is finite, known and fully observed. The adaptation index
    over `horizon` steps with `discount` is reported along: only a change of behavior that brings something is outside
    the null. Elsewhere, and without `exact`, `draws` decisions each are counted at `probes`: states drawn from those in
    which actions differ, or where the world is not known, observations of the agent's own episodes before the change.
    Then the null is that before and after are the same; a shift to no avail is outside it too.
    """

    outcome: int = 0
    value: float = 0.0
    horizon: int = 60
    discount: float = 0.99
    exact: bool = True
    probes: int = 60
    draws: int = 24

    unit = "bits"
    compares: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.expect(self.probes >= 2 and 4 <= self.draws <= 500, "at least 2 probes and 4 to 500 draws")

    def of_policies(
        self, policy_before: ArrayLike, policy_after: ArrayLike, weights: ArrayLike | None = None
    ) -> Estimate:
        """The shift sum over states of w(s) JS(pi_before(.|s) || pi_after(.|s)) in bits, from 0 to 1, exactly.

        Policies (states, actions), `weights` (states,) of the probe states, scaled to sum to 1 (None: all equal). JS is
        the Jensen-Shannon divergence (Lin 1991). Equally good actions can be told apart by it where nothing is gained:
        read it with the adaptation index. Raises UserError where shapes disagree or nothing has weight.
        """
        before, after, probes = _checked(policy_before, policy_after, weights)
        shift = np.maximum(_entropy((before + after) / 2) - (_entropy(before) + _entropy(after)) / 2, 0.0)
        value = float(probes @ np.maximum(shift, 0.0))
        return _exactly(value)

    def estimate(self, before: ArrayLike, after: ArrayLike, *, generator: np.random.Generator) -> Estimate:
        """The mean Jensen-Shannon divergence in bits, freed of its bias, from counts of decisions.

        `before` and `after` (changes, clusters, probes, actions) hold equal numbers of decisions at each probe;
        clusters were drawn independently, and are the sample of the interval. Null: decisions exchanged at random
        within each probe.
        """
        shift = Shift(np.asarray(before, np.int64), np.asarray(after, np.int64))
        interval, (_, clusters, each, _) = shift.interval(), shift.before.shape
        return Estimate(
            value=shift.value,
            estimator="counted decisions",
            interval=interval,
            null=shift.null(generator),
            episodes=clusters,
            samples=int(shift.before.sum() + shift.after.sum()),
            diagnostics={"probes": clusters * each},
            cautions=() if interval else (SINGLE,),
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        more: dict[str, Any] = {}
        decided: tuple[Intervention, ...] = subject.interventions
        if not decided:
            amount = _payoff(subject, "outcome_devaluation").outcome(self.outcome)
            change = partial(changes.devalue, outcome=amount, value=self.value)
            name = f"what pays {amount:g} pays {self.value:g}"
            decided, more = (intervention(name, change, subject.environment, informed="goal"),), {"outcome": amount}
        found, start = None, STATES
        if self.exact:
            with suppress(UserError):
                found = self._tabled(subject, decided, generator)
        if found is None:
            found, start = self._counted(subject, decided, generator)
        found = replace(found, diagnostics={**found.diagnostics, **more})
        return found.measurement("outcome_devaluation", self, _frame(self, decided, start))

    def _tabled(self, subject: Subject, decided: Sequence[Intervention], generator: np.random.Generator) -> Estimate:
        tests = [Extinction.of(subject, change, self, generator) for change in decided]
        shifts = [self.of_policies(test.before, test.after, choices(test.world)).value for test in tests]
        return _mean(tests, shifts, {})

    def _counted(
        self, subject: Subject, decided: Sequence[Intervention], generator: np.random.Generator
    ) -> tuple[Estimate, str]:
        """The estimate from decisions, and where its probes come from."""
        choices_in(subject.environment, "outcome_devaluation")
        probes, start = self._probes(subject, generator)
        pairs = [(subject.agent, subject.under(change).agent) for change in decided]
        shift = Shift.of(pairs, probes, self.draws, generator)
        return self.estimate(shift.before, shift.after, generator=generator), start

    def _probes(self, subject: Subject, generator: np.random.Generator) -> tuple[Tensor, str]:
        with suppress(UserError):
            states = np.flatnonzero(choices(known_world(subject.environment)[1]))
            return state_probes(subject.environment, states, self.probes, generator), STATES
        if subject.lacks("record"):
            subject = subject.recorded(episodes=LIVED, seed=int(generator.integers(2**31)))
        probes = lived_probes(subject.record, subject.environment, self.probes, generator)
        return probes, "what the agent saw in its own episodes before the change, each as the first of an episode"


@final
@dataclass(frozen=True)
class ContingencyDegradation(Response):
    """The drop in how often an agent does what an outcome depended on, once that outcome comes for free.

    In every state where some action brings the outcome more probably than another does, all are made to bring it as
    probably. Responses are the actions whose contingency Delta P was positive; probed is where there are such.
    `outcome`, `horizon` and `discount` as in `OutcomeDevaluation`. The agent is told of its goal.
    """

    outcome: int = 0
    horizon: int = 60
    discount: float = 0.99

    unit = "probability"

    def of_policies(
        self,
        policy_before: ArrayLike,
        policy_after: ArrayLike,
        responses: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> Estimate:
        """The drop, from -1 to 1, in how often responses are made once the outcome no longer depends on them, exactly.

        sum over states of w(s) [pi_before(responses | s) - pi_after(responses | s)]. Policies (states, actions);
        `responses` (states, actions), true for the actions on which the outcome depended; `weights` as for
        `OutcomeDevaluation.of_policies`. Source: Hammond 1980; Balleine and Dickinson 1998.
        """
        before, after, probes = _checked(policy_before, policy_after, weights)
        made = np.asarray(responses, dtype=bool)
        if made.shape != before.shape:
            raise UserError(f"responses must have the shape {before.shape} of the policies, got {made.shape}")
        value = float(probes @ ((before - after) * made).sum(-1))
        return _exactly(value)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        payoff = _payoff(subject, "contingency_degradation")
        amount = payoff.outcome(self.outcome)
        name = f"what pays {amount:g} comes for free"
        change = intervention(name, partial(changes.free, outcome=amount), subject.environment, informed="goal")
        test = Extinction.of(subject, change, self, generator)
        delta = contingency(payoff.delivery(test.world.dynamics, amount))
        responses = (delta > EXACT) & choices(test.world)[:, None]
        if not responses.any():
            raise UserError(
                f"contingency_degradation needs an outcome that depends on the action; {amount:g} is paid whatever is "
                "done: choose another outcome"
            )
        value = self.of_policies(test.before, test.after, responses, responses.any(-1)).value
        more = {"outcome": amount, "contingency": float(delta[responses].mean())}
        found = _mean([test], [value], more)
        return found.measurement("contingency_degradation", self, _frame(self, [change], STATES))


Tested = OutcomeDevaluation | ContingencyDegradation


@final
@dataclass(frozen=True)
class Extinction:
    """A test without further experience: the policy tables before and after the agent was informed, and the world.

    `index` is what the change of behavior brings, as an adaptation index; NaN where there is nothing to gain.
    """

    before: Floats
    after: Floats
    world: World
    index: float
    name: str

    @classmethod
    def of(cls, subject: Subject, change: Intervention, metric: "Tested", generator: np.random.Generator) -> Self:
        """The test of `subject` under `change`, with the index over the horizon and with the discount of `metric`.

        Raises UserError where the world is not finite, known and fully observed.
        """
        changed, seed = subject.under(change), int(generator.integers(2**31))
        truth, world = known_world(changed.environment)
        before, after = (
            query(agent, truth, generator=np.random.default_rng(seed)) for agent in (subject.agent, changed.agent)
        )
        index = adaptation_index(world, before, after, horizon=metric.horizon, discount=metric.discount)
        return cls(before, after, known_world(subject.environment)[1], index, change.name)


def _mean(tests: Sequence[Extinction], values: Sequence[float], diagnostics: Mapping[str, Any]) -> Estimate:
    """The mean of `values`, one per test; its null is a policy that does not change, or to no avail."""
    useful = [v if abs(test.index) > EXACT else 0.0 for v, test in zip(values, tests, strict=True)]  # NaN is not
    lost = [test.name for test in tests if isnan(test.index)]
    return Estimate(
        value=float(np.mean(values)),
        estimator="exact policies",
        null=exact_null(float(np.mean(useful)), "a policy that does not change, or to no avail"),
        diagnostics={
            "adaptation_index": tests[0].index if len(tests) == 1 else [test.index for test in tests],
            "probe_states": int(choices(tests[0].world).sum()),
            **diagnostics,
        },
        cautions=tuple(
            Caution(f"the change ({name}) leaves nothing to gain, so that it cannot be adapted to") for name in lost
        ),
    )


def _frame(metric: "Tested", family: Sequence[Intervention], start: str) -> Frame:
    return Frame(
        variables=("policy",),
        boundary=f"the agent chooses actions; it is {informed_of(family)} and gathers no experience of the change",
        horizon=metric.horizon,
        goal=f"reward discounted by {metric.discount:g} per step",
        start=start,
        interventions=tuple(change.name for change in family),
    )


def _exactly(value: float) -> Estimate:
    return Estimate(value=value, estimator="exact policies", null=exact_null(value, "a policy that does not change"))


def _payoff(subject: Subject, name: str) -> Payoff:
    """The payoff of the unchanged world. Raises UserError where that is not known."""
    try:
        return Payoff.of(known_world(subject.environment)[1])
    except UserError as error:
        raise UserError(f"{name} needs a finite known world: {error}") from None


def _checked(before: ArrayLike, after: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """Two policies and the weights of their states, scaled to sum to 1. Raises UserError where they do not fit."""
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
