"""The documented rewards and ends of Gymnasium's worlds of classic control, as energies."""

from collections.abc import Callable, Mapping
from contextlib import closing
from math import pi
from typing import Any, NamedTuple, Self, final

import gymnasium
import numpy as np
import torch
from torch import Tensor

from agentic import Environment, Goal, Model, Particles, Step, UserError
from agentic.planning import Absorbing

Paid = Callable[[Tensor, Tensor, Tensor], Tensor]


class Rules(NamedTuple):
    """The rules of a world: the reward of (obs, action, next obs), each (*s, b, ...), and where its episodes end.

    They hold for Gymnasium's class `stock` where attributes of it are as `settings` say.
    """

    reward: Paid
    ended: Callable[[Tensor], Tensor] | None
    stock: str
    settings: Mapping[str, Any]


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


RULES = {
    "Pendulum": Rules(_pendulum, None, "PendulumEnv", {"max_torque": 2.0}),
    "CartPole": Rules(
        lambda obs, action, after: torch.ones_like(after[..., 0]),
        _fallen,
        "CartPoleEnv",
        {"x_threshold": 2.4, "theta_threshold_radians": 12 * pi / 180},
    ),
    "MountainCarContinuous": Rules(
        _car, _on_the_hill(0.45), "Continuous_MountainCarEnv", {"goal_position": 0.45, "goal_velocity": 0}
    ),
    "MountainCar": Rules(
        lambda obs, action, after: -torch.ones_like(after[..., 0]),
        _on_the_hill(0.5),
        "MountainCarEnv",
        {"goal_position": 0.5, "goal_velocity": 0},
    ),
    "Acrobot": Rules(lambda obs, action, after: -(~_swung_up(after)).to(obs.dtype), _swung_up, "AcrobotEnv", {}),
}
LEARN = "use predicted_reward with an ensemble that learns rewards and ends (model.reward = true, model.mortal = true)"
STEPS = 200  # random steps by which a world is compared with its document


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
            raise _unknown(world)
        if not 0 < scale < float("inf"):
            raise UserError(f"documented expects scale > 0 nats per unit of reward, got {scale}")
        self.world, self.scale = world, float(scale)

    @classmethod
    def from_env(cls, env: Environment, *, scale: float = 1.0) -> Self:
        """The documented reward of `env`, whose rows are Gymnasium's own world, also with other dynamics.

        Raises UserError where its reward, ends or observations are not those that are documented: attributes are looked
        at, and a copy is played at random for 200 steps.
        """
        with closing(env.copies()()) as single:
            return cls(_stock(env.id, single), scale=scale)

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


def _unknown(world: str) -> UserError:
    return UserError(f"documented knows the rewards of {', '.join(RULES)}, got {world}: {LEARN}, or a goal of your own")


def _otherwise(id: str, how: str) -> UserError:
    return UserError(f"{id} is not as Gymnasium documents it, {how}: {LEARN}")


def _stock(id: str, single: gymnasium.Env[Any, Any]) -> str:
    """The name of the rules that hold in a world. Raises UserError where none do."""
    stock = type(single.unwrapped)
    found = [name for name, rules in RULES.items() if rules.stock == stock.__name__]
    if not found or not stock.__module__.startswith("gymnasium.envs.classic_control"):
        raise _unknown(id)
    for name, value in RULES[found[0]].settings.items():
        given = getattr(single.unwrapped, name)
        if given != value:
            raise _otherwise(id, f"{name} is {given}, documented is {value}")
    _compare(id, single, RULES[found[0]])
    return found[0]


def _compare(id: str, single: gymnasium.Env[Any, Any], rules: Rules) -> None:
    """Play a copy at random beside the rules. Raises UserError where they differ."""
    draw = np.random.default_rng(0)
    shape = single.observation_space.shape
    expected = single.unwrapped.observation_space.shape
    if shape != expected:
        raise _otherwise(id, f"observations have the shape {shape}, documented is {expected}")
    single.action_space.seed(0)
    obs, again = None, True
    for _ in range(STEPS):
        if again:
            obs, _ = single.reset(seed=int(draw.integers(2**31)))
        action = single.action_space.sample()
        after, reward, ended, cut, _ = single.step(action)
        rows = [torch.as_tensor(np.asarray(part), dtype=torch.float64).view(1, -1) for part in (obs, action, after)]
        right, over = rules.reward(*rows), rules.ended is not None and bool(rules.ended(rows[2]))
        if abs(float(right) - float(reward)) > 1e-3 * (1 + abs(float(reward))):
            raise _otherwise(id, f"a step is paid {float(reward):.6g} where its observations say {float(right):.6g}")
        if over != bool(ended):
            raise _otherwise(id, f"an episode {'ends' if ended else 'goes on'} where its observations say otherwise")
        obs, again = after, ended or cut
