"""Planning by the Riccati recursion: linear dynamics, quadratic goals, plans as affine feedback (LQG).

A white-box solver: it opens the model's matrices and the goal's weights. Separation holds: the gains do not depend on
the belief, the expected energy does, covariances included (Anderson and Moore 1990).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
import torch
from numpy.typing import NDArray

from agentic import (
    Belief,
    CertaintyEquivalentEnergy,
    ExpectedEnergy,
    Gaussian,
    Goal,
    Iterate,
    LatentGoal,
    LinearModel,
    Objective,
    ObservationGoal,
    Purpose,
    UserError,
)
from agentic_optimizers.feedback_plan import AffineFeedback
from agentic_optimizers.planned import Planned, Snapshot

Array = NDArray[np.float64]


class Form(NamedTuple):
    """The quadratic v' P v / 2 + p' v + c of a vector."""

    P: Array
    p: Array
    c: float

    def through(self, M: Array, m: Array) -> "Form":
        """The form of M v + m as a form of v."""
        shifted = self.P @ m + self.p
        return Form(M.T @ self.P @ M, M.T @ shifted, self.c + 0.5 * float(m @ (shifted + self.p)))

    def plus(self, other: "Form", scale: float = 1.0) -> "Form":
        """The sum of two forms, the other one scaled."""
        return Form(self.P + scale * other.P, self.p + scale * other.p, self.c + scale * other.c)

    def at(self, v: Array) -> Array:
        """Values at the rows of `v` (b, n)."""
        return np.asarray(0.5 * ((v @ self.P) * v).sum(-1) + v @ self.p + self.c)


class Problem(NamedTuple):
    """A linear-quadratic problem as numpy: the system, costs of goal and terminal over z, of effort over a."""

    A: Array
    B: Array
    c: Array
    Q: Array
    C: Array
    R: Array
    goal: Form
    effort: Form
    terminal: Form
    discount: float
    horizon: int


class Law(NamedTuple):
    """The solved feedback, and the mean's expected energy as forms of the first mean, by term."""

    problem: Problem
    gains: Array
    offsets: Array
    forms: dict[str, Form]


@final
@dataclass(frozen=True)
class Riccati(Planned):
    """The feedback a = K_t m + k_t of lowest expected energy for a linear-Gaussian model and quadratic purpose.

    Discrete actions are relaxed to real vectors and projected where they are selected. A previous plan is used again
    while the model's version and the purpose stand. Raises UserError for anything that is not linear and quadratic,
    for information gain (it is the same for every control, or not quadratic), and where no effort bounds the action.
    """

    steps: int = 1

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, ExpectedEnergy) or not isinstance(f.model, LinearModel):
            model = type(getattr(f, "model", None)).__name__
            raise UserError(f"riccati needs the expected energy of a linear-Gaussian model, got {model}")
        law, spread, extra = self._again(f, z) or (solve(_problem(f.model, f.purpose)), None, {})
        if isinstance(f, CertaintyEquivalentEnergy):
            spread, extra = None, {}
        else:
            now = _covariance(f.belief)
            if spread is None or spread.shape != now.shape or not np.allclose(spread, now, rtol=1e-9, atol=0):
                spread, extra = now, _uncertainty(law, now)
        mean = f.belief.mean.numpy().astype(np.float64)
        named = [name for name in law.forms if name != "terminal" or f.purpose.terminal is not None]
        parts = {name: torch.from_numpy(law.forms[name].at(mean) + extra.get(name, 0.0)) for name in named}
        value = f.total(parts)
        plan = AffineFeedback(
            gains=torch.from_numpy(law.gains),
            offsets=torch.from_numpy(law.offsets),
            start=f.belief,
            parts=parts,
            version=f.model.version,
            memory=(f.model, f.purpose, law, spread, extra, Snapshot.of(f)),
        )
        return Iterate(f.belief.mean, value, torch.zeros_like(value), 1, plan)

    def _again(self, f: ExpectedEnergy, plan: Any) -> tuple[Law, Array | None, dict[str, Array]] | None:
        if not isinstance(plan, AffineFeedback) or plan.version != f.model.version:
            return None
        model, purpose, law, spread, extra, before = plan.memory
        same = model is f.model and purpose is f.purpose and before.stands()
        return (law, spread, extra) if same else None


def _covariance(belief: Belief) -> Array:
    """The belief's covariance (b, n, n); zero for a point."""
    if isinstance(belief, Gaussian):
        return np.asarray(belief.covariance.numpy())
    return np.zeros((*belief.mean.shape, belief.mean.shape[-1]))


