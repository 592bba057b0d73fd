"""Estimators of couplings by name: each makes couplings of a recording, and the traces of what they miss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from agentic_discovery.checks import Traces, traces
from agentic_discovery.columns import Columns
from agentic_discovery.couplings import Couplings, gaussian_couplings
from agentic_discovery.greedy import Scores, greedy_couplings, greedy_traces
from agentic_discovery.neighbors import Distances, check_affordable
from agentic_discovery.particles import Forces, force_couplings, particles
from agentic_discovery.parting import Look
from agentic_discovery.plugin import Tables, check_countable

Telling = Callable[[int, int], None]


@final
@dataclass(frozen=True)
class Estimator:
    """How couplings are estimated: `coupled` makes those of a recording under a look, and tells how far it is.

    `missed` makes the traces of what they miss, beside them. `check` raises UserError for a recording, and a lag, that
    the estimator cannot take; parts of one that it takes are not checked again.
    """

    coupled: Callable[[Columns, Look, Telling | None], Couplings]
    missed: Callable[[Columns, Look, Couplings], Traces]
    check: Callable[[Columns, int], None] = lambda recording, lag: None


def check(recording: Columns, look: Look) -> None:
    """Raise UserError where the estimator of a look cannot take a recording."""
    ESTIMATORS[look.estimator].check(recording, look.lag)


def couplings(recording: Columns, look: Look, progress: Telling | None = None) -> Couplings:
    """The couplings of columns by the estimator of a look."""
    return ESTIMATORS[look.estimator].coupled(recording, look, progress)


def missed(recording: Columns, look: Look, coupled: Couplings) -> Traces:
    """The traces of what couplings miss, by the same estimator."""
    return ESTIMATORS[look.estimator].missed(recording, look, coupled)


def _gaussian(recording: Columns, look: Look, progress: Telling | None) -> Couplings:
    places = particles(recording.names, look.axes)
    if places and look.reach is not None:
        return force_couplings(
            Forces(recording, places, look.reach), look.lag, look.resolution, look.ranks, progress=progress
        )
    return gaussian_couplings(look.moments(recording), look.ranks, progress=progress)


def _regressed(recording: Columns, look: Look, coupled: Couplings) -> Traces:
    return traces(look.moments(recording, more=1), look.ranks, look.resolution)


def _greedy(scored: Callable[[Columns, int], Scores], checked: Callable[[Columns, int], None]) -> Estimator:
    def coupled(recording: Columns, look: Look, progress: Telling | None) -> Couplings:
        scores = scored(recording, look.lag)
        return greedy_couplings(scores, len(recording.names), look.lag, look.ranks, progress)

    def missed(recording: Columns, look: Look, found: Couplings) -> Traces:
        return greedy_traces(scored(recording, look.lag + 1), found, look.lag, look.ranks)

    return Estimator(coupled, missed, checked)


ESTIMATORS = {
    "gaussian": Estimator(_gaussian, _regressed),
    "neighbors": _greedy(Distances.of, check_affordable),
    "plugin": _greedy(Tables.of, check_countable),
}
