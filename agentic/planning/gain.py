"""Information gain: the information that a plan is expected to give, in nats, under the name of its kind."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from agentic.engine.belief import Categorical, Gaussian
from agentic.errors import UserError
from agentic.models.model import FiniteModel, Model, Step


class Folded(NamedTuple):
    """A gain of one imagined step in nats: `entropy` x H[q(o)], over modalities, + E_q[values], of the belief after.

    `values` (n,) has one entry per latent state.
    """

    entropy: float
    values: Tensor


class Gain(ABC):
    """A recursion along a plan: `start` gives its memory, `step` the gains of one imagined step.

    `additive` says whether the gains of single steps, each taken at the belief updated by what was seen before, add up
    to the whole: what a tree of beliefs needs.

    >>> import agentic, torch
    >>> class Wandering(agentic.Gain):
    ...     def start(self, model, belief):
    ...         return None
    ...     def step(self, model, memory, step, last):
    ...         return memory, {"wandering": torch.full(step.latent.mean.shape[:-1], 0.1)}
    >>> Wandering().additive
    True
    """

    @property
    def additive(self) -> bool:
        """Whether gains of single steps add up to the whole; true by default."""
        return True

    @property
    def memoryless(self) -> bool:
        """Whether the gains of a step depend on that step alone, so that many may be asked at once; not by default."""
        return False

    def folded(self, model: FiniteModel) -> Mapping[str, "Folded"] | None:
        """The gains of one step in a finite model as an entropy and a linear part, by name; None where they are not."""
        return None

    @abstractmethod
    def start(self, model: Model, belief: Any) -> Any:
        """The memory before the first imagined step."""

    @abstractmethod
    def step(self, model: Model, memory: Any, step: Step, last: bool) -> tuple[Any, Mapping[str, Tensor]]:
        """The memory after `step`, and the gains credited to it by name, each (*s, b)."""


def state_gain(model: Model, belief: Any) -> Tensor:
    """The information I(o; z) of one observation under a predicted belief, H[q(o)] - E_q[H[p(o | z)]], in nats."""
    seen = model.emit(belief)
    if not isinstance(seen, Categorical | Gaussian):
        raise UserError(f"state gain needs a categorical or Gaussian prediction, got {type(seen).__name__}")
    return seen.entropy() - model.ambiguity(belief)