def solve(problem: Problem) -> Law:
    """The Riccati recursion backwards, and each term's form of the mean under the law it gives."""
    A, B, c, n = problem.A, problem.B, problem.c, len(problem.A)
    forms = {"pragmatic": _zero(n), "effort": _zero(n), "terminal": problem.terminal}
    gains, offsets = [], []
    for _ in range(problem.horizon):
        ahead = problem.goal
        for form in forms.values():
            ahead = ahead.plus(form, problem.discount)
        K, k = _best(problem, ahead)
        closed, drift = A + B @ K, B @ k + c
        forms = {name: _zero(n).plus(form.through(closed, drift), problem.discount) for name, form in forms.items()}
        forms["pragmatic"] = forms["pragmatic"].plus(problem.goal.through(closed, drift))
        forms["effort"] = forms["effort"].plus(problem.effort.through(K, k))
        gains.append(K)
        offsets.append(k)
    return Law(problem, np.array(gains[::-1]), np.array(offsets[::-1]), forms)


def _best(problem: Problem, ahead: Form) -> tuple[Array, Array]:
    """The feedback that lowers effort(a) + ahead(A z + B a + c)."""
    A, B = problem.A, problem.B
    curvature = problem.effort.P + B.T @ ahead.P @ B
    slope = B.T @ (ahead.P @ problem.c + ahead.p) + problem.effort.p
    try:
        root = np.linalg.cholesky(0.5 * (curvature + curvature.T))
    except np.linalg.LinAlgError:
        raise UserError("riccati needs an effort on every action the goal does not bound: set effort > 0") from None
    right = np.concatenate([B.T @ ahead.P @ A, slope[:, None]], 1)
    solved = -np.linalg.solve(root.T, np.linalg.solve(root, right))
    return solved[:, :-1], solved[:, -1]


def _uncertainty(law: Law, spread: Array) -> dict[str, Array]:
    """What not knowing adds to each term, (b,): belief (b, n, n), process noise, and what will be seen."""
    problem, batch = law.problem, len(spread)
    estimate, unknown = np.zeros_like(spread), spread
    sums = {name: np.zeros(batch) for name in law.forms}
    for t, K in enumerate(law.gains):
        weight, closed = problem.discount**t, problem.A + problem.B @ K
        sums["effort"] += weight * _trace(K.T @ problem.effort.P @ K, estimate)
        moved, ahead = closed @ estimate @ closed.T, problem.A @ unknown @ problem.A.T + problem.Q
        seen = problem.C @ ahead @ problem.C.T + problem.R
        unknown = ahead - ahead @ problem.C.T @ np.linalg.pinv(seen, hermitian=True) @ problem.C @ ahead
        estimate = moved + ahead - unknown
        sums["pragmatic"] += weight * _trace(problem.goal.P, moved + ahead)
    sums["terminal"] += problem.discount**problem.horizon * _trace(problem.terminal.P, moved + ahead)
    return sums


def _trace(weights: Array, covariance: Array) -> Array:
    return np.asarray(0.5 * (weights * covariance).sum((-2, -1)))


def _problem(model: LinearModel, purpose: Purpose) -> Problem:
    if purpose.gain is not None:
        raise UserError("riccati plans without information gain: leave out gain, or plan with cem")
    system = model.system()
    A, B, c, Q, C, d, R = (
        getattr(system, name).numpy().astype(np.float64) for name in ("A", "B", "c", "Q", "C", "d", "R")
    )
    effort = _zero(B.shape[1]) if purpose.effort is None else _form(purpose.effort, None)
    view = (C, d, R)
    terminal = _zero(len(A)) if purpose.terminal is None else _form(purpose.terminal, view)
    goal = _form(purpose.goal, view)
    return Problem(A, B, c, Q, C, R, goal, effort, terminal, purpose.discount, purpose.horizon)


def _form(goal: Goal, view: tuple[Array, Array, Array] | None) -> Form:
    """A quadratic goal as a form of the latent (its mean over the observation C z + d + v where it is about that)."""
    quadratic = goal.quadratic()
    if quadratic is None or not (view is None or isinstance(goal, ObservationGoal | LatentGoal)):
        raise UserError(f"riccati needs quadratic goals over latents or observations, got {goal.name}")
    center, weights = quadratic.center.numpy(), quadratic.weights.numpy()
    form = Form(weights, -weights @ center, 0.5 * float(center @ weights @ center))
    if view is None or not isinstance(goal, ObservationGoal):
        return form
    C, d, R = view
    return form._replace(c=form.c + 0.5 * float((weights * R).sum())).through(C, d)


def _zero(n: int) -> Form:
    return Form(np.zeros((n, n)), np.zeros(n), 0.0)
