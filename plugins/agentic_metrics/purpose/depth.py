"""How many steps ahead an agent looks, read off what it does in a world that is known.

A clone of a planner has its teacher's depth as long as the world stays as it was; only a change tells them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from agentic import Access, Frame, Interval, Measurement, Metric, Null, Subject, UserError
from agentic_metrics.cautions import Caution
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.behavior import recorded_behavior
from agentic_metrics.finite.lookahead import SAME, Planners, telling
from agentic_metrics.finite.query import asked, known_world, query
from agentic_metrics.finite.world import Floats, World, checked_policy, visits
from agentic_metrics.purpose.devices import Steps, wander
from agentic_metrics.sampling.surrogates import compare


@final
@dataclass(frozen=True)
class DepthFit:
    """How well each planner explains decisions: mean log-likelihoods `scores` (1 + deepest,), in nats per decision.

    The first is that of a uniformly random policy, which counts as depth 0. `low` and `high` bound the depths that
    cannot be told from the best; `high` is infinite where all deeper planners do the same.
    """

    scores: Floats
    low: float
    high: float

    @property
    def depth(self) -> int:
        """The smallest of the best depths; 0 where no planner beats chance, which refutes any depth found before."""
        return int(np.argmax(self.scores >= self.scores.max() - SAME))

    @property
    def score(self) -> float:
        """The best mean log-likelihood."""
        return float(self.scores.max())


def policy_depth(
    policy: ArrayLike, world: World, *, planners: Planners | None = None, weights: ArrayLike | None = None
) -> DepthFit:
    """The depth of a policy (states, actions), exactly: argmax_d sum_s w(s) sum_a pi(a|s) ln pi_d(a|s).

    `weights` (states,) say how much each state counts; None: all alike in which some planner prefers an action. After
    van Opheusden et al. (2023), without their noise in the values. Raises UserError where shapes disagree.
    """
    table = checked_policy(world, policy)
    policies, settled = (planners or Planners()).policies(world)
    given = telling(policies, world).astype(np.float64) if weights is None else np.asarray(weights, np.float64)
    if given.shape != world.start.shape or not np.isfinite(given).all() or given.min() < 0 or given.sum() <= 0:
        raise UserError(f"weights are {world.states} numbers >= 0, not all 0, one per state, got {given.shape}")
    scores = (np.log(policies) * table).sum(-1) @ (given / given.sum())
    scores = np.insert(scores, 0, -np.log(world.actions))
    return _fit(scores, scores >= scores.max() - SAME, settled)


def planning_depth(
    states: Sequence[ArrayLike],
    actions: Sequence[ArrayLike],
    world: World,
    *,
    planners: Planners | None = None,
    surrogates: int = 499,
    generator: np.random.Generator,
) -> Estimate:
    """The most probable depth of the planner that chose these actions, 0 where chance is as probable.

    `states` and `actions` hold one array of whole numbers per episode. Chance and all depths are equally likely before;
    the interval spans the most probable ones that hold 95 %, its upper end infinite where deeper planners do the same.
    The null is a uniformly random policy from the same first states; p is how often a planner tells its decisions as
    well. An agent that errs more often than `lapse` refutes all planners: raise it. After van Opheusden et al. (2023).
    Raises UserError for places or actions that the world lacks.
    """
    steps = Steps.of(states, actions, world)
    policies, settled = (planners or Planners()).policies(world)
    logs = np.log(policies)
    fit = _recorded(logs, steps, settled)
    count = len(steps.lengths)
    none = Caution("no planner does better than chance: raise the lapse if the agent may err often")
    return Estimate(
        value=float(fit.depth),
        estimator="likelihood",
        interval=Interval(0.95, fit.low, fit.high, "posterior over depths"),
        null=_null(world, logs, steps, fit, surrogates, generator) if surrogates else None,
        episodes=count,
        samples=len(steps.actions),
        diagnostics=_diagnostics(fit),
        cautions=() if fit.depth else (none,),
    )


def _recorded(logs: Floats, steps: Steps, settled: bool) -> DepthFit:
    """The fit of recorded decisions, with the depths that hold 95 % of the posterior."""
    total = np.insert(logs[:, steps.states, steps.actions].sum(-1), 0, -len(steps.actions) * np.log(logs.shape[-1]))
    posterior = np.exp(total - logsumexp(total))
    order = np.argsort(-posterior, kind="stable")
    enough = int(np.searchsorted(posterior[order].cumsum(), 0.95 - SAME)) + 1
    return _fit(total / len(steps.actions), total >= total[order[:enough]].min() - SAME, settled)


def _fit(scores: Floats, kept: NDArray[np.bool_], settled: bool) -> DepthFit:
    depths = np.flatnonzero(kept)
    deepest = settled and depths[-1] == len(scores) - 1
    return DepthFit(scores, float(depths[0]), float("inf") if deepest else float(depths[-1]))


def _null(
    world: World, logs: Floats, steps: Steps, fit: DepthFit, surrogates: int, generator: np.random.Generator
) -> Null:
    """Depths of a random policy; p compares how much better than chance the best planner is, in nats."""
    uniform = np.full(world.rewards.shape, 1 / world.actions)
    samples = wander(world, uniform, steps, times=surrogates, generator=generator)
    fits = [_recorded(logs, each, False) for each in samples]
    gains = [_gain(each) * len(sample.actions) for each, sample in zip(fits, samples, strict=True)]
    depths = np.array([each.depth for each in fits], np.float64)
    p_value = compare(_gain(fit) * len(steps.actions), gains, "gain").p_value
    return Null("uniformly random policy", float(depths.mean()), float(depths.std()), surrogates, p_value)


def _gain(fit: DepthFit) -> float:
    """By how much the best planner beats chance, in nats per decision, 0 where none does."""
    return fit.score - float(fit.scores[0]) if fit.depth else 0.0


def _diagnostics(fit: DepthFit) -> dict[str, object]:
    return {
        "log_likelihood": fit.score,
        "chance": float(fit.scores[0]),
        "log_likelihoods": fit.scores.tolist(),
        "low": fit.low,
        "high": fit.high,
    }


@final
@dataclass(frozen=True)
class PlanningDepth(Metric):
    """How many steps ahead the planner looks that explains decisions best; 0 where none does better than chance.

    Without `exact`, the record's decisions are read, the first `horizon` of each episode or, with `draws`, the agent
    makes so many itself, each in a state drawn from those in which some planner prefers an action. `exact` takes its
    own action probabilities: in those states, all alike ("uniform"), or in all as it visits them within `horizon` steps
    ("own"), which is what a record tells. A clone has the depth of what it was cloned from until the world changes, and
    a lucky reflex has one too.
    """

    exact: bool = False
    deepest: int = 16
    discount: float = 0.9
    lapse: float = 0.02
    horizon: int = 200
    surrogates: int = 499
    weights: Literal["uniform", "own"] = "uniform"
    draws: int = 0

    access = Access.MODEL
    unit = "steps"

    def __post_init__(self) -> None:
        if min(self.surrogates, self.draws) < 0 or self.horizon < 1 or self.weights not in ("uniform", "own"):
            raise UserError(
                "planning_depth expects a horizon >= 1, surrogates and draws >= 0 and weights 'uniform' or 'own', got "
                f"{self}"
            )
        if self.exact and self.draws:
            raise UserError("planning_depth is exact or from draws, not both: leave one of them out")
        Planners(self.deepest, self.discount, self.lapse)

    @property
    def needs(self) -> tuple[Literal["agent", "record"], Literal["environment"]]:
        return ("agent", "environment") if self.exact or self.draws else ("record", "environment")

    @property
    def _planners(self) -> Planners:
        return Planners(self.deepest, self.discount, self.lapse)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = self._exact(subject, generator) if self.exact else self._sampled(subject, generator)
        own = "as the agent visits them" if self.exact else "as recorded"
        alike = self.draws or (self.exact and self.weights == "uniform")
        weighing = "all states in which a planner prefers an action, alike" if alike else f"states weigh {own}"
        frame = Frame(
            variables=("state", "action"),
            boundary=f"planners of depth 1 to {self.deepest}, discount {self.discount}, lapse {self.lapse}",
            horizon=self.deepest,
            goal="the environment's reward",
            start=f"{weighing}; nothing is expected beyond a planner's horizon",
            interventions=(),
        )
        return found.measurement("planning_depth", self, frame)

    def _exact(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        truth, world = known_world(subject.environment)
        policy = query(subject.agent, truth, generator=generator)
        weights = visits(world, policy, horizon=self.horizon) if self.weights == "own" else None
        fit = policy_depth(policy, world, planners=self._planners, weights=weights)
        null = exact_null(fit.depth, "uniformly random policy")
        return Estimate(value=float(fit.depth), estimator="exact", null=null, diagnostics=_diagnostics(fit))

    def _sampled(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        if self.draws:
            truth, world = known_world(subject.environment)
            kept = telling(self._planners.policies(world)[0], world)
            places = generator.choice(np.flatnonzero(kept), size=self.draws)
            taken = asked(subject.agent, truth, places, generator=generator)
            states, actions = list(places[:, None]), list(taken[:, None])
        else:
            world, states, actions = recorded_behavior(subject.record, subject.environment, self.horizon)
        return planning_depth(
            states, actions, world, planners=self._planners, surrogates=self.surrogates, generator=generator
        )
