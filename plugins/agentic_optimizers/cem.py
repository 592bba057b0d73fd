"""The cross-entropy method: sample candidates, keep the best, refit, repeat (Rubinstein 1999)."""

from dataclasses import dataclass
from typing import final

from torch import Tensor

from agentic import Objective
from agentic_optimizers.proposals import Scored, Space
from agentic_optimizers.sampling import Sampling, State, called


@final
@dataclass(frozen=True)
class CrossEntropy(Sampling):
    """The cross-entropy method, for objectives over bounded boxes or one-hot vectors, planning included.

    The best candidate seen is kept. `samples` candidates a step, the mean among them; the best `elites` (and what ties
    with the last of them) refit the proposal, of which `smoothing` is kept. The spread is taken about the old mean, so
    that a proposal on its way stays wide (Hansen 2006). A previous plan, one step shifted, is a start. `compile` turns
    a round on an expected energy into few kernels. Raises UserError for unbounded domains.
    """

    samples: int = 256
    elites: int = 26
    steps: int = 5
    smoothing: float = 0.1
    compile: bool = False

    def __post_init__(self) -> None:
        fits = 1 <= self.elites <= self.samples and 0 <= self.smoothing < 1
        self.check(fits, "1 <= elites <= samples, 0 <= smoothing < 1")

    def named(self) -> str:
        return "cem"

    def improve(self, f: Objective, state: State, noise: Tensor, last: bool) -> State:
        mean, spread, fresh = called(_round, self, f, state.space, state.mean, state.spread, noise)
        found = fresh if state.found is None else fresh.unless(state.found)
        return state._replace(mean=mean, spread=spread, found=found, best=found.first)


def _round(
    solver: CrossEntropy, f: Objective, space: Space, mean: Tensor, spread: Tensor | None, noise: Tensor
) -> tuple[Tensor, Tensor | None, Scored]:
    """The proposal refitted to the elites, and the best candidate."""
    drawn = Scored.of(f, space, space.place(mean, spread, noise, solver.samples))
    ranked = drawn.ranked
    good = ranked <= ranked.kthvalue(solver.elites, 0, keepdim=True).values
    q = (good / good.sum(0)).to(mean.dtype).view(1, *good.shape, *[1] * (noise.dim() - 3))
    fitted, keep = (q * drawn.places).sum(1), solver.smoothing
    if spread is not None:
        scatter = (q * (drawn.places - mean.unsqueeze(1)).square()).sum(1).sqrt()
        spread = keep * spread + (1 - keep) * scatter
    return keep * mean + (1 - keep) * fitted, spread, drawn.best()
