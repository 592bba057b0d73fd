"""Controllability: of a linear system, of a continuous world near its start, of a finite world.

What could be done is a property of the world; whether an agent does it, other metrics tell.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, final

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import ArrayLike

from agentic import Access, Frame, Measurement, Metric, Subject, UserError
from agentic_metrics.channels.linearization import CHANGES, gain, mean_over_starts, started
from agentic_metrics.channels.water import checked_system
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.arrays import Floats
from agentic_metrics.finite.places import reached
from agentic_metrics.finite.query import known_world
from agentic_metrics.finite.world import World
from agentic_metrics.responses.rooms import Field

SAME = 1e-9  # probabilities closer than this are equal


def gramian(A: ArrayLike, B: ArrayLike, horizon: int) -> Floats:
    """The Gramian W = sum over i < horizon of A^i B B' A'^i, (d, d): inputs of unit energy reach its ellipsoid.

    `A` (d, d), `B` (d, m) of x' = A x + B u (Kalman 1960). Raises UserError where shapes disagree.
    """
    a, b = checked_system(A, B, horizon)
    total, column = np.zeros_like(a), b
    for _ in range(horizon):
        total += column @ column.T
        column = a @ column
    return total


@final
@dataclass(frozen=True)
class Control:
    """The controllability of a linear system within a horizon.

    `rank` of [B, AB, ..., A^(h-1) B] and the `dimension` of the state; `gramian` (d, d); `log_det`, the logarithm of
    its determinant in bits (-inf where the rank is not full): half of it is the volume that unit energy reaches.
    """

    rank: int
    dimension: int
    gramian: Floats
    log_det: float

    def energy(self, state: ArrayLike) -> float:
        """The least sum of squared inputs that leads from 0 to `state` (d,): x' W^-1 x; inf where none does."""
        x = np.asarray(state, np.float64)
        if x.shape != (self.dimension,):
            raise UserError(f"a state here has shape ({self.dimension},), got {x.shape}")
        values, vectors = np.linalg.eigh(self.gramian)
        along, kept = vectors.T @ x, np.arange(self.dimension) >= self.dimension - self.rank
        missed = float(np.linalg.norm(along[~kept]))
        if missed > 1e-9 * max(1.0, float(np.linalg.norm(x))):
            return float("inf")
        return float((along[kept] ** 2 / values[kept]).sum())


def controllability(A: ArrayLike, B: ArrayLike, horizon: int | None = None, *, tolerance: float = 1e-10) -> Control:
    """The controllability of x' = A x + B u within `horizon` steps (None: as many as dimensions, which is for good).

    The rank is counted direction by direction (Arnoldi): a direction is new where its part outside those already
    reached exceeds `tolerance` times the size of the input or of A. B = 0 has rank 0.
    Raises UserError where shapes disagree.
    """
    steps = len(np.atleast_2d(np.asarray(A))) if horizon is None else horizon
    a, b = checked_system(A, B, steps)
    w = gramian(a, b, steps)
    rank = _krylov(a, b, steps, tolerance)
    log_det = float(np.linalg.slogdet(w)[1] / np.log(2)) if rank == len(a) else float("-inf")
    return Control(rank, len(a), w, log_det)


def observability(A: ArrayLike, C: ArrayLike, horizon: int | None = None, *, tolerance: float = 1e-10) -> Control:
    """The observability of the state from outputs y = C x, `C` (p, d), of `horizon` steps: that of (A', C')."""
    a, c = np.atleast_2d(np.asarray(A, np.float64)), np.atleast_2d(np.asarray(C, np.float64))
    return controllability(a.T, c.T, horizon, tolerance=tolerance)


