"""What is said of a comparison beside its numbers: what was left out or averaged, and what its seeds do not tell."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from agentic_report.comparing.groups import Group
from agentic_report.comparing.trial import RETURN

if TYPE_CHECKING:
    from agentic_report.comparing.comparison import Comparison


def all_known(sources: Iterable[int | str]) -> bool:
    """Whether all of what runs draw from are seeds, so that no two of them are the same."""
    return not any(isinstance(each, str) for each in sources)


def notes_on(found: "Comparison", place: int) -> list[str]:
    """Sentences on a group."""
    group, own = found.groups[place], found.estimates[place]
    known, earned, count = found.values(group), found.earned(group), len(group.trials)
    said = list[str]()
    if len(earned) < count:
        said.append(f"{count - len(earned)} of {count} runs have no {found.outcome}")
    said += _averaged(group)
    if not all_known(known):
        unknown = sum(isinstance(each, str) for each in known)
        which = (
            "the seed of a run is not known: it" if unknown == 1 else f"the seeds of {unknown} runs are not known: each"
        )
        said.append(f"{which} stands for itself, and there is no interval, for seeds cannot be counted")
    elif len(known) == 1:
        said.append("one seed, hence no interval")
    elif known and own.interval is None:
        said.append(f"{len(known)} seeds are too few for an interval of the {found.statistic.name}")
    elif known and len({*known.values()}) == 1:
        said.append(f"all {len(known)} seeds agree, so that no spread tells how others would do")
    said += _undrawn(found, place)
    return [f"{group.label}: {each}" for each in said]


def _averaged(group: Group) -> list[str]:
    """That runs of one seed are averaged, where there are several."""
    runs, seeds = len(group.trials), len(group.sources)
    if runs == seeds:
        return []
    mixed = "; its seeds have runs of different configurations, which is part of their spread" if group.uneven else ""
    return [f"runs of one seed were averaged: {runs} runs, {seeds} seed{'s' if seeds > 1 else ''}{mixed}"]


def _undrawn(found: "Comparison", place: int) -> list[str]:
    """Why a group has no curve, where it has none."""
    if any(not np.isnan(each.value) for each in found.curves[place]):
        return []
    runs = found.groups[place].trials
    missing = sum(not len(each.phases[found.phase].values) for each in runs)
    where = "learning" if found.phase == "learn" else "evaluation"
    if missing:
        which = "its run has" if len(runs) == 1 else f"{missing} of {len(runs)} runs have"
        what = "completed episode" if found.column == RETURN else found.column
        return [f"no curve, since {which} no {what} in {where}"]
    return [f"no curve, since there is no step of {where} at which all {len(runs)} runs have a value"]
