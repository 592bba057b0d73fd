"""Trajectories of Hamiltonian dynamics, accepted or refused row by row, and the adaptation of their step size.

Langevin proposals are trajectories of one step: MALA and HMC walk alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import torch
from torch import Tensor

from agentic import Objective, RunError
from agentic_optimizers.chains import Walker

GAMMA, DELAY, DECAY = 0.05, 10.0, 0.75  # Hoffman and Gelman (2014), section 3.2
MANY, FAR = 100, 1e6  # proposals of which to take none is no chance; growth of a step size that no scale explains


class Trajectory(NamedTuple):
    """The settings of a trajectory: `leapfrog` steps of `step_size` each, which may vary by a fraction `jitter`.

    The first `warm` walks aim at the acceptance `target` by adapting every row's step size, unless it is 0.
    """

    step_size: float
    leapfrog: int
    jitter: float
    target: float
    warm: int


@dataclass
class Orbit(Walker):
    """The chains with the energy (b,) and gradient (b, *event) where they stand.

    `accepted` (b,) and `proposed` count since the warm-up. Of the dual averaging: `log_step` (b,) the log step size to
    use, `log_mean` (b,) its average, `shortfall` (b,) of the acceptance. `step_size` is the one that was asked for.
    """

    value: Tensor
    gradient: Tensor
    accepted: Tensor
    log_step: Tensor
    log_mean: Tensor
    shortfall: Tensor
    proposed: int = 0

    def diagnostics(self) -> Mapping[str, Tensor]:
        """The fraction accepted since the warm-up, and the step size."""
        return {"acceptance": self.accepted / max(1, self.proposed), "step_size": self.log_step.exp()}

    def check(self, who: str, plan: Trajectory, draws: Tensor) -> None:
        """Raises RunError for rows of `draws` that never moved, and for those whose step size grew without a limit."""
        frozen = (draws == draws[:1]).flatten(2).all(-1).all(0)
        if self.proposed >= MANY and bool(frozen.any()):
            rows = frozen.nonzero().flatten().tolist()
            raise RunError(
                f"{who} never moved in rows {rows}, whatever it proposed {self.proposed} times: start elsewhere"
            )
        grown = (self.accepted == self.proposed) & (self.log_step > log(FAR * plan.step_size))
        if self.proposed and bool(grown.any()):
            rows, size = grown.nonzero().flatten().tolist(), float(self.log_step.max().exp())
            raise RunError(
                f"{who} accepted whatever it proposed in rows {rows} while its step size grew from {plan.step_size:g} "
                f"to {size:.3g}: the energy has no minimum there, or its scale is another"
            )


def orbit(f: Objective, z: Tensor, plan: Trajectory) -> tuple[Orbit, Tensor]:
    """The chains at their start (b, *event), and its energy (b,)."""
    value, slope = f.value_and_gradient(z)
    none = torch.zeros_like(value)
    step = torch.full_like(value, log(plan.step_size))
    return Orbit(z, value, slope, none, step, step, none), value


def walk(f: Objective, chain: Orbit, plan: Trajectory, first: int, steps: int, generator: torch.Generator) -> None:
    """Move each chain by `steps` trajectories, the first of which is the walk's number `first`."""
    slowness, chance = torch.empty_like(chain.z), torch.empty_like(chain.value)
    rows = (-1, *[1] * (chain.z.dim() - 1))
    fixed = plan.step_size if plan.target == 0 and plan.jitter == 0 else None
    for number in range(first, first + steps):
        size = fixed or chain.log_step.exp()
        slowness.normal_(0, 1 / fixed if fixed else 1, generator=generator)
        if not isinstance(size, float):
            if plan.jitter:
                size = size * chance.uniform_(1 - plan.jitter, 1 + plan.jitter, generator=generator)
            slowness.div_(size.view(rows))
        z, value, slope, rise = _end(f, chain, slowness, size, plan.leapfrog)
        taken = chance.exponential_(generator=generator) > rise  # log u < -rise; false where that is not a number
        row = taken.view(rows)
        chain.z = torch.where(row, z, chain.z)
        chain.gradient = torch.where(row, slope, chain.gradient)
        chain.value = torch.where(taken, value, chain.value)
        if number >= plan.warm:
            chain.accepted.add_(taken)
            chain.proposed += 1
        elif plan.target:
            _adapt(chain, plan, number, rise)


def _end(
    f: Objective, chain: Orbit, slowness: Tensor, size: float | Tensor, leapfrog: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where a trajectory ends: place, energy, gradient there, and by how much the total energy rose (b,).

    `slowness` (b, *event) is overwritten: the momentum over the step size, so that every kick is of size 1 whatever
    the rows' step sizes are, and a leapfrog step is two additions.
    """
    events = tuple(range(1, slowness.dim()))
    before = torch.linalg.vector_norm(slowness, dim=events)
    square = size * size
    square = square if isinstance(square, float) else square.view(-1, *[1] * (chain.z.dim() - 1))
    slowness.sub_(chain.gradient, alpha=0.5)
    z = _drifted(chain.z, slowness, square)
    for _ in range(leapfrog - 1):
        slowness.sub_(f.gradient(z))
        _drift(z, slowness, square)
    value, slope = f.value_and_gradient(z)
    slowness.sub_(slope, alpha=0.5)
    after = torch.linalg.vector_norm(slowness, dim=events)
    kinetic = (after - before).mul_(after + before)
    rise = value - chain.value
    _drift(rise, kinetic, 0.5 * size * size)
    return z, value, slope, rise


def _drift(z: Tensor, slowness: Tensor, square: float | Tensor) -> None:
    """z <- z + square slowness, in place."""
    if isinstance(square, float):
        z.add_(slowness, alpha=square)
    else:
        z.addcmul_(slowness, square)


def _drifted(z: Tensor, slowness: Tensor, square: float | Tensor) -> Tensor:
    return z.add(slowness, alpha=square) if isinstance(square, float) else z.addcmul(slowness, square)


def _adapt(chain: Orbit, plan: Trajectory, number: int, rise: Tensor) -> None:
    """One update of dual averaging, each row for itself; the last one of the warm-up settles on the average."""
    count = number + 1
    acceptance = (-rise).clamp(max=0).exp().nan_to_num(nan=0.0)
    chain.shortfall = torch.lerp(chain.shortfall, plan.target - acceptance, 1 / (count + DELAY))
    chain.log_step = log(10 * plan.step_size) - count**0.5 / GAMMA * chain.shortfall
    chain.log_mean = torch.lerp(chain.log_mean, chain.log_step, count**-DECAY)
    if count == plan.warm:
        chain.log_step = chain.log_mean
