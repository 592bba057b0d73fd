"""What an agent is: anything that, given an observation, decides.

A contract of two methods that our own agents, a stranger's policy and a lookup table all meet. What an agent
remembers is its `State`, passed in and returned; what it learned is in its modules; what it chose is configuration.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor

from agentic.state import State

if TYPE_CHECKING:
    from agentic.belief import Belief
    from agentic.learn import Learner


@dataclass(slots=True)
class Decision:
    """What an agent decided for one batch of observations.

    `action` (b, *event) is the action as executed: one-hot blocks for discrete spaces, environment units for Box.
    `policy` is the belief over actions it was chosen from, None where the agent has none.
    `energies` maps a term's name to its value in nats, (b,).
    """

    action: Tensor
    state: State = None
    policy: "Belief | None" = None
    belief: "Belief | None" = None
    plan: Any = None
    energies: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What an intervention announces to an agent: a new goal, a new model of the world; None where nothing changed.

    Each is in the agent's own terms, or the changed world itself, an `agentic.Environment`: the agent then asks its
    parts for themselves in that world.
    """

    goal: Any = None
    model: Any = None


@dataclass(slots=True)
class Native:
    """The same step in the environment's own form: numpy arrays, batch first; discrete values are indices.

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
    learns from them or counts them. `episode` and `t` count from 0 within each row.
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


class Agent(ABC):
    """Anything that decides: ours, a stranger's, a lookup table, a rock.

    Implement `start` and `decide`. An agent that can be told of a change of its goal or its model overrides `told`;
    a clone or a rock stays what it is. `learner`, where there is one, consumes ticks between decisions.
    """

    learner: "Learner | None" = None

    @abstractmethod
    def start(self, batch: int, *, generator: torch.Generator) -> State:
        """What the agent remembers before the first observation of `batch` episodes."""

    @abstractmethod
    def decide(self, state: State, obs: Tensor, *, generator: torch.Generator) -> Decision:
        """Perceive `obs` (b, *event) and choose an action for every row."""

    def sealed(self) -> Self:
        """A deep copy that does not learn."""
        copy = deepcopy(self)
        copy.learner = None
        return copy

    def told(self, change: Change) -> "Agent":
        """The agent after an announced change. Default: it did not listen."""
        return self
