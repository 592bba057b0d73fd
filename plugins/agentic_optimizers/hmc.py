"""Samplers that walk by Hamiltonian trajectories and accept or refuse each: HMC, and MALA, its case of one step."""

from abc import abstractmethod
from dataclasses import dataclass
from math import sqrt
from typing import final

import torch
from torch import Tensor

from agentic import Iterate, Objective, Solution
from agentic_optimizers.chains import Chains, Walker, check_metropolis, check_walk
from agentic_optimizers.hamiltonian import Orbit, Trajectory, orbit, walk


@dataclass(frozen=True, kw_only=True)
class Metropolis(Chains):
    """Chains that propose the end of a `trajectory`, and accept it as Metropolis and Hastings say."""

    burn: int = 200

    @property
    @abstractmethod
    def trajectory(self) -> Trajectory:
        """The trajectory whose end is proposed."""

    @property
    def cost(self) -> int:
        return self.trajectory.leapfrog

    def begin(self, f: Objective, z: Tensor) -> tuple[Walker, Tensor]:
        return orbit(f, z, self.trajectory)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        found = super().solution(f, iterate)
        if bool(found.value.isfinite().all()):
            iterate.memory.walker.check(type(self).__name__, self.trajectory, iterate.memory.draws)
        return found

    def walk(self, f: Objective, walker: Walker, first: int, steps: int, *, generator: torch.Generator) -> None:
        assert isinstance(walker, Orbit)
        walk(f, walker, self.trajectory, first, steps, generator)


@final
@dataclass(frozen=True)
class HMC(Metropolis):
    """Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011): trajectories of `leapfrog` steps of length `step_size`.

    Each is accepted or refused: exact in law, row by row. In the first `burn` steps every row adapts its step size so
    that a fraction `target` is accepted, by dual averaging (Hoffman and Gelman 2014); 0 leaves it as given. Every
    trajectory's step size varies evenly by a fraction `jitter`, so that no period of the energy is hit for ever (Neal
    2011, section 3.2). A step costs `leapfrog` gradients.
    """

    steps: int = 1000
    step_size: float = 0.1
    leapfrog: int = 10
    target: float = 0.8
    jitter: float = 0.2

    def __post_init__(self) -> None:
        check_walk(self, step_size=self.step_size, leapfrog=self.leapfrog)
        check_metropolis(self, self.target, self.jitter)

    @property
    def trajectory(self) -> Trajectory:
        return Trajectory(self.step_size, self.leapfrog, self.jitter, self.target, self.burn)


@final
@dataclass(frozen=True)
class MALA(Metropolis):
    """Metropolis-adjusted Langevin (Roberts and Tweedie 1996): proposals z - rate gradient + sqrt(2 rate) noise.

    Each is a Hamiltonian trajectory of one leapfrog step of length sqrt(2 rate), which is the `step_size` reported:
    exact in law. In the first `burn` steps every row adapts it so that a fraction `target` is accepted (0.574 is best
    in many dimensions, Roberts and Rosenthal 1998) by dual averaging; 0 leaves it as given.
    """

    steps: int = 1000
    rate: float = 0.01
    target: float = 0.574

    def __post_init__(self) -> None:
        check_walk(self, rate=self.rate)
        check_metropolis(self, self.target)

    @property
    def trajectory(self) -> Trajectory:
        return Trajectory(sqrt(2 * self.rate), 1, 0.0, self.target, self.burn)
