"""Recordings of our energy agent in worlds with things beside them: what it is made of is known, and is to be found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import gymnasium
import numpy as np
import torch
from torch import Tensor

from agentic import Belief, Domain, Experiment, Record, Recording, Schedule, Selection, build, load, make, run
from agentic.models import LinearSystem
from agentic_envs.planted.beside import Beside
from agentic_envs.planted.recording import Floats, Planted
from agentic_envs.planted.springs import SpringChain
from agentic_envs.point_mass import PointMass

ORDER = "world<obs<belief<action"
PARTS = {"world": "world", "obs": "sensor", "belief": "inside", "action": "actuator"}


@final
@dataclass(frozen=True)
class Trembling(Selection):
    """The action of the best plan, with normal noise of deviation `noise` in its own units, within the bounds.

    Without it a command is a function of the belief, and no recording tells where the one ends and the other begins.
    """

    noise: float

    @property
    def precision(self) -> float:
        return float("inf")

    def choose(self, policy: Belief, domain: Domain, generator: torch.Generator) -> Tensor:
        best = policy.mode
        return domain.project(best + self.noise * torch.randn(best.shape, generator=generator, dtype=best.dtype))


@final
@dataclass(frozen=True)
class Setting:
    """A world for our energy agent: how one is made, its matrices, and what the agent wants of what it sees.

    The goal is `weights` (observations,) of a quadratic energy, and `effort` of its action, to which motor noise of
    deviation `tremble` is added.
    """

    make: Callable[[], gymnasium.Env[Any, Any]]
    system: LinearSystem
    weights: Sequence[float]
    effort: float
    tremble: float


def springs(*, steps: int = 1500, beside: int = 3, **chain: Any) -> Setting:
    """A `SpringChain` that the agent brings to rest, with a chain of `beside` masses that nobody touches.

    Columns of its recordings: positions and velocities of both chains (world), what is seen (sensors), the means of the
    agent's belief about the first chain (inside), its force (actuator).
    """
    env = SpringChain(steps=steps, **chain)
    weights = [1.0] * len(env.seen) + [0.1] * len(env.seen)
    return Setting(
        lambda: Beside(SpringChain(steps=steps, **chain), beside), env.linear_system(), weights, env.effort, 0.2
    )


def point_mass(*, steps: int = 1500, beside: int = 3, **mass: Any) -> Setting:
    """A `PointMass` of one dimension that the agent holds in place, beside a chain that nobody touches.

    Columns as in `springs`.
    """
    given = {"dimensions": 1, "dt": 0.3, "force": 1.0, "noise": 0.3, "sensor_noise": 0.1, "bound": 5.0, **mass}
    env = PointMass(steps=steps, **given)
    weights = env.weights()[0].tolist()
    return Setting(
        lambda: Beside(PointMass(steps=steps, **given), beside), env.linear_system(), weights, env.effort, 1.0
    )


def lived(setting: Setting, seed: int, *, copies: int = 1) -> tuple[Planted, ...]:
    """One episode in each of so many `copies` of a world, each with its own chance, as recordings.

    The energy agent knows the matrices of its world, infers by Newton's method, here a Kalman filter, and plans by
    Riccati's recursion.
    """
    system = setting.system
    matrices = {name: getattr(system, name).tolist() for name in ("A", "B", "C", "Q", "R")}
    tables = {
        "env": {"id": "made"},
        "agent": {"name": "energy"},
        "model": {"name": "linear_gaussian", **matrices},
        "goal": {"name": "quadratic", "weights": list(setting.weights)},
        "inference": {"name": "newton", "steps": 1},
        "planner": {"name": "riccati", "horizon": 8, "effort": {"name": "effort", "scale": setting.effort}},
    }
    world = make([setting.make() for _ in range(copies)])
    agent: Any = build(Experiment.of(tables), load(), world).agent
    agent.selection = Trembling(setting.tremble)
    done = run(agent, world, Schedule(episodes=copies), Recording(world=True), seed=seed, dtype=torch.float64)
    return tuple(planted(done, row) for row in range(copies))


def planted(record: Record, row: int = 0) -> Planted:
    """The evaluated episodes of one row of a run that recorded its world, with the boundary that its agent has."""
    episodes = [each for each in record.episodes("evaluate") if each.row == row]
    columns = list[tuple[str, str, Floats]]()
    for part, role in PARTS.items():
        for name in episodes[0].arrays:
            if not f"{name}.".startswith(f"{part}.") or name == "belief.covariance":
                continue
            flat = np.concatenate([each.arrays[name].reshape(each.length, -1) for each in episodes]).astype(np.float64)
            single = episodes[0].arrays[name].ndim == 1
            names = [name] if single else [f"{name}[{place}]" for place in range(flat.shape[1])]
            columns += [(each, role, column) for each, column in zip(names, flat.T, strict=True)]
    found, roles, values = zip(*columns, strict=True)
    return Planted(
        names=found,
        values=np.stack(values, 1),
        roles=roles,
        objects=tuple(int(role != "world") for role in roles),
        order=ORDER,
        episodes=tuple(each.length for each in episodes),
    )
