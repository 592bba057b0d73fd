"""One step of a batch of environments, and the decision in it: the values that consumers of the loop are handed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
from torch import Tensor

from agentic.engine.state import State

if TYPE_CHECKING:
    from agentic.engine.belief import Belief
    from agentic.planning.plan import Plan

__all__ = ["Decision", "Native", "Tick"]


@final
class Deferred(Mapping[str, Any]):
    """A mapping that is made when it is first looked into: accounts that nobody reads cost nothing."""

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make
        self._made: Mapping[str, Any] | None = None

    def _whole(self) -> Mapping[str, Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: str) -> Any:
        return self._whole()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())


@dataclass(slots=True)
class Decision:
    """The decision of an agent for one batch of observations.

    `action` (b, *event) is the action as executed: one-hot blocks for discrete spaces, environment units for Box. In
    a Box of integers an agent may choose a number between them: the nearest is executed, and stands in the tick.
    `policy` is the belief over actions it was chosen from, None where the agent has none.
    `energies` maps a term's name to its value in nats, (b,); it may be `Deferred`.

    >>> import agentic, torch
    >>> decision = agentic.Decision(torch.tensor([[0.0, 1.0]]), policy=agentic.Categorical(torch.tensor([[0.3, 0.7]])))
    >>> decision.policy.mode
    tensor([[0., 1.]])
    """

    action: Tensor
    state: State = None
    policy: "Belief | None" = None
    belief: "Belief | None" = None
    plan: "Plan | None" = None
    energies: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(slots=True)
class Native:
    """A step in the environment's own form: numpy arrays, batch first; discrete values are indices.

    Dict and Tuple spaces are mappings from the (dotted) key of each array to its array.
    """

    obs: Any
    action: Any
    next_obs: Any


@dataclass(slots=True)
class Tick:
    """One step of a batch of environments, as every consumer (recorder, metric, learner) sees it.

    `obs`, `action`, `next_obs` are the agent's tensors (b, *event); `next_obs` is the true successor, never a reset
    observation. `reward` float64, `terminated`, `truncated` and `valid` bool, `episode` and `t` int64 are numpy (b,).
    Rows with `valid` False are the dummy steps of self-resetting vector environments: nothing predicts from them,
    learns from them or counts them. `episode` and `t` count from 0 within each row. `world` has the state of the world
    that `obs` was made of, columns (b, *shape), where it was asked for.
    """

    obs: Tensor
    action: Tensor
    next_obs: Tensor
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    valid: np.ndarray
    episode: np.ndarray
    t: np.ndarray
    decision: Decision
    native: Native
    world: Mapping[str, np.ndarray] = field(default_factory=dict)
