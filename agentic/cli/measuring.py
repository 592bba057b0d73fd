"""Metrics chosen by name and asked one after the other, so that one that fails costs one line and not the table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, final, get_args

from agentic.cli.subjects import Source
from agentic.cli.terminal import console, say
from agentic.errors import RunError, UserError, attempt, listed, suggest
from agentic.experiments.experiment import override
from agentic.metrics.measurement import Access, Measurement
from agentic.metrics.metric import Metric, Probe
from agentic.metrics.profile import Row
from agentic.metrics.subject import Part, Subject
from agentic.plugins import Problem, Registry


def chosen(
    names: Sequence[str], settings: Sequence[str], registry: Registry
) -> tuple[dict[str, Metric], dict[str, RunError]]:
    """The metrics named, or all there are, and what broke while they were made.

    One that was not asked for and cannot be made is told and left out. Raises UserError for one that was.
    """
    given: dict[str, Any] = {}
    for setting in settings:
        if not re.match(r"[^=.]+\.[^=]+=", setting):
            raise UserError(f"cannot read the setting {setting!r}: write METRIC.KEY=VALUE")
        override(given, setting)
    wanted = list(dict.fromkeys(names)) or registry.names("metrics")
    for name in given:
        if name not in wanted:
            raise UserError(f"no metric '{name}' is measured{suggest(name, wanted)}; those that are: {listed(wanted)}")
    metrics, broken = dict[str, Metric](), dict[str, RunError]()
    for name in wanted:
        made = attempt(partial(metric_of, registry, {"name": name, **given.get(name, {})}))
        if isinstance(made, Metric):
            metrics[name] = made
        elif isinstance(made, Problem):  # a plugin that does not load
            broken[name] = RunError(str(made))
        elif isinstance(made, RunError):
            broken[name] = made
        elif names or name in given:
            raise made
        else:
            say(f"not measured: {name}: {made}", err=True)
    return metrics, broken


def metric_of(registry: Registry, table: Mapping[str, Any]) -> Metric:
    """The metric of a table. Raises RunError for one that does not declare what metrics declare."""
    made: Metric = registry.make(Metric, table, "metric")
    for part in made.needs:
        if part not in get_args(Part):
            raise RunError(f"it broke, its needs are {made.needs!r}; expected some of {listed(get_args(Part))}")
    if not isinstance(made.access, Access):
        raise RunError(f"it broke, its access is {made.access!r}; expected an Access")
    return made


@final
@dataclass
class Profiler:
    """The asking of every metric about every subject.

    What does not apply or breaks is one line; nothing else is where it was all that was `asked` for by name. `broken`
    are those that broke before they were asked.
    """

    metrics: Mapping[str, Metric]
    asked: bool
    references: bool
    quiet: bool
    broken: Mapping[str, RunError] = field(default_factory=dict)
    left_out: dict[str, UserError | RunError] = field(default_factory=dict)
    closed: bool = False

    def rows(self, source: Source, seeds: Sequence[int]) -> list[Row]:
        """The outcome of each metric that has one, in their order."""
        left, found = dict(self.metrics), dict[str, list[Measurement]]()
        gone = dict[str, UserError | RunError]()
        seconds = dict.fromkeys(left, 0.0)
        for seed in seeds if left else ():
            subject, others = self._subjects(source, seed, left)
            asked = list(left.items())
            for count, (name, metric) in enumerate(asked, 1):
                with self._shown(f"{source.label}, seed {seed}: measuring {name} ({count} of {len(asked)})"):
                    outcome, took = Probe(metric).ask(subject, seed=seed, label=source.label, references=others)
                    seconds[name] += took
                    if isinstance(outcome, Measurement):
                        found.setdefault(name, []).append(outcome)
                    else:
                        del left[name]
                        gone[name] = outcome
        self.left_out |= gone
        if not self.asked:
            _tell(gone)
        return [Row(name, found[name], seconds[name]) for name in left]

    def settle(self, rows: Sequence[Row]) -> int:
        """The exit code, once all `rows` are there; what was asked for by name and has none is told.

        That is the error itself where nothing else came of it. Raises UserError or RunError then.
        """
        left = {**self.broken, **(self.left_out if self.asked else {})}
        broke = any(isinstance(reason, RunError) for reason in [*self.broken.values(), *self.left_out.values()])
        if left and self.asked and not rows:
            raise (RunError if broke else UserError)("; ".join(f"{name}: {reason}" for name, reason in left.items()))
        _tell(left)
        return 1 if broke else 2 if self.closed or left else 0

    def _subjects(
        self, source: Source, seed: int, metrics: Mapping[str, Metric]
    ) -> tuple[Subject, Mapping[str, Subject]]:
        parts: set[Part] = {need for metric in metrics.values() for need in metric.needs}
        about: set[Part] = {n for metric in metrics.values() if metric.needs != ("environment",) for n in metric.needs}
        try:
            subject = source.subject(seed, parts)
        except (UserError, RunError) as error:
            if source.recorded is None or (self.asked and "record" not in parts):
                raise
            say(f"the record alone is measured: {error}", err=True)
            self.closed |= error is source.closed
            return source.recorded, {}
        if not (self.references and about):
            return subject, {}
        if source.closed is not None:
            say(f"the record alone is measured, without references: {source.closed}", err=True)
        return subject, source.references(seed, about)

    @contextmanager
    def _shown(self, text: str) -> Iterator[None]:
        printed = console(stderr=True)
        if self.quiet:
            yield
        elif printed.is_terminal:
            with printed.status(text):
                yield
        else:
            say(text, err=True)
            yield


def warned(rows: Sequence[Row], source: Source | None) -> list[Row]:
    """The rows with a warning of everything that is wrong with the record they were measured of."""
    problems = source.recorded.record.problems if source is not None and source.recorded is not None else []
    said = tuple(f"of a damaged record: {problem}" for problem in problems)
    return [replace(row, found=[replace(each, warnings=(*each.warnings, *said)) for each in row.found]) for row in rows]


def _tell(left: Mapping[str, UserError | RunError]) -> None:
    """Why metrics have no value, a line for each reason."""
    reasons = dict[tuple[str, str], list[str]]()
    for name, reason in left.items():
        outcome = "failed" if isinstance(reason, RunError) else "not measured"
        reasons.setdefault((outcome, " ".join(str(reason).split())), []).append(name)
    for (outcome, words), names in reasons.items():
        say(f"{outcome}: {listed(names)}: {words}", err=True)
