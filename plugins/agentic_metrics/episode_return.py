"""Episode return: the mean return per episode, next to which every other number about an agent is read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np
from numpy.typing import ArrayLike

from agentic import Access, Frame, Measurement, Metric, Record, Subject, UserError
from agentic.metrics import return_interval
from agentic_metrics.cautions import Caution, Lack, few_episodes
from agentic_metrics.estimate import FEW, Estimate, check_fields
from agentic_metrics.finite.query import known_world, query
from agentic_metrics.finite.world import Floats, expected_return, optimal_return
from agentic_metrics.sampling.series import written


@final
@dataclass(frozen=True)
class EpisodeReturn(Metric):
    """Mean return of complete evaluation episodes, in units of reward.

    (1/n) sum over episodes of sum_t discount^t r_t, t < `horizon`. `horizon` None counts whole episodes. `relative` is
    the share of the best return J* of so many steps, in a finite known world; `exact` is the expectation from the
    agent's own action probabilities there, without a record: those of an agent that meets each state afresh, over the
    whole horizon, whatever the step limit. Both need a horizon. `payoffs` are the only two returns of an episode in a
    world that pays no others, such as (-1, 1). No null: there is no surrogate of a return. What a rock
    and a random agent score are references.
    """

    level: float = 0.95
    discount: float = 1.0
    horizon: int | None = None
    relative: bool = False
    exact: bool = False
    payoffs: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.discount <= 1 or (self.horizon is not None and self.horizon < 1):
            raise UserError(f"episode_return expects a discount in (0, 1] and a horizon >= 1 or none, got {self}")
        if self.horizon is None and (self.relative or self.exact):
            raise UserError("a relative or exact episode_return is one over so many steps: add a horizon, such as 100")

    @property
    def access(self) -> Access:
        return Access.MODEL if self.relative or self.exact else Access.RECORDS

    @property
    def unit(self) -> str:
        return "share of the best" if self.relative else "reward"

    @property
    def needs(self) -> tuple[Literal["record", "agent", "environment"], ...]:
        if self.exact:
            return ("agent", "environment")
        return ("record", "environment") if self.relative else ("record",)

    def estimate(self, returns: ArrayLike, *, best: float = 1.0) -> Estimate:
        """The estimate from returns (n,), one per episode, as shares of `best`; the interval is `return_interval`'s.

        None for a single episode. Raises UserError for returns that are not finite.
        """
        paid = np.asarray(returns, np.float64)
        if not np.isfinite(paid).all():
            raise UserError("a return must be finite, got NaN or infinity: leave those episodes out of the record")
        shares, (_, found) = paid / best, return_interval(paid, self.level, payoffs=self.payoffs)
        return Estimate(
            value=float(shares.mean()),
            estimator="mean",
            interval=replace(found, low=found.low / best, high=found.high / best) if len(paid) > 1 else None,
            episodes=len(paid),
            samples=len(paid),
            diagnostics={"sd": float(shares.std(ddof=1)) if len(paid) > 1 else 0.0},
            cautions=_few(len(paid)),
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        best = self._best(subject) if self.relative else 1.0
        found = self._exact(subject, best, generator) if self.exact else self._sampled(subject, best)
        if self.relative:
            found = replace(found, diagnostics={**found.diagnostics, "best": best})
        per_step = "" if self.discount == 1 else f", discounted by {self.discount:g} per step"
        frame = Frame(
            variables=("reward",),
            boundary="the agent chooses actions, the environment pays",
            horizon=self.horizon,
            goal=f"the environment's reward{per_step}",
            start="the environment's own resets",
            interventions=(),
        )
        return found.measurement("episode_return", self, frame)

    def _best(self, subject: Subject) -> float:
        """J*. Raises UserError where it is not positive: there is no share of it then."""
        assert self.horizon is not None
        _, world = known_world(subject.environment)
        best = optimal_return(world, horizon=self.horizon, discount=self.discount)
        if best <= 0:
            raise UserError(
                f"a share of the best return needs one that is positive, in this world it is {best:g}: measure it "
                "without relative"
            )
        return best

    def _exact(self, subject: Subject, best: float, generator: np.random.Generator) -> Estimate:
        assert self.horizon is not None
        truth, world = known_world(subject.environment)
        policy = query(subject.agent, truth, generator=generator)
        worth = expected_return(world, policy, horizon=self.horizon, discount=self.discount)
        return Estimate(value=worth / best, estimator="exact")

    def _sampled(self, subject: Subject, best: float) -> Estimate:
        returns, cut = self._returns(subject.record)
        if not len(returns):
            raise UserError("episode_return needs complete evaluation episodes, the record has none: run it longer")
        found = self.estimate(returns, best=best)
        if self.relative and cut:
            over = f"the horizon of {self.horizon} steps, over which the best return is"
            short = f"{cut} episodes were cut before {over}: record longer ones, or choose a shorter horizon"
            return replace(found, cautions=(*found.cautions, Caution(short)))
        return found

    def _returns(self, record: Record) -> tuple[Floats, int]:
        """The return of each complete episode (n,), and how many were cut before the horizon."""
        if self.horizon is None and self.discount == 1:
            return np.asarray(record.returns(), np.float64), 0
        arrays = [episode.arrays for episode in record.episodes("evaluate") if episode.complete]
        paid = [np.asarray(each["reward"], np.float64)[: self.horizon] for each in arrays]
        short = [len(each["reward"]) < (self.horizon or 0) and not each["terminated"][-1] for each in arrays]
        return np.array([self.discount ** np.arange(len(each)) @ each for each in paid]), sum(short)

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """The known answer for episodes that pay 1, 2 and 6, a mean of 3."""
        record = written(reward=[[0.0, 1.0], [2.0], [3.0, 2.0, 1.0]])
        yield cls(), Subject(record=record), 3.0, 1e-12


def _few(count: int) -> tuple[Caution, ...]:
    """The caution of few episodes, with the rate at which the interval then holds the mean of skewed returns."""
    if count == 1:
        return (Caution(f"1 episode has no interval: record at least {FEW}", Lack.EPISODES),)
    skewed = "; of returns as skewed as exponential ones it holds the mean in .90 to .93 of records where .95 is said"
    return tuple(replace(each, text=each.text + skewed) for each in few_episodes(count, FEW))
