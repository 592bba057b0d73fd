"""The base of Markov chain samplers: one chain per row, moved in place, some of its places kept as draws."""

from abc import abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from math import log
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agentic import Clamped, Iterate, Objective, Particles, Real, Sampler, Solution, UserError
from agentic.engine import checked_generator
from agentic_optimizers.mixing import Diagnostics

ROWS = 65_536  # energies of kept draws that are evaluated at a time


@dataclass
class Walker:
    """The state of the chains: `z` (b, *event), which walking changes in place, and what else a sampler needs there.

    `value` (b,) is the energy at `z` for walks that need it anyway, else None.
    """

    z: Tensor
    value: Tensor | None

    def diagnostics(self) -> Mapping[str, Tensor]:
        """Diagnostics of the walk by name, each (b,) or a scalar."""
        return {}


class Memory(NamedTuple):
    """The chains, the draws kept so far (k, b, *event) with their energies (k, b), and the steps taken."""

    walker: Walker
    draws: Tensor
    energies: Tensor
    taken: int


@dataclass(frozen=True, kw_only=True)
class Chains(Sampler):
    """A Markov chain sampler: after `burn` steps every `thin`-th place is kept, as equally weighted particles.

    The energies of kept draws are evaluated together at the end of a stretch, unless walking needs them anyway.
    `cost` is the number of places evaluated in a step.
    """

    burn: int = 100
    thin: int = 1

    @abstractmethod
    def begin(self, f: Objective, z: Tensor) -> tuple[Walker, Tensor]:
        """The chains at their start (b, *event), which is not to be changed, and its energy (b,)."""

    @abstractmethod
    def walk(self, f: Objective, walker: Walker, first: int, steps: int, *, generator: torch.Generator) -> None:
        """Go `steps` steps on in place, of which the first is the walk's step number `first` (from 0)."""

    @property
    def cost(self) -> int:
        return 1

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Real):
            raise UserError(f"{type(self).__name__.lower()} walks in real vectors, got {f.domain}")
        start = f.start(z)
        walker, value = self.begin(f, start)
        memory = Memory(walker, start.new_empty(0, *start.shape), value.new_empty(0, *value.shape), 0)
        return Iterate(start, value, torch.full_like(value, torch.nan), 1, memory)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return self.run(f, iterate, 1, generator=generator)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        memory: Memory = iterate.memory
        walker, now, last = _copied(memory.walker), memory.taken, memory.taken + steps
        passed = max(0, (now - self.burn) // self.thin)
        stops = range(self.burn + (passed + 1) * self.thin, last + 1, self.thin)
        draws, values = walker.z.new_empty(len(stops), *walker.z.shape), list[Tensor]()
        for place, stop in zip(draws.unbind(0), stops, strict=True):
            self.walk(f, walker, now, stop - now, generator=checked_generator(generator))
            place.copy_(walker.z)
            if walker.value is not None:
                values.append(walker.value)
            now = stop
        if now < last:
            self.walk(f, walker, now, last - now, generator=checked_generator(generator))
        energies = torch.stack(values) if values else _energies(f, draws, iterate.value)
        trace = (iterate.value, *energies.unbind(0))
        if now < last or not len(energies):
            trace = (*trace, f(walker.z) if walker.value is None else walker.value)
        if memory.taken:
            draws, energies = torch.cat([memory.draws, draws]), torch.cat([memory.energies, energies])
        evaluations = iterate.evaluations + steps * self.cost
        after = Memory(walker, draws, energies, last)
        return Iterate(walker.z, trace[-1], iterate.residual, evaluations, after, steps, trace)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        memory: Memory = iterate.memory
        draws, value = memory.draws, memory.energies.mean(0)
        if not len(draws):
            draws, value = iterate.z.unsqueeze(0), iterate.value
        shared = isinstance(f, Clamped) and f.x is None
        log_weights = torch.full((len(draws), *value.shape), -log(len(draws)), dtype=draws.dtype, device=draws.device)
        shown = Diagnostics(draws, shared, memory.walker.diagnostics())
        return iterate.solution(Particles(draws, log_weights), value, "mean_energy", shown)


def check_walk(solver: Chains, **positive: float) -> None:
    """Raises UserError unless 0 <= burn < steps, thin >= 1, and each of the named numbers is positive."""
    if not 0 <= solver.burn < solver.steps or solver.thin < 1 or not min(positive.values()) > 0:
        rules = " and ".join(["0 <= burn < steps", *[f"{name} > 0" for name in positive], "thin >= 1"])
        raise UserError(f"{type(solver).__name__.lower()} expects {rules}, got {solver}")


def check_metropolis(solver: Chains, target: float, jitter: float = 0.0) -> None:
    """Raises UserError unless the acceptance aimed at and the jitter are fractions, and there is time to adapt."""
    if not (0 <= target < 1 and 0 <= jitter < 1):
        raise UserError(f"{type(solver).__name__.lower()} expects target and jitter in [0, 1), got {solver}")
    if target and not solver.burn:
        raise UserError(f"adapting the step size needs burn > 0, got {solver}: or set target = 0")


def _energies(f: Objective, draws: Tensor, value: Tensor) -> Tensor:
    """The energies (k, b) of draws (k, b, *event), typed as `value` (b,) is."""
    if not len(draws):
        return value.new_empty(0, *value.shape)
    return torch.cat([f(part) for part in draws.split(max(1, ROWS // max(1, len(value))))])


def _copied(walker: Walker) -> Walker:
    """The same with tensors of its own."""
    fresh = copy(walker)
    for name, part in vars(walker).items():
        if isinstance(part, Tensor):
            setattr(fresh, name, part.clone())
    return fresh
