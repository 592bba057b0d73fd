"""A small model that is learned by gradient: what learners are tried on that refuse one with a conjugate belief."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from agentic.engine.belief import Belief, Gaussian
from agentic.engine.domain import Real
from agentic.engine.energy import Conditional, Encoder
from agentic.learning.learner import Loss, Trainable
from agentic.learning.replay import Replay
from agentic.models.model import Model
from agentic.testing.worlds import Normal


@final
class Moves(Conditional):
    """-log N(z'; A z + B a, .02 I) with A (2, 2) and B (2, 1) to be learned."""

    def __init__(self) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.eye(2, dtype=torch.float64))
        self.B = nn.Parameter(torch.zeros(2, 1, dtype=torch.float64))

    def forward(self, x: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        return self.given(x).energy(z)

    def given(self, x: tuple[Tensor, Tensor]) -> Gaussian:
        mean = x[0] @ self.A.T + x[1] @ self.B.T
        return Gaussian(mean, 0.02 * torch.eye(2).to(mean).expand(*mean.shape, 2))


@final
@dataclass(frozen=True)
class Surprise(Loss):
    """The mean of -log p(next obs | obs, action) over rows (obs, action, next obs), in nats."""

    def __call__(
        self, module: Any, rows: tuple[Tensor, ...], *, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        obs, action, after = rows
        surprise = module.transition((obs, action), after).mean()
        return surprise, {"surprise": surprise}


@final
class Trolley(Model, Trainable, Encoder):
    """Position and speed, pushed by one action and seen with noise; how they move is learned from what is seen."""

    observation: Normal
    transition: Moves

    def __init__(self) -> None:
        super().__init__()
        self.latent, self.outcome, self.action = Real((2,)), Real((2,)), Real((1,))
        zero, eye = torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
        self.observation = Normal(zero, 0.01 * eye, eye)
        self.transition = Moves()
        self.prior = Normal(zero, eye)

    @property
    def loss(self) -> Surprise:
        return Surprise()

    def initialize(self, *, generator: torch.Generator) -> None:
        with torch.no_grad():
            for weight in self.transition.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator, dtype=weight.dtype))

    def dataset(self, replay: Replay, *, generator: torch.Generator) -> tuple[Tensor, ...]:
        steps = replay.steps()
        return steps.obs, steps.action, steps.next_obs

    def start(self, x: Tensor) -> Tensor:
        return x

    def predict(self, belief: Belief, action: Tensor) -> Gaussian:
        moved, A = self.transition.given((belief.mean, action)), self.transition.A
        if not isinstance(belief, Gaussian):
            return moved
        return Gaussian(moved.mean, moved.covariance + A @ belief.covariance @ A.T)

    def emit(self, belief: Belief) -> Gaussian:
        seen = self.observation.given(belief.mean)
        return Gaussian(seen.mean, seen.covariance + belief.covariance) if isinstance(belief, Gaussian) else seen

    def ambiguity(self, belief: Belief) -> Tensor:
        return self.observation.given(belief.mean).entropy()
