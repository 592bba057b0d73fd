"""What is asked of solvers: that they reach known minima, stay where they may be, and say honestly what they did.

Every solver is offered every problem. One that cannot take it says so with a UserError, and is excused; one that takes
none of them is not.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple, final

import torch
from torch import Tensor

from agentic.engine.belief import Belief, Categorical, Gaussian
from agentic.engine.domain import Domain, Real, Simplex
from agentic.engine.minimizer import Minimizer, Solution, minimize
from agentic.engine.objective import Objective
from agentic.errors import UserError, attempt
from agentic.models.evidence import Evidence
from agentic.planning.expected_energy import ExpectedEnergy, Purpose
from agentic.planning.plan import Plan
from agentic.testing.common import clones, generator
from agentic.testing.kit import Make, NotApplicable
from agentic.testing.worlds import Cart, Costs, Distance, Exertion, Ladder, bounded

ENOUGH = 2000  # steps, for solvers whose own number was chosen for a warm start
BUDGET = 30_000  # evaluations, for solvers that ask for many in a step


@final
@dataclass(frozen=True)
class Bowl(Objective):
    """(z - center)' W (z - center) / 2: centers (b, d), one W (d, d) for all rows."""

    center: Tensor
    weights: Tensor
    over: Domain

    @property
    def domain(self) -> Domain:
        return self.over

    def __call__(self, z: Tensor) -> Tensor:
        gap = z - self.center
        return 0.5 * ((gap @ self.weights) * gap).sum(-1)

    def residuals(self, z: Tensor) -> Tensor:
        r: Tensor = (z - self.center) @ torch.linalg.cholesky(self.weights)
        return r

    def proposal(self) -> Tensor:
        """Somewhere near the center."""
        return 0.9 * self.center


@final
@dataclass(frozen=True)
class Slope(Objective):
    """z . costs on a simplex, costs (b, n)."""

    costs: Tensor
    over: Simplex

    @property
    def domain(self) -> Domain:
        return self.over

    def __call__(self, z: Tensor) -> Tensor:
        return (z * self.costs).sum(-1)


@final
@dataclass(frozen=True)
class Broken(Objective):
    """An energy that is NaN in every row."""

    over: Domain

    @property
    def domain(self) -> Domain:
        return self.over

    def __call__(self, z: Tensor) -> Tensor:
        return (z * torch.nan).flatten(-len(self.over.event)).sum(-1)


@final
class Watched(Objective):
    """An objective that notes every place where it or a derivative is asked for."""

    def __init__(self, f: Objective) -> None:
        self.f, self.values = f, list[Tensor]()
        self.places: dict[bytes, Tensor] = {}

    @property
    def domain(self) -> Domain:
        return self.f.domain

    def __call__(self, z: Tensor) -> Tensor:
        self.values.append(self._note(z))
        return self.f(z)

    def gradient(self, z: Tensor) -> Tensor:
        self._note(z)
        return self.f.gradient(z)

    def value_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(z), self.gradient(z)

    def hessian(self, z: Tensor) -> Tensor:
        self._note(z)
        return self.f.hessian(z)

    def proposal(self) -> Tensor | None:
        return self.f.proposal()

    def _note(self, z: Tensor) -> Tensor:
        place = z.detach().clone()
        self.places[place.numpy().tobytes()] = place
        return place

    @property
    def counts(self) -> tuple[int, int]:
        """Different places: as batches, and with every sample counted."""
        events = len(self.domain.event) + 1
        samples = [int(torch.tensor(place.shape[: place.dim() - events]).prod()) for place in self.places.values()]
        return len(samples), sum(samples)


class Problem(NamedTuple):
    """An objective, a start, and how far above its minimum a belief is; `tolerance` is a fraction of the first gap."""

    f: Objective
    start: Tensor | None
    gap: Callable[[str, Belief], Tensor]
    tolerance: float


def energy_gap(f: Objective, lowest: Tensor) -> Callable[[str, Belief], Tensor]:
    """How far the energy at a belief's mean lies above the lowest."""
    return lambda kind, belief: f(belief.mean) - lowest


