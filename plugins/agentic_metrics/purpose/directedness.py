"""Maximum entropy goal-directedness (MEG): how much of what an agent does is explained by the pursuit of a goal.

In nats, over acting at random: known exactly for a policy, estimated for recorded episodes.
"""

from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Access, Frame, Interval, Measurement, Metric, Subject, Truth, UserError
from agentic_metrics.cautions import Caution, few_episodes, too_few
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.arrays import Episodes, Floats, Ints
from agentic_metrics.finite.behavior import Behavior, random_behavior, recorded_behavior
from agentic_metrics.finite.fitting import NONE, Decisions, Fit, fit
from agentic_metrics.finite.query import known_policy, known_world
from agentic_metrics.finite.soft import checked_policies, checked_utility, occupancy
from agentic_metrics.finite.world import World
from agentic_metrics.purpose.utilities import LARGEST, Utilities, held_out
from agentic_metrics.sampling.surrogates import compare

FEW = 20  # episodes below which the interval is not to be believed


@final
@dataclass(frozen=True)
class GoalDirectedness(Metric):
    """Maximum entropy goal-directedness: the nats by which the pursuit of a goal explains decisions better than chance.

    max over beta of E[ sum_t discount^t (ln pi_beta,t(a_t|s_t) + ln|A|) ], t < `horizon`, with pi_beta soft-optimal for
    the goal's utility. Between 0, for a uniformly random policy, and sum_t discount^t ln|A|, of which `normalized` is
    the share, comparable between worlds; the same for c U + d, with any c other than 0. Decisions after the end are
    random in every pi_beta and add nothing (MacDermott, Fox, Belardinelli and Everitt 2024).

    The goal is the environment's reward less `cost` per step while the episode lasts or, where it is not `known`,
    whichever utility of the state `variables` (indices of the state's factors; none: the whole state) explains most.
    From a record, with `surrogates` sets of random episodes beside it where the goal is known, or, with `exact`, from
    the agent's own action probabilities. beta is kept below `largest` over the range of the utility. A constant policy
    may score, a table cloned from a planner scores what the planner does, and values grow with the horizon and |A|.
    """

    horizon: int = 12
    discount: float = 1.0
    cost: float = 0.0
    known: bool = True
    variables: tuple[int, ...] = ()
    exact: bool = False
    largest: float = float("inf")
    surrogates: int = 499
    level: float = 0.95

    access = Access.MODEL
    unit = "nats"

    def __post_init__(self) -> None:
        if self.horizon < 1 or not 0 < self.discount <= 1 or self.surrogates < 0 or not 0 < self.level < 1:
            raise UserError(
                "goal_directedness expects a horizon >= 1, a discount in (0, 1], surrogates >= 0 and a level between 0 "
                f"and 1, got {self}"
            )
        if not self.largest > 0:
            raise UserError(f"the largest inverse temperature must be a positive number, got {self.largest}")
        if self.known and self.variables:
            raise UserError("variables are those of an unknown goal: add known=false, or leave them out")

    @property
    def needs(self) -> tuple[Literal["record", "agent", "environment"], ...]:
        return ("agent", "environment") if self.exact else ("record", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        of = f"state factors {list(self.variables)}" if self.variables else "the state"
        price = f" less {self.cost:g} per step" if self.cost else ""
        frame = Frame(
            variables=("state", "action"),
            boundary="the agent chooses actions, the world does the rest",
            horizon=self.horizon,
            goal=f"the environment's reward{price}" if self.known else f"the best utility of {of}",
            start="the environment's own resets" if self.exact else "the first states of the record's episodes",
            interventions=(),
        )
        if self.exact:
            truth, world, policy = known_policy(subject, generator=generator)
            found = self.of_policy(policy, world, self._labels(truth, world))
        else:
            world, states, actions = recorded_behavior(subject.record, subject.environment)
            labels = self._labels(*known_world(subject.environment))
            found = self.estimate(states, actions, world, labels, generator=generator)
        return found.measurement("goal_directedness", self, frame)

    def of_policy(self, policy: ArrayLike, world: World, goal: ArrayLike | None = None) -> Estimate:
        """The goal-directedness of a known `policy` (s, a) or (t, s, a), exactly, on the states that it visits itself.

        `goal` is a utility (s, a) or (s,) and by default the metric's own; where none is known, it names the value,
        from 0, that the variables have in each state (s,), by default one for each state. The objective is concave:
        beta E[return] - E[soft value] + sum_t discount^t ln|A|. A policy that is optimal, or worst, has no best beta
        and gets the `limit` of infinite beta, which is approached, unless `largest` is finite: then it is `capped`, and
        the value a lower bound. `sign` is 1 for the utility, -1 against it, 0 where it explains nothing.
        """
        tables = checked_policies(world, policy, self.horizon)
        made = occupancy(world, tables, horizon=self.horizon, discount=self.discount)
        details: dict[str, object]
        if self.known:
            found = self._fit(world, self._utility(world, goal), Decisions.of_policy(made))
            value, beta = float(found.value[0]), float(found.beta[0])
            ends = {"limit": bool(found.limit[0]), "capped": bool(found.capped[0])}
            details = {"beta": beta, "sign": int(np.sign(beta)), **ends}
        else:
            search = self._search(world, goal)
            utility = search.best(made)
            value, details = float((made * search.nats(utility)).sum()), {"utility": utility}
        value = max(0.0, value)  # what rounding takes below zero
        return Estimate(
            value=value,
            estimator="exact",
            null=exact_null(value, "a uniformly random policy"),
            diagnostics={"normalized": value / self._most(world), **details},
        )

    def estimate(
        self,
        states: Episodes,
        actions: Episodes,
        world: World,
        goal: ArrayLike | None = None,
        *,
        generator: np.random.Generator,
    ) -> Estimate:
        """The goal-directedness of episodes in a known world, with an interval and a null; `goal` as in `of_policy`.

        `actions`: an array (t,) per episode; `states`: (t,), or (t + 1,) with the place where it stopped. Only the
        first `horizon` decisions count. The value is the mean over episodes of l_i = sum_t discount^t
        (ln pi_beta(a_t|s_t) + ln|A|) at the best beta, less the excess of fitting it (1 / (2n) nats where the
        soft-optimal family is right, Var(l_i') / (2n |l''|) in general). By the envelope theorem the fit adds nothing
        to the first-order error, which is that of the mean of the l_i. The null are `surrogates` sets of as many
        episodes of a random agent from the same first states in the same world. Of an unknown goal: `held_out`.
        """
        behavior = Behavior.of(world, states, actions, most=self.horizon)
        if self.known:
            found = self._pursued(behavior, world, self._utility(world, goal), generator)
        else:
            found = held_out(self._search(world, goal), behavior, level=self.level, generator=generator)
        return replace(
            found,
            episodes=len(behavior.states),
            samples=int(behavior.valid.sum()),
            diagnostics={**found.diagnostics, "normalized": found.value / self._most(world)},
            cautions=(*found.cautions, *_sample_cautions(behavior)),
        )

    def _pursued(self, behavior: Behavior, world: World, utility: Floats, generator: np.random.Generator) -> Estimate:
        """What a known goal explains of episodes."""
        if len(behavior.states) < 2:
            raise UserError("an interval over episodes needs at least 2 of them, got 1: record more")
        found = self._fit(world, utility, Decisions.of_behavior(behavior, world.actions, self.discount))
        value, null = float(found.value[0] - found.excess[0]), None
        if self.surrogates:
            random = random_behavior(world, behavior, self.surrogates, generator)
            chance = Decisions.of_behavior(random, world.actions, self.discount, self.surrogates)
            lucky = self._fit(world, utility, chance)
            null = compare(value, lucky.value - lucky.excess, "a uniformly random agent in the same world", tie=0.0)
        beta = float(found.beta[0])
        return Estimate(
            value=value,
            estimator="soft-optimal likelihood",
            interval=_interval(found, self.level),
            null=null,
            diagnostics={"beta": beta, "sign": int(np.sign(beta)), "excess": float(found.excess[0])},
            cautions=_cautions(found, self.largest),
        )

    def _fit(self, world: World, utility: Floats, decisions: Decisions) -> Fit:
        return fit(world, utility, decisions, discount=self.discount, largest=self.largest)

    def _utility(self, world: World, goal: ArrayLike | None) -> Floats:
        """The declared utility (s, a), by default the reward less the cost."""
        reward = np.where(world.ended[:, None], 0.0, world.rewards - self.cost)
        return checked_utility(world, reward if goal is None else goal)

    def _search(self, world: World, labels: ArrayLike | None) -> Utilities:
        return Utilities.of(
            world, labels, horizon=self.horizon, discount=self.discount, largest=min(self.largest, LARGEST)
        )

    def _most(self, world: World) -> float:
        """The most nats there are to explain: sum_t discount^t ln|A|."""
        if world.actions < 2:
            raise UserError(
                "there is nothing to choose in a world of one action: goal-directedness has no meaning there"
            )
        return float((self.discount ** np.arange(self.horizon)).sum() * np.log(world.actions))

    def _labels(self, truth: Truth, world: World) -> Ints | None:
        """The joint value of the variables in each state, the last varying fastest; None where there are none."""
        if not self.variables:
            return None
        sizes = [len(first) for first in truth["D"]]
        if not all(0 <= each < len(sizes) for each in self.variables):
            raise UserError(f"variables are factors of the state from 0 to {len(sizes) - 1}, got {self.variables}")
        values = np.indices(sizes).reshape(len(sizes), -1)[list(self.variables)][:, world.origin]
        return np.asarray(np.ravel_multi_index(list(values), [sizes[each] for each in self.variables]))


def _interval(found: Fit, level: float) -> Interval:
    """Student's t interval of sqrt(2 value), squared again.

    Near 0 the value is half the square of a normal quantity, elsewhere nearly normal itself: its root is normal in
    both, with the standard error of the mean of the local values over the root.
    """
    local = found.local[0]
    raw, count = max(float(found.value[0]), 0.0), len(local)
    root = float(np.sqrt(2 * raw))
    error = float(np.sqrt(local.var(ddof=1) / count)) / root if raw > NONE else 0.0
    method = f"Student t of the root over {count} episodes"
    rooted = Interval.student(root, error, count - 1, level=level, method=method)
    low = rooted.low**2 / 2 if rooted.low > 0 else min(0.0, raw - float(found.excess[0]))
    return replace(rooted, low=low, high=rooted.high**2 / 2)


def _cautions(found: Fit, largest: float) -> tuple[Caution, ...]:
    if found.limit[0]:
        more = "every decision is optimal, so that beta is unbounded and the interval too narrow: record more episodes"
        return (too_few(more),)
    if found.capped[0]:
        bound = f"beta lies at its bound of {largest:g} over the range of the utility: the value is a lower bound"
        return (Caution(bound),)
    return ()


def _sample_cautions(behavior: Behavior) -> tuple[Caution, ...]:
    """What is wrong with a sample: too few episodes, or episodes that stopped too early."""
    few = few_episodes(len(behavior.states), FEW)
    if not behavior.cut.any():
        return few
    shortest = int(behavior.valid.sum(1)[behavior.cut].min())
    text = (
        f"{int(behavior.cut.sum())} episodes were cut before the horizon of {behavior.states.shape[1]} decisions, "
        f"the rest of which counts as random: choose a horizon of at most {shortest}, or record longer ones"
    )
    return (*few, Caution(text))
