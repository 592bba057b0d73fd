"""A chain of masses and springs, seen at some places and pushed at others: a world with a boundary in it."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray

from agentic.models import LinearSystem
from agentic_envs.checks import checked_steps

Floats = NDArray[np.float64]
FAR = 1e6  # bound of the observations; nothing gets there


@final
class Chain:
    """The motion of `masses` of 1 kg in a row, each tied to its place and to its neighbors, the ends to one neighbor.

    x' = x + dt v + noise sqrt(dt) w_x, v' = v + dt (-hold x - stiffness sum over neighbors (x - x_j) - damping v + f)
    + noise sqrt(dt) w_v, w ~ N(0, 1). Positions x in m from the place of rest, velocities v in m/s, `dt` in s, `hold`
    and `stiffness` in N/m, `damping` in N s/m, forces f in N; `noise` in m/s^(1/2) and N s^(1/2) (Euler's method).
    """

    def __init__(
        self,
        masses: int,
        dt: float = 0.3,
        hold: float = 0.3,
        stiffness: float = 0.6,
        damping: float = 0.8,
        noise: float = 0.3,
    ) -> None:
        if isinstance(masses, bool) or not isinstance(masses, int) or masses < 1:
            raise ValueError(f"masses must be a whole number of at least 1, got {masses!r}: pass for example 4.")
        numbers = {"dt": dt, "hold": hold, "stiffness": stiffness, "damping": damping, "noise": noise}
        for name, number in numbers.items():
            if isinstance(number, (str, bool)) or not number >= 0 or (name == "dt" and number == 0):
                raise ValueError(f"{name} must be a number of at least 0 (dt above 0), got {number!r}: correct it.")
        ties = 2 * np.eye(masses) - np.eye(masses, k=1) - np.eye(masses, k=-1)
        ties[0, 0] -= 1
        ties[-1, -1] -= 1
        if masses == 1:
            ties[:] = 0
        push, eye = -(hold * np.eye(masses) + stiffness * ties), np.eye(masses)
        self.masses, self.spread = masses, noise * np.sqrt(dt)
        zero = np.zeros((masses, masses))
        self.A = np.block([[eye, dt * eye], [dt * push, (1 - dt * damping) * eye]])
        self.B = dt * np.vstack([zero, eye])
        if np.abs(np.linalg.eigvals(self.A)).max() >= 1:
            raise ValueError(f"this chain is not stable at dt = {dt:g}: pass a shorter dt, or more damping.")

    def moved(self, state: Floats, force: Floats, source: np.random.Generator) -> Floats:
        """Positions and velocities (2 masses,) one step later."""
        chance = self.spread * source.standard_normal(2 * self.masses)
        return np.asarray(self.A @ state + self.B @ force + chance)


@final
class SpringChain(gymnasium.Env[Any, Any]):
    """A noisy chain of springs in which the masses `seen` are seen and those `pushed` are pushed; the target is rest.

    Hidden state: positions and velocities of all `masses`, see `Chain`. At the start all are at rest in their places.
    Actions, Box(-bound, bound): each mass of `pushed` is pushed with `force` times as many N for `dt`.
    Observations, Box: the positions of the masses `seen`, then their velocities, after the step, each with normal noise
    of deviation `sensor_noise` (m, m/s); float32.
    `physics` are the numbers of `Chain` by name: `dt`, `hold`, `stiffness`, `damping`, `noise`.
    Reward: -(|x|^2 + `effort` |a|^2) / 2 over the masses seen. Never terminated; truncated after `steps`. Nothing is
    rendered.

    `linear_system` has the world as matrices, of which `linear_gaussian` and Riccati's recursion are exact.
    """

    metadata: Mapping[str, Any] = {"render_modes": []}  # type: ignore[assignment]

    def __init__(
        self,
        masses: int = 4,
        seen: Sequence[int] = (0,),
        pushed: Sequence[int] = (3,),
        force: float = 5.0,
        sensor_noise: float = 0.1,
        effort: float = 2.5,
        bound: float = 1.0,
        steps: int = 1500,
        physics: Mapping[str, float] | None = None,
    ) -> None:
        self.chain = Chain(masses, **(physics or {}))
        self.seen, self.pushed = [int(place) for place in seen], [int(place) for place in pushed]
        places = [*self.seen, *self.pushed]
        if not self.seen or not self.pushed or not all(0 <= place < masses for place in places):
            raise ValueError(
                f"seen and pushed must be lists of masses from 0 to {masses - 1}, got {places}: name others."
            )
        self.force, self.sensor_noise, self.effort = force, sensor_noise, effort
        self.steps = checked_steps(steps)
        self.action_space = Box(-bound, bound, (len(self.pushed),), np.float32)
        self.observation_space = Box(-FAR, FAR, (2 * len(self.seen),), np.float32)
        self.state, self.time = np.zeros(2 * masses), 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.state, self.time = np.zeros(2 * self.chain.masses), 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        given = np.asarray(action, np.float64)
        if not self.action_space.contains(np.asarray(action, np.float32)):
            raise ValueError(f"action must be an element of {self.action_space}, got {action!r}: project it.")
        force = np.zeros(self.chain.masses)
        force[self.pushed] = self.force * given
        self.state, self.time = self.chain.moved(self.state, force, self.np_random), self.time + 1
        away = self.state[self.seen]
        reward = -0.5 * float(away @ away + self.effort * given @ given)
        return self._observe(), reward, False, self.time >= self.steps, {}

    def _observe(self) -> Any:
        state = self.state.reshape(2, -1)[:, self.seen].ravel()
        noise = self.sensor_noise * self.np_random.standard_normal(len(state))
        return (state + noise).astype(np.float32)

    def world_state(self) -> Mapping[str, Floats]:
        """Positions and velocities, each (masses,)."""
        position, velocity = self.state.reshape(2, -1)
        return {"position": position, "velocity": velocity}

    def linear_system(self) -> LinearSystem:
        """The world as matrices of the latent (positions, velocities)."""
        chain, n = self.chain, self.chain.masses
        see = np.kron(np.eye(2), np.eye(n)[self.seen])
        matrices = {
            "A": chain.A,
            "B": self.force * chain.B[:, self.pushed],
            "c": np.zeros(2 * n),
            "Q": chain.spread**2 * np.eye(2 * n),
            "C": see,
            "d": np.zeros(len(see)),
            "R": self.sensor_noise**2 * np.eye(len(see)),
        }
        return LinearSystem(**{name: torch.from_numpy(matrix) for name, matrix in matrices.items()})
