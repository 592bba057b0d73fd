"""Policy complexity: the information between states and actions, how far what is done depends on what is seen.

It measures dependence on context, not quality: a policy that tells apart what need not be told apart scores higher.
"""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Access, Frame, Measurement, Metric, Subject, UserError
from agentic_metrics.estimate import Estimate, check_fields, effective, exact_null, observed
from agentic_metrics.finite.behavior import recorded_behavior
from agentic_metrics.finite.laws import Floats, checked_law, mutual_information
from agentic_metrics.finite.places import choices, reached
from agentic_metrics.finite.query import asked, known_world, query
from agentic_metrics.finite.world import World, visits
from agentic_metrics.information.decisions import decided_complexity
from agentic_metrics.sampling.choice import named, suited
from agentic_metrics.sampling.embedding import check_aligned
from agentic_metrics.sampling.information import Estimator
from agentic_metrics.sampling.samples import Samples
from agentic_metrics.sampling.series import Series, Variable, access_to, recorded


def policy_complexity(policy: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The exact complexity of a table of action probabilities (states, actions), in bits.

    I(S; A) = sum_s p(s) KL(pi(.|s) || p) with p(a) = sum_s p(s) pi(a|s); `weights` (states,) is p(s), uniform where
    None (Lai and Gershman 2021). 0 for every policy that does not look; at most the logarithm of the number of states
    or actions, whichever is less.
    """
    table, law = weighted(policy, weights)
    return mutual_information(law[:, None] * checked_law(table, "a policy", dimensions=2))


def weighted(table: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    """A finite table (states, actions) and the law of its states."""
    rows = np.asarray(table, np.float64)
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise UserError(f"expected a finite table (states, actions), got shape {rows.shape}")
    return rows, law_over(len(rows), weights, "the weights", "states")


def law_over(count: int, law: ArrayLike | None, name: str, unit: str) -> Floats:
    """A law (count,), uniform where None. Raises UserError, with these names, where it is of another length."""
    found = checked_law(np.full(count, 1 / count) if law is None else law, name, dimensions=1)
    if len(found) != count:
        raise UserError(f"{name} must give one probability to each of the {count} {unit}, got {len(found)}")
    return found


@final
@dataclass(frozen=True)
class PolicyComplexity(Metric):
    """Policy complexity I(state; action), in bits: how far what is done depends on what is seen.

    0 for a rock and for a coin. From recorded columns, or of the states of a finite known world that the agent sees. By
    `weights` they count as the agent visits them within `horizon` steps ("own") or all that can be met alike
    ("uniform"), those in which the episode has ended left out; with `choices`, only those count in which actions differ
    in what they do or pay. `exact` takes the agent's own action probabilities. Otherwise decisions are counted: "own"
    those of the record, "uniform" one of the agent itself in each of `draws` states, drawn alike. `state`, `action` and
    `estimator` are of recorded columns.
    """

    state: str = "obs"
    action: str = "action"
    exact: bool = False
    weights: Literal["own", "uniform"] = "own"
    horizon: int = 100
    estimator: str = "auto"
    surrogates: int = 499
    choices: bool = False
    draws: int = 1000

    unit = "bits"

    def __post_init__(self) -> None:
        if self.weights not in ("own", "uniform"):
            raise UserError(f"policy_complexity expects weights 'own' or 'uniform', got {self}")
        check_fields(self, horizon=1, surrogates=0, draws=2)
        named(self.estimator)

    @property
    def access(self) -> Access:
        return Access.MODEL if self._known else access_to(self.state, self.action)

    @property
    def needs(self) -> tuple[Literal["record", "agent", "environment"], ...]:
        if self.exact or self.weights == "uniform":
            return ("agent", "environment")
        return ("record", "environment") if self.choices else ("record",)

    @property
    def _known(self) -> bool:
        """Whether states are those of a known world rather than recorded columns."""
        return self.exact or self.choices or self.weights == "uniform"

    def estimate(
        self,
        states: Variable,
        actions: Variable,
        *,
        estimator: Estimator | None = None,
        generator: np.random.Generator,
    ) -> Estimate:
        """The estimate from what was seen and done, states weighing as often as they were visited.

        Each is an array (t,) or (t, d), or a list of them, one per episode; whole numbers are names. An `estimator`
        given here takes the place of the one named by the field. The plug-in estimate, for names, is corrected for its
        bias of about (|S| - 1)(|A| - 1) / (2 N ln 2) (Miller 1955; Panzeri and Treves 1996). In the null the states are
        those of other episodes, of fewer than four also turned in time: whoever plays a sequence by heart is inside it
        from two episodes on, where it has one; of a single episode nobody can tell. Raises UserError for series that
        are not of the same steps.
        """
        seen, done = Series.of(states), Series.of(actions)
        check_aligned(states=seen, actions=done)
        chosen, samples = estimator or named(self.estimator) or suited(seen, done), Samples.of_steps(seen, done)
        found, against = samples.compared(chosen, surrogates=self.surrogates, generator=generator)
        shown = {"bias": found.bias, **effective(found.value, against)}
        return Estimate.of(found, chosen.name, samples.episode, null=against, diagnostics=shown)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        if self.exact:
            found = self._exact(subject, generator)
        elif self.weights == "uniform":
            found = self._asked(subject, generator)
        elif not self.choices:
            seen, done = (recorded(subject.record, name) for name in (self.state, self.action))
            found = self.estimate(seen, done, generator=generator)
        else:
            found = self._decided(subject, generator)
        return found.measurement("policy_complexity", self, self._frame())

    def _frame(self) -> Frame:
        visited = f"as the agent visits them within {self.horizon} steps" if self.weights == "own" else "all alike"
        some = ", those only in which actions differ" if self.choices else ""
        start = f"states weigh {visited}{some}" if self._known else "states weigh as the evaluation episodes visit them"
        return observed(
            ("state", "action") if self._known else (self.state, self.action),
            boundary="what the agent sees is outside, what it does is its own",
            horizon=self.horizon if self._known else None,
            start=start,
        )

    def _counting(self, world: World) -> Floats:
        """1 for the states (s,) that count, else 0. Raises UserError where none does."""
        counting = choices(world) if self.choices else reached(world) & ~world.ended
        if not counting.any():
            some = "in which actions differ" if self.choices else "in which the episode goes on"
            raise UserError(f"policy_complexity needs a state {some}, this world has none")
        return counting.astype(np.float64)

    def _exact(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        truth, world = known_world(subject.environment)
        policy, weights = query(subject.agent, truth, generator=generator), self._counting(world)
        if self.weights == "own":
            weights = weights * visits(world, policy, horizon=self.horizon)
        if not weights.any():
            raise UserError("policy_complexity weighs states by visits, and this agent never chooses: weigh them alike")
        value = policy_complexity(policy, weights / weights.sum())
        return Estimate(value=value, estimator="exact", null=exact_null(value, "a policy that does not look"))

    def _asked(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        truth, world = known_world(subject.environment)
        places = generator.choice(np.flatnonzero(self._counting(world)), size=self.draws)
        taken = asked(subject.agent, truth, places, generator=generator)
        states, actions = list(places[:, None]), list(taken[:, None])
        return decided_complexity(states, actions, surrogates=self.surrogates, generator=generator)

    def _decided(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        world, states, actions = recorded_behavior(subject.record, subject.environment, self.horizon)
        counting = self._counting(world) > 0
        kept = [counting[each[:-1]] for each in states]
        seen = [each[:-1][some] for each, some in zip(states, kept, strict=True)]
        done = [each[some] for each, some in zip(actions, kept, strict=True)]
        return decided_complexity(seen, done, surrogates=self.surrogates, generator=generator)
