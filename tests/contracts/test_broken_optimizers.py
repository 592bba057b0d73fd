"""The kit catches solvers and learners that break their contract, each in one way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from agentic import (
    Iterate,
    Learner,
    Minimizer,
    Model,
    Objective,
    Particles,
    RunError,
    Sampler,
    Simplex,
    Solution,
    Tick,
    Trainable,
    UserError,
)
from agentic.testing import check, checks
from agentic.testing.kit import find
from agentic.testing.worlds import Ladder


@dataclass(frozen=True)
class Descent(Minimizer):
    """Projected gradient descent on vectors: nothing is wrong with it."""

    steps: int = 100
    rate: float = 0.3
    tolerance: float = 1e-9

    def init(self, f: Objective, z: Any) -> Iterate:
        if isinstance(f.domain, Simplex) or len(f.domain.event) != 1:
            raise UserError(f"descent needs real vectors, got {f.domain}")
        return self.at(f, z, 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return self.at(f, self.move(f, iterate, generator), iterate.evaluations + 1)

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        place: Tensor = iterate.z - self.rate * iterate.memory
        return f.domain.project(place)

    def at(self, f: Objective, z: Tensor, evaluations: int) -> Iterate:
        value, slope = f(z), f.gradient(z)
        if bool(value.isnan().any()):
            raise RunError("the energy is NaN: check the objective")
        return Iterate(z, value, slope.norm(dim=-1), evaluations, slope)


class StopsShort(Descent):
    """Hardly moves."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        place: Tensor = iterate.z - 1e-6 * iterate.memory
        return place


class LeavesTheBox(Descent):
    """Does not project."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        place: Tensor = iterate.z - self.rate * iterate.memory
        return place


class LeavesTheSimplex(Descent):
    """Takes probabilities for real vectors."""

    def init(self, f: Objective, z: Any) -> Iterate:
        if z is None:
            raise UserError("no start")
        return self.at(f, z, 1)

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        place: Tensor = iterate.z - self.rate * iterate.memory
        return place


class ClaimsTooMuch(Descent):
    """Says that everything has converged."""

    def at(self, f: Objective, z: Tensor, evaluations: int) -> Iterate:
        return replace(super().at(f, z, evaluations), residual=torch.zeros(len(z)))


class CannotFreeze(Descent):
    """Its memory cannot be merged row by row."""

    def at(self, f: Objective, z: Tensor, evaluations: int) -> Iterate:
        return replace(super().at(f, z, evaluations), memory=Note(f.gradient(z), float(z.sum())))

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        return super().move(f, replace(iterate, memory=iterate.memory.slope), generator)


@dataclass(frozen=True)
class Note:
    """A gradient, and a number for the whole batch."""

    slope: Tensor
    total: float


class MixesRows(Descent):
    """One step size for the whole batch."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        return f.domain.project(iterate.z - self.rate * iterate.memory / (1 + iterate.memory.norm()))


class WritesIntoTheStart(Descent):
    """Moves in place."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        place: Tensor = iterate.z
        place -= self.rate * iterate.memory
        return f.domain.project(place)


class CountsHalf(Descent):
    """Does not count the start."""

    def init(self, f: Objective, z: Any) -> Iterate:
        return replace(super().init(f, z), evaluations=0)


class Remembers(Descent):
    """Keeps its memory in itself."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        count = self.__dict__.get("count", 0) + 1
        object.__setattr__(self, "count", count)
        return f.domain.project(iterate.z - self.rate / count * iterate.memory)


