"""Learning between ticks: lowering an energy over weights.

A learner is the only thing that touches a model's parameters. Whatever is derived from weights and carried across
ticks keeps the model's `version` and is recomputed when it changes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from agentic.errors import UserError
from agentic.model import Model

if TYPE_CHECKING:
    from agentic.agent import Tick


class Learner(ABC):
    """Consumes ticks, rewards included, and changes one model in place."""

    @abstractmethod
    def update(self, tick: "Tick") -> Mapping[str, float]:
        """Learn from one tick and report what is worth knowing (a loss, a residual), by name."""


class Conjugate(ABC):
    """A model that can absorb a tick in closed form: its weights' belief stays in one family."""

    @abstractmethod
    def absorb(self, tick: "Tick") -> Mapping[str, float]:
        """Update the belief about the weights by the valid rows of one tick and bump `version`."""


@final
class ConjugateLearner(Learner):
    """Exact Bayesian learning: every tick is absorbed as it comes, in order.

    Raises UserError for a model whose weights have no conjugate belief.
    """

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Conjugate):
            raise UserError(
                f"ConjugateLearner needs a model that absorbs ticks in closed form, got {type(model).__name__}: "
                "give it a prior over its weights or leave the learner out"
            )
        self.model = model

    def update(self, tick: "Tick") -> Mapping[str, float]:
        return self.model.absorb(tick)
