"""Metrics chosen by name and asked one after the other, so that one that fails costs one line and not the table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import click

from agentic.cli.subjects import Source
from agentic.cli.terminal import console
from agentic.errors import RunError, UserError, listed, suggest
from agentic.experiments.experiment import override
from agentic.metrics.measurement import Measurement
from agentic.metrics.metric import Metric, Probe
from agentic.metrics.profile import Row
from agentic.metrics.subject import Part, Subject
from agentic.plugins import Registry


def chosen(names: Sequence[str], settings: Sequence[str], registry: Registry) -> dict[str, Metric]:
    """The metrics named, or all there are; one that was not asked for and cannot be made is told and left out."""
    given: dict[str, Any] = {}
    for setting in settings:
        if not re.match(r"[^=.]+\.[^=]+=", setting):
            raise UserError(f"cannot read the setting {setting!r}: write METRIC.KEY=VALUE")
        override(given, setting)
    wanted = list(dict.fromkeys(names)) or registry.names("metrics")
    for name in given:
        if name not in wanted:
            raise UserError(f"no metric '{name}' is measured{suggest(name, wanted)}; those that are: {listed(wanted)}")
    metrics = {}
    for name in wanted:
        try:
            metrics[name] = registry.make(Metric, {"name": name, **given.get(name, {})}, "metric")
        except UserError as error:
            if names or name in given:
                raise
            click.echo(f"not measured: {name}: {error}", err=True)
    return metrics


@final
@dataclass
class Profiler:
    """The asking of every metric about every subject.

    What does not apply is one line, an error only where it was `asked` for by name. `failed` tells whether a metric
    broke.
    """

    metrics: Mapping[str, Metric]
    asked: bool
    references: bool
    quiet: bool
    failed: bool = False

    def rows(self, source: Source, seeds: Sequence[int]) -> list[Row]:
        """The outcome of each metric that has one, in their order."""
        left, found = dict(self.metrics), dict[str, list[Measurement]]()
        seconds = dict.fromkeys(left, 0.0)
        for seed in seeds:
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
                        self._tell(name, outcome)
        return [Row(name, found[name], seconds[name]) for name in left]

    def _subjects(
        self, source: Source, seed: int, metrics: Mapping[str, Metric]
    ) -> tuple[Subject, Mapping[str, Subject]]:
        parts: set[Part] = {need for metric in metrics.values() for need in metric.needs}
        about: set[Part] = {n for metric in metrics.values() if metric.needs != ("environment",) for n in metric.needs}
        try:
            subject = source.subject(seed, parts)
            return subject, source.references(seed, about) if self.references and about else {}
        except UserError as error:
            if self.asked or source.recorded is None:
                raise
            click.echo(f"the record alone is measured: {error}", err=True)
            return source.recorded, {}

    def _tell(self, name: str, reason: UserError | RunError) -> None:
        """Why a metric has no value. Raises what was asked for by name."""
        broke = isinstance(reason, RunError)
        if self.asked:
            raise (RunError if broke else UserError)(f"{name}: {reason}") from reason
        click.echo(f"{'failed' if broke else 'not measured'}: {name}: {reason}", err=True)
        self.failed |= broke

    @contextmanager
    def _shown(self, text: str) -> Iterator[None]:
        printed = console(stderr=True)
        if self.quiet:
            yield
        elif printed.is_terminal:
            with printed.status(text):
                yield
        else:
            click.echo(text, err=True)
            yield
