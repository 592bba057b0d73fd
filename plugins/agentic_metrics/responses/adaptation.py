"""Policy adaptation: an agent is what would act otherwise if its actions had other consequences (Kenton et al. 2022).

A table cloned from a planner does what the planner does until the world changes; then only the planner plans anew.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import nan
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from agentic import Access, Frame, Interval, Intervention, Measurement, Metric, Null, Subject, Told, UserError
from agentic_metrics.estimate import EXACT, Estimate, exact_null
from agentic_metrics.finite.world import Floats, World, expected_return, optimal_return
from agentic_metrics.interventions.families import random_interventions
from agentic_metrics.interventions.trials import Bench, Trial
from agentic_metrics.sampling.surrogates import compare

SENSITIVE = 0.01  # of the best return: what planning anew must be worth for adaptation to be defined
FEW = 10  # interventions below which their family is hardly sampled
SURROGATES = 999
TOLD = {
    "both": "told of the new goal and model",
    "goal": "told of the new goal",
    "model": "told of the new model",
    "nothing": "told nothing, it must find out",
}


def adaptation_index(
    world: World, policy_frozen: ArrayLike, policy_after: ArrayLike, *, horizon: int, discount: float = 1.0
) -> float:
    """AI = (J_after - J_frozen) / (J*_after - J_frozen) in the changed `world`: 1 plans anew, 0 does as before.

    J are returns over `horizon` steps of the policy (states, actions) from before the change, of that after it, and of
    the best one. Below 0 it does worse than before. NaN where the best policy gains less than 1 % over the frozen one:
    there is nothing to adapt to. Source: the definition of agents of Kenton et al. 2022, as an index.
    """
    return float(_index(*_returns(world, policy_frozen, policy_after, horizon, discount)))


def policy_adaptation(
    frozen: ArrayLike,
    after: ArrayLike,
    best: ArrayLike,
    *,
    level: float = 0.95,
    generator: np.random.Generator | None = None,
) -> Estimate:
    """The mean adaptation index over interventions, from returns in each changed world.

    `frozen`, `after`: returns of the agent as it was and after the change, (interventions,) where exact, else
    (interventions, episodes); `best` (interventions,). The interval is Student's t over the interventions in which the
    index is defined. The null of exact returns is exactly zero; that of sampled ones changes the labels of frozen and
    after in random episodes (with `generator`), in which an agent that does not adapt is the same.

    Raises UserError where shapes disagree, and for sampled returns without a generator.
    """
    before, later, top = (np.asarray(values, dtype=np.float64) for values in (frozen, after, best))
    if before.shape != later.shape or before.ndim not in (1, 2) or top.shape != before.shape[:1]:
        raise UserError(
            "policy_adaptation expects frozen and after (interventions,) or (interventions, episodes) and best "
            f"(interventions,), got {before.shape}, {later.shape} and {top.shape}"
        )
    exact = before.ndim == 1
    if not exact and generator is None:
        raise UserError("policy_adaptation of sampled returns needs a generator, for its null")
    before, later = before.reshape(len(top), -1), later.reshape(len(top), -1)
    indices = _index(before.mean(-1), later.mean(-1), top, _noise(before))
    defined = np.isfinite(indices)
    null, interval, value = None, None, nan
    if defined.any():
        value, interval = float(indices[defined].mean()), _interval(indices[defined], level)
        null = exact_null(value, "a policy that does not change")
    if generator is not None and not exact and defined.any():
        null = _relabeled(before[defined], later[defined], top[defined], generator)
    means = {"frozen": before.mean(-1), "after": later.mean(-1), "best": top}
    return Estimate(
        value=value,
        estimator="exact returns" if exact else "rollouts",
        interval=interval,
        null=null,
        episodes=0 if exact else 2 * before[defined].size,
        samples=int(defined.sum()),
        diagnostics={"index": indices, **means, "undefined": int((~defined).sum())},
        warnings=tuple(_warnings(defined, exact)),
    )


def half_life(indices: ArrayLike) -> float:
    """Episodes of experience until the adaptation index first reaches one half; NaN where it never does.

    `indices` (episodes + 1,): the index before any experience, after one episode, after two, ... A planner that is
    told has half-life 0, a habit that keeps learning a positive one.
    """
    reached = np.flatnonzero(np.asarray(indices, dtype=np.float64) >= 0.5)
    return float(reached[0]) if len(reached) else nan


def _index(frozen: Any, after: Any, best: Any, noise: Any = 0.0) -> Any:
    """NaN where the gap is too small to be adapted to, or not told from noise."""
    gap = np.asarray(best - frozen)
    sensitive = gap > np.maximum(np.maximum(EXACT, SENSITIVE * np.abs(best)), noise)
    return np.where(sensitive, (after - frozen) / np.where(sensitive, gap, 1.0), nan)


def _noise(returns: Floats) -> Any:
    """Two standard errors of each mean over episodes."""
    episodes = returns.shape[1]
    return 2 * returns.std(-1, ddof=1) / np.sqrt(episodes) if episodes > 1 else np.zeros(len(returns))


def _returns(world: World, frozen: ArrayLike, after: ArrayLike, horizon: int, discount: float) -> tuple[float, ...]:
    worth = [expected_return(world, policy, horizon=horizon, discount=discount) for policy in (frozen, after)]
    return (*worth, optimal_return(world, horizon=horizon, discount=discount))


def _interval(indices: Floats, level: float) -> Interval:
    count = len(indices)
    error = indices.std(ddof=1) / np.sqrt(count) if count > 1 else np.inf
    half = float(stdtrit(max(1, count - 1), 0.5 + level / 2) * error)
    value = float(indices.mean())
    return Interval(level, value - half, value + half, f"Student t over {count} interventions")


def _relabeled(frozen: Floats, after: Floats, best: Floats, generator: np.random.Generator) -> Null:
    """Frozen and after exchanged in random episodes, with the gaps that were found."""
    shares = (after - frozen) / (best - frozen.mean(-1))[:, None]
    signs = generator.choice([-1.0, 1.0], size=(SURROGATES, *shares.shape))
    surrogates = (signs * shares).mean((1, 2))
    return compare(float(shares.mean()), surrogates, "frozen and after exchanged in random episodes", tie=EXACT)


def _warnings(defined: NDArray[np.bool_], exact: bool) -> Iterator[str]:
    count, lost = int(defined.sum()), int((~defined).sum())
    if count < FEW:
        yield f"{count} interventions with something to adapt to are few: draw enough for {FEW}, or other kinds"
    if lost and not exact:
        yield f"{lost} interventions are left out, what they leave to gain is not told from noise: run more episodes"


@final
@dataclass(frozen=True)
class PolicyAdaptation(Metric):
    """The mean adaptation index over a family of changed worlds, drawn after the agent was sealed.

    `interventions` are drawn, of `kinds` (none named: all that the world admits), and the agent is `told` of its new
    goal and model ("both"), of one, or of "nothing": then it learns for `episodes` before it is looked at, and the
    habit curve is reported. Returns are over `horizon` steps with `discount`; below 1 so that soon is better than late,
    without which dawdling is optimal too. With `exact`, returns are computed where the world is finite, known and fully
    observed; elsewhere, and without it, from rollouts of `episodes`. `best` is the return of the best policy where
    it cannot be computed; None takes the agent's own in the unchanged world.
    """

    interventions: int = 20
    kinds: tuple[str, ...] = ()
    told: Told = "both"
    horizon: int = 60
    discount: float = 0.99
    exact: bool = True
    episodes: int = 20
    best: float | None = None

    access = Access.INTERVENE
    unit = "index"
    needs = ("agent", "environment")

    def __post_init__(self) -> None:
        if self.told not in TOLD:
            raise UserError(f"told must be one of {', '.join(TOLD)}, got {self.told!r}")
        if min(self.interventions, self.horizon, self.episodes) < 1 or not 0 < self.discount <= 1:
            raise UserError(
                "policy_adaptation expects at least 1 intervention, episode and step of horizon and a discount in "
                f"(0, 1], got {self}"
            )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        assert subject.environment is not None
        family = random_interventions(
            subject.environment, self.interventions, generator, kinds=self.kinds, told=self.told
        )
        trials, exact = self._trials(subject, family, generator)
        frozen, after = (np.stack([vars(trial)[name] for trial in trials]) for name in ("frozen", "after"))
        if exact:
            frozen, after = frozen[:, 0], after[:, 0]
        best = np.array([trial.best for trial in trials])
        found = policy_adaptation(frozen, after, best, generator=generator)
        names = tuple(intervention.name for intervention in family)
        more = {"interventions": list(names), **_habit(trials)}
        return replace(found, diagnostics={**more, **found.diagnostics}).measurement(
            "policy_adaptation", self, self._frame(names, exact)
        )

    def _trials(
        self, subject: Subject, family: Sequence[Intervention], generator: np.random.Generator
    ) -> tuple[list[Trial], bool]:
        """One trial per intervention, and whether they are exact."""
        bench = Bench(self.horizon, self.discount, self.episodes, self.told == "nothing")
        if self.exact:
            with suppress(UserError):
                return [bench.exact(subject, intervention, generator) for intervention in family], True
        seed, best = int(generator.integers(2**31)), self.best
        if best is None:
            assert subject.agent is not None
            assert subject.environment is not None
            best = float(bench.returns(subject.agent, subject.environment, seed).mean())
        return [bench.sampled(subject, intervention, seed + i, best) for i, intervention in enumerate(family)], False

    def _frame(self, names: tuple[str, ...], exact: bool) -> Frame:
        best = "computed" if exact else "computed where the world is known, else "
        if not exact:
            best += "the agent's own in the unchanged world" if self.best is None else f"{self.best:g}"
        return Frame(
            variables=("policy", "return"),
            boundary=f"the agent chooses actions; it is {TOLD[self.told]}",
            horizon=self.horizon,
            goal=f"reward discounted by {self.discount:g} per step; the best return is {best}",
            start="the environment's own resets",
            interventions=names,
        )


def _habit(trials: Sequence[Trial]) -> dict[str, Any]:
    """The course of adaptation of agents that found out by themselves, and its half-life."""
    if not len(trials[0].course):
        return {}
    courses = np.array([_index(t.frozen.mean(), np.append(t.frozen.mean(), t.course), t.best) for t in trials])
    defined = np.isfinite(courses).all(-1)
    course = courses[defined].mean(0) if defined.any() else np.full(courses.shape[1], nan)
    return {"course": course, "half_life": half_life(course)}
