"""The response of a continuous world to small changes of the actions: derivatives by differences on copies.

A copy of an environment continues with the same random numbers, so that differences of two copies are free of noise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, final

import gymnasium
import numpy as np
from numpy.typing import ArrayLike

from agentic import Interval, UserError
from agentic_metrics.estimate import Estimate, exact_null
from agentic_metrics.finite.arrays import Floats

Env = gymnasium.Env[Any, Any]

CHANGES = "small changes of the actions, on copies of the environment"  # the intervention of a frame


@final
@dataclass(frozen=True)
class Response:
    """The place to which `actions` (h, m) lead an environment, and its derivative by each of them.

    `place` (d,): the state after h steps. `jacobian` (d, h, m): d place / d actions, which for a linear world
    x' = A x + B u is [A^(h-1) B, ..., A B, B] along its second axis.
    """

    place: Floats
    jacobian: Floats


def response(env: Env, actions: ArrayLike, *, step: float = 1e-3) -> Response:
    """The response of `env`, which stays where it is, to `actions` (h, m) and to changes of each by `step`.

    Central differences (one-sided where an action lies at its bound), in the units of the actions; for bounded
    actions `step` is a fraction of half their range. The state is what `place` reads. Raises UserError for an
    environment without continuous actions and places, and where an episode ends within the h steps.
    """
    space = _continuous(env)
    base = np.asarray(actions, np.float64)
    base = base.reshape(len(base), -1)
    low, high = (np.asarray(bound, np.float64).ravel() for bound in (space.low, space.high))
    sizes = step * np.where(high - low < 1e30, (high - low) / 2, 1.0)  # bounds further apart stand for none
    jacobian = np.empty((len(place(env)), *base.shape))
    for t, i in np.ndindex(*base.shape):
        above, below = base.copy(), base.copy()
        above[t, i], below[t, i] = min(base[t, i] + sizes[i], high[i]), max(base[t, i] - sizes[i], low[i])
        gap = above[t, i] - below[t, i]
        jacobian[:, t, i] = (_after(env, above) - _after(env, below)) / gap
    return Response(_after(env, base), jacobian)


def gain(env: Env, horizon: int, *, step: float = 1e-3) -> Floats:
    """The derivative (d, horizon m) of the place of `env` after `horizon` steps by each action, about no action.

    No action is the one nearest to zero; see `response`.
    """
    space = _continuous(env)
    still = np.clip(np.zeros(space.shape), space.low, space.high).ravel()
    jacobian = response(env, np.tile(still, (horizon, 1)), step=step).jacobian
    return jacobian.reshape(len(jacobian), -1)


def started(env: Env, count: int, generator: np.random.Generator) -> Iterator[Env]:
    """The environment `env` at each of so many of its own random starts, one after the other."""
    for seed in generator.integers(2**31, size=count):
        env.reset(seed=int(seed))
        yield env


def mean_over_starts(
    values: Sequence[float], *, level: float, estimator: str, diagnostics: Mapping[str, object]
) -> Estimate:
    """The mean of one value per start, with Student's interval; its null is exactly zero, actions without effect."""
    value, count = float(np.mean(values)), len(values)
    error, method = float(np.std(values, ddof=1)) / count**0.5, f"Student t over {count} starts"
    return Estimate(
        value=value,
        estimator=estimator,
        interval=Interval.student(value, error, count - 1, level=level, method=method),
        null=exact_null(value, "actions without effect"),
        samples=count,
        diagnostics=diagnostics,
    )


def jacobians(step: Callable[[Floats, Floats], Floats], state: ArrayLike, action: ArrayLike) -> tuple[Floats, Floats]:
    """The matrices A = dx'/dx (d, d) and B = dx'/du (d, m) of x' = step(x, u), by central differences at one point."""
    x, u = np.atleast_1d(np.asarray(state, np.float64)), np.atleast_1d(np.asarray(action, np.float64))

    def columns(point: Floats, f: Callable[[Floats], Floats]) -> Floats:
        widths = 1e-5 * np.maximum(1.0, np.abs(point))
        moves = np.diag(widths)
        pairs = zip(moves, widths, strict=True)
        return np.stack([(f(point + move) - f(point - move)) / (2 * width) for move, width in pairs], -1)

    return columns(x, lambda moved: step(moved, u)), columns(u, lambda moved: step(x, moved))


def place(env: Env) -> Floats:
    """The state of an environment, (d,): its array `state` where it keeps one, else MuJoCo's positions and speeds.

    Raises UserError where it has neither.
    """
    inner: Any = env.unwrapped
    state = getattr(inner, "state", None)
    if isinstance(state, np.ndarray | tuple | list) and np.asarray(state).dtype.kind == "f":
        return np.asarray(state, np.float64).ravel()
    data = getattr(inner, "data", None)
    if data is not None and hasattr(data, "qpos") and hasattr(data, "qvel"):
        return np.concatenate([data.qpos, data.qvel]).astype(np.float64)
    raise UserError(
        f"the state of {type(inner).__name__} is not open to view: it needs an attribute `state` that is an array of "
        "floats (or MuJoCo's data.qpos and data.qvel)"
    )


def _continuous(env: Env) -> gymnasium.spaces.Box:
    space = env.action_space
    if not isinstance(space, gymnasium.spaces.Box) or space.dtype.kind != "f":
        raise UserError(f"a response to small changes needs continuous actions (a Box of floats), the space is {space}")
    return space


def _after(env: Env, actions: Floats) -> Floats:
    """The place of a copy of `env` after `actions`."""
    copy = deepcopy(env)
    space = copy.action_space
    for action in actions:
        ended = copy.step(action.reshape(space.shape).astype(space.dtype))[2]
        if ended:
            raise UserError(
                f"the episode of {type(env.unwrapped).__name__} ended within {len(actions)} steps: shorten the horizon"
            )
    return place(copy)
