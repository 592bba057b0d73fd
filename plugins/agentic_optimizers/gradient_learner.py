"""Learning by gradient from a replay of experience."""

from collections.abc import Mapping
from math import cos, inf, pi
from typing import final

import torch

from agentic import Learner, Model, Replay, RunError, Tick, Trainable, UserError
from agentic_optimizers.adam import Adam

DRAWN = 100_000_000  # rows of one fit, at most: so many indices are drawn at once


@final
class GradientLearner(Learner):
    """Learning by gradient from all that was experienced.

    After every `every` steps `updates` steps of AdamW (Loshchilov and Hutter 2019), from the weights of before, each on
    `batch` rows drawn with replacement; none while a model says that there is too little. The rate falls from `rate`
    to 0 along half a cosine in every such fit, `weight_decay` is decoupled: where there is little experience it keeps
    networks from learning it by heart.

    The last `capacity` steps are kept. The weights are drawn afresh when a run starts, unless the model has learned
    before or was loaded. Raises UserError for a model that does not say what to lower.
    """

    def __init__(
        self,
        model: Model,
        *,
        every: int = 50,
        updates: int = 300,
        batch: int = 128,
        rate: float = 1e-2,
        weight_decay: float = 0.0,
        capacity: int = 100_000,
    ) -> None:
        if not isinstance(model, Trainable):
            raise UserError(f"this learner needs a model that is learned by gradient, got {type(model).__name__}")
        if min(every, updates, batch) < 1:
            given = f"{every}, {updates} and {batch}"
            raise UserError(f"expected every, updates and batch of at least 1, got {given}")
        if updates * batch > DRAWN:
            raise UserError(f"expected updates x batch of at most {DRAWN:,} rows a fit, got {updates:,} x {batch:,}")
        if not (0 < rate < inf and 0 <= weight_decay < inf):
            raise UserError(f"expected a finite rate > 0 and weight_decay >= 0, got {rate} and {weight_decay}")
        self.model, self.every, self.updates, self.batch = model, every, updates, batch
        self.rate, self.weight_decay = rate, weight_decay
        self.replay, self.generator = Replay(capacity), torch.Generator().manual_seed(0)
        self._fresh = 0

    def start(self, *, generator: torch.Generator) -> None:
        self.generator = generator
        if not self.model.version:
            self.model.initialize(generator=generator)

    @property
    def due(self) -> bool:
        """Whether enough was experienced since the last fit for another."""
        return self._fresh >= self.every

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.add(tick)
        return self.study() if self.due else {}

    def add(self, tick: Tick) -> None:
        """Take a tick's steps as experience, without learning."""
        self._fresh += self.replay.add(tick)

    def study(self) -> Mapping[str, float]:
        """Fit the model to all experience now; means over the last tenth of the steps: the loss, what it reports."""
        self._fresh, model, source = 0, self.model, self.generator
        data = model.dataset(self.replay, generator=source)
        count = len(data[0])
        if not count:
            return {}
        optimizer = Adam(model.parameters(), self.weight_decay)
        chosen = torch.randint(count, (self.updates, self.batch), generator=source, device=source.device)
        sums, last = dict[str, torch.Tensor](), -(-self.updates // 10)
        for step, rows in enumerate(chosen.to(data[0].device)):
            batch = tuple(part[rows] for part in data)
            loss, reported = model.loss(model, batch, generator=source)
            if not bool(torch.isfinite(loss)):
                name = type(model.loss).__name__
                raise RunError(f"{name} is {float(loss.detach())} in step {step}: lower the rate, or scale the data")
            optimizer.lower(loss, self.rate * 0.5 * (1 + cos(pi * step / self.updates)))
            if step >= self.updates - last:
                for name, value in {"loss": loss, **reported}.items():
                    sums[name] = sums.get(name, 0) + value.detach().double().mean()
        model.version += 1
        return {name: float(total) / last for name, total in sums.items()}
