"""Why no boundary is told, and why one that is told may be wrong, in sentences."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic.errors import listed
from agentic_discovery.checks import Traces
from agentic_discovery.columns import Columns, scaled
from agentic_discovery.roles import ENOUGH, MORE

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

AGREE = 0.8  # the adjusted Rand index of two halves below which they disagree
WORSE = 10.0  # nats by which roles are worse in a half than its own where they have changed
NAMED = 4  # pairs of copies that are named
FAST = 0.05  # the share of couplings that may have traces of something missed


@final
@dataclass(frozen=True)
class Findings:
    """What a verdict is made of: of the part with most evidence unless said otherwise.

    `traced` says whether episodes were long enough to look for traces. `excess` is by how many nats the whole
    recording's roles are worse in a half than the half's own; the greater of both halves. `twins` are
    pairs of columns that are copies of each other.
    """

    evidence: float
    parts: tuple[int, ...]
    whole: bool
    steps: int
    needed: int
    agreement: float | None
    excess: float
    traces: Traces
    traced: bool
    couplings: Floats
    ordered: bool
    twins: tuple[tuple[str, str], ...]
    constant: tuple[str, ...]
    exact: tuple[str, ...]
    turning: bool
    mirror: float | None


def reasons(found: Findings) -> tuple[str, ...]:
    """Why no boundary is told; empty where one is."""
    if found.steps < found.needed:
        return (f"{found.steps} steps are too few for so many columns: give at least {found.needed}",)
    said = []
    if max(found.parts, default=0) < 4:
        size = max(found.parts, default=0)
        said.append(f"no four columns hang together (the largest part has {size}): a boundary needs four")
    elif found.evidence < ENOUGH:
        said.append(
            f"too little evidence: roles save {found.evidence:.1f} nats over free blocks, {ENOUGH:g} are needed"
        )
    elif not found.whole:
        said.append("one of the roles is empty: a boundary needs world, sensors, actuators and inside")
    if found.turning:
        said.append("the columns form a single loop, in which every place could be the inside")
    if found.agreement is not None and found.agreement < AGREE and found.excess >= WORSE:
        said.append(
            f"the halves of the recording disagree (adjusted Rand index {found.agreement:.2f}, below {AGREE}): roles "
            "may have changed, look with --window"
        )
    missed, within, before = missing(found)
    if missed > FAST:
        said.append(_missed(found.ordered, within, before))
    if said and found.twins:
        said.append(f"{_copies(found.twins)}: this recording holds no inside apart from them")
    return tuple(said)


def cautions(found: Findings) -> tuple[str, ...]:
    """Why a boundary that is told may be wrong, and what was left out."""
    said = []
    missed, within, before = missing(found)
    if 0 < missed <= FAST:
        said.append(f"the roles may be wrong: {_missed(found.ordered, within, before)}")
    if found.agreement is not None and found.agreement < AGREE and found.excess < WORSE:
        said.append(
            f"the halves of the recording settle differently (adjusted Rand index {found.agreement:.2f}), by less than "
            f"{WORSE:g} nats: some columns could have other roles"
        )
    if not found.traced:
        said.append("episodes are too short to tell whether steps are longer than the loop: record longer ones")
    if found.twins:
        said.append(f"{_copies(found.twins)}: the second of each is left out and has the role of the first")
    if found.constant:
        said.append(f"{listed(found.constant)} never changes and is left out")
    if found.exact:
        said.append(
            f"{listed(found.exact)} is an exact function of others: which of them it hears cannot be told, record with "
            "some noise of exploration"
        )
    if found.mirror is not None and found.mirror < MORE:
        said.append(
            f"inside and world could be exchanged: seen from the other side it costs {found.mirror:.1f} nats more"
        )
    return tuple(said)


def missing(found: Findings) -> tuple[float, int, int]:
    """The share of couplings with traces of something missed, and how many there are within a step and before."""
    within = int((np.triu(found.traces.within) > 0).sum())
    before = int((found.traces.before > 0).sum())
    return (within + before) / max(int((found.couplings > 0).sum()), 1), within, before


def _missed(ordered: bool, within: int, before: int) -> str:
    hint = "record more often" if ordered else "record more often, or give the order within a step (--order)"
    shares = "1 pair of columns shares" if within == 1 else f"{within} pairs of columns share"
    reaches = "1 coupling reaches" if before == 1 else f"{before} couplings reach"
    seen = [f"{shares} what no column at the step before explains"] if within else []
    seen += [f"{reaches} back further than the lag"] if before else []
    return (
        f"{' and '.join(seen)}: steps are longer than the loop, their order is not known, or columns are missing; "
        f"{hint}, or add columns"
    )


def _copies(twins: tuple[tuple[str, str], ...]) -> str:
    named = [f"{one} and {other}" for one, other in twins[:NAMED]]
    more = [f"and {len(twins) - NAMED} more"] if len(twins) > NAMED else []
    return f"{listed([*named, *more])} are copies of each other"


def copies(recording: Columns, resolution: float) -> tuple[list[int], list[tuple[int, int]], list[int]]:
    """The places of columns to look at, the pairs of copies (first, left out), and columns that never change.

    Two columns are copies where they differ, in units of their spread, by less than the resolution.
    """
    values = scaled(recording.values)
    spread = values.std(0)
    still = [int(place) for place in np.flatnonzero(spread <= 1e-12)]
    moving = [place for place in range(len(spread)) if place not in set(still)]
    moved = (values[:, moving] - values[:, moving].mean(0)) / spread[moving]
    alike = np.abs(moved.T @ moved / max(len(moved), 1))
    kept: list[int] = []
    twins: list[tuple[int, int]] = []
    for place in range(len(moving)):
        first = next((other for other in kept if 2 * (1 - alike[other, place]) < resolution**2), None)
        if first is None:
            kept.append(place)
        else:
            twins.append((moving[first], moving[place]))
    return [moving[place] for place in kept], twins, still


def is_loop(couplings: Floats) -> bool:
    """Whether columns form a single loop: each hears one other, and each is heard by one."""
    coupled = couplings > 0
    once = (coupled.sum(0) == 1).all() and (coupled.sum(1) == 1).all()
    return bool(len(couplings) and once)
