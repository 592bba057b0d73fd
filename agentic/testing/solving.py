"""The checks of solvers, over the problems of `optimizers`."""

from collections.abc import Callable
from math import log, pi
from typing import Any

import torch
from torch import Tensor

from agentic.engine.belief import Point
from agentic.engine.domain import Box, Simplex
from agentic.engine.minimizer import Iterate, Sampler, minimize
from agentic.errors import RunError, UserError, described
from agentic.testing.common import assert_close, assert_same, clones, generator
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.optimizers import PROBLEMS, Bowl, Broken, Problem, Watched, boxed, convex, kalman, simplex, solved


def takes_some_problem(make: Make) -> None:
    """At least one problem of the kit is taken; the others are refused with a UserError."""
    refusals = []
    for problem in PROBLEMS:
        try:
            solved(make, problem(), steps=1)
        except NotApplicable as refusal:
            refusals.append(f"{problem.__name__}: {refusal}")
        except RunError:
            continue
        except Exception as error:
            raise AssertionError(
                f"{problem.__name__}: {described(error)}: what it does not take it must refuse with a UserError"
            ) from error
    assert len(refusals) < len(PROBLEMS), f"it takes no problem of this kit: {'; '.join(refusals)}"


def _reaches(problem: Callable[[], Problem]) -> Run:
    def run(make: Make) -> None:
        case = problem()
        if isinstance(make(), Sampler):
            raise NotApplicable("a sampler does not reach a minimum, it follows exp(-f)")
        solution = solved(make, case)
        assert solution.value.shape == solution.residual.shape == solution.trace.shape[1:], (
            f"value, residual and rows of trace must be (b,), got {tuple(solution.value.shape)}, "
            f"{tuple(solution.residual.shape)} and {tuple(solution.trace.shape[1:])}"
        )
        gap = case.gap(solution.kind, solution.belief).detach()
        assert torch.isfinite(gap).all(), f"the solution is not finite: {solution.belief.mean.tolist()}"
        scale = 1.0 if case.start is None else case.gap(solution.kind, Point(case.start)).clamp(min=1e-3)
        worst = float((gap / scale).max())
        assert worst <= case.tolerance, (
            f"after {solution.steps} steps a fraction {worst:.2g} of the first gap is left, expected {case.tolerance:g}"
        )

    run.__name__ = f"solves_{problem.__name__}"
    run.__doc__ = problem.__doc__
    return run


def stays_in_bounds(make: Make) -> None:
    """Nothing outside a Box is evaluated or returned."""
    case, watched = _watched(boxed())
    solution = solved(make, case, steps=50)
    box = case.f.domain
    assert isinstance(box, Box)
    for place in [*watched.places.values(), solution.belief.mean.detach()]:
        excess = float((place - box.project(place)).abs().max())
        assert excess <= 1e-9, f"it leaves the box by {excess:.3g}: project every candidate"


def stays_on_the_simplex(make: Make) -> None:
    """Whatever is evaluated or returned on a Simplex is nonnegative and sums to one in every factor."""
    case, watched = _watched(simplex())
    solution = solved(make, case, steps=50)
    domain = case.f.domain
    assert isinstance(domain, Simplex)
    for place in [*watched.places.values(), solution.belief.mean.detach()]:
        sums = torch.stack([block.sum(-1) for block in domain.blocks(place)])
        assert float(place.min()) >= -1e-9, f"a probability of {float(place.min()):.3g} was evaluated or returned"
        assert_close(sums, torch.ones_like(sums), "the sum of each factor's probabilities", 1e-9)


