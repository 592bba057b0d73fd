"""How much of what is seen goes into what is done: the information between states and actions, and what it buys.

It measures dependence on context, not quality: a policy that tells apart what need not be told apart scores higher.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Access, Frame, Measurement, Metric, Subject, UserError
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.laws import Floats, checked_law, mutual_information
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import visits
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.columns import access_to
from agentic_metrics.sampling.embedding import Places, check_aligned
from agentic_metrics.sampling.information import Estimator, Information, interval
from agentic_metrics.sampling.series import Series, recorded
from agentic_metrics.sampling.surrogates import null

Variable = Series | ArrayLike | Sequence[ArrayLike]

SURROGATES = 499


def policy_complexity(policy: ArrayLike, weights: ArrayLike | None = None) -> float:
    """I(S; A) = sum_s p(s) KL(pi(.|s) || p), in bits, of a table of action probabilities (states, actions).

    p(a) = sum_s p(s) pi(a|s); `weights` (states,) is p(s), uniform where None (Lai and Gershman 2021). 0 for every
    policy that does not look; at most the logarithm of the number of states or actions, whichever is less.
    """
    table, law = weighted(policy, weights)
    return mutual_information(law[:, None] * checked_law(table, "a policy", dimensions=2))


def sampled_complexity(
    states: Variable,
    actions: Variable,
    *,
    estimator: Estimator | None = None,
    surrogates: int = SURROGATES,
    level: float = 0.95,
    generator: np.random.Generator,
) -> Estimate:
    """I(S; A) in bits from what was seen and done, weighing states as often as they were visited.

    Each is an array (t,) or (t, d), or a list of them, one per episode; whole numbers are names. The plug-in estimate,
    for names, is corrected for its bias of about (|S| - 1)(|A| - 1) / (2 N ln 2) (Miller 1955; Panzeri and Treves
    1996). In the null the states are those of other episodes: whoever plays a sequence by heart is inside it.

    Raises UserError for series that are not of the same steps.
    """
    seen, done = Series.of(states), Series.of(actions)
    check_aligned(states=seen, actions=done)
    chosen = estimator or suited(seen, done)
    values, taken = seen.joined(), done.joined()
    found = chosen.information(values, taken)

    def again(order: Places) -> Information:
        kept = order >= 0
        return chosen.information(values[order[kept]], taken[kept])

    against = null(found, seen, again, surrogates=surrogates, generator=generator)
    told = {"effective": found.value - against.mean} if against else {}
    episode = np.repeat(np.arange(len(seen.lengths)), seen.lengths)
    return Estimate(
        value=found.value,
        estimator=chosen.name,
        interval=interval(found, episode, level=level),
        null=against,
        episodes=len(seen.lengths),
        samples=len(values),
        diagnostics={"bias": found.bias, **told, **found.diagnostics},
        warnings=found.warnings,
    )


def weighted(table: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    """A finite table (states, actions) and the law of its states."""
    rows = np.asarray(table, np.float64)
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise UserError(f"expected a finite table (states, actions), got shape {rows.shape}")
    law = np.full(len(rows), 1 / len(rows)) if weights is None else weights
    found = checked_law(law, "the weights of the states", dimensions=1)
    if len(found) != len(rows):
        raise UserError(f"weights give one probability to each of the {len(rows)} states, got {len(found)}")
    return rows, found


@final
@dataclass(frozen=True)
class PolicyComplexity(Metric):
    """I(state; action) in bits: how far what is done depends on what is seen. 0 for a rock and for a coin.

    From recorded columns or, with `exact`, from the agent's own action probabilities in a finite known world whose
    state it sees; states then weigh as the agent visits them within `horizon` steps ("own") or all alike ("uniform"),
    those in which the episode has ended left out.
    """

    state: str = "obs"
    action: str = "action"
    exact: bool = False
    weights: Literal["own", "uniform"] = "own"
    horizon: int = 100
    estimator: str = "auto"
    surrogates: int = SURROGATES

    unit = "bits"

    def __post_init__(self) -> None:
        if self.weights not in ("own", "uniform") or self.horizon < 1 or self.surrogates < 0:
            raise UserError(
                f"policy_complexity expects weights 'own' or 'uniform', a horizon >= 1 and surrogates >= 0, got {self}"
            )
        named(self.estimator)

    @property
    def access(self) -> Access:
        return Access.MODEL if self.exact else access_to(self.state, self.action)

    @property
    def needs(self) -> tuple[Literal["record", "agent", "environment"], ...]:
        return ("agent", "environment") if self.exact else ("record",)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = self._exact(subject, generator) if self.exact else self._sampled(subject, generator)
        visited = f"as the agent visits them within {self.horizon} steps" if self.weights == "own" else "all alike"
        frame = Frame(
            variables=("state", "action") if self.exact else (self.state, self.action),
            boundary="what the agent sees is outside, what it does is its own",
            horizon=self.horizon if self.exact else None,
            goal="none",
            start=f"states weigh {visited}" if self.exact else "states weigh as the evaluation episodes visit them",
            interventions=(),
        )
        return found.measurement("policy_complexity", self, frame)

    def _exact(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        assert subject.agent is not None
        assert subject.environment is not None
        _, world = known_world(subject.environment)
        policy = query(subject.agent, subject.environment, generator=generator)
        uniform = np.where(world.ended, 0.0, 1.0)
        weights = visits(world, policy, horizon=self.horizon) if self.weights == "own" else uniform
        if not weights.any():
            raise UserError("policy_complexity needs a state in which the episode goes on, this world has none")
        value = policy_complexity(policy, weights / weights.sum())
        return Estimate(value=value, estimator="exact", null=exact_null(value, "a policy that does not look"))

    def _sampled(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        assert subject.record is not None
        return sampled_complexity(
            recorded(subject.record, self.state),
            recorded(subject.record, self.action),
            estimator=named(self.estimator),
            surrogates=self.surrogates,
            generator=generator,
        )
