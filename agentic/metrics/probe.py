"""Metrics asked of subjects, one by one: a measurement, or why there is none; what fails costs only itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TypeAlias, final

from agentic.errors import RunError, UserError, attempt
from agentic.metrics.measurement import Measurement
from agentic.metrics.metric import Metric, measure
from agentic.metrics.subject import Informed, Intervention, Subject, Wrap

Outcome: TypeAlias = Measurement | UserError | RunError  # a UserError: it does not apply; a RunError: it broke


@final
@dataclass(frozen=True)
class Probe:
    """A metric with the circumstances it is asked in.

    These are a change of the world, named `under` and made by `wrap`, of which the agent is `informed`; None: there is
    no change. `episodes` are recorded anew in a changed world.
    """

    metric: Metric
    under: str = ""
    wrap: Wrap | None = None
    informed: Informed = "both"
    episodes: int = 20

    def ask(
        self, subject: Subject, *, seed: int, label: str, references: Mapping[str, Subject] | None = None
    ) -> tuple[Outcome, float]:
        """The outcome for a subject, called `label` in its diagnostics, and the seconds it took.

        Those of `references` (a rock, a random agent) that the metric applies to are measured beside it, at no charge,
        where it looks at more than a world.
        """
        begun = perf_counter()
        found = attempt(lambda: measure(self.metric, self._changed(subject, seed), seed=seed))
        seconds = perf_counter() - begun
        if isinstance(found, Measurement):
            others = {} if references is None or self.metric.needs == ("environment",) else references
            scored = {name: self.ask(other, seed=seed, label=name)[0] for name, other in others.items()}
            scores = {name: each.value for name, each in scored.items() if isinstance(each, Measurement)}
            diagnostics = {**found.diagnostics, "subject": label}
            found = replace(found, references={**found.references, **scores}, diagnostics=diagnostics)
        return found, seconds

    def _changed(self, subject: Subject, seed: int) -> Subject:
        """The subject in the changed world; what compares before and after is given the change instead."""
        if self.wrap is None:
            return subject
        change = Intervention.announced(self.under, self.wrap, subject.environment, self.informed)
        if self.metric.compares:
            return subject.having(interventions=(change,))
        changed = subject.under(change)
        return changed.recorded(episodes=self.episodes, seed=seed) if "record" in self.metric.needs else changed