def converged_rows_are_frozen(make: Make) -> None:
    """A row that starts at its minimum stays there to the last bit while the others move."""
    case = convex()
    assert isinstance(case.f, Bowl)
    start = torch.cat([case.f.center[:1], torch.zeros(3, 3, dtype=torch.float64)])
    solution = solved(make, case._replace(start=start), steps=5)
    if solution.converged is None or not bool(solution.residual[0] <= make().tolerance):
        raise NotApplicable("it does not tell convergence")
    assert torch.equal(solution.belief.mean[0], start[0]), "a row that had converged was moved"
    assert bool(solution.converged[0]), "a row that had converged is not reported so"
    assert not torch.equal(solution.belief.mean[1], start[1]), "the rows that had not converged did not move"


def convergence_is_true(make: Make) -> None:
    """Rows reported as converged lie at the minimum."""
    case = convex()
    if isinstance(make(), Sampler):
        raise NotApplicable("a sampler converges in law only")
    solution = solved(make, case)
    if solution.converged is None or not bool(solution.converged.any()):
        raise NotApplicable("no row is reported as converged")
    gap = case.gap(solution.kind, solution.belief)[solution.converged]
    assert float(gap.max()) <= 1e-4, f"a row is reported as converged {float(gap.max()):.3g} nats above the minimum"


