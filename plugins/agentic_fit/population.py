"""Fits of several subjects at once: a normal population on the scales without bounds, by empirical Bayes.

Expectation: the posterior of every subject by Laplace, with the population as its prior. Maximization: the population's
mean and spread from those (Huys et al. 2011, "Disentangling the roles of approach, activation and valence"). So the few
decisions of one subject are read in the light of all others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from agentic import EnergyAgent, Record, UserError
from agentic_fit.ascent import Landscape, Place, begin, climb, landscape
from agentic_fit.behavior import Behavior
from agentic_fit.fitting import BehaviorFit, fitted, within
from agentic_fit.parameters import Z95, Parameter, Prior, checked
from agentic_fit.replay import Replay

ROUNDS = 50  # of fits at most
CLOSED = 100  # rounds of expectation and maximization in closed form between them
ENOUGH = 1e-3  # of a prior's spread that a round may still move the population
LEAST, MOST = 1e-3, 3.0  # of a stated prior's spread that the population's is at least and at most


@final
@dataclass(frozen=True)
class PopulationFit:
    """A population of subjects, and every subject in its light.

    On the scale without bounds a parameter is normal over subjects: `center` and `spread` (p,). `typical` is the value
    in the middle, with its 95 % `intervals`; `ranges` hold 95 % of the subjects. `subjects` are their fits under the
    population as prior, `log_evidence` the sum of theirs.
    """

    parameters: Mapping[str, Parameter]
    typical: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    ranges: Mapping[str, tuple[float, float]]
    subjects: Sequence[BehaviorFit]
    center: Tensor
    spread: Tensor
    log_evidence: float
    rounds: int
    converged: bool

    def table(self) -> str:
        """The population as lines of text."""
        width = max(9, *map(len, self.typical))
        lines = [f"{'parameter':<{width}}  typical   95 % interval         95 % of subjects"]
        for name, value in self.typical.items():
            interval, subjects = within(*self.intervals[name]), within(*self.ranges[name])
            lines.append(f"{name:<{width}}  {value:7.3g}   {interval:<20}  {subjects}")
        decisions = sum(each.decisions for each in self.subjects)
        lines.append(
            f"{len(self.subjects)} subjects, {decisions} decisions, log evidence {self.log_evidence:.2f} after "
            f"{self.rounds} rounds{'' if self.converged else ', which did not converge'}"
        )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table()


def fit_population(
    agent: EnergyAgent,
    records: Sequence[Record | Behavior | Any] | Record | Behavior,
    parameters: Mapping[str, Parameter],
) -> PopulationFit:
    """Fit numbers of an agent to the behavior of several subjects, who are draws from one population.

    `records` are one for each subject, as `fit_behaviour` takes them; or one of which the rows, or the subjects, are
    separated. The priors that `parameters` state are where the population begins; three times as wide they hold its
    center, and its spread is at most three times theirs. Raises UserError for fewer than two subjects, and as
    `fit_behaviour` does.
    """
    if isinstance(records, Record | Behavior) or not isinstance(records, Iterable):
        behaviors = Behavior.of(records).of_subjects()
    else:
        behaviors = [Behavior.of(each) for each in records]
    if len(behaviors) < 2:
        raise UserError(f"a population needs at least two subjects, got {len(behaviors)}: fit_behaviour fits one")
    stated = Prior.of(tuple(checked(parameters).values()))
    replays = [Replay(agent, each, tuple(parameters)) for each in behaviors]
    starts = [begin(each, stated) for each in replays]
    smooth = landscape(replays[0], stated, starts[0]).smooth
    begun = [stated.center + stated.spread * w for w in starts]
    prior, places, rounds = _settled(replays, stated, begun, smooth)
    fits = [
        fitted(Landscape(replay, prior, smooth), parameters, (place - prior.center) / prior.spread)
        for replay, place in zip(replays, places, strict=True)
    ]
    return _population(fits, prior, stated, rounds)


def _settled(
    replays: Sequence[Replay], stated: Prior, places: Sequence[Tensor], smooth: bool
) -> tuple[Prior, Sequence[Tensor], int]:
    """The population, the subjects' places under it, and after how many rounds it stood still; `ROUNDS` if never."""
    prior = stated
    for rounds in range(1, ROUNDS):
        tops = [
            climb(Landscape(replay, prior, smooth), (place - prior.center) / prior.spread)[0]
            for replay, place in zip(replays, places, strict=True)
        ]
        places, after = [prior.center + prior.spread * top.w for top in tops], _maximized(tops, prior, stated)
        moved = torch.cat([after.center - prior.center, after.spread - prior.spread]) / stated.spread.repeat(2)
        prior = after
        if float(moved.abs().max()) < ENOUGH:
            return prior, places, rounds
    return prior, places, ROUNDS


