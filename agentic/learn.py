"""Learning between ticks: lowering an energy over weights.

A learner is the only thing that touches a model's parameters. Whatever is derived from weights and carried across
ticks keeps the model's `version` and is recomputed when it changes. Bare energies are never lowered over weights (their
minimum collapses): a `Loss` is a free energy, or a declared functional for energies without a normaliser.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from agentic.errors import RunError, UserError
from agentic.model import Model
from agentic.replay import Replay

if TYPE_CHECKING:
    from agentic.agent import Tick


class Learner(ABC):
    """Consumes ticks, rewards included, and changes one model in place."""

    def start(self, *, generator: torch.Generator) -> None:  # noqa: B027  # most learners have nothing to draw
        """Told once before the first tick of a run, with the run's own source of chance."""

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


class Loss(ABC):
    """What learning lowers over weights: a value, in nats, of rows of data. Concrete ones are frozen dataclasses.

    Latents are settled inside, with no gradient through the settling: the gradient is E_q[dE/dtheta] at the belief.
    """

    @abstractmethod
    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of some rows (each (n, ...)), a scalar, and what is worth knowing, by name (residuals, parts)."""


class Trainable(ABC):
    """A model that is learned by gradient: what its experience amounts to, and what is lowered over its weights."""

    @property
    @abstractmethod
    def loss(self) -> Loss:
        """What is lowered, of rows of what `digest` returns."""

    @abstractmethod
    def initialize(self, *, generator: torch.Generator) -> None:
        """Draw the weights afresh."""

    @abstractmethod
    def digest(self, replay: Replay, *, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Experience as rows of data (n, ...): scales estimated, latents settled, members' shares drawn."""


@final
@dataclass(frozen=True)
class Fit:
    """How fitting went: the mean loss of every epoch (epochs,), and the last epoch's means of what the loss reports."""

    losses: Tensor
    info: Mapping[str, float]


def fit(
    module: nn.Module,
    loss: Loss,
    data: Sequence[Tensor],
    *,
    optimizer: torch.optim.Optimizer,
    epochs: int = 1,
    batch: int = 256,
    generator: torch.Generator | None = None,
    observer: Callable[[int, float], None] | None = None,
) -> Fit:
    """Lower `loss` over the weights that `optimizer` holds, in shuffled batches of rows of `data` (each (n, ...)).

    `observer` is told every epoch's number and mean loss. Raises UserError for data of different lengths or none,
    RunError where the loss is not a finite number: the weights are then those before the step.
    """
    count = len(data[0]) if data else 0
    if not count or any(len(part) != count for part in data):
        raise UserError(f"fit expects rows of data, equally many in each tensor, got {[len(part) for part in data]}")
    place, source = data[0].device, None if generator is None else generator.device
    losses, info = list[Tensor](), dict[str, list[Tensor]]()
    for epoch in range(epochs):
        sums, info = torch.zeros((), dtype=torch.float64, device=place), {}
        for chosen in torch.randperm(count, generator=generator, device=source).to(place).split(batch):
            value, told = loss(module, tuple(part[chosen] for part in data), generator=generator)
            if not bool(torch.isfinite(value)):
                name = type(loss).__name__
                raise RunError(f"{name} is {float(value)} in epoch {epoch}: lower the rate, or scale the data")
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            optimizer.step()
            sums += len(chosen) * value.detach().double()
            for name, part in told.items():
                info.setdefault(name, []).append(part.detach().double().mean())
        losses.append(sums / count)
        if observer is not None:
            observer(epoch, float(losses[-1]))
    return Fit(torch.stack(losses), {name: float(torch.stack(parts).mean()) for name, parts in info.items()})


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

    def update(self, tick: "Tick") -> Mapping[str, float]:
        self._fresh += self.replay.add(tick)
        return self.study() if self._fresh >= self.every else {}

    def study(self) -> Mapping[str, float]:
        """Go over all experience now."""
        model: Any = self.model
        self._fresh = 0
        data = model.digest(self.replay, generator=self.generator)
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
