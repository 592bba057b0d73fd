"""A learner that lowers whatever loss it is given."""

from collections.abc import Mapping
from typing import final

import torch

from agentic import Learner, Loss, Model, Replay, Tick, Trainable, UserError, fit


@final
class Careful(Learner):
    """Adam on `loss` over all experience, after every `every` steps."""

    def __init__(self, model: Model, loss: Loss, *, every: int = 50, epochs: int = 5) -> None:
        if not isinstance(model, Trainable):
            raise UserError(f"careful needs a model that is learned by gradient, got {type(model).__name__}")
        self.model, self.trainable, self.loss, self.every, self.epochs = model, model, loss, every, epochs
        self.replay, self.fresh = Replay(), 0
        self.generator = torch.Generator().manual_seed(0)
        self.optimizer = torch.optim.Adam(model.parameters())

    def start(self, *, generator: torch.Generator) -> None:
        self.generator = generator
        self.trainable.initialize(generator=generator)

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.fresh += self.replay.add(tick)
        if self.fresh < self.every:
            return {}
        self.fresh = 0
        data = self.trainable.dataset(self.replay, generator=self.generator)
        done = fit(self.model, self.loss, data, optimizer=self.optimizer, epochs=self.epochs, generator=self.generator)
        self.model.version += 1
        return {"loss": float(done.losses[-1]), **done.info}
