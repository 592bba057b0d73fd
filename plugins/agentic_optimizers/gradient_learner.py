"""Learning by gradient from a replay of experience."""

from collections.abc import Mapping
from typing import final

import torch

from agentic import Learner, Model, Replay, Tick, Trainable, UserError, fit


@final
class GradientLearner(Learner):
    """Learning by gradient from all that was experienced.

    After every `every` steps as many passes of Adam as make `updates` x `batch` rows; none while a model says that
    there is too little.

    `rate` and `weight_decay` (decoupled, Loshchilov and Hutter 2019) are those of AdamW, `batch` the rows of one step.
    The weights are drawn afresh when a run starts, unless the model has learned before. Raises UserError for a model
    that does not say what to lower.
    """

    def __init__(
        self,
        model: Model,
        *,
        every: int = 50,
        updates: int = 300,
        batch: int = 128,
        rate: float = 1e-3,
        weight_decay: float = 0.0,
        capacity: int = 100_000,
    ) -> None:
        if not isinstance(model, Trainable):
            raise UserError(f"this learner needs a model that is learned by gradient, got {type(model).__name__}")
        if min(every, updates, batch) < 1 or not rate > 0:
            given = f"{every}, {updates}, {batch} and {rate}"
            raise UserError(f"expected every, updates and batch of at least 1 and rate > 0, got {given}")
        self.model, self.every, self.updates, self.batch = model, every, updates, batch
        self.replay, self.generator = Replay(capacity), torch.Generator().manual_seed(0)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=weight_decay)
        self._fresh = 0

    def start(self, *, generator: torch.Generator) -> None:
        self.generator = generator
        if not self.model.version:
            self.model.initialize(generator=generator)

    def update(self, tick: Tick) -> Mapping[str, float]:
        self._fresh += self.replay.add(tick)
        return self.study() if self._fresh >= self.every else {}

    def study(self) -> Mapping[str, float]:
        """Fit the model to all experience now; the mean loss of the last pass and what the loss reports, by name."""
        self._fresh, model = 0, self.model
        data = model.dataset(self.replay, generator=self.generator)
        if not len(data[0]):
            return {}
        epochs = max(1, round(self.updates * self.batch / len(data[0])))
        done = fit(
            model,
            model.loss,
            data,
            optimizer=self.optimizer,
            epochs=epochs,
            batch=self.batch,
            generator=self.generator,
        )
        model.version += 1
        return {"loss": float(done.losses[-1]), **done.info}
