"""The improved cross-entropy method: colored noise, and elites that live on (Pinneri et al. 2020)."""

from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from agentic import Objective
from agentic_optimizers.proposals import Scored
from agentic_optimizers.sampling import Sampling, State

SMOOTHING = 0.1  # of the old proposal that a refit keeps, the paper's momentum


@final
@dataclass(frozen=True)
class Icem(Sampling):
    """The cross-entropy method for few candidates: fewer each round, of noise whose power falls with frequency^-color.

    `keep` of the `elites` are elites of the next round too and, one step shifted, candidates of the next tick;
    `samples` shrink by `shrink` each round, down to twice the elites. The mean is a candidate of the first round and
    of the last. Discrete variables hang together in time as numbers do. Raises UserError for unbounded domains.
    """

    samples: int = 128
    elites: int = 10
    steps: int = 4
    keep: float = 0.3
    shrink: float = 1.25
    color: float = field(default=2.0, kw_only=True)

    def __post_init__(self) -> None:
        fits = 1 <= self.elites <= self.samples // 2 and 0 <= self.keep <= 1 and 1 <= self.shrink <= 100
        self.check(fits, "1 <= elites <= samples / 2, 0 <= keep <= 1, 1 <= shrink <= 100")

    def count(self, rounds: int) -> int:
        return 2 * (max(int(self.samples / self.shrink**rounds), 2 * self.elites) // 2)

    def extra(self, state: State, last: bool) -> int:
        return 0 if state.inherited is None else state.inherited.shape[1]

    def kept(self, found: Scored) -> int:
        return len(found.values)

    def improve(self, f: Objective, state: State, noise: Tensor, last: bool) -> State:
        space, whole, unmoved = state.space, 2 * noise.shape[1], last or not state.rounds
        places = space.place(state.mean, state.spread, noise, whole + int(not unmoved))[:, int(not unmoved) :]
        if state.inherited is not None:
            places = torch.cat([places, space.base.project(state.inherited)], 1)
        elites = Scored.of(f, space, places).with_(state.found).best(self.elites)
        mean, spread = elites.places.mean(1), state.spread
        if spread is not None:
            scatter = (elites.places - state.mean.unsqueeze(1)).square().mean(1).sqrt()
            spread = SMOOTHING * spread + (1 - SMOOTHING) * scatter
        found = elites.front(max(1, round(self.keep * self.elites)))
        mean = SMOOTHING * state.mean + (1 - SMOOTHING) * mean
        return state._replace(mean=mean, spread=spread, found=found, best=found.first, inherited=None)
