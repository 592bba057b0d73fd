"""The documented rewards and ends of Gymnasium's worlds of classic control, as energies."""

import re
from collections.abc import Callable
from math import pi
from typing import Any, NamedTuple, Self, final

import torch
from torch import Tensor

from agentic import Environment, Goal, Model, Particles, Step, UserError
from agentic.planning import Absorbing

Paid = Callable[[Tensor, Tensor, Tensor], Tensor]


class Rules(NamedTuple):
    """The rules of a world: the reward of (obs, action, next obs), each (*s, b, ...), and where its episodes end."""

    reward: Paid
    ended: Callable[[Tensor], Tensor] | None


def _pendulum(obs: Tensor, action: Tensor, after: Tensor) -> Tensor:
    angle = torch.atan2(obs[..., 1], obs[..., 0])
    torque = action[..., 0].clamp(-2, 2)
    return -(angle.square() + 0.1 * obs[..., 2].square() + 0.001 * torque.square())


def _fallen(obs: Tensor) -> Tensor:
    return (obs[..., 0].abs() > 2.4) | (obs[..., 2].abs() > 12 * pi / 180)


def _on_the_hill(place: float) -> Callable[[Tensor], Tensor]:
    return lambda obs: (obs[..., 0] >= place) & (obs[..., 1] >= 0)


def _car(obs: Tensor, action: Tensor, after: Tensor) -> Tensor:
    return 100.0 * _on_the_hill(0.45)(after).to(obs.dtype) - 0.1 * action[..., 0].square()


def _swung_up(obs: Tensor) -> Tensor:
    height = -obs[..., 0] - (obs[..., 0] * obs[..., 2] - obs[..., 1] * obs[..., 3])
    return height > 1


def _until(ended: Callable[[Tensor], Tensor]) -> Rules:
    """-1 for every step but the one that ends the episode, as Acrobot has it."""
    return Rules(lambda obs, action, after: -(~ended(after)).to(obs.dtype), ended)


RULES = {
    "Pendulum": Rules(_pendulum, None),
    "CartPole": Rules(lambda obs, action, after: torch.ones_like(after[..., 0]), _fallen),
    "MountainCarContinuous": Rules(_car, _on_the_hill(0.45)),
    "MountainCar": Rules(lambda obs, action, after: -torch.ones_like(after[..., 0]), _on_the_hill(0.5)),
    "Acrobot": _until(_swung_up),
}


@final
class Documented(Absorbing, Goal):
    """The energy -scale x reward by the documentation of a world of classic control, which ends where its episodes do.

    `forward((action, next latent), latent)`; latents begin with the observation. `world` is the name of its id without
    the version. `scale` is in nats per unit of reward. Rewards and ends are those of Gymnasium 1 (Towers et al. 2024):
    Pendulum, CartPole, MountainCar, MountainCarContinuous, Acrobot. Raises UserError for any other world, and for a
    scale that is not positive.
    """

    def __init__(self, world: str, *, scale: float = 1.0) -> None:
        super().__init__()
        if world not in RULES:
            raise UserError(
                f"documented knows the rewards of {', '.join(RULES)}, got {world}: use predicted_reward with an "
                "ensemble that learns rewards (model.reward = true), or a goal of your own"
            )
        if not 0 < scale < float("inf"):
            raise UserError(f"documented expects scale > 0 nats per unit of reward, got {scale}")
        self.world, self.scale = world, float(scale)

    @classmethod
    def from_env(cls, env: Environment, *, scale: float = 1.0) -> Self:
        """The documented reward of `env`."""
        return cls(re.sub(r"^.*[/:]|-v\d+$", "", env.id), scale=scale)

    @classmethod
    def example(cls) -> Self:
        """A pendulum."""
        return cls("Pendulum")

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Any, Tensor]:
        """A pendulum's torque and where it led, and where that was: float64, (batch, 1), (batch, 3), (batch, 3)."""
        before, after = (torch.randn(batch, 3, generator=generator, dtype=torch.float64) for _ in range(2))
        return (torch.randn(batch, 1, generator=generator, dtype=torch.float64), after), before

    def forward(self, x: Any, z: Tensor) -> Tensor:
        action, after = x
        return -self.scale * RULES[self.world].reward(z, action.to(z.dtype), after)

    def expected(self, model: Model, step: Step) -> Tensor:
        before, after = step.before, step.after
        if isinstance(before, Particles) and isinstance(after, Particles):
            return before.expected(self((step.action, after.z), before.z))
        return self((step.action, after.mean), before.mean)

    def alive(self, z: Tensor) -> Tensor | None:
        ended = RULES[self.world].ended
        return None if ended is None else (~ended(z)).to(z.dtype)
