"""Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011)."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from agentic import Objective
from agentic_optimizers.chains import Chains, Walker, check_metropolis, check_walk
from agentic_optimizers.hamiltonian import Orbit, Trajectory, orbit, walk


@final
@dataclass(frozen=True)
class HMC(Chains):
    """Trajectories of `leapfrog` steps of length `step_size`, each accepted or refused: exact in law, row by row.

    In the first `burn` steps every row adapts its step size so that a fraction `target` is accepted, by dual averaging
    (Hoffman and Gelman 2014); 0 leaves it as given. Every trajectory's step size varies evenly by a fraction `jitter`,
    so that no period of the energy is hit for ever (Neal 2011, section 3.2). A step costs `leapfrog` gradients.
    """

    steps: int = 1000
    step_size: float = 0.1
    leapfrog: int = 10
    target: float = 0.8
    jitter: float = 0.2
    burn: int = 200
    thin: int = 1

    def __post_init__(self) -> None:
        check_walk(self, step_size=self.step_size, leapfrog=self.leapfrog)
        check_metropolis(self, self.target, self.jitter)

    @property
    def cost(self) -> int:
        return self.leapfrog

    @property
    def trajectory(self) -> Trajectory:
        """How it proposes."""
        return Trajectory(self.step_size, self.leapfrog, self.jitter, self.target, self.burn)

    def begin(self, f: Objective, z: Tensor) -> tuple[Walker, Tensor]:
        return orbit(f, z, self.trajectory)

    def walk(self, f: Objective, walker: Walker, first: int, steps: int, *, generator: torch.Generator | None) -> None:
        assert isinstance(walker, Orbit)
        walk(f, walker, self.trajectory, first, steps, generator)
