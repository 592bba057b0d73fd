"""Closed-form learning, for models whose weights have a conjugate posterior."""

from collections.abc import Mapping
from typing import final

from agentic import Conjugate, Learner, Model, Tick, UserError


@final
class ConjugateLearner(Learner):
    """Exact Bayesian learning: the belief over weights is conditioned on every tick as it comes.

    Raises UserError for a model whose weights have no conjugate belief.
    """

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Conjugate):
            raise UserError(
                f"ConjugateLearner needs a model that conditions on ticks in closed form, got {type(model).__name__}: "
                "give it a prior over its weights or leave the learner out"
            )
        self.model = model

    def update(self, tick: Tick) -> Mapping[str, float]:
        return self.model.condition(tick)
