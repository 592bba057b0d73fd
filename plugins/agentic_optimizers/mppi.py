"""Model predictive path integral control: the plan moves to the weighted mean of candidates (Williams et al. 2017)."""

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import Objective
from agentic.planning import plan_posterior
from agentic_optimizers.proposals import Scored, Space
from agentic_optimizers.sampling import Sampling, State, called


@final
@dataclass(frozen=True)
class Mppi(Sampling):
    """Path integral control: the plan becomes the mean of candidates around it under q = softmax(-G / temperature).

    `temperature` in nats; `relative` makes it a multiple of how far the mean candidate lies above the best, so that one
    number does for energies of any scale. The plan is evaluated like any candidate, and the best one seen is
    kept beside it; the better of the two begins the next tick. No control cost is added: effort is part of G, whose
    base is the plan. On a simplex the mean is of probabilities, the plan its mode. `compile` turns a round on an
    expected energy into one kernel.
    """

    samples: int = 256
    steps: int = 1
    temperature: float = 1.0
    relative: bool = False
    compile: bool = False

    def __post_init__(self) -> None:
        self.check(self.samples >= 1 and self.temperature >= 1e-9, "samples >= 1, temperature >= 1e-9")

    def improve(self, f: Objective, state: State, noise: Tensor, last: bool) -> State:
        mean, effective, best, plan, found, top = called(
            _round, self, f, state.space, state.mean, state.spread, noise, last
        )
        if state.found is not None:
            found, top = _together(plan, best.unless(state.found))
        return state._replace(mean=mean, found=found, best=top, effective=effective)

    def extra(self, state: State, last: bool) -> int:
        return int(last)


def _round(
    solver: Mppi, f: Objective, space: Space, mean: Tensor, spread: Tensor | None, noise: Tensor, last: bool
) -> tuple[Any, ...]:
    """The new mean, how many candidates counted, the best, the plan at the mean (of a last round), and these two."""
    drawn = Scored.of(f, space, space.place(mean, spread, noise, solver.samples))
    q = plan_posterior(_scaled(drawn.ranked) if solver.relative else drawn.ranked, 1 / solver.temperature)
    moved = (q.view(1, *q.shape, *[1] * (noise.dim() - 3)) * drawn.places).sum(1)
    best = drawn.best()
    plan = Scored.of(f, space, space.base.project(moved).unsqueeze(1)) if last else None
    return moved, 1 / q.square().sum(0), best, plan, *_together(plan, best)


def _together(plan: Scored | None, best: Scored) -> tuple[Scored, tuple[Tensor, Tensor]]:
    """What is worth keeping, and the better of the two."""
    found = best if plan is None else plan.with_(best)
    return found, found.best().first


def _scaled(energies: Tensor) -> Tensor:
    """Energies (k, b) above the best, in units of their mean; infinite ones do not count in it."""
    above = energies - energies.amin(0)
    finite = above.isfinite()
    mean = torch.where(finite, above, 0.0).sum(0) / finite.sum(0).clamp(min=1)
    return torch.where(finite, above / mean.clamp(min=torch.finfo(mean.dtype).tiny), torch.inf)