def _maximized(tops: Sequence[Place], prior: Prior, stated: Prior) -> Prior:
    """The population that the subjects' likelihoods make most probable, each taken as quadratic around its top.

    Rounds of expectation and maximization in closed form; after them the tops themselves are looked for anew. The
    center has the `stated` prior, `MOST` times as wide: nothing else holds it where the subjects tell nothing.
    """
    curved, axes = torch.linalg.eigh(-torch.stack([top.hessian for top in tops]))
    information = axes @ torch.diag_embed(curved.clamp(min=0)) @ axes.mT
    places = torch.stack([top.w for top in tops])  # on the scale of `prior`, as all that follows
    pulled = (information @ places.unsqueeze(-1)).squeeze(-1) + torch.stack([top.gradient for top in tops])
    center, spread = torch.zeros_like(prior.center), torch.ones_like(prior.spread)
    reach, aim = stated.spread / prior.spread, (stated.center - prior.center) / prior.spread
    held = (MOST * reach) ** -2
    for _ in range(CLOSED):
        covariance = torch.linalg.inv(information + torch.diag(spread**-2))
        means = (covariance @ (pulled + center / spread**2).unsqueeze(-1)).squeeze(-1)
        center = (means.sum(0) / spread**2 + aim * held) / (len(means) / spread**2 + held)
        center = center.clamp(-reach, reach)  # beyond, the subjects are looked at anew
        variance = ((means - center) ** 2 + covariance.diagonal(dim1=-2, dim2=-1)).mean(0)
        spread = variance.sqrt().clamp(LEAST * reach, MOST * reach)
    return Prior(stated.parameters, prior.center + prior.spread * center, prior.spread * spread)


def _population(fits: Sequence[BehaviorFit], prior: Prior, stated: Prior, rounds: int) -> PopulationFit:
    """The result; a subject of posterior covariance V tells S^-1 - S^-1 V S^-1 of the center, S the population's."""
    apart = torch.diag(prior.spread**-2)
    informed = [apart - apart @ each.covariance @ apart for each in fits]
    known, axes = torch.linalg.eigh(torch.stack(informed).sum(0))
    information = axes @ torch.diag(known.clamp(min=0)) @ axes.T + torch.diag((MOST * stated.spread) ** -2)
    error, parameters = Z95 * torch.linalg.inv(information).diagonal().sqrt(), fits[0].parameters

    def named(low: Tensor, high: Tensor) -> dict[str, tuple[float, float]]:
        ends = prior.natural(low).tolist(), prior.natural(high).tolist()
        return dict(zip(parameters, zip(*ends, strict=True), strict=True))

    return PopulationFit(
        parameters=dict(parameters),
        typical=dict(zip(parameters, prior.natural(prior.center).tolist(), strict=True)),
        intervals=named(prior.center - error, prior.center + error),
        ranges=named(prior.center - Z95 * prior.spread, prior.center + Z95 * prior.spread),
        subjects=tuple(fits),
        center=prior.center,
        spread=prior.spread,
        log_evidence=sum(each.log_evidence for each in fits),
        rounds=rounds,
        converged=rounds < ROUNDS,
    )
