"""The intentional stance as compression: whether a record is told shorter by a goal or by a mechanism.

Both are mixtures of many hypotheses, so the answer holds for these classes and priors only; it is part of the frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from scipy.special import expit, logit, logsumexp

from agentic import Access, Frame, Interval, Measurement, Metric, Null, Subject, UserError
from agentic_metrics.cautions import Caution, too_few
from agentic_metrics.estimate import Estimate
from agentic_metrics.finite.arrays import Episodes, Floats, Ints
from agentic_metrics.finite.behavior import Steps, recorded_behavior
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.soft import mover
from agentic_metrics.finite.world import World, ties
from agentic_metrics.purpose.devices import ContextTree, wander
from agentic_metrics.sampling.surrogates import compare

LARGEST = 2**27  # cells of the policies of all goals


@final
@dataclass(frozen=True)
class StanceEvidence:
    """The evidence of a record: its ln probability under agents and under devices, and each goal's posterior (g,)."""

    log_agent: float
    log_device: float
    goals: Floats

    @property
    def bits(self) -> float:
        """The log2 Bayes factor: the bits by which the goal tells the record shorter; negative: the mechanism does."""
        return (self.log_agent - self.log_device) / float(np.log(2))

    def probability(self, prior: float = 0.5) -> float:
        """The posterior P(agent | record), given P(agent) = `prior`."""
        return float(expit(logit(prior) + self.log_agent - self.log_device))


@final
@dataclass(frozen=True)
class IntentionalStance(Metric):
    """The number of bits by which a goal tells the record shorter than a mechanism does.

    Agents seek one state of the known world but for a `lapse`, as fast as they can: by the largest expected
    `discount`^time, which orders all ways that do not depend on chance by their length. Devices see `memory` symbols of
    what came before. A random and a constant policy favor devices. It holds on the distribution of the record: a clone
    scores as its original does. Of each episode the first `horizon` decisions count.
    """

    lapse: float = 0.1
    discount: float = 0.95
    memory: int = 0
    horizon: int = 200
    surrogates: int = 499

    access = Access.MODEL
    unit = "bits"
    needs = ("record", "environment")

    def __post_init__(self) -> None:
        ContextTree(self.memory)
        if not 0 < self.lapse < 1 or not 0 < self.discount < 1:
            raise UserError(f"intentional_stance expects a lapse and a discount between 0 and 1, got {self}")
        if self.surrogates < 0 or self.horizon < 1:
            raise UserError(f"intentional_stance expects a horizon >= 1 and surrogates >= 0, got {self}")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        world, states, actions = recorded_behavior(subject.record, subject.environment, self.horizon)
        seen = f"{self.memory} symbols of state and action" if self.memory else "nothing"
        count = len(self.goals(world))
        frame = Frame(
            variables=("state", "action"),
            boundary=f"agents seek one state, the same in all episodes; one device for all episodes sees {seen}",
            horizon=self.horizon,
            goal=f"one of the {count} states that can be reached, equally likely; agent and device equally likely",
            start="the environment's own resets",
            interventions=(),
        )
        estimate = self.estimate(states, actions, world, generator=generator)
        return estimate.measurement("intentional_stance", self, frame)

    def estimate(
        self,
        states: Episodes,
        actions: Episodes,
        world: World,
        goals: Sequence[int] = (),
        *,
        generator: np.random.Generator,
    ) -> Estimate:
        """The log2 Bayes factor of agents over devices, in bits, given a known world (Orseau, McGregor and Legg 2018).

        sum over `goals` of prod pi_goal(a|s) / goals, against a Krichevsky-Trofimov device (or a tree of them), one
        goal and one device for all episodes; `states` and `actions` hold one array (t,) of whole numbers per episode.
        The interval is Student's t with the spread of what each episode adds to the others. The null are devices that
        the record could be taken for, a uniformly random policy and each constant one, from the same first states; the
        closest of them is reported, its p-value at least 2^-bits, the most that a draw from the device mixture allows
        (Markov's inequality). Raises UserError for what the world lacks.
        """
        judge, steps = _Judge(self, world, goals), Steps.of(states, actions, world)
        found = judge(steps)
        count = len(steps.lengths)
        return Estimate(
            value=found.bits,
            estimator="Bayes factor",
            interval=_interval(judge, steps, found.bits) if count > 1 else None,
            null=_null(judge, steps, found.bits, self.surrogates, generator) if self.surrogates else None,
            episodes=count,
            samples=len(steps.actions),
            diagnostics={
                "log_agent": found.log_agent,
                "log_device": found.log_device,
                "probability": found.probability(),
                "goal": int(self.goals(world, goals)[int(found.goals.argmax())]),
                "goal_probability": float(found.goals.max()),
            },
            cautions=tuple(_cautions(steps)),
        )

    def evidence(self, states: Episodes, actions: Episodes, world: World, goals: Sequence[int] = ()) -> StanceEvidence:
        """The evidence of these episodes for agents and for devices, exactly; arrays as in `estimate`."""
        return _Judge(self, world, goals)(Steps.of(states, actions, world))

    def goals(self, world: World, named: Sequence[int] = ()) -> Ints:
        """The states (g,) that may be wanted: those `named` or, where none is, all that can be met after another.

        The pursuit of what is never reached would be chance itself.
        """
        if len(named):
            return np.array(named, np.int64)
        from_here = reached(world) & ~world.ended
        leads = (world.dynamics > 0).any(1) & from_here[:, None] & ~np.eye(world.states, dtype=bool)
        return np.unique(world.origin[leads.any(0)]) if leads.any() else np.arange(world.origins)

    def seekers(self, world: World, named: Sequence[int] = ()) -> Floats:
        """The policies that seek each goal, (goals, states, actions): the best actions have 1 - `lapse` together.

        The others have `lapse` together; where all are as good, any is taken. Raises UserError for goals that the world
        lacks, or too many.
        """
        goals = self.goals(world, named)
        if goals.min() < 0 or goals.max() >= world.states or len(goals) * world.rewards.size > LARGEST:
            raise UserError(
                f"goals are states from 0 to {world.states - 1}, at most {LARGEST // world.rewards.size} of them in "
                f"this world, got {len(goals)} up to {goals.max()}: name the ones that may be wanted"
            )
        values = np.moveaxis(self._values(world, goals), -1, 0)
        best = ties(values)
        share, rest = best.sum(-1, keepdims=True), (~best).sum(-1, keepdims=True)
        lapsing = np.where(best, (1 - self.lapse) / share, self.lapse / np.maximum(rest, 1))
        return np.where(rest > 0, lapsing, 1 / world.actions)

    def _values(self, world: World, goals: Ints) -> Floats:
        """Expected discount^(time to the goal) after each action, (s, a, goals)."""
        move, there = mover(world), world.origin[:, None] == goals
        reach = there.astype(np.float64)
        while True:
            values = self.discount * move(reach)
            found = values.max(1)
            found[there] = 1.0
            if (found <= reach).all():  # they only rise, until rounding ends it
                return np.asarray(values)
            reach = found