@cache
def convex() -> Problem:
    """A well-conditioned quadratic in three dimensions, one center per row."""
    f = Bowl(_centers(3), torch.diag(torch.tensor([1.0, 0.7, 0.5], dtype=torch.float64)), Real((3,)))
    return Problem(f, torch.zeros(4, 3, dtype=torch.float64), energy_gap(f, torch.zeros(4, dtype=torch.float64)), 1e-4)


@cache
def rotated() -> Problem:
    """A quadratic of condition number 30 whose axes are not the coordinates'."""
    turn = torch.linalg.qr(torch.randn(3, 3, generator=generator(1), dtype=torch.float64))[0]
    weights = turn @ torch.diag(torch.tensor([1.0, 0.2, 1 / 30], dtype=torch.float64)) @ turn.T
    f = Bowl(_centers(3), 0.5 * (weights + weights.T), Real((3,)))
    return Problem(f, torch.zeros(4, 3, dtype=torch.float64), energy_gap(f, torch.zeros(4, dtype=torch.float64)), 1e-2)


@cache
def boxed() -> Problem:
    """A separable quadratic whose minimum lies on the faces of a box in most rows."""
    box = bounded(-0.5, 1.0, 3)
    f = Bowl(_centers(3), torch.eye(3, dtype=torch.float64), box)
    return Problem(f, box.center(4), energy_gap(f, f(box.project(f.center))), 1e-3)


@cache
def simplex() -> Problem:
    """A linear energy of two categorical factors: its minimum is a corner, its free energy's a softmax."""
    over = Simplex((3, 2))
    costs = 2 * torch.randn(4, 5, generator=generator(2), dtype=torch.float64)
    f = Slope(costs, over)
    corner = torch.stack([block.amin(-1) for block in over.blocks(costs)]).sum(0)
    free = torch.stack([-torch.logsumexp(-block, -1) for block in over.blocks(costs)]).sum(0)

    def gap(kind: str, belief: Belief) -> Tensor:
        if kind != "free_energy":
            return f(belief.mean) - corner
        return f(belief.mean) - Categorical(belief.mean, over.sizes).entropy() - free

    return Problem(f, over.center(4), gap, 1e-6)


@cache
def bayes() -> Problem:
    """The evidence of one observation in a finite world: the posterior is Bayes' rule."""
    model = Ladder()
    prior = model.predict(model.begin(4), torch.eye(2, dtype=torch.float64)[[0, 1, 0, 1]])
    obs = torch.eye(4, dtype=torch.float64)
    joint = model.likelihood() * prior.probs  # row b sees outcome b
    f, posterior = Evidence(model, obs, prior), joint / joint.sum(-1, keepdim=True)
    corners = f(model.latent.corners().unsqueeze(1).expand(-1, 4, -1)).amin(0)

    def gap(kind: str, belief: Belief) -> Tensor:
        return f(belief.mean) - corners if kind == "energy" else (belief.mean - posterior).square().sum(-1)

    return Problem(f, prior.mean, gap, 1e-6)


@cache
def kalman() -> Problem:
    """The evidence of one observation in a linear-Gaussian world: the posterior mean is Kalman's."""
    model = Cart()
    prior, obs = model.begin(4), _centers(1)
    assert isinstance(prior, Gaussian)
    system = model.system()
    spread = system.C @ prior.covariance @ system.C.T + system.R
    gain = torch.linalg.solve(spread, system.C @ prior.covariance).transpose(-2, -1)
    mean = prior.mean + (gain @ (obs - prior.mean @ system.C.T).unsqueeze(-1)).squeeze(-1)
    f = Evidence(model, obs, prior)
    return Problem(f, prior.mean, lambda kind, belief: (belief.mean - mean).square().sum(-1), 1e-6)


@cache
def finite_plan() -> Problem:
    """Two steps in the ladder world, where the better first step looks worse at first."""
    model = Ladder()
    f = ExpectedEnergy(model, model.begin(3), Purpose(Costs([1.0, 0.6, 1.0, 0.0]), horizon=2))
    corners = model.action.corners()
    plans = torch.stack([torch.stack([first, second]) for first in corners for second in corners])
    return _planned(f, f(plans.unsqueeze(1)).amin(0), corners[1])


