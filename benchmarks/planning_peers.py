"""The planners that ours are compared with, each on the same pendulum, as its own documentation sets it up."""

from collections.abc import Callable
from math import ceil
from typing import Any

import torch
from torch import Tensor

from benchmarks.pendulum import ELITES, FORCE, HORIZON, ROUNDS, SMOOTHING, Case, cost, moved


def task(name: str, case: Case, states: Tensor) -> Callable[[], Tensor] | None:
    """A call that plans once for every state (b, 2); None where the package is not installed."""
    try:
        return {"pytorch-mppi": _pytorch_mppi, "mbrl-lib": _mbrl, "torchrl": _torchrl}[name](case, states)
    except ImportError:
        return None


def one_step(state: Tensor, steps: Tensor) -> Tensor:
    """What pytorch-mppi makes of a plan of zeros given its perturbations (k, HORIZON, 1)."""
    planner: Any = _mppi(len(steps))
    planner._sample_noise = lambda shape: steps
    planner.U = torch.zeros(HORIZON, 1)
    planner.command(state, shift_nominal_trajectory=False)
    return planner.U


def _pytorch_mppi(case: Case, states: Tensor) -> Callable[[], Tensor]:
    planners = [_mppi(case.count) for _ in states]

    def plan() -> Tensor:
        for planner, state in zip(planners, states, strict=True):
            planner.command(state)
        return torch.stack([planner.U for planner in planners]).clamp(-FORCE, FORCE)

    return plan


def _mppi(count: int) -> Any:
    from pytorch_mppi import MPPI

    return MPPI(
        lambda z, u: torch.stack(moved(z[:, 0], z[:, 1], u[:, 0]), -1),
        lambda z, u: cost(z[:, 0], z[:, 1], u[:, 0]),
        2,
        torch.eye(1),
        num_samples=count,
        horizon=HORIZON,
        u_min=torch.tensor([-FORCE]),
        u_max=torch.tensor([FORCE]),
        U_init=torch.zeros(HORIZON, 1),
    )


def _mbrl(case: Case, states: Tensor) -> Callable[[], Tensor]:
    from mbrl.planning import CEMOptimizer

    bounds = [[-FORCE]] * HORIZON, [[FORCE]] * HORIZON
    device = torch.device("cpu")
    planner: Any = CEMOptimizer(ROUNDS, ELITES, case.count, *bounds, SMOOTHING, device, clipped_normal=True)
    plans = list(torch.zeros(len(states), HORIZON, 1))

    def plan() -> Tensor:
        for i, state in enumerate(states):

            def gain(candidates: Tensor, state: Tensor = state) -> Tensor:
                angle, speed = state.expand(len(candidates), 2).unbind(-1)
                total = torch.zeros(len(candidates))
                for force in candidates[..., 0].unbind(1):
                    angle, speed = moved(angle, speed, force)
                    total = total + cost(angle, speed, force)
                return -total

            plans[i] = planner.optimize(gain, x0=plans[i])
        return torch.stack(plans)

    return plan


def _torchrl(case: Case, states: Tensor) -> Callable[[], Tensor]:
    from tensordict import TensorDict
    from torchrl.data import Bounded, Composite, Unbounded
    from torchrl.envs import EnvBase
    from torchrl.modules.planners import CEMPlanner

    class World(EnvBase):
        batch_locked = False

        def __init__(self) -> None:
            super().__init__(device="cpu", batch_size=[])
            self.observation_spec = Composite(state=Unbounded((2,)))
            self.action_spec = Bounded(-FORCE, FORCE, (1,))
            self.reward_spec = Unbounded((1,))

        def _reset(self, data: Any, **_: Any) -> Any:
            return TensorDict({"state": torch.zeros(2)}, [])

        def _step(self, data: Any) -> Any:
            (angle, speed), force = data["state"].unbind(-1), data["action"][..., 0]
            angle, speed = moved(angle, speed, force)
            reward, after = -cost(angle, speed, force).unsqueeze(-1), torch.stack([angle, speed], -1)
            done = torch.zeros_like(reward, dtype=torch.bool)
            return TensorDict({"state": after, "reward": reward, "done": done, "terminated": done}, data.batch_size)

        def _set_seed(self, seed: int | None) -> None:
            """Nothing is drawn."""

    planner = CEMPlanner(World(), HORIZON, ROUNDS, case.count, ceil(ELITES * case.count))
    falses = torch.zeros(len(states), 1, dtype=torch.bool)
    data = TensorDict({"state": states, "done": falses, "terminated": falses}, [len(states)])

    return lambda: planner.planning(data)  # the first actions (b, 1), which is all it tells
