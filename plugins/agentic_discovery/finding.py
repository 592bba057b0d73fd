"""Discovery of boundaries in a recording, from couplings to a verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from agentic import Frame, UserError
from agentic_discovery.again import halves, windows
from agentic_discovery.checks import Traces
from agentic_discovery.columns import Columns
from agentic_discovery.comparing import kinds, owners
from agentic_discovery.couplings import Couplings, Moments, unexplained
from agentic_discovery.discovery import Alternative, Discovery, Role, Window
from agentic_discovery.energies import ROLES
from agentic_discovery.estimators import check, couplings, missed
from agentic_discovery.leaks import leak
from agentic_discovery.particles import first_columns, of_things, things
from agentic_discovery.parting import Look, Part, Progress, mirror, settled_part
from agentic_discovery.roles import parts, probabilities
from agentic_discovery.verdict import Findings, cautions, copies, is_loop, reasons

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

SHOWN = 8  # runners-up that are kept
EXACT = 4.0  # unexplained shares below so many squares of the resolution are those of exact functions


@final
@dataclass(frozen=True)
class Looked:
    """A recording as it was looked at: columns that are no copies, their couplings, and the parts that have roles.

    `kept` are the places of those columns in the whole recording, `twins` pairs of copies, `still` what never changes.
    `things` say which particle a column is of, each alone where there are none; `pieces` are the parts of things that
    hang together.
    """

    recording: Columns
    chosen: Columns
    kept: list[int]
    twins: list[tuple[int, int]]
    still: list[int]
    how: Look
    moments: Moments
    coupled: Couplings
    things: Ints
    pieces: list[Ints]
    every: tuple[Part, ...]

    @classmethod
    def at(cls, recording: Columns, how: Look, generator: np.random.Generator, progress: Progress) -> Self:
        """A look at a recording."""
        kept, twins, still = copies(recording, how.resolution)
        chosen, look = recording.at(kept), how.at(kept)
        check(chosen, look)
        moments = look.moments(chosen)
        coupled = _nothing(len(kept))
        if moments.steps >= look.needed:
            coupled = couplings(chosen, look, _telling(progress, "couplings"))
        numbers = things(chosen.names, how.axes)
        nats, whole = of_things(coupled.nats, numbers), look.at(first_columns(numbers))
        pieces = parts(nats)
        tried = [settled_part(nats, places, whole, generator, progress) for places in pieces]
        every = tuple(part for part in tried if part is not None)
        return cls(recording, chosen, kept, twins, still, look, moments, coupled, numbers, pieces, every)

    @property
    def enough(self) -> bool:
        """Whether there are steps enough for so many columns."""
        return self.moments.steps >= self.how.needed

    @property
    def main(self) -> Part | None:
        """The part with most evidence."""
        return max(self.every, key=lambda part: part.found.evidence, default=None)

    def findings(self, agreement: float | None, excess: float) -> Findings:
        """What a verdict is made of."""
        names, main, p = self.recording.names, self.main, len(self.kept)
        left = Traces(np.zeros((p, p)), np.zeros((p, p)))
        if traced := self.enough and self.how.affords(self.chosen, more=1):
            left = missed(self.chosen, self.how, self.coupled)
        return Findings(
            evidence=main.found.evidence if main else 0.0,
            parts=tuple(map(len, self.pieces)),
            whole=main is not None and main.found.best.whole,
            steps=self.moments.steps,
            needed=self.how.needed,
            agreement=agreement,
            excess=excess,
            traces=left,
            traced=traced,
            couplings=self.coupled.nats,
            ordered=bool(self.how.ranks.any()),
            twins=tuple((names[one], names[other]) for one, other in self.twins),
            constant=tuple(names[place] for place in self.still),
            exact=_exact(self.moments, self.coupled, self.how, self.chosen.names),
            turning=main is not None and is_loop(main.couplings),
            mirror=mirror(main),
        )


def discovered(
    recording: Columns, how: Look, window: int | None, generator: np.random.Generator, progress: Progress
) -> Discovery:
    """The boundary in a recording; see `agentic_discovery.discover`."""
    least = how.lag + how.needed // 2
    if window is not None and window < least:
        raise UserError(
            f"windows of {window} steps are too short for {len(recording.names)} columns: give at least {least}"
        )
    if window is not None and window > len(recording.values):
        raise UserError(
            f"windows of {window} steps do not fit into a recording of {len(recording.values)}: give fewer, or none"
        )
    seen = Looked.at(recording, how, generator, progress)
    main, names = seen.main, recording.names
    labels, numbers, sure = _labels(seen, main, generator)
    agreement, excess = halves(seen.chosen, seen.how, main, generator, progress)
    findings = seen.findings(agreement, excess)
    why = reasons(findings)
    back = _back(len(names), seen)
    return Discovery(
        roles=_roles(names, labels, numbers, sure, back, main),
        couplings=_wide(seen.coupled.nats, len(names), seen.kept),
        energy=main.found.best.energy if main else 0.0,
        boundary_evidence=findings.evidence,
        leak=_leak(seen.moments, seen.how, labels[seen.things]) if seen.enough else 0.0,
        agreement=agreement,
        alternatives=_alternatives(labels, main, back),
        frame=_frame(names, how),
        detected=not why,
        reasons=why,
        cautions=() if why else cautions(findings),
        form=main.found.best.form.name if main else "none",
        recording=recording,
        windows=_windows(seen, labels, window, back, generator, progress),
    )


def _labels(seen: Looked, main: Part | None, generator: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """The label of each thing over all parts, its part, and the probability of its label."""
    p = int(seen.things.max(initial=-1)) + 1
    labels, numbers, sure = np.zeros(p, np.intp), np.zeros(p, np.intp), np.ones(p)
    for number, places in enumerate(seen.pieces):
        numbers[places] = number + 1
    taken = 0
    for part in seen.every:
        if not part.detected and part is not main:
            continue
        best = part.found.best
        inner = best.labels
        share = probabilities(part.couplings, best, generator=generator)
        sure[part.places] = share[np.arange(len(inner)), inner]
        labels[part.places] = np.where(inner > 0, inner + 3 * taken, 0)
        taken += best.form.objects
    return labels, numbers, sure


def _telling(progress: Progress, stage: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(stage, done, total)


def _nothing(p: int) -> Couplings:
    return Couplings(np.zeros((p, p)), tuple(np.zeros(0, np.intp) for _ in range(p)))


def _exact(moments: Moments, coupled: Couplings, how: Look, names: Sequence[str]) -> tuple[str, ...]:
    """The columns of which regressions leave no more than the resolution."""
    limit = EXACT * how.resolution**2
    left = [unexplained(moments, target, kept) for target, kept in enumerate(coupled.kept)]
    return tuple(name for name, share in zip(names, left, strict=True) if share < limit)


def _back(count: int, seen: Looked) -> Ints:
    """For each column its thing among those that were looked at, that of its twin for a copy, -1 for none."""
    back = np.full(count, -1, np.intp)
    back[seen.kept] = seen.things
    for first, other in seen.twins:
        back[other] = back[first]
    return back


def _words(labels: Ints, back: Ints, form: str) -> tuple[str, ...]:
    """Labels as words, in the order of all columns."""
    names = ["boundary" if form == "contact" and role in ("sensor", "actuator") else role for role in ROLES]
    found = kinds(labels)
    return tuple("world" if place < 0 else names[found[place]] for place in back)


def _roles(
    names: Sequence[str], labels: Ints, numbers: Ints, sure: Floats, back: Ints, main: Part | None
) -> tuple[Role, ...]:
    words = _words(labels, back, main.found.best.form.name if main else "none")
    return tuple(
        Role(name, int(owners(labels)[place]), word, float(sure[place]), int(numbers[place]))
        if place >= 0
        else Role(name, 0, "world", 1.0, 0)
        for name, word, place in zip(names, words, back, strict=True)
    )


def _wide(nats: Floats, count: int, kept: list[int]) -> Floats:
    wide = np.zeros((count, count))
    wide[np.ix_(kept, kept)] = nats
    return wide


def _leak(moments: Moments, how: Look, labels: Ints) -> float:
    """What crosses all boundaries past them, each seen from its own object."""
    every = range(1, int(owners(labels).max(initial=0)) + 1)
    return sum(leak(moments, how.ranks, np.where(owners(labels) == one, kinds(labels), 0)) for one in every)


def _alternatives(labels: Ints, main: Part | None, back: Ints) -> tuple[Alternative, ...]:
    """The runners-up of the main part, once each, with all else as it is."""
    if main is None:
        return ()
    best, found = main.found.best, dict[tuple[str, ...], Alternative]()
    for choice in main.found.choices:
        other = labels.copy()
        shift = max(int(owners(labels[main.places]).max(initial=0)) - best.form.objects, 0)
        other[main.places] = np.where(choice.labels > 0, choice.labels + 3 * shift, 0)
        words = _words(other, back, choice.form.name)
        if not np.array_equal(choice.labels, best.labels) and choice.whole:
            found.setdefault(words, Alternative(words, choice.energy - best.energy))
        if len(found) == SHOWN:
            break
    return tuple(found.values())


def _windows(
    seen: Looked, labels: Ints, window: int | None, back: Ints, generator: np.random.Generator, progress: Progress
) -> tuple[Window, ...]:
    if window is None:
        return ()
    found = windows(seen.chosen, seen.how, labels, window, generator, progress)
    return tuple(Window(first, last, _words(own, back, ""), evidence) for first, last, own, evidence in found)


def _frame(names: Sequence[str], how: Look) -> Frame:
    order = "an order within the step was given" if how.ranks.any() else "all columns of one moment"
    things = f"; {','.join(how.axes)} of a particle are one thing" if how.axes else ""
    boundary = (
        f"roles of least energy; couplings by the {how.estimator} estimator{things}; {order}; resolution "
        f"{how.resolution:g} of each column's spread"
    )
    start = "all steps of the recording with enough past"
    return Frame(tuple(names), boundary, how.lag, goal="none", start=start, interventions=())
