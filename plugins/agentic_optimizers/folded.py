"""The expected energy of a finite model, folded: what is linear in a belief is one row per action, made once.

Where a gain is an entropy plus something linear, the parts of one imagined step from the mass `u` (n, p) of a belief
are `linear @ u`, and entropies of what is seen after it. So a whole level of a plan costs a few matrix products.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from agentic import Categorical, ExpectedEnergy, FiniteModel, LatentGoal, ObservationGoal, Purpose, Step
from agentic.planning import Folded, GoalOverTime, Node
from agentic_optimizers.levels import Level, of_plans
from agentic_optimizers.one_pass import OnePass, last_fastest
from agentic_optimizers.planned import Snapshot

STATES = 10_000  # of larger worlds steps are imagined belief by belief: all pairs of states would be looked at
ROWS = 256  # sure beliefs that are imagined at once
LEVEL = 1_000_000  # bytes of the last level of courses: more rows of a batch are imagined one after the other
BLOCK = 65_536  # numbers whose logarithms are taken at once: what a core's cache holds

_MADE: "WeakKeyDictionary[nn.Module, tuple[Any, Snapshot, FoldedEnergy | None]]" = WeakKeyDictionary()


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
    one_pass: OnePass | None = None
    _levels: list[Level] = field(default_factory=list)

    def levels(self, model: FiniteModel) -> list[Level]:
        """The levels of all plans: prefixes that lead to the same belief are imagined once. Made when asked for."""
        if not self._levels:
            self._levels.extend(of_plans(model, self.purpose.horizon, self.linear))
        return self._levels

    def parts(self, model: FiniteModel, mass: Tensor) -> Mapping[str, Tensor]:
        """The parts of one step from beliefs (n, b) under every joint action, each (actions, b)."""
        if any(self.entropies):
            return dict(zip(self.names, self._step(model, mass.unsqueeze(1), 1.0)[0].squeeze(2), strict=True))
        return dict(zip(self.names, (self.linear @ mass).view(len(self.names), -1, mass.shape[-1]), strict=True))

    def plans(self, model: FiniteModel, mass: Tensor) -> Mapping[str, Tensor]:
        """The parts of G of every sequence of joint actions from beliefs (n, b), each (plans, b), the last fastest."""
        if self.one_pass is not None:
            return self.one_pass.parts(mass)
        actions, horizon = model.action.count, self.purpose.horizon
        rows = max(1, LEVEL // (mass.element_size() * len(mass) * len(self.levels(model)[-1].kind)))
        found = [
            {
                name: last_fastest(part.view(actions**horizon, -1), actions, horizon)
                for name, part in self.unroll(model, block).items()
            }
            for block in mass.split(rows, -1)
        ]
        return {name: torch.cat([parts[name] for parts in found], -1) for name in found[0]}

    def unroll(self, model: FiniteModel, mass: Tensor) -> Mapping[str, Tensor]:
        """The parts of G of every sequence of joint actions over the horizon, (actions_T * ... * actions_1, b).

        `mass` (n, b) is the belief. Every belief that a prefix leads to is imagined once.
        """
        purpose, parts, mass = self.purpose, mass.new_zeros(len(self.names), 1, mass.shape[-1]), mass.unsqueeze(1)
        for t, level in enumerate(self.levels(model)):
            step, mass = self._step(model, mass, purpose.discount**t, level)
            parts = (level.spread(step, 2) + parts.unsqueeze(1)).flatten(1, 2)
        named = dict(zip(self.names, parts, strict=True))
        if self.terminal is not None and purpose.terminal is not None:
            value = (self.terminal @ mass.flatten(1)).view(mass.shape[1:])
            if self.going_on is not None:
                value = value + (1 - mass.sum(0)) * purpose.terminal.after
            named["terminal"] = purpose.discount**purpose.horizon * value[self.levels(model)[-1].after]
        return named

    def _step(
        self, model: FiniteModel, mass: Tensor, weight: float, level: Level | None = None
    ) -> tuple[Tensor, Tensor]:
        """The weighted parts (parts, actions, p, b) of a step from `mass` (n, p, b), and the distinct masses after."""
        nodes, batch = mass.shape[1:]
        parts = (self.linear @ mass.flatten(1)).view(len(self.names), -1, nodes, batch)
        ahead = model.transported(mass.flatten(1)).view(len(mass), -1, batch)
        ahead = ahead if level is None else level.distinct(ahead)
        alive = None if self.going_on is None else mass.sum(0)
        if any(self.entropies):
            entropy = _entropy(model, ahead.flatten(1)).view(-1, batch)
            entropy = (entropy if level is None else level.of_all(entropy)).view(-1, nodes, batch)
            if alive is not None:
                entropy = entropy + len(model.outcome.sizes) * torch.special.xlogy(alive, alive)
            for i, times in enumerate(self.entropies):
                if times:
                    parts[i].add_(entropy, alpha=times)
        if alive is not None and self.going_on is not None:
            parts[0].add_((1 - alive) * self.purpose.goal.after)
            ahead = ahead * self.going_on.unsqueeze(-1)
        return parts if weight == 1 else weight * parts, ahead


def fold(f: ExpectedEnergy) -> FoldedEnergy | None:
    """The folded form of `f`, made once for its model and purpose as they are; None where it has none."""
    model = f.model
    if type(f) is not ExpectedEnergy or not isinstance(model, FiniteModel) or model.latent.count > STATES:
        return None
    state = (model.version, f.purpose, f.belief.mean.dtype)
    held = _MADE.get(model)
    if held is None or held[0] != state or not held[1].stands():
        made = _fold(f, model)
        held = _MADE[model] = state, Snapshot.of(f), made
    return held[2]


def _fold(f: ExpectedEnergy, model: FiniteModel) -> FoldedEnergy | None:
    if isinstance(f.purpose.goal, GoalOverTime):
        return None
    gains = {} if f.purpose.gain is None else f.purpose.gain.folded(model)
    if gains is None:
        return None
    linear = _linear(f, model, gains)
    rows, terminal, survival = torch.cat(list(linear.values())), _terminal(f, model), model.survival()
    if not bool(rows.isfinite().all()) or (terminal is not None and not bool(terminal.isfinite().all())):
        return None
    if not _holds(f, model, linear["pragmatic"], terminal):
        return None
    entropies = tuple(gains[name].entropy if name in gains else 0.0 for name in linear)
    going_on = None if survival is None else survival.unsqueeze(-1)
    one_pass = None
    if survival is None and terminal is None:
        weights = [f.purpose.discount**t for t in range(f.purpose.horizon)]
        one_pass = OnePass.of(model, tuple(linear), rows.flatten(0, -2), entropies, weights)
    return FoldedEnergy(f.purpose, tuple(linear), rows, entropies, going_on, terminal, one_pass)


def _linear(f: ExpectedEnergy, model: FiniteModel, gains: Mapping[str, Folded]) -> dict[str, Tensor]:
    """The linear parts of one step from each state, by name, each (actions, n)."""
    goal, actions = f.purpose.goal, model.action.corners(f.belief.mean.dtype).unsqueeze(1)
    if isinstance(goal, ObservationGoal | LatentGoal):
        pragmatic = model.ahead(torch.cat([goal.expected(model, Step(q, actions[0], q)) for q in _sure(f, model)])).T
    else:
        rows = [goal.expected(model, f.imagine(q, actions)).expand(len(actions), -1) for q in _sure(f, model)]
        pragmatic = torch.cat(rows, -1)
    parts = {"pragmatic": pragmatic}
    if f.purpose.effort is not None:
        parts["effort"] = f.purpose.effort(None, actions).expand_as(pragmatic)
    parts |= {name: model.ahead(gain.values).T for name, gain in gains.items()}
    return {name: part.to(f.belief.mean.dtype) for name, part in parts.items()}


def _terminal(f: ExpectedEnergy, model: FiniteModel) -> Tensor | None:
    """The terminal energy of each state, (1, n)."""
    if f.purpose.terminal is None:
        return None
    values = torch.cat([f.at(q).terminal(Node(q, None, None, 0)) for q in _sure(f, model)])
    return values.unsqueeze(0).to(f.belief.mean.dtype)


def _holds(f: ExpectedEnergy, model: FiniteModel, pragmatic: Tensor, terminal: Tensor | None) -> bool:
    """Whether the goals are linear in the belief: those of an uneven one are the mean of those of its states."""
    weights = torch.arange(1, model.latent.count + 1, dtype=pragmatic.dtype)
    q = Categorical((weights / weights.sum()).unsqueeze(0))
    actions = model.action.corners(pragmatic.dtype).unsqueeze(1)
    pairs = [(f.purpose.goal.expected(model, f.imagine(q, actions)).expand(len(actions), 1), pragmatic)]
    if terminal is not None:
        pairs.append((f.at(q).terminal(Node(q, None, None, 0)).view(1, 1), terminal))
    near = torch.finfo(pragmatic.dtype).eps ** 0.5
    return all(torch.allclose(whole.to(rows), rows @ q.mean.T, rtol=near, atol=near) for whole, rows in pairs)


def _sure(f: ExpectedEnergy, model: FiniteModel) -> Iterator[Categorical]:
    """The beliefs that are sure of one state each, `ROWS` at a time."""
    for states in torch.arange(model.latent.count).split(ROWS):
        yield Categorical(torch.nn.functional.one_hot(states, model.latent.count).to(f.belief.mean.dtype))


def _entropy(model: FiniteModel, ahead: Tensor) -> Tensor:
    """Minus the sum of p ln p over what is seen, (p,), a block of columns after the other."""
    if ahead.numel() > BLOCK:
        return torch.cat([_entropy(model, block) for block in ahead.split(max(1, BLOCK // len(ahead)), -1)])
    seen = model.seen(ahead)
    return -(seen * seen.clamp_min(torch.finfo(seen.dtype).tiny).log_()).sum(0)