@final
@dataclass(frozen=True)
class Controllability(Metric):
    """The share of a world's states that a choice of actions decides about within `horizon` steps: 0 where none does.

    Finite known worlds: the share of pairs of states, exactly (see `of_world`). Worlds of continuous actions and an
    open state: rank / dimension of the linearization about no action (the one nearest to zero), from `starts` starts,
    by differences of relative size `step`; singular values below `tolerance` times the largest are none.
    `log_det_bits` is the mean logarithm of the Gramian's determinant, in units of states per action.
    """

    horizon: int = 10
    starts: int = 8
    step: float = 1e-3
    tolerance: float = 1e-4
    level: float = 0.95

    access = Access.MODEL
    unit = "fraction"
    needs = ("environment",)

    def __post_init__(self) -> None:
        if self.horizon < 1 or self.starts < 2 or not 0 < self.step <= 1 or not 0 < self.level < 1:
            raise UserError(
                f"controllability expects horizon >= 1, starts >= 2, step and level between 0 and 1, got {self}"
            )

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        with closing(subject.environment()) as env:
            continuous = isinstance(env.action_space, Box)
            found = (
                self._linearized(env, generator) if continuous else self.of_world(known_world(subject.environment)[1])
            )
        frame = Frame(
            variables=("state", "action"),
            boundary="whoever acts chooses the actions, the environment is all else",
            horizon=self.horizon,
            goal="none: every state that can be met counts alike",
            start="the environment's own resets" if continuous else "every state in which one acts, alike",
            interventions=(CHANGES,) if continuous else (),
        )
        return found.measurement("controllability", self, frame)

    def of_world(self, world: World) -> Estimate:
        """The share of pairs of a state in which one acts and another, both to be met, that a choice decides about.

        In those, some policy arrives within the horizon with another probability than some other policy does. `choice`
        is the mean over pairs of the largest less the smallest such probability, `reachable` the share of pairs in
        which arriving is possible at all, by design or by chance. Exact, by as many sweeps backwards: the largest and
        the smallest probability of arriving, over all policies that know state and time, obey P_0 = 0 and
        P_k(s, g) = opt over a of sum over s' of p(s' | s, a) [1 if s' = g else P_(k-1)(s', g)].
        In a world that actions do not move, nothing is controlled, however much of it is reached.
        """
        there = world.origin[:, None] == np.arange(world.origins)
        flat = world.dynamics.reshape(-1, world.states)
        most, least = np.zeros(there.shape), np.zeros(there.shape)
        for sweep, best in ((most, np.max), (least, np.min)):
            for _ in range(self.horizon):
                arrived = np.where(there, 1.0, sweep)
                sweep[:] = best((flat @ arrived).reshape(world.states, world.actions, -1), axis=1)
        met = reached(world)
        pairs = (met & ~world.ended)[:, None] & (there & met[:, None]).any(0) & ~there
        if not pairs.any():
            raise UserError("controllability needs a state in which one acts and another state, this world has none")
        gap = (most - least)[pairs]
        controlled = float((gap > SAME).mean())
        return Estimate(
            value=controlled,
            estimator="exact, every pair of states",
            null=exact_null(controlled, "actions without effect"),
            diagnostics={"choice": float(gap.mean()), "reachable": float((most[pairs] > SAME).mean())},
        )

    def _linearized(self, env: gymnasium.Env[Any, Any], generator: np.random.Generator) -> Estimate:
        shares, logs, size = [], [], 0
        for here in started(env, self.starts, generator):
            jacobian = gain(here, self.horizon, step=self.step)
            size, sizes = len(jacobian), np.linalg.svd(jacobian, compute_uv=False)
            kept = sizes > self.tolerance * sizes.max(initial=SAME)
            shares.append(np.count_nonzero(kept) / size)
            logs.append(2 * float(np.log2(sizes).sum()) if shares[-1] == 1 else float("-inf"))
        return mean_over_starts(
            shares,
            level=self.level,
            estimator="linearized by central differences",
            diagnostics={"dimension": size, "log_det_bits": float(np.mean(logs))},
        )

    @classmethod
    def known_answers(cls) -> Iterator[tuple[Metric, Subject, float, float]]:
        """Who may starve decides about every place; who cannot decides about none, food falls where it will."""
        yield cls(), Subject(environment=Field), 1.0, 1e-12
        yield cls(), Subject(environment=lambda: Field(deadly=False)), 0.0, 1e-12


def _krylov(a: Floats, b: Floats, horizon: int, tolerance: float) -> int:
    """The dimension of the span of b, a b, ..., a^(horizon - 1) b, by orthonormal directions."""
    basis = np.zeros((len(a), 0))
    fresh, size = b, float(np.linalg.norm(b))
    for _ in range(horizon):
        for _ in range(2):  # twice is enough for orthogonality (Kahan)
            fresh = fresh - basis @ (basis.T @ fresh)
        left, sizes, _ = np.linalg.svd(fresh, full_matrices=False)
        new = left[:, sizes > tolerance * size]
        if size == 0 or not new.shape[1]:
            break
        basis = np.concatenate([basis, new], 1)
        fresh, size = a @ new, float(np.linalg.norm(a))
    return basis.shape[1]
