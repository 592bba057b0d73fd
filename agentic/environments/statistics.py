"""Running statistics that wrappers keep, as for normalization: learning moves them, evaluation leaves them alone."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, runtime_checkable

import gymnasium
from gymnasium.vector import AsyncVectorEnv, VectorWrapper

from agentic.errors import BREAKS, ThirdPartyWarning

Layer = Any  # a wrapper, or what lies below all of them


@runtime_checkable
class Freezable(Protocol):
    """A wrapper whose statistics can be frozen, as Gymnasium's NormalizeObservation and NormalizeReward.

    Those classes are other people's, so that the switch is all that is asked of them.
    """

    update_running_mean: bool


def layers(envs: Iterable[Layer]) -> list[Layer]:
    """The wrappers around every environment, the outermost first, and the environments themselves, each once."""
    found: dict[int, Layer] = {}
    for env in envs:
        while id(env) not in found:
            found[id(env)] = env
            env = env.env if isinstance(env, gymnasium.Wrapper | VectorWrapper) else env
    return list(found.values())


def moving(layer: Layer) -> bool:
    """Whether a layer keeps running statistics that every step moves."""
    with suppress(*BREAKS):  # a layer that does not answer is left as it is
        if isinstance(layer, Freezable):
            return bool(layer.update_running_mean)
        if isinstance(layer, AsyncVectorEnv):
            return any(layer.call("has_wrapper_attr", "update_running_mean"))
        return any(type(value).__name__ == "RunningMeanStd" for value in vars(layer).values())
    return False


@contextmanager
def frozen(envs: Iterable[Layer]) -> Iterator[None]:
    """A while in which running statistics stay as they are; afterwards they move as before.

    A ThirdPartyWarning names each class whose statistics have no switch, or lie in other processes: those go on.
    """
    found = [layer for layer in layers(envs) if moving(layer)]
    stopped = [layer for layer in found if _switched(layer, False)]
    for name in sorted({type(layer).__name__ for layer in found if moving(layer)}):
        said = f"evaluation moves the running statistics of {name}, which lets no update_running_mean be set from here"
        warnings.warn(f"{said}: the world goes on changing", ThirdPartyWarning, stacklevel=2)
    try:
        yield
    finally:
        for layer in stopped:
            _switched(layer, True)


def _switched(layer: Layer, moves: bool) -> bool:
    """Whether the statistics of a layer could be let go, or stopped."""
    if isinstance(layer, Freezable):
        with suppress(*BREAKS):
            layer.update_running_mean = moves
            return True
    return False
