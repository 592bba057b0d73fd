"""Policy adaptation: an agent is what would act otherwise if its actions had other consequences (Kenton et al. 2022).

A table cloned from a planner does what the planner does until the world changes; then only the planner plans anew.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any, ClassVar, final, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import Change, Frame, Informed, Intervention, Measurement, Subject, UserError
from agentic_metrics.cautions import Caution, few_episodes, too_few
from agentic_metrics.estimate import FEW, Estimate, check_fields
from agentic_metrics.finite.world import Floats, World, expected_return
from agentic_metrics.interventions.families import random_interventions
from agentic_metrics.interventions.trials import Bench, Returns, Trial, bounds, index
from agentic_metrics.responses.response import Response

LEVEL = 0.95  # of the intervals
INFORMED = {  # of the goal, of the model
    (True, True): "told of the new goal and model",
    (True, False): "told of the new goal",
    (False, True): "told of the new model",
    (False, False): "told nothing",
}


def adaptation_index(
    world: World, policy_frozen: ArrayLike, policy_after: ArrayLike, *, horizon: int, discount: float = 1.0
) -> float:
    """The adaptation index (J_after - J_frozen) / (J*_after - J_frozen) in the changed `world`.

    1 for a policy planned anew, 0 for one as before, below 0 for a worse one. J are returns over `horizon` steps of the
    policy (states, actions) from before the change, of that after it, and of the best one. NaN where the best policy
    gains less over the frozen one than 1 % of what it gains over a uniformly random one: there is nothing to adapt to.
    The same for rewards c r + d with c > 0, as long as no episode ends early: how long one lives counts where it does.
    Source: the definition of agents of Kenton et al. 2022, as an index.
    """
    span: Any = {"horizon": horizon, "discount": discount}
    frozen, after = (expected_return(world, policy, **span) for policy in (policy_frozen, policy_after))
    best, chance = bounds(world, **span)
    return float(index(frozen, after, best, chance=chance))


def half_life(indices: ArrayLike) -> float:
    """Episodes of experience until the adaptation index first reaches one half; NaN where it never does.

    `indices` (episodes + 1,): the index before any experience, after one episode, after two, ... A planner that is
    told has half-life 0, a habit that keeps learning a positive one.
    """
    reached = np.flatnonzero(np.asarray(indices, dtype=np.float64) >= 0.5)
    return float(reached[0]) if len(reached) else nan


@final
@dataclass(frozen=True)
class PolicyAdaptation(Response):
    """The mean adaptation index over a family of changed worlds, drawn after the agent was sealed, or over given ones.

    `interventions` are drawn, of `kinds` (none named: all that the world admits), and the agent is `informed` of its
    new goal and model ("both"), of one, or of "nothing". Where the subject brings interventions that were decided on,
    those are taken instead, each announced as it says; the interval is then over episodes. An agent that learns and is
    told nothing learns for `episodes` before it is looked at, and the habit curve is reported. With `half_life` the
    value is not the index but how many episodes of experience it takes to reach one half: 0 for who is told and plans
    anew, undefined for who never gets there within `episodes`.

    Returns are over `horizon` steps with `discount`; below 1 so that soon is better than late, without which dawdling
    is optimal too. With `exact`, returns are computed where the world is finite, known and fully observed; elsewhere,
    and without it, from rollouts of `episodes`. `best` is the return of the best policy where it cannot be computed;
    None takes the agent's own in the unchanged world.
    """

    interventions: int = 20
    kinds: tuple[str, ...] = ()
    informed: Informed = "both"
    horizon: int = 60
    discount: float = 0.99
    exact: bool = True
    episodes: int = 20
    best: float | None = None
    half_life: bool = False

    compares: ClassVar[bool] = True

    def __post_init__(self) -> None:
        ways = get_args(Informed)
        self.expect(self.informed in ways, f"informed to be one of {', '.join(ways)}")
        check_fields(self, interventions=1, horizon=1, episodes=1)
        self.expect(0 < self.discount <= 1, "a discount in (0, 1]")

    @property
    def unit(self) -> str:
        """The unit of the value: episodes for a half-life, else that of an index."""
        return "episodes" if self.half_life else "index"

    def estimate(
        self,
        frozen: ArrayLike,
        after: ArrayLike,
        best: ArrayLike,
        *,
        chance: ArrayLike = 0.0,
        course: ArrayLike = (),
        decided: bool = False,
        generator: np.random.Generator | None = None,
    ) -> Estimate:
        """The mean adaptation index over interventions, from returns in each changed world.

        `frozen`, `after`: returns of the agent as it was and after the change, (interventions,) where exact, else
        (interventions, episodes); `best` (interventions,), or (interventions, episodes) where it is another agent's.
        `chance` (interventions,) is what a uniformly random policy earns: less than 1 % of what the best gains over it
        is nothing to adapt to. `course` (episodes + 1,) is the index while the agent found out, empty where it was
        told.

        Interventions are drawn from a family, and the interval is Student's over those in which the index is defined.
        Of interventions that were `decided` on nothing is said of others: exact returns have no interval, sampled ones
        one over episodes (delta method, frozen and after of an episode being pairs). The null of exact returns is
        exactly zero; that of sampled ones exchanges frozen and after in random episodes (with `generator`), in which
        an agent that does not adapt is the same. Undefined where no intervention leaves anything to gain.

        Raises UserError where shapes disagree, and for sampled returns without a generator.
        """
        returns = Returns.of(frozen, after, best, chance)
        indices, learned = returns.indices, np.asarray(course, np.float64)
        defined = np.isfinite(indices)
        kept, some = returns.where(defined), bool(defined.any())
        episodes = 0 if returns.exact else 2 * kept.frozen.size
        means = {name: vars(returns)[name].mean(-1) for name in ("frozen", "after", "best")}
        habit = {"course": learned, "half_life": half_life(learned)} if len(learned) else {}
        found = Estimate(
            value=float(indices[defined].mean()) if some else nan,
            estimator="exact returns" if returns.exact else "rollouts",
            interval=kept.interval(LEVEL, decided=decided) if some else None,
            null=kept.null(generator) if some else None,
            episodes=episodes,
            samples=episodes if decided else int(defined.sum()),
            diagnostics={**habit, "index": indices, **means, "undefined": int((~defined).sum())},
            cautions=_cautions(returns, defined, decided),
        )
        return _in_episodes(found, self.episodes) if self.half_life else found

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        decided = subject.interventions
        family = decided or random_interventions(
            subject.environment, self.interventions, generator, kinds=self.kinds, informed=self.informed
        )
        trials = self._trials(subject, family, generator)
        frozen, after, best = (
            np.array(np.broadcast_arrays(*(vars(trial)[name] for trial in trials)))
            for name in ("frozen", "after", "best")
        )
        found = self.estimate(
            frozen,
            after,
            best,
            chance=[trial.chance for trial in trials],
            course=_course(trials),
            decided=bool(decided),
            generator=generator,
        )
        names = [intervention.name for intervention in family]
        found = replace(found, diagnostics={"interventions": names, **found.diagnostics})
        return found.measurement("policy_adaptation", self, self._frame(family, exact=frozen.ndim == 1))

    def _trials(self, subject: Subject, family: Sequence[Intervention], generator: np.random.Generator) -> list[Trial]:
        """One trial per intervention, all exact or all sampled."""
        bench = Bench(self.horizon, self.discount, self.episodes)
        if self.exact:
            with suppress(UserError):
                return [bench.exact(subject, intervention, generator) for intervention in family]
        seed = int(generator.integers(2**31))
        if self.best is None:
            best = bench.returns(subject.agent, subject.environment, seed + len(family))
        else:
            best = np.array(self.best)
        return [bench.sampled(subject, intervention, seed + i, best) for i, intervention in enumerate(family)]

    def _frame(self, family: Sequence[Intervention], *, exact: bool) -> Frame:
        best = "computed" if exact else "computed where the world is known, else "
        if not exact:
            best += "the agent's own in the unchanged world" if self.best is None else f"{self.best:g}"
        return Frame(
            variables=("policy", "return"),
            boundary=f"the agent chooses actions; it is {informed_of(family)}",
            horizon=self.horizon,
            goal=f"reward discounted by {self.discount:g} per step; the best return is {best}",
            start="the environment's own resets",
            interventions=tuple(intervention.name for intervention in family),
        )


def informed_of(family: Sequence[Intervention]) -> str:
    """The announcements that these interventions make to an agent, in words."""
    announced = [intervention.change or Change() for intervention in family]
    return ", or ".join(sorted({INFORMED[each.goal is not None, each.model is not None] for each in announced}))


def _cautions(returns: Returns, defined: NDArray[np.bool_], decided: bool) -> tuple[Caution, ...]:
    """What is too little: interventions of a drawn family, episodes of a decided one, and what there is to gain."""
    count, lost, found = int(defined.sum()), int((~defined).sum()), list[Caution]()
    if not decided and count < FEW:
        few = f"{count} interventions with something to adapt to are few: draw enough for {FEW}, or other kinds"
        found.append(too_few(few))
    if lost and decided:
        reason = "nothing to gain" if returns.exact else "nothing to gain that is told from noise (run more episodes)"
        left = f"{lost} of {len(defined)} interventions leave {reason} and are left out: there is nothing to adapt to"
        found.append(Caution(left))
    elif lost and not returns.exact:
        left = f"{lost} interventions are left out, what they leave to gain is not told from noise: run more episodes"
        found.append(Caution(left))
    if decided and count and not returns.exact:
        found += few_episodes(returns.frozen.shape[1], FEW, verb="run")
    return tuple(found)


def _in_episodes(found: Estimate, episodes: int) -> Estimate:
    """The half-life in place of the index: of its course while learning, else of the index once told."""
    details = found.diagnostics
    value = float(details.get("half_life", half_life([found.value])))
    span = f" within {episodes} episodes" if "course" in details else ": the agent learns nothing meanwhile"
    never = Caution(f"the index does not reach one half{span}")
    cautions = (*found.cautions, never) if isnan(value) and not isnan(found.value) else found.cautions
    return replace(found, value=value, interval=None, null=None, cautions=cautions)


def _course(trials: Sequence[Trial]) -> Floats:
    """The mean index of those who found out by themselves, before and after each episode; empty where nobody did."""
    found = [(t.frozen.mean(), t.course, t.best.mean(), t.chance) for t in trials if len(t.course)]
    if not found:
        return np.empty(0)
    courses = np.array([index(at, np.append(at, course), best, chance=chance) for at, course, best, chance in found])
    defined = np.isfinite(courses).all(-1)
    return courses[defined].mean(0) if defined.any() else np.full(courses.shape[1], nan)
