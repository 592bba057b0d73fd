"""A mass pushed about in space: the world in which continuous planning has an exact answer.

Linear dynamics and quadratic costs: where no force is at its bound, Riccati's recursion is the best there is, and every
other planner can be held against it.
"""

from collections.abc import Mapping
from typing import Any, final

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray

from agentic.models import LinearSystem
from agentic_envs import drawing
from agentic_envs.checks import checked_render_mode, checked_steps

Floats = NDArray[np.float64]
ARENA, TILES = 1.5, 9  # what a picture shows: so far from the target on each side, in so many tiles
FAR = 1e6  # bound of the observations; nothing gets there


@final
class PointMass(gymnasium.Env[Any, Any]):
    """A double integrator in `dimensions` dimensions; the target is rest at the origin.

    x' = x + dt v + dt^2 f / 2, v' = v + dt f + w, w ~ N(0, noise^2): f = `force` a held for `dt`, on a mass of 1.

    Hidden state: `position` and `velocity`, each (dimensions,). At the start the position is uniform in [-1, 1], at
    rest.
    Actions a, Box(-bound, bound): the force along each axis; the `bound` may be infinite.
    Observations, Box: positions, then velocities after the step, each with normal noise of deviation `sensor_noise`;
    float32.
    Reward: -(|x'|^2 + `damping` |v'|^2 + `effort` |a|^2) / 2: minus the energy of a quadratic goal. Never terminated;
    truncated after `steps`. `render_mode` is "rgb_array", "ansi" or None. Numbers may be changed by a wrapper, but for
    `dimensions` and `bound`.

    The exact answers: `linear_system`, `weights`, and `cost_to_go` where no action meets its bound.
    """

    metadata = drawing.RENDERING

    def __init__(
        self,
        dimensions: int = 2,
        dt: float = 0.1,
        force: float = 5.0,
        damping: float = 0.1,
        effort: float = 0.1,
        bound: float = 1.0,
        noise: float = 0.0,
        sensor_noise: float = 0.0,
        steps: int = 100,
        render_mode: str | None = None,
    ) -> None:
        if isinstance(dimensions, bool) or not isinstance(dimensions, int) or dimensions < 1:
            raise ValueError(
                f"dimensions must be a whole number of at least 1, got {dimensions!r}: pass for example 2."
            )
        self.dimensions, self.dt, self.force, self.damping, self.effort = dimensions, dt, force, damping, effort
        self.bound = bound
        self.noise, self.sensor_noise, self.steps = noise, sensor_noise, steps
        axes = ["x", "y", "z"][:dimensions] if dimensions <= 3 else [str(i) for i in range(dimensions)]
        words = {
            "actions": [f"force {axis}" for axis in axes],
            "observations": [f"{what} {axis}" for what in ("position", "velocity") for axis in axes],
        }
        self.metadata = drawing.RENDERING | {"words": words}
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self._check()
        self.action_space = Box(-bound, bound, (dimensions,), np.float32)
        self.observation_space = Box(-FAR, FAR, (2 * dimensions,), np.float32)
        self.position, self.velocity, self.time = np.zeros(dimensions), np.zeros(dimensions), 0

    def _check(self) -> None:
        """Numbers are checked again at every reset: a wrapper may have changed them."""
        checked_steps(self.steps)
        for name in ("dt", "force", "bound"):
            _checked_number(name, getattr(self, name), above=True)
        for name in ("damping", "effort", "noise", "sensor_noise"):
            _checked_number(name, getattr(self, name), above=False)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._check()
        self.position, self.velocity = self.np_random.uniform(-1, 1, self.dimensions), np.zeros(self.dimensions)
        self.time = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        action = self._checked_action(action)
        force, luck = self.force * action, self.np_random.standard_normal(self.dimensions)
        self.position = self.position + self.dt * self.velocity + 0.5 * self.dt**2 * force
        self.velocity = self.velocity + self.dt * force + self.noise * luck
        self.time += 1
        state, effort = self.weights()
        z = np.concatenate([self.position, self.velocity])
        cost = 0.5 * float(state @ z**2 + effort @ action**2)
        return self._observe(), -cost, False, self.time >= self.steps, {}

    def _checked_action(self, action: Any) -> Floats:
        given = np.asarray(action, dtype=np.float64)
        if given.shape != (self.dimensions,) or not (np.abs(given) <= self.bound * (1 + 1e-6)).all():
            raise ValueError(f"action must be an element of {self.action_space}, got {action!r}: project it.")
        return given

    def _observe(self) -> Any:
        state = np.concatenate([self.position, self.velocity])
        if self.sensor_noise:
            state = state + self.sensor_noise * self.np_random.standard_normal(2 * self.dimensions)
        return state.astype(np.float32)

    def world_state(self) -> Mapping[str, Any]:
        """Position and velocity, each (dimensions,)."""
        return {"position": self.position, "velocity": self.velocity}

    def linear_system(self) -> LinearSystem:
        """The world as matrices of the latent (positions, velocities): what `LinearGaussian` and Riccati take."""
        n, eye = self.dimensions, np.eye(self.dimensions)
        zero = np.zeros((n, n))
        matrices = {
            "A": np.block([[eye, self.dt * eye], [zero, eye]]),
            "B": self.force * np.vstack([0.5 * self.dt**2 * eye, self.dt * eye]),
            "c": np.zeros(2 * n),
            "Q": np.block([[zero, zero], [zero, self.noise**2 * eye]]),
            "C": np.eye(2 * n),
            "d": np.zeros(2 * n),
            "R": self.sensor_noise**2 * np.eye(2 * n),
        }
        return LinearSystem(**{name: torch.from_numpy(matrix) for name, matrix in matrices.items()})

    def weights(self) -> tuple[Floats, Floats]:
        """The diagonals W and E of the costs z' W z / 2 + a' E a / 2 of a step, (2 dimensions,) and (dimensions,)."""
        state = np.repeat([1.0, self.damping], self.dimensions)
        return state, np.full(self.dimensions, self.effort)

    def cost_to_go(self, steps: int) -> tuple[Floats, float]:
        """S and s: from a known state z, z' S z / 2 + s is minus the best expected return of `steps` more steps.

        Exact where the state is seen without noise and no action meets its bound (Riccati's recursion). Raises
        ValueError without effort, where no action is too large.
        """
        if not self.effort > 0:
            raise ValueError("cost_to_go needs an effort > 0, got 0: without it the best action knows no bound.")
        system, (state, effort) = self.linear_system(), self.weights()
        A, B, Q = (matrix.numpy() for matrix in (system.A, system.B, system.Q))
        S, constant = np.zeros_like(A), 0.0
        for _ in range(steps):
            ahead = S + np.diag(state)
            constant += 0.5 * float(np.trace(ahead @ Q))
            gain = np.linalg.solve(np.diag(effort) + B.T @ ahead @ B, B.T @ ahead @ A)
            S = A.T @ ahead @ (A - B @ gain)
            S = 0.5 * (S + S.T)
        return S, constant

    def render(self) -> Any:
        """The first two axes from above, the target in the middle; what lies outside is shown at the edge."""
        return drawing.rendered(self.render_mode, self._text, self._picture)

    def _tile(self) -> tuple[int, int]:
        """Row and column; one axis is one row."""
        tiles = np.clip(np.floor((self.position[:2] / ARENA + 1) * TILES / 2), 0, TILES - 1).astype(int)
        return (TILES - 1 - int(tiles[1]) if self.dimensions > 1 else 0), int(tiles[0])

    def _target(self) -> tuple[int, int]:
        return (TILES // 2 if self.dimensions > 1 else 0), TILES // 2

    def _text(self) -> str:
        letters = np.full((TILES if self.dimensions > 1 else 1, TILES), ".")
        letters[self._target()], letters[self._tile()] = "G", "@"
        return "".join("".join(row) + "\n" for row in letters)

    def _picture(self) -> drawing.Image:
        colors = np.full((TILES if self.dimensions > 1 else 1, TILES, 3), drawing.FLOOR, dtype=np.uint8)
        colors[self._target()] = drawing.GOOD
        return drawing.with_disc(drawing.tiled(colors), *self._tile(), drawing.AGENT)


def _checked_number(name: str, value: Any, above: bool) -> None:
    """Raise ValueError unless `value` is a number above 0, or at least 0."""
    if isinstance(value, (str, bool)) or not (value > 0 if above else value >= 0):
        bound = "above 0" if above else "of at least 0"
        raise ValueError(f"{name} must be a number {bound}, got {value!r}: pass for example {name}=0.1.")
