"""What environments answer, looked at: the parts of a step, rewards and flags, each mistake named for what it is."""

from math import isfinite
from typing import Any

import numpy as np

from agentic.errors import shown

STEP = ("observation", "reward", "terminated", "truncated", "info")
RESET = ("observation", "info")


class Fault(ValueError):
    """A failure in one row (None: of all, or of the row that is looked at)."""

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


def parts(answer: Any, call: str, names: tuple[str, ...]) -> tuple[Any, ...]:
    """The values that `call` returned. Raises Fault where they are not as many as `names`."""
    if type(answer) is tuple and len(answer) == len(names):  # the common case, kept short
        return answer
    if isinstance(answer, tuple | list) and len(answer) == len(names):
        return tuple(answer)
    got = f"{len(answer)} values" if isinstance(answer, tuple | list) else shown(answer)
    raise Fault(f"{call} returned {got}, expected ({', '.join(names)})")


def number(reward: Any) -> float:
    """A reward as a float. Raises Fault where it is none, or not finite."""
    if type(reward) is float and isfinite(reward):
        return reward
    if type(reward) is not float:
        reward = _scalar(reward, "biuf", f"the reward is {shown(reward)}, expected one number")
    if not isfinite(reward):
        raise Fault(f"the reward is {reward}")
    return float(reward)


def flag(value: Any, name: str) -> bool:
    """`terminated` or `truncated` as a bool. Raises Fault where it is none."""
    if type(value) is bool:
        return value
    mistake = f"{name} is {shown(value)}, expected True or False"
    found = _scalar(value, "biu", mistake)
    if found not in (0, 1):
        raise Fault(mistake)
    return bool(found)


def numbers(reward: Any, batch: int) -> np.ndarray:
    """A copy of the rewards (b,) as float64; those of rows that did not step may be anything."""
    return np.array(_row(reward, batch, "biuf", "the reward"), np.float64)


def flags(value: Any, batch: int, name: str) -> np.ndarray:
    """A copy of `terminated` or `truncated` (b,) as bool."""
    found = _row(value, batch, "biu", name)
    if found.dtype.kind != "b" and not np.isin(found, (0, 1)).all():
        raise Fault(f"{name} is {shown(value)}, expected True or False for each row")
    return np.array(found, bool)


def _scalar(value: Any, kinds: str, mistake: str) -> float:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise Fault(mistake) from error
    if array.shape != () or array.dtype.kind not in kinds:
        raise Fault(mistake)
    return float(array)


def _row(value: Any, batch: int, kinds: str, name: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise Fault(f"{name} is no array: {shown(value)}") from error
    if array.shape != (batch,) or array.dtype.kind not in kinds:
        raise Fault(f"{name} is {shown(value)}, expected one for each of {batch} rows")
    return array
