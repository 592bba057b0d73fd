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
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.behavior import recorded_behavior
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.soft import mover
from agentic_metrics.finite.world import Floats, World, checked_policy, greedy
from agentic_metrics.purpose.devices import Steps, wander
from agentic_metrics.sampling.surrogates import compare

SAME = 1e-9  # log-likelihoods (nats) closer than this are equal


@final
@dataclass(frozen=True)
class Planners:
    """Agents that look 1, 2, ..., `deepest` steps ahead before every action and take what is best by then.

    Future rewards count `discount` per step, equally good actions are taken equally often, and with probability
    `lapse` any action at all. Beyond the horizon nothing is expected.
    """

    deepest: int = 16
    discount: float = 0.9
    lapse: float = 0.02

    def __post_init__(self) -> None:
        if self.deepest < 1 or not 0 < self.discount <= 1 or not 0 < self.lapse < 1:
            raise UserError(f"planners need deepest >= 1, a discount in (0, 1] and a lapse between 0 and 1, got {self}")

    def policies(self, world: World) -> tuple[Floats, bool]:
        """Their policies (deepest, states, actions), and whether all deeper ones do what the deepest does.

        That is taken to be so where as many steps more as there are states change nothing.
        """
        move, future, tables = mover(world), np.zeros(world.states), []
        for depth in range(self.deepest + world.states):
            values = np.where(world.ended[:, None], 0.0, world.rewards + self.discount * move(future[:, None])[..., 0])
            future, policy = values.max(-1), greedy(values)
            if depth < self.deepest:
                tables.append(policy)
            elif np.abs(policy - tables[-1]).max() > SAME:
                return self._lapsing(tables), False
        return self._lapsing(tables), True

    def _lapsing(self, tables: list[Floats]) -> Floats:
        planned = np.stack(tables)
        return np.asarray((1 - self.lapse) * planned + self.lapse / planned.shape[-1])


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
    if weights is None:
        given = (np.ptp(policies, axis=-1) > SAME).any(0).astype(np.float64)
        given = given if given.any() else (~world.ended).astype(np.float64)
    else:
        given = np.asarray(weights, np.float64)
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
    count, none = len(steps.lengths), "no planner does better than chance: raise the lapse if the agent may err often"
    return Estimate(
        value=float(fit.depth),
        estimator="likelihood",
        interval=Interval(0.95, fit.low, fit.high, "posterior over depths"),
        null=_null(world, logs, steps, fit, surrogates, generator) if surrogates else None,
        episodes=count,
        samples=len(steps.actions),
        diagnostics=_diagnostics(fit),
        warnings=() if fit.depth else (none,),
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

    With `exact`, the policy of the agent is asked for in all states; otherwise the record's decisions are read, the
    first `horizon` of each episode. A clone has the depth of what it was cloned from until the world changes, and a
    lucky reflex has one too.
    """

    exact: bool = False
    deepest: int = 16
    discount: float = 0.9
    lapse: float = 0.02
    horizon: int = 200
    surrogates: int = 499

    access = Access.MODEL
    unit = "steps"

    def __post_init__(self) -> None:
        if self.surrogates < 0 or self.horizon < 1:
            raise UserError(f"planning_depth expects a horizon >= 1 and surrogates >= 0, got {self}")
        Planners(self.deepest, self.discount, self.lapse)

    @property
    def needs(self) -> tuple[Literal["agent", "record"], Literal["environment"]]:
        return ("agent", "environment") if self.exact else ("record", "environment")

    @property
    def _planners(self) -> Planners:
        return Planners(self.deepest, self.discount, self.lapse)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        found = self._asked(subject, generator) if self.exact else self._read(subject, generator)
        weighing = "all states in which a planner prefers an action, alike" if self.exact else "as recorded"
        frame = Frame(
            variables=("state", "action"),
            boundary=f"planners of depth 1 to {self.deepest}, discount {self.discount}, lapse {self.lapse}",
            horizon=self.deepest,
            goal="the environment's reward",
            start=f"{weighing}; nothing is expected beyond a planner's horizon",
            interventions=(),
        )
        return found.measurement("planning_depth", self, frame)

    def _asked(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        assert subject.agent is not None
        assert subject.environment is not None
        _, world = known_world(subject.environment)
        fit = policy_depth(
            query(subject.agent, subject.environment, generator=generator), world, planners=self._planners
        )
        null = exact_null(fit.depth, "uniformly random policy")
        return Estimate(value=float(fit.depth), estimator="exact", null=null, diagnostics=_diagnostics(fit))

    def _read(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        assert subject.record is not None
        assert subject.environment is not None
        world, states, actions = recorded_behavior(subject.record, subject.environment, self.horizon)
        return planning_depth(
            states, actions, world, planners=self._planners, surrogates=self.surrogates, generator=generator
        )
