"""Documented rewards and ends beside the worlds themselves."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.wrappers import NormalizeObservation, TransformReward

from agentic import Particles, Point, Step, UserError, make
from agentic_energies.documented import Documented
from agentic_envs.changes import HideObservations, SensorNoise, SetAttributes

WORLDS = ("Pendulum-v1", "CartPole-v1", "MountainCarContinuous-v0", "MountainCar-v0", "Acrobot-v1")


def lived(world: str, seed: int) -> tuple[torch.Tensor, ...]:
    """Observations, actions as the toolkit has them, rewards, next observations and ends of random play."""
    env, rows = gymnasium.make(world), list[tuple[Any, ...]]()
    obs, _ = env.reset(seed=seed)
    env.action_space.seed(seed)
    if world.startswith("Mountain"):  # where a push to the right leads up
        env.unwrapped.state = np.array([0.3, 0.05])  # type: ignore[attr-defined]
        obs = np.array([0.3, 0.05], np.float32)
    if world.startswith("Acrobot"):
        env.unwrapped.state = np.array([2.0, 0.5, 2.0, 0.0])  # type: ignore[attr-defined]
        obs = env.unwrapped._get_ob()  # type: ignore[attr-defined]
    discrete = isinstance(env.action_space, gymnasium.spaces.Discrete)
    for t in range(150):
        if t % 7 == 0:
            action = env.action_space.sample()
            if world.startswith("Mountain") and t < 60:
                action = 2 if discrete else np.ones(1, np.float32)
        after, reward, ended, _, _ = env.step(action)
        taken = np.eye(int(env.action_space.n))[action] if discrete else action  # type: ignore[attr-defined]
        rows.append((obs, taken, np.float64(reward), after, np.float64(ended)))
        obs = after
        if ended:
            break
    env.close()
    return tuple(torch.tensor(np.stack(column), dtype=torch.float64) for column in zip(*rows, strict=True))


@pytest.mark.parametrize("world", WORLDS)
def test_energies_are_minus_the_rewards_of_the_world(world: str) -> None:
    goal = Documented.from_env(make(world), scale=2.0)
    ends = 0
    for seed in range(4):
        obs, action, reward, after, ended = lived(world, seed)
        ends += int(ended.sum())
        for kind in (Point, lambda z: Particles(z.expand(2, *z.shape), torch.full((2, len(z)), 0.5).log().double())):
            energy = goal.expected(None, Step(kind(obs), action, kind(after)))  # type: ignore[arg-type]
            torch.testing.assert_close(energy, -2 * reward, atol=2e-5, rtol=1e-5)
        alive = goal.alive(after)
        torch.testing.assert_close(torch.ones_like(ended) if alive is None else alive, 1 - ended)
    assert bool(ends) == (world != "Pendulum-v1")


def test_a_world_without_such_a_document_is_named() -> None:
    with pytest.raises(
        UserError, match=r"knows the rewards of Pendulum, CartPole.*got FrozenLake-v1: use predicted_reward"
    ):
        Documented.from_env(make("FrozenLake-v1"))
    with pytest.raises(UserError, match="scale > 0 nats per unit of reward, got 0"):
        Documented("CartPole", scale=0)


def _made(id: str, wrap: Any = None, **kwargs: Any) -> Any:
    return make(lambda: wrap(gymnasium.make(id, **kwargs)) if wrap else gymnasium.make(id, **kwargs))


@pytest.mark.parametrize(
    ("env", "how"),
    [
        (_made("CartPole-v1", sutton_barto_reward=True), "a step is paid 0 where its observations say 1"),
        (_made("MountainCar-v0", goal_velocity=0.05), "goal_velocity is 0.05, documented is 0"),
        (_made("Pendulum-v1", lambda env: TransformReward(env, lambda reward: 2 * float(reward))), "a step is paid -"),
        (_made("Pendulum-v1", NormalizeObservation), "a step is paid -"),
        (
            _made("CartPole-v1", lambda env: HideObservations(env, keep=[0, 2])),
            r"observations have the shape \(2,\), documented is \(4,\)",
        ),
        (
            _made("CartPole-v1", lambda env: SetAttributes(env, x_threshold=1.0)),
            "x_threshold is 1.0, documented is 2.4",
        ),
        (_made("CartPole-v1", lambda env: SensorNoise(env, 0.5)), "an episode (goes on|ends) where"),
    ],
)
def test_a_world_that_pays_or_ends_or_shows_otherwise_is_refused(env: Any, how: str) -> None:
    with pytest.raises(UserError, match=f"is not as Gymnasium documents it, {how}.*use predicted_reward"):
        Documented.from_env(env)


def test_other_dynamics_and_other_ids_change_nothing_of_what_is_paid() -> None:
    assert Documented.from_env(_made("CartPole-v1", lambda env: SetAttributes(env, gravity=12.0))).world == "CartPole"