@final
class _Judge:
    """Both mixtures, ready for any steps in this world."""

    def __init__(self, stance: IntentionalStance, world: World, goals: Sequence[int]) -> None:
        self.world, self._devices = world, ContextTree(stance.memory)
        policies = stance.seekers(world, goals)
        self._logs = np.log(policies.reshape(len(policies), -1).T.copy())

    def __call__(self, steps: Steps) -> StanceEvidence:
        places = steps.states * self.world.actions + steps.actions
        visited, counts = np.unique(places, return_counts=True)
        logs = counts @ self._logs[visited]
        log_agent = float(logsumexp(logs)) - float(np.log(len(logs)))
        device = self._devices.log_probability(steps, self.world.actions)
        return StanceEvidence(log_agent, device, np.asarray(np.exp(logs - logsumexp(logs))))


def _interval(judge: _Judge, steps: Steps, bits: float) -> Interval:
    """The bits of all episodes together and the spread of what each adds to the others."""
    added = np.array([bits - judge(steps.where(steps.episodes != i)).bits for i in np.unique(steps.episodes)])
    count, error = len(added), float(np.sqrt(len(added)) * added.std(ddof=1))
    return Interval.student(bits, error, count - 1, level=0.95, method=f"Student t over {count} episodes")


def _null(judge: _Judge, steps: Steps, bits: float, surrogates: int, generator: np.random.Generator) -> Null:
    """The device policy that comes closest; its p-value at least 2^-bits."""
    states, actions = judge.world.rewards.shape
    kinds = {"uniformly random policy": np.full((states, actions), 1 / actions)}
    kinds |= {f"constant action {a}": np.tile(np.eye(actions)[a], (states, 1)) for a in range(actions)}
    nulls = []
    for kind, policy in kinds.items():
        samples = wander(judge.world, policy, steps, times=surrogates, generator=generator)
        nulls.append(compare(bits, [judge(each).bits for each in samples], f"{kind}, the closest device"))
    closest = max(nulls, key=lambda null: (null.p_value, null.mean))
    return replace(closest, p_value=max(closest.p_value, 2.0 ** -max(0.0, bits)))


def _cautions(steps: Steps) -> list[Caution]:
    found = []
    if len(steps.lengths) < 2:
        found.append(too_few("one episode has no spread, so there is no interval: record at least 2"))
    if len(np.unique(steps.starts)) < 2:
        text = (
            "all episodes start in one state, from where a straight line is explained as well by a reflex: vary the "
            "first state"
        )
        found.append(Caution(text))
    return found
