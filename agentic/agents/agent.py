"""The contract of an agent: anything that decides, given an observation.

A contract of two methods that our own agents, a third party's policy and a lookup table all meet. What an agent
remembers is its `State`, passed in and returned; what it learned is in its modules; what it chose is configuration.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from agentic.engine.state import State
from agentic.tick import Decision

if TYPE_CHECKING:
    from agentic.learning.learner import Learner


@dataclass(frozen=True)
class Change:
    """An announcement to an agent: its new goal, the new model of its world; None where nothing changed.

    Each is in the agent's own terms, or the changed world itself, an `agentic.Environment`: the agent then asks its
    parts for themselves in that world.
    """

    goal: Any = None
    model: Any = None


def _modules(thing: Any) -> Iterator[nn.Module]:
    """The modules an object is made of, as its attributes and those of dataclasses among them."""
    named = [field.name for field in fields(thing)] if is_dataclass(thing) else vars(thing)
    for part in [getattr(thing, name) for name in named]:
        if isinstance(part, nn.Module):
            yield part
        elif is_dataclass(part) and not isinstance(part, type):
            yield from _modules(part)


class Agent(ABC):
    """An agent, whatever decides: ours, a third party's policy, a lookup table.

    Implement `start` and `decide`. An agent that can be told of a change of its goal or its model overrides `informed`;
    a clone or a rock stays what it is. `learner`, where there is one, consumes ticks between decisions. `precision` is
    that of the q(plan) = softmax(-precision G + log E) its plans are weighed with; infinite for the best plan alone.

    >>> import agentic, torch
    >>> class Pushing(agentic.Agent):
    ...     def start(self, batch, *, generator):
    ...         return None
    ...     def decide(self, state, obs, *, generator):
    ...         right = (obs[:, 2] > 0).long()
    ...         return agentic.Decision(torch.nn.functional.one_hot(right, 2).to(obs))
    >>> agentic.run(Pushing(), "CartPole-v1", agentic.Schedule(episodes=3)).returns()
    array([64., 45., 35.])
    """

    reference: ClassVar[bool] = False
    """Whether it is a reference: what it scores is shown beside what others score."""
    learner: "Learner | None" = None
    precision: float = inf

    @abstractmethod
    def start(self, batch: int, *, generator: torch.Generator) -> State:
        """The agent's state before the first observation of `batch` episodes."""

    @abstractmethod
    def decide(self, state: State, obs: Tensor, *, generator: torch.Generator) -> Decision:
        """Perceive `obs` (b, *event) and choose an action for every row."""

    def to(self, device: str) -> Self:
        """The agent with its modules on a device: those among its attributes, and in dataclasses among them."""
        for part in _modules(self):
            part.to(device)
        return self

    def sealed(self) -> Self:
        """A deep copy that does not learn: its learner finishes."""
        copy = deepcopy(self)
        if copy.learner is not None:
            copy.learner.finish()
        copy.learner = None
        return copy

    def informed(self, change: Change) -> "Agent":
        """The agent after an announced change; by default the agent as it was."""
        return self