@cache
def stationary_plan() -> Problem:
    """One step in the ladder world from a certain place, where what is best now is best for ever."""
    model, sure = Ladder(), Categorical(torch.eye(4, dtype=torch.float64)[[0, 0, 0]])
    f = ExpectedEnergy(model, sure, Purpose(Costs([1.0, 0.6, 0.3, 0.0]), discount=0.5))
    corners = model.action.corners()
    return _planned(f, f(corners[:, None, None]).amin(0), corners[1])


@cache
def linear_plan() -> Problem:
    """Three steps of pushing a cart, in all real actions."""
    return _cart(Cart())


@cache
def boxed_plan() -> Problem:
    """The same within bounds that do not bind."""
    return _cart(Cart(bounded(-8.0, 8.0)))


PROBLEMS = (convex, rotated, boxed, simplex, bayes, kalman, finite_plan, stationary_plan, linear_plan, boxed_plan)


def lowered(solver: Minimizer) -> set[type[Objective]]:
    """What a solver lowers: `Evidence` where it perceives, `ExpectedEnergy` where it plans; as far as the kit tells."""
    found = set()
    for problem in (bayes(), kalman(), finite_plan(), stationary_plan(), linear_plan(), boxed_plan()):
        if isinstance(attempt(partial(solved, partial(deepcopy, solver), problem, steps=1)), Solution):
            found.add(type(problem.f))
    return found


def exercise(solver: Minimizer, source: torch.Generator) -> list[Tensor]:
    """The solver's answer to every problem that it takes."""
    answers = []
    for problem in PROBLEMS:
        try:
            solution = minimize(problem().f, solver, clones(problem().start), steps=3, generator=source)
        except UserError:
            continue
        answers += [solution.belief.mean.detach(), solution.value.detach(), solution.trace.detach()]
    return answers


def solved(make: Make, problem: Problem, *, steps: int | None = None, seed: int = 0) -> Solution:
    """The solver's solution. Raises NotApplicable where it refuses the problem with a UserError."""
    solver = make()

    def attempt(limit: int) -> Solution:
        return minimize(problem.f, solver, clones(problem.start), steps=limit, generator=generator(seed))

    try:
        if steps is not None:
            return attempt(steps)
        first = attempt(2)
        return attempt(max(solver.steps, min(ENOUGH, 2 * BUDGET // max(first.evaluations, 1))))
    except UserError as refusal:
        raise NotApplicable(f"it refuses: {refusal}") from refusal


def _cart(model: Cart) -> Problem:
    goal, effort = Distance([1.0, 0.0], [4.0, 0.5]), Exertion([0.0], [0.2])
    f = ExpectedEnergy(model, model.begin(3), Purpose(goal, horizon=3, effort=effort))
    best = torch.zeros(3, 3, 1, dtype=torch.float64, requires_grad=True)
    slope = torch.autograd.grad(f(best).sum(), best, create_graph=True)[0].flatten(1)
    rows = [torch.autograd.grad(part.sum(), best, retain_graph=True)[0].flatten(1) for part in slope.unbind(-1)]
    best = -torch.linalg.solve(torch.stack(rows, -2), slope.unsqueeze(-1)).detach()
    return _planned(f, f(best).detach(), best[0, 0])


def _planned(f: ExpectedEnergy, best: Tensor, action: Tensor) -> Problem:
    def gap(kind: str, belief: Belief) -> Tensor:
        assert isinstance(belief, Plan), f"a planner's belief must be a Plan, got {type(belief).__name__}"
        first = belief.first_action().mean.detach()
        assert first.shape[-1:] == action.shape, f"first_action must be over actions {tuple(action.shape)}"
        return (first - action).square().sum(-1)

    assert best.isfinite().all()
    return Problem(f, None, gap, 1e-2)


def _centers(size: int) -> Tensor:
    return torch.randn(4, size, generator=generator(3), dtype=torch.float64)
