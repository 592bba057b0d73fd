"""Value iteration in observed worlds, begun where the last decision ended: for models that change as they are used.

No horizon: the values are the fixed point of discounted backups (Bellman 1957). After a tick of learning a few sweeps
over lists of successors repair them, and one-step energies are computed anew only where the model says it changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, final

import torch
from torch import Tensor

from agentic import (
    Backup,
    Belief,
    Categorical,
    ExpectedEnergy,
    FiniteModel,
    Iterate,
    Objective,
    Plan,
    Simplex,
    UserError,
)
from agentic.planning import Candidates, GoalOverTime, plan_posterior
from agentic_optimizers.backups import Max
from agentic_optimizers.planned import Planned
from agentic_optimizers.rounding import above_rounding

ROWS = 256  # states whose one-step energies are computed at once
SURE = 1e-9
LONGEST = 100_000  # sweeps from values that nothing is known about


@final
@dataclass(frozen=True)
class Stationary(Plan):
    """A plan without horizon: `energies` (n, a) of every action in every state, from which it takes those of `states`.

    `parts` are the one-step terms (n, a), `values` (n,) what is expected from each state on. `memory` is what it was
    made for.
    """

    energies: Tensor
    values: Tensor
    parts: Mapping[str, Tensor]
    states: Tensor
    domain: Simplex
    log_habits: Tensor | None = None
    version: int = 0
    memory: Any = None

    def first_action(self, precision: float = inf) -> Belief:
        return self._policy(self.states, precision)

    def act(self, belief: Belief, t: int, precision: float = inf) -> Belief:
        return self._policy(belief.mean.argmax(-1), precision)

    def _policy(self, states: Tensor, precision: float) -> Belief:
        q = self._weights(states, precision)
        return Categorical(q @ self.domain.corners(q.dtype), self.domain.sizes)

    def _weights(self, states: Tensor, precision: float) -> Tensor:
        """The probabilities (b, a) of actions in `states` (b,)."""
        scale = sum(part[states].abs() for part in self._terms().values())
        return plan_posterior(self.energies[states], precision, self.log_habits, dim=-1, scale=torch.as_tensor(scale))

    def _terms(self) -> Mapping[str, Tensor]:
        """The parts of one step, and as `terminal` what is expected from there on, each (n, a)."""
        return {**self.parts, "terminal": self.energies - ExpectedEnergy.total(self.parts)}

    def terms(self, precision: float = inf) -> Mapping[str, Tensor]:
        """The terms of the next step; `terminal` is the value of all that follows, its gains included."""
        q = self._weights(self.states, precision)
        return {n: torch.where(q > 0, q * part[self.states], 0.0).sum(-1) for n, part in self._terms().items()}

    def candidates(self, n: int, precision: float = inf) -> Candidates:
        """The first actions, with what is expected after each."""
        corners = self.domain.corners(self.energies.dtype)[:, None, None]
        parts = {name: part[self.states].T for name, part in self._terms().items()}
        q = self._weights(self.states, precision).T
        return Candidates(corners, q, parts).best(n, self.energies[self.states].T)

    def shifted(self, begun: Tensor | None = None) -> "Plan | None":
        return self


@final
@dataclass(frozen=True)
class ValueIteration(Planned):
    """Plan in an observed world without horizon: G(z, u) = one step + discount x E[V(z')], V by `backup`.

    From the values of the last decision at most `sweeps` sweeps are made, until none changes by more than `tolerance`
    nats, or than rounding does; with nothing to begin from, as many as it takes. Raises UserError for beliefs that are
    not sure of the state, and for a purpose with a horizon, a terminal goal or no discount.
    """

    backup: Backup = field(default_factory=Max)
    sweeps: int = 20
    tolerance: float = 1e-3
    steps: int = 1

    def __post_init__(self) -> None:
        if self.sweeps < 1 or not 0 < self.tolerance < inf:
            raise UserError(
                f"value_iteration expects sweeps >= 1 and a tolerance > 0, got {self.sweeps} and {self.tolerance}"
            )

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, ExpectedEnergy) or not isinstance(f.model, FiniteModel):
            raise UserError(f"value_iteration needs the expected energy of a finite model, got {type(f).__name__}")
        _check(f)
        model, states = f.model, f.belief.mean.argmax(-1)
        key = (model, f.purpose, self.backup)
        earlier = z if isinstance(z, Stationary) and all(map(_same, z.memory, key)) else None
        parts = _parts(f, model, earlier)
        energies, values, sweeps = self._solve(f, model, parts, earlier)
        made, memory = (energies, values, parts, states), (*key, model.training)
        plan = Stationary(*made, model.action, model.log_habits, version=model.version, memory=memory)
        value = self.backup.value(energies[states], model.log_habits)
        return Iterate(states, value, torch.zeros_like(value), sweeps, plan)

    def _solve(
        self, f: ExpectedEnergy, model: FiniteModel, parts: Mapping[str, Tensor], earlier: Stationary | None
    ) -> tuple[Tensor, Tensor, int]:
        """The energies (n, a), the values (n,) and how many sweeps were made."""
        one, discount, survival = f.total(parts), f.purpose.discount, model.survival()
        if survival is not None and f.purpose.goal.after:
            forever = discount * f.purpose.goal.after / (1 - discount)
            one = one + forever * (1 - model.ahead(survival))
        values = one.new_zeros(len(one)) if earlier is None else earlier.values
        sweep, most = 0, LONGEST if earlier is None else self.sweeps
        while sweep < most:
            sweep += 1
            energies = one + discount * model.ahead(values if survival is None else values * survival)
            before, values = values, self._backed_up(energies, model.log_habits)
            change = above_rounding((values - before).abs(), values.abs().amax)
            if float(change.max()) <= self.tolerance:
                break
        return energies, values, sweep

    def _backed_up(self, energies: Tensor, log_habits: Tensor | None) -> Tensor:
        """The states' values (n,), of the best action without the detour over its probability."""
        if isinstance(self.backup, Max) and log_habits is None:
            return energies.amin(-1)
        return self.backup.value(energies, log_habits)


def _parts(f: ExpectedEnergy, model: FiniteModel, earlier: Stationary | None) -> Mapping[str, Tensor]:
    """The one-step terms of every state, (n, a): those of the last plan, anew where the model changed since."""
    changed = None
    if earlier is not None and earlier.memory[-1] == model.training:  # on which gains about weights depend
        changed = model.changed(earlier.version)
        if earlier.version == model.version or (changed is not None and not len(changed)):
            return earlier.parts
    chosen = torch.arange(model.latent.count) if changed is None else changed
    found = [_one_step(f, model, block) for block in chosen.split(ROWS)]
    fresh = {name: torch.cat([block[name] for block in found]) for name in found[0]}
    if earlier is None or changed is None:
        return fresh
    return {name: earlier.parts[name].index_copy(0, changed, part) for name, part in fresh.items()}


def _one_step(f: ExpectedEnergy, model: FiniteModel, states: Tensor) -> Mapping[str, Tensor]:
    sure = torch.nn.functional.one_hot(states, model.latent.count).to(f.belief.mean.dtype)
    here = f.at(Categorical(sure))
    _, parts = here.advance(here.root(), model.action.corners(sure.dtype).unsqueeze(1))
    return {name: part.expand(model.action.count, len(states)).T for name, part in parts.items()}


def _check(f: ExpectedEnergy) -> None:
    purpose = f.purpose
    if isinstance(purpose.goal, GoalOverTime) or purpose.terminal is not None or purpose.horizon != 1:
        raise UserError("value_iteration has no horizon: leave out horizon, terminal, and goals that change over time")
    if purpose.discount >= 1:
        raise UserError("value_iteration needs a discount < 1, such as planner.discount = 0.99: it plans without end")
    if purpose.gain is not None and not purpose.gain.additive:
        raise UserError(f"value_iteration adds gains step by step, which {purpose.gain} cannot follow")
    if bool((f.belief.mean.amax(-1) < 1 - max(SURE, 4 * torch.finfo(f.belief.mean.dtype).eps)).any()):
        raise UserError("value_iteration needs beliefs that are sure of the state: use tree where states are hidden")


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, Backup) and one == other)
