"""The state of a world beside what is seen of it, read where an environment offers it as arrays."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import ArrayLike

from agentic.environments.answers import Fault
from agentic.errors import UserError

KINDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "numbers with a point"}
State = Mapping[str, np.ndarray]  # columns (b, *shape)


@runtime_checkable
class HasWorldState(Protocol):
    """A Gymnasium environment, or a wrapper of one, with a method `world_state` that says its state.

    An array, or a mapping from names to arrays, whose shapes are the same at every step. Of a vector environment that
    has no single ones the arrays are those of all rows, (b, *shape).
    """

    def world_state(self) -> ArrayLike | Mapping[str, ArrayLike]:
        """The state that the last observation was made of."""


def states(name: str, rows: Sequence[Any]) -> Callable[[], State]:
    """A function that reads the state of all rows: a column `world`, or `world.<name>` of each array in a mapping.

    Asked for is `world_state` (see `HasWorldState`), of the outermost layer that has it; else what Gymnasium's own
    environments have: `data.qpos` and `data.qvel` (MuJoCo), `state` (classic control) or `s` (toy text). Raises
    UserError where there is none of these, also after a reset.
    """
    sources = [_source(env) or _begun(env) for env in rows]
    first, single = dict[str, str](), not isinstance(rows[0], VectorEnv)

    def read() -> State:
        found = [_columns(None if source is None else source(), row) for row, source in enumerate(sources)]
        for row, columns in enumerate(found):
            own = {name: f"{KINDS[column.dtype.kind]} {column.shape}" for name, column in columns.items()}
            if own != (first or own):
                raise Fault(f"the state of the world is {own} where it was {first}", row)
            first.update(own)
        return {at: np.stack([each[at] for each in found]) if single else one for at, one in found[0].items()}

    if None in sources:
        hint = "give its class a method world_state() that returns an array or a mapping of arrays"
        raise UserError(f"{name} offers no state of the world to record: {hint}, or leave out run.world")
    return read


def _source(env: Any) -> Callable[[], Any] | None:
    layer = env
    while not isinstance(layer, HasWorldState) and isinstance(layer, gymnasium.Wrapper):
        layer = layer.env
    if isinstance(layer, HasWorldState):
        return layer.world_state
    inside = env.unwrapped
    if hasattr(getattr(inside, "data", None), "qpos"):
        return lambda: {"qpos": inside.data.qpos, "qvel": inside.data.qvel}
    if hasattr(inside, "state") and not callable(inside.state):
        return lambda: inside.state
    return (lambda: inside.s) if hasattr(inside, "s") else None


def _begun(env: Any) -> Callable[[], Any] | None:
    """The same of one that has a state only once an episode has begun, as Pendulum; wrappers are not told of it."""
    if isinstance(env, VectorEnv):
        return None
    env.unwrapped.reset(seed=0)
    return _source(env)


def _columns(given: Any, row: int) -> dict[str, np.ndarray]:
    """Arrays of its own memory, numbers with a point as float64: what an environment returns may change later."""
    named = {f"world.{name}": part for name, part in given.items()} if isinstance(given, Mapping) else {"world": given}
    try:
        arrays = {name: np.array(part) for name, part in named.items()}
    except ValueError:
        arrays = {}
    if not arrays or any(array.dtype.kind not in KINDS or not array.size for array in arrays.values()):
        raise Fault(f"its state {given!r:.80} is no array of numbers, and no mapping of such arrays", row)
    return {name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in arrays.items()}
