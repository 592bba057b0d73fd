"""The kit catches solvers and learners that break their contract, each in one way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from agentic import (
    Box,
    Categorical,
    Evidence,
    ExpectedEnergy,
    Iterate,
    Learner,
    Minimizer,
    Model,
    Objective,
    Particles,
    Real,
    RunError,
    Sampler,
    Simplex,
    Solution,
    Tick,
    Trainable,
    UserError,
)
from agentic.engine import normal_like
from agentic.testing import check
from agentic.testing.optimizers import Watched
from agentic.testing.parts import AllPlans
from agentic.testing.worlds import Ladder
from tests.contracts.broken import assert_only


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


class Fails(Descent):
    """Hardly moves where it is wrong to."""

    def wrong(self, f: Any) -> bool:
        raise NotImplementedError

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        if self.wrong(f.f if isinstance(f, Watched) else f):
            return f.domain.project(iterate.z - 1e-6 * iterate.memory)
        return super().move(f, iterate, generator)


class FailsRotated(Fails):
    """Hardly moves where the axes are not the coordinates'."""

    def wrong(self, f: Any) -> bool:
        weights = getattr(f, "weights", torch.eye(1))
        return not torch.equal(weights, torch.diag(weights.diagonal()))


class FailsBoxed(Fails):
    """Hardly moves within bounds."""

    def wrong(self, f: Any) -> bool:
        return isinstance(f.domain, Box)


class FailsKalman(Fails):
    """Hardly moves where something is perceived."""

    def wrong(self, f: Any) -> bool:
        return isinstance(f, Evidence)


@dataclass(frozen=True)
class Bayes(Minimizer):
    """softmax(-dE/dq) of every factor, in one step from anywhere: nothing is wrong with it."""

    steps: int = 0

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f.domain, Simplex):
            raise UserError("only probabilities")
        slope = f.gradient(f.start(z))
        if bool(slope.isnan().any()):
            raise RunError("the energy is NaN: check the objective")
        q = torch.cat([torch.softmax(-block, -1) for block in f.domain.blocks(slope)], -1)
        return Iterate(q, f(q) - Categorical(q, f.domain.sizes).entropy(), torch.zeros(len(q)), 2)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        assert isinstance(f.domain, Simplex)
        return iterate.solution(Categorical(iterate.z, f.domain.sizes), kind="free_energy")


class FailsSimplex(Bayes):
    """Stays in the middle."""

    def init(self, f: Objective, z: Any) -> Iterate:
        first = super().init(f, z)
        return replace(first, z=f.domain.center(len(first.z)))


class FailsBayes(Bayes):
    """Keeps to its prior where something was seen."""

    def init(self, f: Objective, z: Any) -> Iterate:
        first = super().init(f, z)
        return replace(first, z=f.domain.center(len(first.z))) if isinstance(f, Evidence) else first


@dataclass(frozen=True)
class Plans(Minimizer):
    """The kit's own planner, which refuses what it does not take: nothing is wrong with it."""

    steps: int = 0

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, ExpectedEnergy) or not isinstance(f.model.action, Simplex):
            raise UserError("only plans of discrete actions")
        return AllPlans().init(f, z)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return iterate

    def solution(self, f: Objective, iterate: Iterate) -> Solution:
        return AllPlans().solution(f, iterate)


class FailsFinite(Plans):
    """Likes the worst plan best."""

    def init(self, f: Objective, z: Any) -> Iterate:
        first = super().init(f, z)
        values, parts = first.memory
        return replace(first, memory=(-values, parts))


class FailsStationary(FailsFinite):
    """Likes the worst plan best where it is of one step."""

    def init(self, f: Objective, z: Any) -> Iterate:
        one = isinstance(f, ExpectedEnergy) and f.purpose.horizon == 1
        return super().init(f, z) if one else Plans.init(self, f, z)


@dataclass(frozen=True)
class Pushes(Minimizer):
    """Gradient descent on plans of real actions: nothing is wrong with it."""

    steps: int = 100
    rate: float = 0.1

    def init(self, f: Objective, z: Any) -> Iterate:
        if not isinstance(f, ExpectedEnergy) or isinstance(f.model.action, Simplex):
            raise UserError("only plans of real actions")
        return self.at(f, f.start(z), 1)

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        return self.at(f, f.domain.project(iterate.z - self.rate * iterate.memory), iterate.evaluations + 1)

    def at(self, f: Any, z: Tensor, evaluations: int) -> Iterate:
        value, slope = f.value_and_gradient(z)
        return Iterate(z, value.detach(), slope.flatten(1).norm(dim=-1) + 1, evaluations, slope)


class FailsLinear(Pushes):
    """Pushes the other way."""

    def at(self, f: Any, z: Tensor, evaluations: int) -> Iterate:
        return super().at(f, torch.zeros_like(z), evaluations)


class FailsBoxedPlan(FailsLinear):
    """Does so within bounds."""

    def at(self, f: Any, z: Tensor, evaluations: int) -> Iterate:
        boxed = isinstance(f.model.action, Box)
        return super().at(f, z, evaluations) if boxed else Pushes.at(self, f, z, evaluations)


