"""The expected energy of a finite model, folded: what is linear in a belief is one row per action, made once.

Where a gain is an entropy plus something linear, the parts of one imagined step from the mass `u` (n, p) of a belief
are `linear @ u`, and entropies of what is seen after it. So a whole level of a plan costs a few matrix products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from agentic import Categorical, ExpectedEnergy, FiniteModel, Purpose
from agentic.planning import Folded, GoalOverTime

ROWS = 256  # sure beliefs that are imagined at once

_MADE: "WeakKeyDictionary[nn.Module, tuple[Any, list[Tensor], FoldedEnergy | None]]" = WeakKeyDictionary()


@final
@dataclass(frozen=True)
class FoldedEnergy:
    """One step of an expected energy: `names` of its parts, their linear rows, how often each counts the entropy.

    `linear` (parts * actions, n) are the parts of a step from each state; `entropies` (parts,); `going_on` (n, 1) the
    probability that an episode goes on where a state is entered, None for always; `terminal` (1, n) or None.
    """

    purpose: Purpose
    names: tuple[str, ...]
    linear: Tensor
    entropies: tuple[float, ...]
    going_on: Tensor | None
    terminal: Tensor | None

    def unroll(self, model: FiniteModel, mass: Tensor) -> Mapping[str, Tensor]:
        """The parts of G of every sequence of joint actions over the horizon, (actions_T * ... * actions_1 * b,).

        `mass` (n, b) is the belief. Every prefix is imagined once.
        """
        purpose, parts = self.purpose, mass.new_zeros(len(self.names), mass.shape[-1])
        for t in range(purpose.horizon):
            step, mass = self._step(model, mass, purpose.discount**t)
            parts = (step + parts.unsqueeze(1)).flatten(1)
        named = dict(zip(self.names, parts, strict=True))
        if self.terminal is not None and purpose.terminal is not None:
            value = (self.terminal @ mass)[0]
            if self.going_on is not None:
                value = value + (1 - mass.sum(0)) * purpose.terminal.after
            named["terminal"] = purpose.discount**purpose.horizon * value
        return named

    def _step(self, model: FiniteModel, mass: Tensor, weight: float) -> tuple[Tensor, Tensor]:
        """The weighted parts (parts, actions, p) of a step from `mass` (n, p), and the mass (n, actions * p) after."""
        count = mass.shape[-1]
        parts = (self.linear @ mass).view(len(self.names), -1, count)
        ahead = model.transported(mass).view(len(mass), -1)
        alive = None if self.going_on is None else mass.sum(0)
        if any(self.entropies):
            entropy = _entropy(model, ahead).view(-1, count)
            if alive is not None:
                entropy = entropy + len(model.outcome.sizes) * torch.special.xlogy(alive, alive)
            for part, times in zip(parts, self.entropies, strict=True):
                if times:
                    part.add_(entropy, alpha=times)
        if alive is not None and self.going_on is not None:
            parts[0].add_((1 - alive) * self.purpose.goal.after)
            ahead = ahead * self.going_on
        return parts if weight == 1 else weight * parts, ahead


def fold(f: ExpectedEnergy) -> FoldedEnergy | None:
    """The folded form of `f`, made once for its model and purpose as they are; None where it has none."""
    model = f.model
    if type(f) is not ExpectedEnergy or not isinstance(model, FiniteModel) or len(model.latent.sizes) > 1:
        return None
    state = (model.version, f.purpose, f.belief.mean.dtype)
    held = _MADE.get(model)
    if held is None or held[0] != (*state, _changes(held[1])):
        tensors = _tensors(model, f.purpose)
        held = _MADE[model] = ((*state, _changes(tensors)), tensors, _fold(f, model))
    return held[2]


def _fold(f: ExpectedEnergy, model: FiniteModel) -> FoldedEnergy | None:
    purpose, states = f.purpose, model.latent.count
    if isinstance(purpose.goal, GoalOverTime):
        return None
    gains = {} if purpose.gain is None else purpose.gain.folded(model)
    if gains is None:
        return None
    blocks = [_rows(f, model, gains, range(first, min(first + ROWS, states))) for first in range(0, states, ROWS)]
    linear = {name: torch.cat([block[name] for block in blocks], -1) for name in blocks[0]}
    sure = _sure(f, states, range(states)) if purpose.terminal is not None else None
    terminal = None if sure is None else f.at(sure).terminal(f.at(sure).root()._replace(t=0)).unsqueeze(0)
    rows = torch.cat(list(linear.values()))
    if not bool(rows.isfinite().all()) or (terminal is not None and not bool(terminal.isfinite().all())):
        return None
    entropies = tuple(gains[name].entropy if name in gains else 0.0 for name in linear)
    return FoldedEnergy(purpose, tuple(linear), rows, entropies, _going_on(f, model), terminal)


def _rows(f: ExpectedEnergy, model: FiniteModel, gains: Mapping[str, Folded], states: range) -> dict[str, Tensor]:
    """The linear parts of one step from some states, by name, each (actions, states)."""
    actions = model.action.corners(f.belief.mean.dtype).unsqueeze(1)
    step = f.imagine(_sure(f, model.latent.count, states), actions)
    shape = step.after.mean.shape[:-1]
    parts = {"pragmatic": f.purpose.goal.expected(model, step).expand(shape)}
    if f.purpose.effort is not None:
        parts["effort"] = f.purpose.effort(None, actions).expand(shape)
    return parts | {name: step.after.mean @ gain.values for name, gain in gains.items()}


def _sure(f: ExpectedEnergy, count: int, states: range) -> Categorical:
    """The beliefs that are sure of one state each, (states, n)."""
    index = torch.tensor(states)
    return Categorical(torch.nn.functional.one_hot(index, count).to(f.belief.mean.dtype))


def _going_on(f: ExpectedEnergy, model: FiniteModel) -> Tensor | None:
    count = model.latent.count
    blocks = [range(first, min(first + ROWS, count)) for first in range(0, count, ROWS)]
    alive = [model.alive(_sure(f, count, block).probs) for block in blocks]
    known = [each for each in alive if each is not None]
    return torch.cat(known).unsqueeze(-1) if known else None


def _entropy(model: FiniteModel, ahead: Tensor) -> Tensor:
    """Minus the sum of p ln p over what is seen, (p,)."""
    seen = model.seen(ahead)
    return -(seen * seen.clamp_min(torch.finfo(seen.dtype).tiny).log_()).sum(0)


def _tensors(model: FiniteModel, purpose: Purpose) -> list[Tensor]:
    parts = [part for part in (model, purpose.goal, purpose.effort, purpose.terminal) if part is not None]
    return [tensor for part in parts for tensor in (*part.parameters(), *part.buffers())]


def _changes(tensors: list[Tensor]) -> int:
    """How often the tensors were written to."""
    return sum(tensor._version for tensor in tensors)
