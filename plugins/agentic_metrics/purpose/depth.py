"""Planning depth: the number of steps ahead that an agent looks, inferred from what it does in a known world.

A clone of a planner has its teacher's depth as long as the world stays as it was; only a change tells them apart.
"""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from agentic import Access, Frame, Interval, Measurement, Metric, Null, Subject, UserError
from agentic_metrics.cautions import Caution
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.arrays import Bools, Episodes, Floats
from agentic_metrics.finite.behavior import Steps, recorded_behavior
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.query import asked, known_policy, known_world
from agentic_metrics.finite.soft import mover
from agentic_metrics.finite.world import World, checked_policy, greedy, visits
from agentic_metrics.purpose.devices import wander
from agentic_metrics.sampling.surrogates import compare

SAME = 1e-9  # log-likelihoods (nats) and probabilities closer than this are equal


@final
@dataclass(frozen=True)
class PlanningDepth(Metric):
    """The number of steps ahead that the planner looks which explains decisions best; 0 where none beats chance.

    Planners look 1, 2, ..., `deepest` steps ahead before every action and take what is best by then: future rewards
    count `discount` per step, equally good actions are taken equally often, and with probability `lapse` any action at
    all. Beyond the horizon nothing is expected. An agent that errs more often than `lapse` refutes all planners.

    Without `exact`, the record's decisions are read, the first `horizon` of each episode or, with `draws`, the agent
    makes so many itself, each in a state drawn from those in which some planner prefers an action. `exact` takes its
    own action probabilities: in those states, all alike (`weights` "uniform"), or in all as it visits them within
    `horizon` steps ("own"), which is what a record tells. A clone has the depth of what it was cloned from until the
    world changes, and a lucky reflex has one too (van Opheusden et al. 2023, without their noise in the values).
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
        if self.deepest < 1 or not 0 < self.discount <= 1 or not 0 < self.lapse < 1:
            raise UserError(f"planners need deepest >= 1, a discount in (0, 1] and a lapse between 0 and 1, got {self}")

    @property
    def needs(self) -> tuple[Literal["agent", "record"], Literal["environment"]]:
        return ("agent", "environment") if self.exact or self.draws else ("record", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        own = "states weigh as the agent visits them" if self.exact else "states weigh as recorded"
        alike = self.draws or (self.exact and self.weights == "uniform")
        weighing = "all states in which a planner prefers an action, alike" if alike else own
        frame = Frame(
            variables=("state", "action"),
            boundary=f"planners of depth 1 to {self.deepest}, discount {self.discount}, lapse {self.lapse}",
            horizon=self.deepest,
            goal="the environment's reward",
            start=f"{weighing}; nothing is expected beyond a planner's horizon",
            interventions=(),
        )
        return self._found(subject, generator).measurement("planning_depth", self, frame)

    def _found(self, subject: Subject, generator: np.random.Generator) -> Estimate:
        if self.exact:
            _, world, policy = known_policy(subject, generator=generator)
            return self.of_policy(policy, world)
        if not self.draws:
            world, states, actions = recorded_behavior(subject.record, subject.environment, self.horizon)
            return self.estimate(states, actions, world, generator=generator)
        truth, world = known_world(subject.environment)
        places = generator.choice(np.flatnonzero(_telling(self.planners(world)[0], world)), size=self.draws)
        taken = asked(subject.agent, truth, places, generator=generator)
        return self.estimate(list(places[:, None]), list(taken[:, None]), world, generator=generator)

    def planners(self, world: World) -> tuple[Floats, bool]:
        """The planners' policies (deepest, states, actions), and whether all deeper ones do what the deepest does.

        That is taken to be so where as many steps more as there are states change nothing.
        """
        move, tables, settled = mover(world), list[Floats](), True
        backups = world.backups(move=lambda values: self.discount * move(values[:, None])[..., 0])
        for depth, backup in zip(range(self.deepest + world.states), backups, strict=False):
            policy = greedy(*backup)
            if depth < self.deepest:
                tables.append(policy)
            elif np.abs(policy - tables[-1]).max() > SAME:
                settled = False
                break
        planned = np.stack(tables)
        return np.asarray((1 - self.lapse) * planned + self.lapse / planned.shape[-1]), settled

    def estimate(
        self, states: Episodes, actions: Episodes, world: World, *, generator: np.random.Generator
    ) -> Estimate:
        """The most probable depth of the planner that chose these actions, 0 where chance is as probable.

        `states` and `actions` hold one array of whole numbers per episode. Chance and all depths are equally likely
        before; the interval spans the most probable ones that hold 95 %, its upper end infinite where deeper planners
        do the same. The null is a uniformly random policy from the same first states; p is how often a planner tells
        its decisions as well. Raises UserError for places or actions that the world lacks.
        """
        steps = Steps.of(states, actions, world)
        policies, settled = self.planners(world)
        logs = np.log(policies)
        fit = _recorded(logs, steps, settled)
        none = Caution("no planner does better than chance: raise the lapse if the agent may err often")
        return Estimate(
            value=float(fit.depth),
            estimator="likelihood",
            interval=Interval(0.95, fit.low, fit.high, "posterior over depths"),
            null=_null(world, logs, steps, fit, self.surrogates, generator) if self.surrogates else None,
            episodes=len(steps.lengths),
            samples=len(steps.actions),
            diagnostics=fit.diagnostics,
            cautions=() if fit.depth else (none,),
        )

    def of_policy(self, policy: ArrayLike, world: World, weights: ArrayLike | None = None) -> Estimate:
        """The depth of a known `policy` (states, actions), exactly: argmax_d sum_s w(s) sum_a pi(a|s) ln pi_d(a|s).

        `weights` (states,) say how much each state counts; None: as the metric's own do. Diagnostics `low` and `high`
        bound the depths that cannot be told from the best. Raises UserError where shapes disagree.
        """
        table = checked_policy(world, policy)
        policies, settled = self.planners(world)
        if weights is None and self.weights == "own":
            weights = visits(world, table, horizon=self.horizon)
        given = np.asarray(_telling(policies, world) if weights is None else weights, np.float64)
        if given.shape != world.start.shape or not np.isfinite(given).all() or given.min() < 0 or given.sum() <= 0:
            raise UserError(f"weights are {world.states} numbers >= 0, not all 0, one per state, got {given.shape}")
        scores = (np.log(policies) * table).sum(-1) @ (given / given.sum())
        scores = np.insert(scores, 0, -np.log(world.actions))
        fit = DepthFit.of(scores, scores >= scores.max() - SAME, settled)
        null = exact_null(fit.depth, "uniformly random policy")
        return Estimate(value=float(fit.depth), estimator="exact", null=null, diagnostics=fit.diagnostics)


@final
@dataclass(frozen=True)
class DepthFit:
    """The mean log-likelihood of decisions under each planner, `scores` (1 + deepest,), in nats per decision.

    The first is that of a uniformly random policy, which counts as depth 0. `low` and `high` bound the depths that
    cannot be told from the best; `high` is infinite where all deeper planners do the same.
    """

    scores: Floats
    low: float
    high: float

    @classmethod
    def of(cls, scores: Floats, kept: Bools, settled: bool) -> "DepthFit":
        """The fit of scores, bounded by the depths that are `kept`; `settled`: all deeper planners do the same."""
        depths = np.flatnonzero(kept)
        deepest = settled and depths[-1] == len(scores) - 1
        return cls(scores, float(depths[0]), float("inf") if deepest else float(depths[-1]))

    @property
    def depth(self) -> int:
        """The smallest of the best depths; 0 where no planner beats chance, which refutes any depth found before."""
        return int(np.argmax(self.scores >= self.scores.max() - SAME))

    @property
    def gain(self) -> float:
        """The nats per decision by which the best planner beats chance, 0 where none does."""
        return float(self.scores.max()) - float(self.scores[0]) if self.depth else 0.0

    @property
    def diagnostics(self) -> dict[str, object]:
        return {
            "log_likelihood": float(self.scores.max()),
            "chance": float(self.scores[0]),
            "log_likelihoods": self.scores.tolist(),
            "low": self.low,
            "high": self.high,
        }


def _telling(policies: Floats, world: World) -> Bools:
    """The states (s,) to be met in which some planner prefers an action; where there are none, all where it goes on."""
    met = reached(world)
    kept = np.asarray((np.ptp(policies, axis=-1) > SAME).any(0) & met)
    return kept if kept.any() else met & ~world.ended


def _recorded(logs: Floats, steps: Steps, settled: bool) -> DepthFit:
    """The fit of recorded decisions, with the depths that hold 95 % of the posterior."""
    total = np.insert(logs[:, steps.states, steps.actions].sum(-1), 0, -len(steps.actions) * np.log(logs.shape[-1]))
    posterior = np.exp(total - logsumexp(total))
    order = np.argsort(-posterior, kind="stable")
    enough = int(np.searchsorted(posterior[order].cumsum(), 0.95 - SAME)) + 1
    return DepthFit.of(total / len(steps.actions), total >= total[order[:enough]].min() - SAME, settled)


def _null(
    world: World, logs: Floats, steps: Steps, fit: DepthFit, surrogates: int, generator: np.random.Generator
) -> Null:
    """Depths of a random policy; p compares how much better than chance the best planner is, in nats."""
    uniform = np.full(world.rewards.shape, 1 / world.actions)
    samples = wander(world, uniform, steps, times=surrogates, generator=generator)
    fits = [_recorded(logs, each, False) for each in samples]
    gains = [each.gain * len(sample.actions) for each, sample in zip(fits, samples, strict=True)]
    depths = np.array([each.depth for each in fits], np.float64)
    p_value = compare(fit.gain * len(steps.actions), gains, "gain").p_value
    return Null("uniformly random policy", float(depths.mean()), float(depths.std()), surrogates, p_value)
