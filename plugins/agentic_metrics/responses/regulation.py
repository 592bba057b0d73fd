"""Homeostasis: the variance that an agent's actions remove from what it observes.

A thermostat scores, though it knows nothing and wants nothing: this is a sign of control, not of a mind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_discrete_lyapunov

from agentic import Agent, Box, Domain, Frame, Interval, Measurement, Metric, Real, Simplex, Subject, UserError, make
from agentic_metrics.cautions import few_episodes
from agentic_metrics.estimate import FEW, Estimate, check_fields
from agentic_metrics.finite.world import Floats
from agentic_metrics.interventions.simulation import Maker
from agentic_metrics.pairs import permuted
from agentic_metrics.responses.lives import live
from agentic_metrics.responses.response import Response
from agentic_metrics.responses.rooms import Reflex, Room, thermostat
from agentic_metrics.sampling.information import blocks
from agentic_metrics.sampling.series import Series
from agentic_metrics.sampling.units import standard

ROUNDING = 1e-12  # bits that differ by less are the same
NONE = 1e-9  # a standardized variance below this is none
Samples = Series | ArrayLike | Sequence[ArrayLike]


def linear_homeostasis(A: ArrayLike, B: ArrayLike, gain: ArrayLike, noise: ArrayLike) -> float:
    """The homeostasis, in bits and exactly, of x' = A x + B u + w under u = -K x, against u = 0.

    `A` (d, d), `B` (d, m), `gain` K (m, d) and `noise`, the covariance (d, d) of w; numbers where d = m = 1. Both
    stationary covariances solve S = F S F' + noise (Lyapunov). For one variable with m = 1 it is
    .5 log2((1 - (a - b k)^2) / (1 - a^2)).

    Raises UserError where either loop is unstable, so that its variance is infinite.
    """
    a, b, k, w = (np.atleast_2d(np.asarray(part, np.float64)) for part in (A, B, gain, noise))
    logs = []
    for name, loop in (("passive", a), ("closed", a - b @ k)):
        if np.abs(np.linalg.eigvals(loop)).max() >= 1:
            raise UserError(f"the {name} loop is unstable, so that its variance is infinite: compare over a horizon")
        logs.append(np.linalg.slogdet(solve_discrete_lyapunov(loop, w))[1])
    return float(0.5 * (logs[0] - logs[1]) / np.log(2))


@final
@dataclass(frozen=True)
class Homeostasis(Response):
    """The bits by which the agent narrows what is observed, against the same world left alone.

    The agent and a passive one (the first of discrete actions, the continuous action nearest to zero) each live
    `episodes` episodes of at most `horizon` steps; the first `settle` steps of each are left out. `variables` are the
    components of a continuous observation, empty for all. Raises UserError for an observation that is not continuous.
    """

    variables: tuple[int, ...] = ()
    episodes: int = 40
    horizon: int = 200
    settle: int = 0
    level: float = 0.95
    surrogates: int = 999

    unit = "bits"

    def __post_init__(self) -> None:
        check_fields(self, episodes=2, settle=0, surrogates=1)
        self.expect(self.settle < self.horizon, "settle < horizon")

    def estimate(self, closed: Samples, passive: Samples, *, generator: np.random.Generator) -> Estimate:
        """The bits .5 log2(det Cov_passive / det Cov_closed) by which closing the loop narrows what happens.

        `closed` and `passive` are arrays (t,) or (t, d), or lists of them, one per episode, in the same variables. For
        one variable this is .5 log2(Var_passive / Var_closed). Covariances are about the mean over all episodes.

        The standard error is the jackknife's over episodes (a single one is cut into blocks), the two conditions being
        independent, with Student's t and Welch's degrees of freedom. Null: episodes dealt at random to the two
        conditions.

        Raises UserError for names in place of numbers, different variables, and variables of which one, or a sum,
        never varies. The reduction of variance as a measure of regulation is Ashby's (1956), here in bits.
        """
        groups = [_groups(Series.of(each)) for each in (closed, passive)]
        here, there = (each[0].shape[1] for each in groups)
        if here != there:
            raise UserError(f"homeostasis compares the same variables, got {here} closed and {there} passive ones")
        moments = _Moments.of(groups[0] + groups[1])
        is_closed = np.arange(len(moments.count)) < len(groups[0])
        parts = [moments.only(is_closed), moments.only(~is_closed)]
        logs = [part.half_logs(np.ones((1, len(part.count))))[0] for part in parts]  # joint, then each variable alone
        for name, log in zip(("closed", "passive"), logs, strict=True):
            if not np.isfinite(log).all():
                raise UserError(f"a {name} variable, or a sum of some, never varies: leave it out, or add noise")
        bits = logs[1] - logs[0]
        labels = generator.permuted(np.tile(is_closed, (self.surrogates, 1)), axis=1).astype(np.float64)
        dealt = moments.half_logs(1 - labels)[:, 0] - moments.half_logs(labels)[:, 0]
        fewest = min(map(len, groups))
        return Estimate(
            value=float(bits[0]),
            estimator="log covariance",
            interval=_welch(float(bits[0]), parts, self.level),
            null=permuted(float(bits[0]), dealt, "episodes dealt at random", tie=ROUNDING),
            episodes=fewest,
            samples=int(min(part.count.sum() for part in parts)),
            diagnostics={"bits_per_variable": bits[1:].tolist()},
            cautions=few_episodes(fewest, FEW, units="episodes or blocks"),
        )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        chosen, passive = self._chosen(subject.environment)
        both = [self._lived(agent, subject.environment, chosen, generator) for agent in (subject.agent, passive)]
        frame = Frame(
            variables=tuple(f"obs[{i}]" for i in chosen),
            boundary="the agent chooses actions, the environment answers",
            horizon=self.horizon,
            goal="none: whatever it steadies",
            start="the environment's own resets",
            interventions=("the agent replaced by one that always takes the first action, or the one nearest to zero",),
        )
        return self.estimate(*both, generator=generator).measurement("homeostasis", self, frame)

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """A thermostat in a noisy room, as `linear_homeostasis` has it, within 4 standard errors; idleness is null."""
        for gain in (0.0, 0.45):
            value = linear_homeostasis(0.95, 1.0, gain, 1.0)
            yield cls(horizon=300, settle=60), Subject(agent=thermostat(gain), environment=Room), value, 0.2

    def _chosen(self, environment: Maker) -> tuple[list[int], Agent]:
        """The components that are compared, and an agent that does nothing."""
        world = make(environment)
        world.close()
        seen = world.observation
        if not isinstance(seen, Box | Real):
            raise UserError(f"homeostasis compares variances and needs a continuous observation, it is {seen}")
        if any(not 0 <= i < seen.size for i in self.variables):
            raise UserError(f"the observation has components 0 to {seen.size - 1}, got variables = {self.variables}")
        return list(self.variables or range(seen.size)), _passive(world.action)

    def _lived(self, agent: Agent, make: Maker, chosen: list[int], generator: np.random.Generator) -> list[Floats]:
        seed = int(generator.integers(2**31))
        lives = live(agent, make, episodes=self.episodes, horizon=self.horizon, seed=seed)
        kept = [seen.flatten(1)[self.settle :, chosen].to(torch.float64).numpy() for seen in lives.seen]
        kept = [each for each in kept if len(each)]
        if len(kept) < 2:
            raise UserError(f"fewer than 2 of {self.episodes} episodes outlast settle = {self.settle} steps: lower it")
        return kept


def _passive(domain: Domain) -> Agent:
    """An agent that does nothing: the first of discrete actions, the point nearest to zero of others."""
    event = torch.zeros(1, *domain.event, dtype=torch.float64)
    if isinstance(domain, Simplex):
        event = domain.one_hot(torch.zeros(1, len(domain.sizes)))
    idle = domain.project(event)
    return Reflex(lambda obs: idle.expand(len(obs), *idle.shape[1:]).to(obs.dtype))


@final
@dataclass(frozen=True)
class _Moments:
    """Sums of 1, x and x x' within each of n groups: (n,), (n, d), (n, d, d)."""

    count: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def of(cls, groups: Sequence[Floats]) -> Self:
        """The sums of variables standardized over all groups: no ratio of determinants changes by that."""
        shifted = np.split(standard(np.concatenate(groups)), np.cumsum([len(group) for group in groups])[:-1])
        return cls(
            np.array([len(group) for group in groups], np.float64),
            np.stack([group.sum(0) for group in shifted]),
            np.stack([group.T @ group for group in shifted]),
        )

    def only(self, which: NDArray[np.bool_]) -> Self:
        return type(self)(self.count[which], self.sums[which], self.squares[which])

    def half_logs(self, weights: Floats) -> Floats:
        """Half the log2 determinant of the covariance, then half the log2 of each variance, (k, 1 + d).

        Groups are taken `weights` (k, n) times.
        """
        count = weights @ self.count
        mean = weights @ self.sums / count[:, None]
        covariance = np.tensordot(weights, self.squares, 1) / count[:, None, None] - mean[:, :, None] * mean[:, None, :]
        singular = np.linalg.eigvalsh(covariance)[:, :1] < NONE
        with np.errstate(divide="ignore", invalid="ignore"):
            joint = np.where(singular, -np.inf, np.linalg.slogdet(covariance)[1][:, None])
            alone = np.log(np.diagonal(covariance, axis1=1, axis2=2))
        return np.asarray(np.concatenate([joint, alone], 1) * 0.5 / np.log(2))


def _groups(series: Series) -> list[Floats]:
    """The episodes as floats, a single one cut into blocks."""
    if series.discrete:
        raise UserError("homeostasis compares variances, and names have none: give measured values, as floats")
    episodes = [np.asarray(each, np.float64) for each in series.episodes if len(each)]
    if sum(map(len, episodes)) < 4:
        raise UserError(f"homeostasis needs at least 4 steps in each condition, got {sum(map(len, episodes))}")
    if len(episodes) > 1:
        return episodes
    where = blocks((standard(episodes[0]) ** 2).sum(1))
    return [episodes[0][where == block] for block in range(int(where.max()) + 1)]


def _welch(value: float, parts: Sequence[_Moments], level: float) -> Interval:
    """Student's interval of a difference of two jackknifed logarithms, with Welch's degrees of freedom."""
    variances, sizes = [], []
    for part in parts:
        n = len(part.count)
        without = part.half_logs(1 - np.eye(n))[:, 0]
        variances.append((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
        sizes.append(n)
    total = sum(variances)
    freedom = total**2 / sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True)) if total > 0 else 1.0
    method = f"jackknife over {' and '.join(map(str, sizes))} episodes"
    return Interval.student(value, total**0.5, freedom, level=level, method=method)
