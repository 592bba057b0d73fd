"""The arrays of pymdp's Agent (1.x, and the object arrays before) in the terms of the models here.

pymdp gives every factor a control of its own where `B_action_dependencies` says nothing, and may put a batch of one
agent in front of every array. Its arrays are often float32: their columns are made to sum to one in float64.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from torch import Tensor

from agentic import UserError

ROUNDED = 2e-5  # pymdp takes columns whose sums are this near to one
Lists = Sequence[Sequence[int]]


def from_agent(
    A: Any,
    B: Any,
    D: Any = None,
    E: Any = None,
    A_dependencies: Lists | None = None,
    B_dependencies: Lists | None = None,
    B_action_dependencies: Lists | None = None,
    num_controls: Sequence[int] | None = None,
    C: Any = None,
) -> Mapping[str, Any]:
    """The parameters `A`, `B`, `D`, `E` and `dependencies` of a model here, for the arguments of a pymdp Agent.

    Controls with one setting, and those that move no factor, are left out: they decide nothing. Without `D` every state
    is equally likely at the start. Raises UserError for a batch of several agents, for `C`, which is the goal's, and
    for an `E` over plans of several steps, which is the planner's.
    """
    if C is not None:
        raise UserError("C is what an agent prefers, no part of its model: give it to LogPreferences.from_pymdp")
    every = range(len(B))
    seen, past = A_dependencies or [every] * len(A), B_dependencies or [[f] for f in every]
    moved = [list(own) for own in B_action_dependencies or [[f] for f in every]]
    lists = (("A_dependencies", A, seen), ("B_dependencies", B, past), ("B_action_dependencies", B, moved))
    for name, arrays, given in (*lists, ("D", B, B if D is None else D)):
        if len(given) != len(arrays):
            raise UserError(f"{name} expects {len(arrays)} entries, one per array, got {len(given)}")
    likelihoods = [_columns(f"A[{m}]", a, 1 + len(own)) for m, (a, own) in enumerate(zip(A, seen, strict=True))]
    moves = [_columns(f"B[{f}]", B[f], 1 + len(past[f]) + len(moved[f])) for f in every]
    if not any(moved):
        moved[0], moves[0] = [0], moves[0][..., None]
    sizes = _sizes(moves, moved, None if B_action_dependencies is None else num_controls)
    kept = [u for u, n in sorted(sizes.items()) if n > 1] or [min(sizes)]
    tables = [b.squeeze(_dropped(b, own, kept)) for b, own in zip(moves, moved, strict=True)]
    starts = [np.full(len(b), 1 / len(b)) if D is None else _columns(f"D[{f}]", D[f], 1) for f, b in enumerate(moves)]
    controls = [[kept.index(u) for u in own if u in kept] for own in moved]
    habits, actions = None if E is None else _columns("E", E, 1), prod(sizes[u] for u in kept)
    if habits is not None and len(habits) != actions:
        raise UserError(
            f"E has {len(habits)} entries, the model {actions} joint actions: a prior over plans of several steps goes "
            "to the planner, Enumerate(E=...)"
        )
    return {
        "A": likelihoods,
        "B": tables,
        "D": starts,
        "E": habits,
        "dependencies": {"A": seen, "B": past, "B_actions": controls},
    }


def of_one_agent(name: str, array: Any, axes: int) -> np.ndarray:
    """An array in float64 with at most so many axes, without that of a batch of one agent.

    Raises UserError for a batch of several.
    """
    read: np.ndarray = np.asarray(_detached(array), dtype=np.float64)
    if read.ndim <= axes:
        return read
    if read.ndim > axes + 1 or len(read) != 1:
        raise UserError(f"{name} expects {axes} axes, at most with a batch of one agent in front, got {read.shape}")
    return read.reshape(read.shape[1:])


def _detached(array: Any) -> Any:
    """The array, without its gradient."""
    return array.detach() if isinstance(array, Tensor) else array


def _columns(name: str, array: Any, axes: int) -> np.ndarray:
    """Probabilities with so many axes, those that float32 has rounded as sums to one again."""
    read = of_one_agent(name, array, axes)
    if read.ndim != axes or not read.size:
        raise UserError(f"{name} expects {axes} axes, got shape {read.shape}")
    sums = read.sum(0)
    rounded = np.asarray(_detached(array)).dtype == np.float32 and np.abs(sums - 1).max() < ROUNDED
    return read / sums if rounded else read


def _sizes(
    moves: Sequence[np.ndarray], moved: Sequence[Sequence[int]], num_controls: Sequence[int] | None
) -> dict[int, int]:
    """The number of settings of every control that moves a factor."""
    sizes = {} if num_controls is None else dict(enumerate(num_controls))
    used = {}
    for f, (b, own) in enumerate(zip(moves, moved, strict=True)):
        for control, size in zip(own, b.shape[b.ndim - len(own) :], strict=True):
            if sizes.setdefault(control, size) != size or (num_controls is not None and control >= len(num_controls)):
                wanted = f"num_controls is {list(num_controls)}" if num_controls is not None else "others differ"
                raise UserError(f"control {control} has {size} settings in B[{f}], {wanted}")
            used[control] = size
    return used


def _dropped(b: np.ndarray, own: Sequence[int], kept: Sequence[int]) -> tuple[int, ...]:
    """The axes of controls that are left out."""
    return tuple(b.ndim - len(own) + i for i, control in enumerate(own) if control not in kept)
