"""A comparison of groups of runs: their learning curves, what they earned in the end, and by how much that differs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from agentic.errors import UserError
from agentic.metrics import finite, holm
from agentic.runs import Phase
from agentic.showing import html_table, pandas, text_table
from agentic_report.comparing.gathering import check_comparable, folders, parts, trials
from agentic_report.comparing.groups import Group, counted, grouped, named
from agentic_report.comparing.remarks import all_known, notes_on
from agentic_report.comparing.trial import RETURN, Trial
from agentic_report.listing.conditions import conditions
from agentic_report.listing.listed import plain_value
from agentic_report.statistic import Difference, Estimate, InterquartileMean, Mean, Statistic
from agentic_report.wording import enumerated, plain, plain_span

if TYPE_CHECKING:
    from pandas import DataFrame

POINTS = 100  # of a curve
SHARE = 20  # of the steps: a window is as many
LEVEL = 0.05  # of what differs
APART = ("difference", "95 % interval", "compared", "p (Holm)", "verdict")
HEAD = ("group", "seeds", "value", "95 % interval", *APART)
PAIRED, UNPAIRED = "seed by seed", "as independent"


@final
@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Groups of runs in one environment, compared by a column, with intervals over seeds.

    Runs of one seed in a group are averaged first: they are no independent evidence. Groups on the same seeds are
    compared seed by seed, others as independent. Where the seed of a run is not known, it stands for itself, and there
    is neither an interval nor a p-value.

    Curves are of a `phase`, at the steps of a `grid`, smoothed over a `window` of steps. `notes` are sentences on what
    was left out, and on what too few seeds do not tell.
    """

    groups: Sequence[Group]
    column: str
    statistic: Statistic
    phase: Phase
    grid: np.ndarray
    window: int
    remarks: Sequence[str] = ()

    @property
    def env(self) -> str:
        """The id of the environment."""
        return self.groups[0].trials[0].world

    @cached_property
    def evaluated(self) -> bool:
        """Whether runs are compared by their evaluation, and not by the end of learning."""
        return any(len(each.phases["evaluate"].values) for group in self.groups for each in group.trials)

    @property
    def outcome(self) -> str:
        """What stands for a run, in words."""
        what = "return" if self.column == RETURN else self.column
        where = "evaluation" if self.evaluated else f"the last {self.window:,} steps of learning"
        return f"mean {what} of {where}"

    @property
    def caption(self) -> str:
        """What the curves show, in words."""
        what = ("return per episode" if self.column == RETURN else self.column).replace("_", " ")
        steps = "steps of experience" if self.phase == "learn" else "steps of evaluation"
        return f"{what} over {int(self.grid[-1]):,} {steps}, smoothed over {self.window:,}"

    @property
    def method(self) -> str:
        """How intervals of differences are made, in words; of which groups, where they are not made alike."""
        kinds = dict[bool, list[str]]()
        for group, each in zip(self.groups[1:], self.differences, strict=True):
            kinds.setdefault(each.paired, []).append(group.label)
        ways = {True: "paired Student t, seed by seed", False: "Welch t, of independent seeds"}
        if not self.statistic.tests:
            ways = {
                True: f"{self.statistic.method}, seed by seed",
                False: f"{self.statistic.method}, independent seeds",
            }
        said = [f"{ways[kind]}{f' ({enumerated(kinds[kind])})' * (len(kinds) > 1)}" for kind in kinds]
        tail = "p-values adjusted for their number (Holm)" if self.statistic.tests else "2,000 resamples"
        return "; ".join([*said, tail])

    def earned(self, group: Group) -> dict[int, float]:
        """What stands for each run of a group, by the place of the run; runs without a number are left out."""
        found = {place: self._value(each) for place, each in enumerate(group.trials)}
        return {place: value for place, value in found.items() if not np.isnan(value)}

    def values(self, group: Group) -> dict[int | str, float]:
        """What stands for each seed of a group: the mean of its runs. A run whose seed is not known has its folder."""
        runs = self.earned(group)
        known = {key: [runs[place] for place in places if place in runs] for key, places in group.sources.items()}
        with np.errstate(all="ignore"):  # of what is infinite
            return {key: float(np.mean(found)) for key, found in known.items() if found}

    def counted(self, group: Group) -> str:
        """How many seeds have a value, and how many runs where that is another number."""
        return counted(len(self.values(group)), len(self.earned(group)))

    def curve(self, group: Group) -> list[Estimate]:
        """The value of a group at each step of the grid, NaN where not all of its runs have one there."""
        runs = np.stack([each.phases[self.phase].smoothed(self.grid, self.window) for each in group.trials])
        with np.errstate(all="ignore"):
            every = np.stack([runs[places].mean(0) for places in group.sources.values()])
        there = ~np.isnan(runs).any(0)
        return [
            self._estimate(dict(zip(group.sources, column, strict=True))) if known else Estimate(np.nan)
            for column, known in zip(every.T, there, strict=True)
        ]

    @cached_property
    def curves(self) -> list[list[Estimate]]:
        """The curve of each group."""
        return [self.curve(group) for group in self.groups]

    @cached_property
    def estimates(self) -> list[Estimate]:
        """The value of each group over seeds."""
        return [self._estimate(self.values(group)) for group in self.groups]

    @property
    def paired(self) -> bool:
        """Whether all groups are on the seeds of the first, so that each is compared with it seed by seed."""
        return all(each.paired for each in self.differences)

    @cached_property
    def differences(self) -> list[Difference]:
        """By how much each group but the first is above the first, p-values adjusted for their number (Holm).

        Groups on the same seeds as the first are compared with it seed by seed, others as independent.
        """
        first, *others = map(self.values, self.groups)
        found = [self._difference(first, other) for other in others]
        tested = [each for each in found if each.p_value is not None]
        adjusted = dict(zip(map(id, tested), holm([each.p_value or 0.0 for each in tested]), strict=True))
        return [replace(each, adjusted=adjusted.get(id(each))) for each in found]

    @property
    def notes(self) -> list[str]:
        """What was left out or averaged, and what too few seeds do not tell."""
        places = range(len(self.groups))
        return [*self.remarks, *(note for place in places for note in notes_on(self, place))]

    def verdict(self, difference: Difference) -> str:
        """In a word, whether a group is told from the first."""
        if difference.adjusted is None:
            return "no spread to judge by" if self.statistic.tests and difference.estimate.interval else "-"
        return (
            "not told apart" if difference.adjusted >= LEVEL else "above" if difference.estimate.value > 0 else "below"
        )

    def lines(self) -> list[list[str]]:
        """The lines of the table, in words."""
        found = []
        for group, own, apart in zip(self.groups, self.estimates, [None, *self.differences], strict=True):
            cells = [group.label, self.counted(group), plain(own.value), plain_span(*own.ends)]
            more = ["", "", "", "", "the first"] if apart is None else _apart(apart, self.verdict(apart))
            found.append([*cells, *more])
        return found if len(self.groups) > 1 else [line[:4] for line in found]

    @property
    def head(self) -> tuple[str, ...]:
        """The heads of the columns of the table; of a single group there are no differences."""
        return HEAD if len(self.groups) > 1 else HEAD[:4]

    def settings(self) -> list[list[str]]:
        """A line for each key in which groups differ: the key, and the value of each group."""
        keys = dict.fromkeys(key for group in self.groups for key in group.differing)
        return [[key, *(str(group.differing.get(key, "-")) for group in self.groups)] for key in keys]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON; what is not finite or not there is None."""
        words = {name: getattr(self, name) for name in ("env", "column", "outcome", "phase", "window", "paired")}
        apart = zip(self.groups[1:], self.differences, strict=True)
        return {
            **words,
            "statistic": self.statistic.name,
            "groups": [self._group(place) for place in range(len(self.groups))],
            "differences": [
                {"group": group.label, "from": self.groups[0].label, **each.to_dict(), "verdict": self.verdict(each)}
                for group, each in apart
            ],
            "notes": self.notes,
        }

    def to_pandas(self) -> "DataFrame":
        """The table with numbers in it, a line for each group, and what groups differ in. UserError without pandas."""
        rows = list[dict[str, Any]]()
        for group, own, apart in zip(self.groups, self.estimates, [None, *self.differences], strict=True):
            counts = {"seeds": len(self.values(group)), "runs": len(self.earned(group))}
            low, high = own.ends
            row = {"group": group.label, **group.differing, **counts, "value": own.value, "low": low, "high": high}
            if apart is not None:
                found = {
                    f"difference_{name}": each for name, each in apart.to_dict().items() if name in ("low", "high")
                }
                row |= {"difference": apart.estimate.value, **found, "p_value": apart.p_value}
                row |= {"adjusted_p_value": apart.adjusted, "paired": apart.paired, "verdict": self.verdict(apart)}
            rows.append(row)
        return pandas().DataFrame(rows)

    def __repr__(self) -> str:
        return "\n".join([f"{self.env}, {self.outcome}:", text_table([[*self.head], *self.lines()]), *self.notes])

    def _repr_html_(self) -> str:
        notes = html_table([(note,) for note in self.notes], "Notes") if self.notes else ""
        return html_table(self.lines(), f"{self.env}: {self.outcome}", self.head) + notes

    def _estimate(self, values: Mapping[int | str, float]) -> Estimate:
        found = self.statistic.estimate(np.array([*values.values()]))
        return found if all_known(values) else Estimate(found.value)

    def _difference(self, first: Mapping[int | str, float], other: Mapping[int | str, float]) -> Difference:
        known = all_known(first) and all_known(other)
        paired = known and first.keys() == other.keys()
        arrays = (np.array([*each.values()]) for each in (first, other))
        found = self.statistic.difference(*arrays, paired=paired)
        return found if known else Difference(Estimate(found.estimate.value))

    def _value(self, run: Trial) -> float:
        if self.evaluated:
            return run.phases["evaluate"].mean
        learned = run.phases["learn"]
        return float(learned.smoothed(np.array([learned.steps]), self.window)[0])

    def _group(self, place: int) -> dict[str, Any]:
        group, known, earned = self.groups[place], self.values(self.groups[place]), self.earned(self.groups[place])
        curve = [each.to_dict() for each in self.curves[place]]
        return {
            "label": group.label,
            "seeds": group.seeds,
            "values": [finite(known.get(seed, np.nan)) for seed in group.seeds],
            "counts": {"seeds": len(known), "runs": len(earned)},
            "runs": [
                {"folder": str(each.folder), "seed": each.seed, "value": finite(earned.get(number, np.nan))}
                for number, each in enumerate(group.trials)
            ],
            "settings": {key: plain_value(value) for key, value in group.differing.items()},
            **self.estimates[place].to_dict(),
            "curve": {
                "steps": self.grid.tolist(),
                **{n: [each[n] for each in curve] for n in ("value", "low", "high")},
            },
        }


def compare(
    runs: Any,
    *,
    where: Iterable[str] | Mapping[str, Any] = (),
    by: Sequence[str] = (),
    column: str = RETURN,
    window: int | None = None,
    iqm: bool = False,
) -> Comparison:
    """Compare runs in one environment, grouped by what differs apart from the seed.

    `runs` are folders of runs, of sweeps or benches or of many runs, patterns as "runs/*", records and whatever else
    lies in a folder (the table of a sweep, rows of `find_runs`), a list of those, or groups by label. `where` are
    conditions as of `find_runs`; `by` are the keys that make groups, as "agent.name", in which the runs of a seed are
    averaged; `column` is of the ticks, as "energy.free_energy"; `window` is in steps, by default a twentieth of all;
    `iqm` takes interquartile means in place of means. Nothing is run. Raises UserError where nothing can be compared.

    >>> import agentic, tempfile
    >>> from agentic_report import compare
    >>> out = tempfile.mkdtemp()
    >>> for seed in range(3):
    ...     _ = agentic.run("random", "CartPole-v1", episodes=5, seed=seed, out=out)
    ...     _ = agentic.run("rock", "CartPole-v1", episodes=5, seed=seed, out=out)
    >>> [group.label for group in compare(out).groups]
    ['random', 'rock']
    """
    if window is not None and window < 1:
        raise UserError(f"a window takes 1 step or more, got {window}")
    if isinstance(by, str):
        raise UserError(f"by takes several keys, got the text {by!r}: put it into a list")
    wanted, labeled = conditions(where), parts(runs)
    if labeled is None:
        every, notes = trials(folders(runs), wanted, column)
        check_comparable(every)
        groups, more = grouped(every, by)
    else:
        found = {label: trials(folders(each), wanted, column) for label, each in labeled.items()}
        every, notes = (
            [run for each, _ in found.values() for run in each],
            [n for _, said in found.values() for n in said],
        )
        check_comparable(every)
        groups, more = named({label: each for label, (each, _) in found.items()}, by)
    phase: Phase = "learn" if any(len(each.phases["learn"].values) for each in every) else "evaluate"
    steps = max(each.phases[phase].steps for each in every)
    grid = np.unique(np.linspace(0, steps, min(POINTS, max(steps, 1)) + 1)[1:].round().astype(np.int64))
    statistic = InterquartileMean() if iqm else Mean()
    return Comparison(groups, column, statistic, phase, grid, window or max(1, round(steps / SHARE)), [*notes, *more])


def _apart(apart: Difference, verdict: str) -> list[str]:
    signed = plain(apart.estimate.value)
    signed = f"+{signed}" if apart.estimate.value > 0 else signed
    how = "-" if apart.estimate.interval is None else PAIRED if apart.paired else UNPAIRED
    return [signed, plain_span(*apart.estimate.ends), how, plain(apart.adjusted), verdict]
