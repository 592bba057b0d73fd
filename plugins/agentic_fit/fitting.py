"""Fits to behavior: the most probable parameters, and Laplace's approximation of the posterior around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, nan
from typing import Any, final

import torch
from torch import Tensor

from agentic import EnergyAgent, Record
from agentic_fit.ascent import Landscape, begin, climb, landscape
from agentic_fit.behavior import Behavior
from agentic_fit.marginals import interval
from agentic_fit.parameters import Parameter, Prior, checked
from agentic_fit.replay import Replay

FLAT = 1e-4  # of the prior's information: of directions with less from the record, it says nothing
SHARE = 0.01  # of a parameter in a flat direction


@final
@dataclass(frozen=True)
class BehaviorFit:
    """An agent's parameters as behavior tells them, each under its path in the agent.

    `estimates` maximize the posterior; `standard_errors` are Laplace's, by the delta method; `intervals` hold 95 % and
    are made on the scale without bounds, so that they stay within limits. A parameter of which the record says nothing
    is not `identified`: its error is infinite, its interval all there is. `log_evidence` is Laplace's too. `free` (p,)
    and `covariance` (p, p) are estimate and posterior covariance on the scale without bounds. `smooth` says that
    gradients passed through the replay; otherwise they were differences.
    """

    parameters: Mapping[str, Parameter]
    estimates: Mapping[str, float]
    standard_errors: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    identified: Mapping[str, bool]
    log_likelihood: float
    log_evidence: float
    chance: float
    decisions: int
    free: Tensor
    covariance: Tensor
    converged: bool
    smooth: bool

    @property
    def pseudo_r2(self) -> float:
        """McFadden's measure, 1 - log likelihood / log likelihood of taking every action equally often.

        NaN where there is a single action.
        """
        return 1 - self.log_likelihood / self.chance if self.chance else nan

    def table(self) -> str:
        """The fit as lines of text."""
        width = max(9, *map(len, self.estimates))
        lines = [f"{'parameter':<{width}}  estimate     error  95 % interval         prior's 95 %"]
        for name, value in self.estimates.items():
            prior = within(self.parameters[name].low, self.parameters[name].high)
            likely = within(*self.intervals[name])
            lines.append(f"{name:<{width}}  {value:8.3g}  {self.standard_errors[name]:8.2g}  {likely:<20}  {prior}")
        lines.append(
            f"{self.decisions} decisions, log likelihood {self.log_likelihood:.2f} (chance {self.chance:.2f}, "
            f"pseudo-R2 {self.pseudo_r2:.2f}), log evidence {self.log_evidence:.2f}"
        )
        lost = [name for name, found in self.identified.items() if not found]
        if lost:
            lines.append(f"the record does not tell {', '.join(lost)}: the likelihood is flat along them")
        return "\n".join(lines if self.converged else [*lines, "the ascent did not converge: mistrust the numbers"])

    def __str__(self) -> str:
        return self.table()


def fit_behaviour(
    agent: EnergyAgent, record: Record | Behavior | Any, parameters: Mapping[str, Parameter]
) -> BehaviorFit:
    """Fit numbers of an agent to recorded behavior: maximum a posteriori, with Laplace intervals.

    `parameters` maps a place in the agent (`selection.precision`, `purpose.goal.values[1][1]`) to a parameter with its
    prior; all else of the agent stays as it is, and the agent itself is not changed. `record` is that of a run, a
    `Behavior`, or a pair of arrays (obs, action). All of it is one subject's: see `fit_population` for several.

    Raises UserError for an agent whose actions have no likelihood, for a record of other spaces, for a place that holds
    no real number, and for actions that are impossible whatever the parameters.
    """
    replay = Replay(agent, Behavior.of(record), tuple(checked(parameters)))
    prior = Prior.of(tuple(parameters.values()))
    start = begin(replay, prior)
    return fitted(landscape(replay, prior, start), parameters, start)


def fitted(land: Landscape, parameters: Mapping[str, Parameter], start: Tensor) -> BehaviorFit:
    """The fit at the top of a landscape, `parameters` with the priors of which it is one."""
    place, converged = climb(land, start)
    prior, names = land.prior, tuple(parameters)
    free = prior.center + prior.spread * place.w
    covariance = torch.linalg.inv(place.precision) * prior.spread * prior.spread.unsqueeze(-1)
    deviation, found = covariance.diagonal().clamp(min=0).sqrt(), _identified(land, place.w)
    whole = [interval(land, place, j) if known else (-inf, inf) for j, known in enumerate(found)]
    ends = prior.center + prior.spread * torch.tensor(whole, dtype=free.dtype).T
    low, high = prior.natural(ends).tolist()
    error = (deviation * _slope(prior, free)).masked_fill(~torch.tensor(found), inf)
    return BehaviorFit(
        parameters=dict(parameters),
        estimates=dict(zip(names, prior.natural(free).tolist(), strict=True)),
        standard_errors=dict(zip(names, error.tolist(), strict=True)),
        intervals=dict(zip(names, zip(low, high, strict=True), strict=True)),
        identified=dict(zip(names, found, strict=True)),
        log_likelihood=place.value,
        log_evidence=place.height - 0.5 * float(torch.logdet(place.precision)),
        chance=land.replay.chance,
        decisions=len(land.replay),
        free=free,
        covariance=covariance,
        converged=converged,
        smooth=land.smooth,
    )


def _identified(land: Landscape, w: Tensor) -> list[bool]:
    """Of which parameters the record says something: those that no flat direction of the likelihood moves."""
    known, axes = torch.linalg.eigh(land.information(w))
    found: list[bool] = (axes[:, known < FLAT].square().sum(-1) < SHARE).tolist()
    return found


def _slope(prior: Prior, free: Tensor) -> Tensor:
    """By how much values move with places on the scales without bounds, (p,)."""
    free = free.detach().requires_grad_()
    slope: Tensor = torch.autograd.grad(prior.natural(free).sum(), free)[0]
    return slope


def within(low: float, high: float) -> str:
    """An interval in print."""
    return f"[{low:.3g}, {high:.3g}]"