def draws_follow_the_energy(make: Make) -> None:
    """A sampler's draws from exp(-f) of a quadratic have its center and spread, roughly, and its value is right.

    The quadratic is a plain one, or the evidence of an observation for samplers that look inside.
    """
    solver = make()
    if not isinstance(solver, Sampler):
        raise NotApplicable("not a sampler")
    case, per_step = _sampled(make)
    solution = solved(make, case, steps=max(solver.steps, 5000 // per_step))
    assert solution.converged is None, "a sampler converges in law only: converged must be None"
    start = _start(case)
    precision = case.f.hessian(start)
    center = start - torch.linalg.solve(precision, case.f.gradient(start).unsqueeze(-1)).squeeze(-1)
    draws = solution.belief.sample(4000, generator()).detach()
    bias = float(((draws.mean(0) - center).square() * precision.diagonal(dim1=-2, dim2=-1)).mean().sqrt())
    spread = float((draws.var(0) * precision.diagonal(dim1=-2, dim2=-1)).mean())
    assert bias <= 0.5, f"the draws' mean lies {bias:.2g} standard deviations off the center, expected about 0"
    assert 0.5 <= spread <= 2, f"the draws' variance is {spread:.2g} times that of exp(-f), expected about 1"
    excess, size = float((solution.value - case.f(center)).mean()), center.shape[-1]
    if solution.kind == "free_energy":
        expected = 0.5 * float(torch.logdet(precision).mean() - size * log(2 * pi))
        assert abs(excess - expected) <= 0.5, f"the free energy is {excess - expected:.2g} nats off"
    else:
        energy = excess / (0.5 * size)
        assert 0.5 <= energy <= 2, f"the value is {energy:.2g} times the mean energy, expected about 1"


def rows_are_independent(make: Make) -> None:
    """A batch gives what its rows give alone (solvers that use chance are excused)."""
    for case in (convex(), simplex()):
        try:
            whole, other = solved(make, case, steps=25), solved(make, case, steps=25, seed=1)
        except NotApplicable:
            continue
        if not torch.equal(whole.belief.mean, other.belief.mean):
            raise NotApplicable("it uses chance")
        for row in range(4):
            alone = solved(make, _row(case, row), steps=25).belief.mean
            assert_close(whole.belief.mean[row : row + 1], alone, "a batch against one of its rows alone", 1e-9)
        return
    raise NotApplicable("it takes neither a quadratic nor a linear energy")


def start_untouched(make: Make) -> None:
    """The start that is passed in stays as it was."""
    for case in (convex(), boxed(), simplex()):
        start = clones(case.start)
        try:
            minimize(case.f, make(), start, steps=5, generator=generator())
        except UserError:
            continue
        assert torch.equal(start, _start(case)), "it changed the start in place: work on a copy"
        assert not start.requires_grad, "it left requires_grad set on the start"


def nothing_is_drawn_without_a_generator(make: Make) -> None:
    """Without a generator the global one of torch stands still: what must draw raises UserError."""
    before = torch.get_rng_state()
    for case in (convex(), boxed(), simplex(), kalman()):
        try:
            minimize(case.f, make(), clones(case.start), steps=3)
        except UserError:
            pass
        assert torch.equal(torch.get_rng_state(), before), (
            "it draws from the global generator where it is given none: raise a UserError, as agentic.engine's draws do"
        )


def steps_are_a_fold(make: Make) -> None:
    """Iterates are values: stepping twice from the same one gives the same, and the one stepped from is unchanged."""
    for case in (convex(), boxed(), simplex()):
        solver = make()
        try:
            first = solver.init(case.f, clones(case.start))
        except UserError:
            continue
        assert isinstance(first, Iterate), f"init must return an Iterate, got {type(first).__name__}"
        before = [clones(first.z), clones(first.value)]
        once, again = (solver.step(case.f, first, generator=generator()) for _ in range(2))
        assert_same([once.z, once.value], [again.z, again.value], "the second step from the same iterate")
        assert_same(before, [first.z, first.value], "the iterate it stepped from")
        return
    raise NotApplicable("it takes no problem in vectors")


def evaluations_are_counted(make: Make) -> None:
    """`evaluations` is the number of places asked for: batches of rows, or all samples; none is asked for twice."""
    for problem in (convex(), boxed(), simplex()):
        case, watched = _watched(problem)
        try:
            solution = solved(make, case, steps=5)
        except NotApplicable:
            continue
        claimed, (places, samples) = solution.evaluations, watched.counts
        assert claimed in (places, samples), (
            f"it reports {claimed} evaluations; it asked for {places} batches of places, {samples} with every sample"
        )
        return
    raise NotApplicable("it takes no problem in vectors")


def nothing_is_hidden_by_nan(make: Make) -> None:
    """An energy that is NaN ends in an error that says so, or in a finite answer; never in NaN without a word."""
    for case in (convex(), boxed(), simplex()):
        try:
            solution = minimize(Broken(case.f.domain), make(), clones(case.start), steps=5, generator=generator())
        except (UserError, RunError):
            if _refuses(make, case):
                continue
            return
        assert torch.isfinite(solution.belief.mean).all(), (
            "an energy of NaN gave a solution of NaN without a word: raise an error that names the energy"
        )
        return
    raise NotApplicable("it takes no problem in vectors")


CHECKS: tuple[Run, ...] = (
    takes_some_problem,
    *(_reaches(problem) for problem in PROBLEMS),
    stays_in_bounds,
    stays_on_the_simplex,
    converged_rows_are_frozen,
    convergence_is_true,
    draws_follow_the_energy,
    rows_are_independent,
    start_untouched,
    nothing_is_drawn_without_a_generator,
    steps_are_a_fold,
    evaluations_are_counted,
    nothing_is_hidden_by_nan,
)
BASIC = ("takes_some_problem", "global_randomness_untouched")


def _sampled(make: Make) -> tuple[Problem, int]:
    """The first quadratic it takes, and what a step on it costs."""
    refusal = NotApplicable()
    for case in (convex(), kalman()):
        try:
            return case, max(1, solved(make, case, steps=1).evaluations - 1)
        except NotApplicable as reason:
            refusal = reason
    raise refusal


def _watched(case: Problem) -> tuple[Problem, Watched]:
    watched = Watched(case.f)
    return case._replace(f=watched), watched


def _row(case: Problem, row: int) -> Problem:
    f: Any = case.f
    keep = slice(row, row + 1)
    one = Bowl(f.center[keep], f.weights, f.over) if isinstance(f, Bowl) else type(f)(f.costs[keep], f.over)
    return case._replace(f=one, start=_start(case)[keep])


def _start(case: Problem) -> Tensor:
    assert case.start is not None
    return case.start


def _refuses(make: Make, case: Problem) -> bool:
    try:
        solved(make, case, steps=1)
    except NotApplicable:
        return True
    return False
