"""The loop of sampling planners: draw around a proposal, evaluate, move the proposal, remember the best.

What one round does may be compiled: the rollout of all candidates becomes few kernels fed with belief, plan and noise.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, nan
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agentic import Box, ExpectedEnergy, Iterate, Minimizer, Objective, Sequence, Solution, UserError
from agentic_optimizers.compiled import compiled
from agentic_optimizers.proposals import Scored, Space, widths


class State(NamedTuple):
    """The state of a sampling planner: the proposal's `mean` (T, b, *event) and, in boxes, its `spread`.

    `found` are the candidates worth keeping so far, None before the first round, and `best` (T, b, *event) the best of
    them with its energy (b,). `inherited` (T, k, b, *event) are those of an earlier plan, to be looked at again;
    `effective` (b,) counts the candidates that moved the mean.
    """

    space: Space
    mean: Tensor
    spread: Tensor | None
    found: Scored | None = None
    best: tuple[Tensor, Tensor] | None = None
    inherited: Tensor | None = None
    effective: Tensor | None = None
    rounds: int = 0


@dataclass(frozen=True, kw_only=True)
class Sampling(Minimizer):
    """A planner that draws candidates around a proposal, evaluates them, and moves the proposal.

    `samples` are drawn in a round. `spread` is the first standard deviation as a fraction of the box's
    sides, and on a simplex the share of probability spread evenly over all values; `color` the exponent of the noise's
    power over frequency; `hold` the steps that a draw lasts. Nothing is evaluated at the start, which is among the
    first candidates: the value is infinite until then. There is no residual (NaN): it never converges.
    """

    samples: int
    spread: float = 0.25
    color: float = 0.0
    hold: int = 1
    compile = False
    tolerance = -1.0

    @abstractmethod
    def improve(self, f: Objective, state: State, noise: Any, last: bool) -> State:
        """One round with the given chance (of `draws`) of k candidates; `last` ends a run."""

    def draws(self, state: State, count: int, generator: torch.Generator | None) -> Any:
        """What chance gives a round of `count` candidates: standard normal noise (T, count // 2, b, *event)."""
        return state.space.noise(count, state.mean, self.color, self.hold, generator)

    def count(self, rounds: int) -> int:
        """The number of candidates that are drawn after so many rounds."""
        return self.samples

    def extra(self, state: State, last: bool) -> int:
        """The number of candidates that a round evaluates beside those drawn."""
        return 0

    def kept(self, found: Scored) -> int:
        """The number of candidates that the next tick begins with."""
        return 1

    def init(self, f: Objective, z: Any) -> Iterate:
        space, start = Space.of(f.domain, self.named()), f.start(z)
        mean, spread = space.split(start).contiguous(), None
        if isinstance(space.base, Box):
            spread = widths(space.base, self.spread, (mean.shape, mean.dtype, mean.device))
        else:
            share = min(self.spread, 1.0)
            mean = (1 - share) * mean + share * space.base.center(1, mean.dtype)[0].to(mean.device)
        value = start.new_full(start.shape[:1], inf)
        inherited = space.split(z.actions[1:]).to(start) if isinstance(z, Sequence) and len(z.actions) > 1 else None
        state = State(space, mean, spread, inherited=inherited)
        return Iterate(start, value, torch.full_like(value, nan), 0, state)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return self._round(f, iterate, generator, False)

    def run(self, f: Objective, iterate: Iterate, steps: int, *, generator: torch.Generator | None) -> Iterate:
        trace = [iterate.value]
        for i in range(steps):
            iterate = self._round(f, iterate, generator, i + 1 == steps)
            trace.append(iterate.value)
        if not steps:  # the start alone, so that its energy is known
            space, start = iterate.memory.space, f.domain.project(iterate.z)
            alone = Scored.of(f, space, space.split(start).unsqueeze(1))
            iterate = replace(iterate, z=start, value=alone.values[0], evaluations=1)
            iterate = replace(iterate, memory=iterate.memory._replace(found=alone))
        return replace(iterate, steps=steps, trace=tuple(trace))

    def _round(self, f: Objective, iterate: Iterate, generator: torch.Generator | None, last: bool) -> Iterate:
        state: State = iterate.memory
        count = self.count(state.rounds)
        noise = self.draws(state, count, generator)
        after = self.improve(f, state, noise, last)._replace(rounds=state.rounds + 1)
        assert after.best is not None
        place, value = after.best
        evaluations = iterate.evaluations + count + self.extra(state, last)
        return Iterate(state.space.join(place), value, iterate.residual, evaluations, after)

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        state: State = iterate.memory
        found = state.found
        shown = {} if state.effective is None else {"effective_candidates": state.effective}
        if not isinstance(f, ExpectedEnergy) or found is None:
            return iterate.solution(f.settled(iterate.z, iterate.value), diagnostics=shown)
        actions, kept = state.space.join(found.places), self.kept(found)
        plan = Sequence(actions, found.values, f.model.action, found.parts, None, f.model.version, kept)
        return iterate.solution(plan, diagnostics=shown)

    def named(self) -> str:
        """The planner's name in messages."""
        return type(self).__name__.lower()

    def check(self, fits: bool, expected: str) -> None:
        """Raise UserError unless the settings of all sampling planners fit, and the own ones do (`fits`)."""
        if not (fits and self.steps >= 1 and 0 < self.spread <= 100 and 0 <= self.color <= 10 and self.hold >= 1):
            common = "steps >= 1, 0 < spread <= 100, 0 <= color <= 10 and hold >= 1"
            raise UserError(f"{self.named()} expects {expected}, {common}, got {self}")


def called(core: Callable[..., Any], solver: Sampling, f: Objective, *arguments: Any) -> Any:
    """The value of `core(solver, f, *arguments)`, compiled where the solver says so and `f` is an expected energy."""
    if solver.compile and isinstance(f, ExpectedEnergy):
        return compiled(core, solver, f, *arguments)
    return core(solver, f, *arguments)
