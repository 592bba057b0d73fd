"""Langevin proposals that are accepted or refused: exact in law (Roberts and Tweedie 1996)."""

from dataclasses import dataclass
from math import sqrt
from typing import final

import torch
from torch import Tensor

from agentic import Objective
from agentic_optimizers.chains import Chains, Walker, check_metropolis, check_walk
from agentic_optimizers.hamiltonian import Orbit, Trajectory, orbit, walk


@final
@dataclass(frozen=True)
class MALA(Chains):
    """A Langevin step z - rate gradient + sqrt(2 rate) noise is a proposal, accepted as Metropolis and Hastings say.

    It is a Hamiltonian trajectory of one leapfrog step of length sqrt(2 rate), which is the `step_size` reported. In
    the first `burn` steps every row adapts it so that a fraction `target` is accepted (0.574 is best in many
    dimensions, Roberts and Rosenthal 1998) by dual averaging; 0 leaves it as given.
    """

    steps: int = 1000
    rate: float = 0.01
    target: float = 0.574
    burn: int = 200
    thin: int = 1

    def __post_init__(self) -> None:
        check_walk(self, rate=self.rate)
        check_metropolis(self, self.target)

    @property
    def trajectory(self) -> Trajectory:
        """How it proposes."""
        return Trajectory(sqrt(2 * self.rate), 1, 0.0, self.target, self.burn)

    def begin(self, f: Objective, z: Tensor) -> tuple[Walker, Tensor]:
        return orbit(f, z, self.trajectory)

    def walk(self, f: Objective, walker: Walker, first: int, steps: int, *, generator: torch.Generator | None) -> None:
        assert isinstance(walker, Orbit)
        walk(f, walker, self.trajectory, first, steps, generator)
