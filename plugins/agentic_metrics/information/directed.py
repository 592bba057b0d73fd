"""Directed information of an exact law, from actions to observations and back.

In every step the agent acts first and the world answers; every number here depends on this order.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agentic import UserError
from agentic_metrics.finite.laws import CLOSE, conditional_information

Floats = NDArray[np.float64]
Window = tuple[int, int]  # first and last step, counted from 1
History = tuple[int, ...]
Conduct = Callable[[History, History], ArrayLike]  # actions and observations so far -> probabilities

LARGEST = 2**24  # cells of a joint law


def joint_law(agent: Conduct, world: Conduct, *, steps: int, actions: int, observations: int) -> Floats:
    """The joint law of actions and observations A_1, O_1, ..., A_n, O_n by enumeration, one axis each.

    Its shape is (actions, observations) * steps. `agent(past actions, past observations)` gives the probabilities
    (actions,) of the next action; `world(actions up to now, past observations)` those (observations,) of what is seen
    after it. Histories of probability zero are not asked for. Raises UserError where an answer is no distribution or
    the law is too large.
    """
    if steps < 1 or (actions * observations) ** steps > LARGEST:
        raise UserError(
            f"the law of {steps} steps of {actions} actions and {observations} observations cannot be enumerated "
            f"(at most {LARGEST} cells, at least one step): shorten it, or estimate from episodes"
        )
    law: Floats = np.ones(())
    for _ in range(steps):
        for conduct, size, name in ((agent, actions, "agent"), (world, observations, "world")):
            more = np.zeros((*law.shape, size))
            for history in zip(*np.nonzero(law), strict=True) if law.ndim else [()]:
                past = tuple(map(int, history))
                more[past] = law[past] * _answer(conduct(past[::2], past[1::2]), size, name)
            law = more
    return law


def generalized_directed_information(joint: ArrayLike, source: Window, target: Window, *, to_actions: bool) -> float:
    """The directed information from a window of one variable to a window of the other, in bits (Abel et al. 2025).

    With windows [a, b] of the source X and [c, d] of the target Y (steps from 1, both ends included):
    sum over i = max(a, c)..d of I(X_a:min(b,i); Y_i | X_1:a-1, Y_1:i-1), where X_i counts as past of Y_i only if it
    comes first in the step, as actions do. `joint` has the axes A_1, O_1, ..., A_n, O_n; `to_actions` makes
    observations the source. With both windows whole it is directed information (Massey 1990).
    Raises UserError for a joint that is no law or windows that leave it.
    """
    law = _checked(joint)
    steps = law.ndim // 2
    for first, last in (source, target):
        if not 1 <= first <= last <= steps:
            raise UserError(f"a window lies within steps 1 to {steps}, first <= last, got {(first, last)}")
    flow = 0.0
    for i in range(max(source[0], target[0]), target[1] + 1):
        known = [2 * k + to_actions for k in range(i - to_actions)]  # axes of the source that come before Y_i
        axes = known[source[0] - 1 : source[1]]
        past = known[: source[0] - 1] + [2 * k + 1 - to_actions for k in range(i - 1)]
        flow += _information(law, axes, 2 * (i - 1) + 1 - to_actions, past)
    return flow


def exact_directed_information(joint: ArrayLike) -> float:
    """The exact directed information from actions to observations, in bits (Massey 1990).

    I(A^n -> O^n) = sum_t I(A_1:t; O_t | O_1:t-1), the empowerment that an agent uses. `joint` has one axis for each of
    A_1, O_1, ..., A_n, O_n and sums to 1. A uniformly random agent may reach the maximum, the channel capacity of its
    world, so read it next to `exact_plasticity`.
    """
    whole = 1, np.ndim(joint) // 2
    return generalized_directed_information(joint, whole, whole, to_actions=False)


def exact_plasticity(joint: ArrayLike) -> float:
    """The exact plasticity, the directed information from observations to actions, in bits.

    I(O^n-1 -> A^n) = sum_t I(O_1:t-1; A_t | A_1:t-1), how far what is seen shapes what is done. With
    `exact_directed_information` E it obeys P + E = I(A^n; O^n) (Massey and Massey 2005), which is at most n min(log2
    |A|, log2 |O|): no agent can have all of both (Abel et al. 2025). A random agent and a rock have none.
    """
    whole = 1, np.ndim(joint) // 2
    return generalized_directed_information(joint, whole, whole, to_actions=True)


def _information(law: Floats, source: list[int], target: int, past: list[int]) -> float:
    """I(source; target | past) of axes of `law`, in bits."""
    if not source:
        return 0.0
    order = [*source, target, *past]
    rest = tuple(axis for axis in range(law.ndim) if axis not in order)
    kept = sorted(order)
    table = law.sum(rest).transpose([kept.index(axis) for axis in order])
    size = int(np.prod(table.shape[: len(source)]))
    return conditional_information(table.reshape(size, law.shape[target], -1))


def _checked(joint: ArrayLike) -> Floats:
    law = np.asarray(joint, np.float64)
    if law.ndim < 2 or law.ndim % 2 or not law.size:
        raise UserError(f"a joint law has the axes A_1, O_1, ..., A_n, O_n, an even number, got shape {law.shape}")
    if not np.isfinite(law).all() or law.min() < 0 or abs(law.sum() - 1) > CLOSE:
        raise UserError("a joint law holds probabilities that sum to 1 over all its axes: normalize it")
    return law


def _answer(values: ArrayLike, size: int, name: str) -> Floats:
    law = np.asarray(values, np.float64)
    if law.shape != (size,) or not np.isfinite(law).all() or law.min() < 0 or abs(law.sum() - 1) > CLOSE:
        raise UserError(f"the {name} must answer with {size} probabilities that sum to 1, got {values!r}")
    return law