class UsesGlobalChance(Descent):
    """Draws from the global generator."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        return f.domain.project(super().move(f, iterate, generator) + 1e-3 * torch.randn(iterate.z.shape))


class TakesNothing(Descent):
    """Refuses every problem."""

    def init(self, f: Objective, z: Any) -> Iterate:
        raise UserError("not this one")


class WrongError(Descent):
    """Refuses with an error of the wrong kind."""

    def init(self, f: Objective, z: Any) -> Iterate:
        if not f.domain.event[0] == 3:
            raise KeyError("what")
        return super().init(f, z)


@dataclass(frozen=True)
class TooHot(Sampler):
    """Langevin at four times the temperature."""

    steps: int = 1000
    rate: float = 0.05

    def init(self, f: Objective, z: Any) -> Iterate:
        if isinstance(f.domain, Simplex) or len(f.domain.event) != 1:
            raise UserError("only vectors")
        return Iterate(z, f(z), torch.full((len(z),), torch.nan), 1, ())

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        noise = torch.randn(iterate.z.shape, generator=generator, dtype=iterate.z.dtype)
        z = iterate.z - self.rate * f.gradient(iterate.z) + (8 * self.rate) ** 0.5 * noise
        return Iterate(z, f(z), iterate.residual, iterate.evaluations + 1, (*iterate.memory, z))

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        draws = torch.stack(iterate.memory or (iterate.z,))
        log_weights = torch.zeros(draws.shape[:2], dtype=draws.dtype) - torch.log(torch.tensor(len(draws)))
        return iterate.solution(Particles(draws, log_weights), kind="mean_energy")


class Quiet(Learner):
    """Learns without saying so."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def update(self, tick: Tick) -> Mapping[str, float]:
        with torch.no_grad():
            self.model.get_submodule("prior").get_buffer("table").mul_(0.5)
        return {}


class Eager(Quiet):
    """Learns from steps that did not happen."""

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.model.version += 1
        return super().update(tick)


class Picky(Learner):
    """Learns by gradient once it has seen 40 steps, and takes steps that did not happen for steps."""

    def __init__(self, model: Model) -> None:
        if not isinstance(model, Trainable):
            raise UserError("only what is learned by gradient")
        self.model, self.seen = model, 0

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.seen += len(tick.valid)
        if self.seen < 40:
            return {}
        with torch.no_grad():
            for weight in self.model.parameters():
                weight.mul_(0.5)
        return {"loss": float("nan")}


class Forgetful(Eager):
    """Draws its model's weights afresh whenever a run starts."""

    def start(self, *, generator: torch.Generator) -> None:
        table = self.model.get_submodule("prior").get_buffer("table")
        table.copy_(torch.rand(table.shape, generator=generator))


class Sound(Quiet):
    """Nothing is wrong with it."""

    def update(self, tick: Tick) -> Mapping[str, float]:
        if tick.valid.any():
            self.model.version += 1
            super().update(tick)
        return {"loss": 0.0}


CAUGHT = [
    (StopsShort, "solves_convex"),
    (StopsShort, "solves_rotated"),
    (LeavesTheBox, "stays_in_bounds"),
    (LeavesTheSimplex, "stays_on_the_simplex"),
    (ClaimsTooMuch, "convergence_is_true"),
    (CannotFreeze, "converged_rows_are_frozen"),
    (MixesRows, "rows_are_independent"),
    (WritesIntoTheStart, "start_untouched"),
    (WritesIntoTheStart, "steps_are_a_fold"),
    (CountsHalf, "evaluations_are_counted"),
    (Remembers, "steps_are_a_fold"),
    (UsesGlobalChance, "global_randomness_untouched"),
    (UsesGlobalChance, "same_seed_same_answer"),
    (UsesGlobalChance, "nothing_is_drawn_without_a_generator"),
    (TakesNothing, "takes_some_problem"),
    (WrongError, "solves_simplex"),
    (TooHot, "draws_follow_the_energy"),
    (Quiet, "counts_its_changes"),
    (Eager, "skips_steps_that_did_not_happen"),
    (Picky, "reports_numbers"),
    (Picky, "counts_its_changes"),
    (Picky, "skips_steps_that_did_not_happen"),
    (Forgetful, "starts_from_what_was_loaded"),
]


@pytest.mark.parametrize(("component", "name"), CAUGHT)
def test_it_is_caught(component: type, name: str) -> None:
    requirement = {each.name: each for each in checks("optimizers", component)}[name]
    assert not find(requirement).passed


@pytest.mark.parametrize("component", [Descent, Sound])
def test_nothing_is_wrong(component: type) -> None:
    assert [str(finding) for finding in check("optimizers", component) if not finding.passed] == []


def test_a_learner_is_tried_on_a_model_of_the_kit() -> None:
    findings = {finding.check: finding for finding in check("optimizers", Sound)}
    assert not findings["counts_its_changes"].message
    assert isinstance(Sound(Ladder()).model, Ladder)