class Silent(Descent):
    """Does not look whether energies are numbers, and makes up one."""

    def at(self, f: Objective, z: Tensor, evaluations: int) -> Iterate:
        value, slope = f(z), f.gradient(z)
        return Iterate(z, value.nan_to_num(), slope.norm(dim=-1).nan_to_num(nan=1.0), evaluations, slope)


class DrawsAnyway(Descent):
    """Draws from the global generator where it is given none."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        torch.rand(1, generator=generator)
        return super().move(f, iterate, generator)


class LeavesTheBox(Descent):
    """Does not project."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        place: Tensor = iterate.z - self.rate * iterate.memory
        return place


class LeavesTheSimplex(Descent):
    """Takes probabilities for real vectors."""

    def init(self, f: Objective, z: Any) -> Iterate:
        if z is None or not isinstance(f.domain, Simplex):
            raise UserError("no start, or no probabilities")
        return self.at(f, z, 1)

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        place: Tensor = iterate.z - self.rate * iterate.memory
        return place


class ClaimsTooMuch(Descent):
    """Says after three steps that everything has converged."""

    def at(self, f: Objective, z: Tensor, evaluations: int) -> Iterate:
        now = super().at(f, z, evaluations)
        return replace(now, residual=torch.zeros(len(z))) if evaluations > 3 else now


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


class WaitsForAll(Descent):
    """Goes on at half the rate once, late, the slowest row is near its minimum."""

    def move(self, f: Objective, iterate: Iterate, generator: torch.Generator | None) -> Tensor:
        rate = self.rate if iterate.evaluations < 10 or bool((iterate.residual > 0.1).any()) else self.rate / 2
        return f.domain.project(iterate.z - rate * iterate.memory)


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
        if not isinstance(f.domain, Real) or len(f.domain.event) != 1:
            raise UserError("only vectors")
        return Iterate(z, f(z), torch.full((len(z),), torch.nan), 1, ())

    def step(self, f: Objective, iterate: Iterate, *, generator: torch.Generator | None) -> Iterate:
        noise = normal_like(iterate.z, generator)
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
        if tick.valid.any():
            self.change()
        return {}

    def change(self) -> None:
        with torch.no_grad():
            self.model.get_submodule("prior").get_buffer("table").mul_(0.5)


class Eager(Quiet):
    """Learns from steps that did not happen."""

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.model.version += 1
        self.change()
        return {}


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


class Forgetful(Quiet):
    """Draws its model's weights afresh whenever a run starts."""

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.model.version += 1
        return super().update(tick)

    def start(self, *, generator: torch.Generator) -> None:
        table = self.model.get_submodule("prior").get_buffer("table")
        table.copy_(torch.rand(table.shape, generator=generator))


class Sound(Quiet):
    """Nothing is wrong with it."""

    def update(self, tick: Tick) -> Mapping[str, float]:
        if tick.valid.any():
            self.model.version += 1
            self.change()
        return {"loss": 0.0}


CAUGHT = [
    (StopsShort, "solves_convex"),
    (FailsRotated, "solves_rotated"),
    (FailsBoxed, "solves_boxed"),
    (FailsKalman, "solves_kalman"),
    (FailsSimplex, "solves_simplex"),
    (FailsBayes, "solves_bayes"),
    (FailsFinite, "solves_finite_plan"),
    (FailsStationary, "solves_stationary_plan"),
    (FailsLinear, "solves_linear_plan"),
    (FailsBoxedPlan, "solves_boxed_plan"),
    (Silent, "nothing_is_hidden_by_nan"),
    (LeavesTheBox, "stays_in_bounds"),
    (LeavesTheSimplex, "stays_on_the_simplex"),
    (ClaimsTooMuch, "convergence_is_true"),
    (CannotFreeze, "converged_rows_are_frozen"),
    (MixesRows, "rows_are_independent"),
    (WaitsForAll, "rows_are_independent"),
    (WritesIntoTheStart, "start_untouched"),
    (CountsHalf, "evaluations_are_counted"),
    (Remembers, "steps_are_a_fold"),
    (UsesGlobalChance, "global_randomness_untouched"),
    (DrawsAnyway, "nothing_is_drawn_without_a_generator"),
    (TakesNothing, "takes_some_problem"),
    (WrongError, "takes_some_problem"),
    (TooHot, "draws_follow_the_energy"),
    (Quiet, "counts_its_changes"),
    (Eager, "skips_steps_that_did_not_happen"),
    (Picky, "reports_numbers"),
    (Forgetful, "starts_from_what_was_loaded"),
]


@pytest.mark.parametrize(("component", "name"), CAUGHT)
def test_it_is_caught(component: type, name: str) -> None:
    assert_only("optimizers", component, name)


@pytest.mark.parametrize("component", [Descent, Sound, Bayes, Plans, Pushes])
def test_nothing_is_wrong(component: type) -> None:
    assert [str(finding) for finding in check("optimizers", component) if not finding.passed] == []


def test_a_learner_is_tried_on_a_model_of_the_kit() -> None:
    findings = {finding.check: finding for finding in check("optimizers", Sound)}
    assert not findings["counts_its_changes"].message
    assert isinstance(Sound(Ladder()).model, Ladder)
