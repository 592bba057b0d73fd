"""Learning between ticks: lowering an energy over weights.

A learner is the only thing that touches a model's parameters. Whatever is derived from weights and carried across
ticks keeps the model's `version` and is recomputed when it changes. Bare energies are never lowered over weights (their
minimum collapses): a `Loss` is a free energy, or a declared functional for energies without a normalizer.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from agentic.learning.replay import Replay
from agentic.planning.expected_energy import Purpose
from agentic.tick import Tick


class Learner(ABC):
    """A learner of one model, which it changes in place from ticks, rewards included.

    >>> import agentic
    >>> class Counting(agentic.Learner):
    ...     seen = 0
    ...     def update(self, tick):
    ...         self.seen += int(tick.valid.sum())
    ...         return {"seen": self.seen}
    >>> env = agentic.make("CartPole-v1")
    >>> agent = agentic.PolicyAgent(lambda observation: 1, env.observation_layout, env.action_layout)
    >>> agent.learner = Counting()
    >>> record = agentic.run(agent, env, agentic.Schedule(episodes=1, learn_steps=20))
    >>> agent.learner.seen
    20
    """

    def start(self, *, generator: torch.Generator) -> None:  # noqa: B027  # most learners have nothing to draw
        """Prepare for a run before its first tick, with the run's own source of chance. Default: nothing."""

    def serve(self, purpose: Purpose) -> None:  # noqa: B027
        """Be told what its agent plans for, when that is put together. Default: nothing."""

    def finish(self) -> None:  # noqa: B027  # most learners leave nothing open
        """Learn no more: the run goes on to be evaluated. Default: nothing."""

    @abstractmethod
    def update(self, tick: Tick) -> Mapping[str, float]:
        """Learn from one tick and report what is worth knowing (a loss, a residual), by name."""


class Conjugate(ABC):
    """A model that can condition on a tick in closed form: its weights' belief stays in one family."""

    @abstractmethod
    def condition(self, tick: Tick) -> Mapping[str, float]:
        """Update the belief about the weights by the valid rows of one tick and bump `version`."""


class Hindsight(ABC):
    """A model that can condition on an episode in closed form, by what is believed of its states afterwards."""

    @abstractmethod
    def condition_on(self, ticks: Sequence[Tick], row: int, beliefs: Tensor, pairs: Tensor) -> Mapping[str, float]:
        """Update the belief about the weights by one row's episode of T `ticks` and bump `version`.

        Given all of it: `beliefs` (T + 1, n) about the latent before every tick and after the last, and `pairs`
        (T, n, n) of two in succession, the earlier first.
        """


class Loss(ABC):
    """A loss over weights: a value, in nats, of rows of data. Concrete ones are frozen dataclasses.

    Latents are settled inside, with no gradient through the settling: the gradient is E_q[dE/dtheta] at the belief.

    >>> import agentic, torch
    >>> class Squared(agentic.Loss):
    ...     def __call__(self, module, rows, *, generator):
    ...         x, y = rows
    ...         return ((module(x) - y) ** 2).mean(), {}
    >>> line, x = torch.nn.Linear(1, 1), torch.linspace(-1, 1, 16)[:, None]
    >>> done = agentic.fit(line, Squared(), (x, 2 * x), optimizer=torch.optim.SGD(line.parameters(), 0.5), epochs=100)
    >>> round(line.weight.item(), 2)
    2.0
    """

    @abstractmethod
    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of some rows (each (n, ...)), a scalar, and what is worth knowing, by name (residuals, parts)."""


class Trainable(ABC):
    """A model that is learned by gradient: its experience as data, and the loss to lower over its weights."""

    @property
    @abstractmethod
    def loss(self) -> Loss:
        """The loss to lower, of rows of what `dataset` returns."""

    @abstractmethod
    def initialize(self, *, generator: torch.Generator) -> None:
        """Draw the weights afresh."""

    @abstractmethod
    def dataset(self, replay: Replay, *, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Experience as rows of data (n, ...): scales estimated, latents settled, members' shares drawn."""


class Recalling(ABC):
    """A model that says in which latents its experience took place."""

    @abstractmethod
    def recalled(self, replay: Replay) -> Tensor:
        """The latents (n, d) of all that was experienced."""
