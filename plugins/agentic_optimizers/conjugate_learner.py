"""Closed-form learning, for models whose weights have a conjugate posterior."""

from collections.abc import Mapping
from typing import final

from agentic import Conjugate, Learner, Model, Tick, UserError


@final
class ConjugateLearner(Learner):
    """Exact Bayesian learning: the belief over weights is conditioned on every tick as it comes.

    If `settles`, what was learned counts as known when learning ends: the model goes into evaluation mode
    (`model.eval()`), in which no gain about its weights is looked for, until it learns again. Raises UserError for a
    model whose weights have no conjugate belief.
    """

    def __init__(self, model: Model, *, settles: bool = False) -> None:
        if not isinstance(model, Conjugate):
            raise UserError(
                f"ConjugateLearner needs a model that conditions on ticks in closed form, got {type(model).__name__}: "
                "give it a prior over its weights or leave the learner out"
            )
        self.model: Model = model
        self._conjugate, self.settles = model, settles

    def update(self, tick: Tick) -> Mapping[str, float]:
        if self.settles:
            settle(self.model, False)
        return self._conjugate.condition(tick)

    def finish(self) -> None:
        if self.settles:
            settle(self.model, True)


def settle(model: Model, known: bool) -> None:
    """Let what a model has learned count as known, or not any more; a new version where that changes anything."""
    if model.training == known:
        model.train(not known)
        model.version += 1
