"""Search by mutation: the best courses of action found so far, with one segment of each changed."""

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from agentic import Box, Objective, UserError
from agentic.engine import checked_generator
from agentic_optimizers.proposals import Scored, widths
from agentic_optimizers.sampling import Sampling, State
from agentic_optimizers.segments import courses, extremes, lengths

HALVED = 8  # times that a mutation is halved at most


class Mutations(NamedTuple):
    """What chance gives one round: where segments lie (T, k, b), and a new action for each (k, b, *event).

    In a box that is standard normal noise. `courses` (T, k, b, *event) are whole ones, of the first round alone.
    """

    where: Tensor
    action: Tensor
    courses: Tensor | None


@final
@dataclass(frozen=True)
class Evolution(Sampling):
    """An evolution strategy on courses of action, for objectives over bounded boxes or one-hot vectors.

    The first round are `samples` random courses in segments of 1, 2, 4, 8 or 16 equal actions, and the last tick's
    `elites`, one step shifted. Each further one takes every elite in turn and changes a random segment of it: to
    another action, in a box by a normal number times `spread` of its sides, halved less often than there were rounds
    before, at most 8 times. The best `elites` of all live on (Beyer and Schwefel 2002). How long an action is held need
    not be told for each world: `hold` and `color` are refused. Raises UserError for unbounded domains.
    """

    samples: int = 32
    elites: int = 4
    steps: int = 3

    def __post_init__(self) -> None:
        self.check(1 <= self.elites <= self.samples and self.spread < 1, "1 <= elites <= samples, spread < 1")
        if self.hold != 1 or self.color != 0:
            raise UserError(
                f"evolution draws segments of all lengths and no noise over time: leave out hold and color, got {self}"
            )

    def extra(self, state: State, last: bool) -> int:
        if state.rounds:
            return 0
        return 1 if state.inherited is None else 1 + state.inherited.shape[1]

    def kept(self, found: Scored) -> int:
        return len(found.values)

    def draws(self, state: State, count: int, generator: torch.Generator | None) -> Mutations:
        base, (steps, rows) = state.space.base, state.mean.shape[:2]
        source = checked_generator(generator)
        event, kind = state.mean.shape[2:], state.mean.dtype
        whole = None
        if not state.rounds:
            whole = courses(base, steps, count * rows, source, kind).view(steps, count, rows, *event)
        length = lengths((count, rows), source)
        first = torch.randint(steps, (count, rows), generator=source)
        t = torch.arange(steps).view(-1, 1, 1)
        if isinstance(base, Box):
            action = torch.randn(count, rows, *event, generator=source, dtype=kind)
            halved = torch.randint(min(max(state.rounds, 1), HALVED + 1), (count, rows), generator=source)
            action = action * 0.5 ** halved.view(count, rows, *[1] * len(event))
        else:
            action = extremes(base, count * rows, source, kind).view(count, rows, *event)
        there = [part.to(state.mean.device) for part in ((t >= first) & (t < first + length), action)]
        return Mutations(there[0], there[1], None if whole is None else whole.to(state.mean.device))

    def improve(self, f: Objective, state: State, noise: Mutations, last: bool) -> State:
        space = state.space
        if noise.courses is not None:
            start = state.mean.unsqueeze(1)
            start = start if state.inherited is None else torch.cat([start, state.inherited], 1)
            places = torch.cat([space.base.project(start), noise.courses], 1)
        else:
            assert state.found is not None
            places = self._mutated(state, state.found.places, noise)
        found = Scored.of(f, space, places).with_(state.found).best(self.elites)
        return state._replace(found=found, best=found.first, inherited=None)

    def _mutated(self, state: State, elites: Tensor, noise: Mutations) -> Tensor:
        """Each elite (T, elites, b, *event) in turn, with a segment of it changed: (T, k, b, *event)."""
        count, base = noise.where.shape[1], state.space.base
        parents = elites.repeat(1, -(-count // elites.shape[1]), *[1] * (elites.dim() - 2))[:, :count]
        new = noise.action.unsqueeze(0)
        if isinstance(base, Box):
            like = (noise.action.shape, elites.dtype, elites.device)
            new = base.project(parents + widths(base, self.spread, like) * new)
        return torch.where(noise.where.view(*noise.where.shape, *[1] * (elites.dim() - 3)), new, parents)
