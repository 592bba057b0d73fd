"""What is asked of metrics: a value with its frame and everything else a reader needs, right where it is known.

A metric may bring its known answers: a classmethod `known_answers()` that yields (metric, subject, value, tolerance).
It is tried on the record of a coin-tossing agent in a world of two places, and on that agent and world themselves; a
metric that refuses those (it needs measured observations, or beliefs) on the subject of its first known answer.
"""

import json
from functools import cache

import numpy as np
import torch
from torch import Tensor

from agentic.errors import UserError
from agentic.metrics.measurement import Access, Frame, Measurement
from agentic.metrics.metric import Metric, measure
from agentic.metrics.subject import Subject
from agentic.runs.record import Record
from agentic.runs.run import Schedule, run
from agentic.testing.kit import Make, NotApplicable, Run
from agentic.testing.offers import KnownAnswers
from agentic.testing.worlds import Coin, TwoPlaces

EPISODES = 12


@cache
def subject() -> Subject:
    """A coin tosser in a world of two places: record, agent and environment."""
    return Subject(_record(), Coin(), TwoPlaces)


def suited(metric: Metric) -> Subject:
    """The subject above, or where the metric refuses it that of its first known answer."""
    try:
        metric.measure(subject(), generator=np.random.default_rng(0))
    except UserError:
        if not isinstance(metric, KnownAnswers):
            raise
        return next(iter(metric.known_answers()))[1]
    return subject()


def exercise(metric: Metric, source: torch.Generator) -> list[Tensor]:
    """One measurement."""
    found = measure(metric, suited(metric), seed=int(torch.randint(1000, (1,), generator=source)))
    ends = [found.interval.low, found.interval.high] if found.interval else []
    return [torch.tensor([found.value, *ends], dtype=torch.float64)]


def declares_what_it_looks_at(make: Make) -> None:
    """access is an Access, unit a word, needs parts of a Subject that its access admits."""
    metric = make()
    access, unit, needs = metric.access, metric.unit, metric.needs
    assert isinstance(access, Access), f"access must be an Access, got {access!r}"
    assert isinstance(unit, str), f"unit must be a word, such as 'bits' or 'reward', got {unit!r}"
    assert unit, "unit must be a word, such as 'bits' or 'reward', got none"
    parts = ("record", "agent", "environment")
    assert isinstance(needs, tuple), f"needs must be a tuple of parts of a Subject, got {needs!r}"
    assert needs, f"needs must name some of {parts}, got none"
    assert set(needs) <= set(parts), f"needs must be among {parts}, got {needs}"
    if access is Access.INTERVENE:
        assert {"agent", "environment"} <= set(needs), "to intervene needs 'agent' and 'environment'"
    if access is Access.RECORDS:
        assert needs == ("record",), f"a metric of records needs ('record',) and nothing else, got {needs}"


def returns_a_measurement(make: Make) -> None:
    """`measure` of a subject that offers what it needs returns a Measurement."""
    metric = make()
    found = metric.measure(suited(metric), generator=np.random.default_rng(0))
    assert isinstance(found, Measurement), f"measure must return a Measurement, got {type(found).__name__}"


def accounts_for_its_value(make: Make) -> None:
    """The Measurement states unit, access, frame, estimator and sample sizes, as the metric declares them."""
    metric = make()
    found = _measured(metric)
    assert isinstance(found.frame, Frame), "a value needs its frame"
    assert found.unit == metric.unit, f"the unit is declared as {metric.unit!r} and reported as {found.unit!r}"
    assert found.access is metric.access, f"access is declared as {metric.access} and reported as {found.access}"
    assert found.metric, "a measurement names its metric"
    assert found.estimator, "a measurement names its estimator"
    if found.interval is not None:
        level, low, high = found.interval.level, found.interval.low, found.interval.high
        assert 0 < level <= 1, f"an interval's level lies between 0 and 1, got {level}"
        assert low <= high, f"an interval runs from low to high, got {low} to {high}"
        sampled = found.episodes > 0 or found.samples > 0
        assert sampled or level == 1, "an estimate says how large its sample was; certain bounds need none"
    if found.null is not None:
        assert 0 <= found.null.p_value <= 1, f"a p-value lies between 0 and 1, got {found.null.p_value}"
        assert found.null.n > 0, "a null says from how many surrogates it came"
    assert found.enough or found.warnings, "enough=False needs a warning that says how much data it takes"


def prints_itself(make: Make) -> None:
    """str is one line with the unit; rich and HTML forms exist."""
    found = _measured(make())
    assert "\n" not in str(found), f"str of a measurement is one line, got {str(found)!r}"
    assert found.unit in str(found), f"str of a measurement names the unit {found.unit!r}, got {str(found)!r}"
    assert found.__rich__() is not None
    assert found._repr_html_().startswith("<table")


def round_trips_json(make: Make) -> None:
    """to_dict is strict JSON, and from_dict brings all of it back."""
    found = _measured(make())
    text = json.dumps(found.to_dict(), allow_nan=False)
    again = Measurement.from_dict(json.loads(text))
    assert again.to_dict() == found.to_dict(), "from_dict(to_dict()) is not what it was"
    assert (again.interval, again.null, again.frame) == (found.interval, found.null, found.frame), "some part was lost"


def subject_untouched(make: Make) -> None:
    """Measuring leaves the record as it was."""
    metric = make()
    if suited(metric).lacks("record"):
        raise NotApplicable("its subject has no record")
    record = suited(metric).record
    before = record.table().to_pydict()
    measure(metric, suited(metric))
    assert record.table().to_pydict() == before, "it changed the record it measured"


def needs_what_it_reads(make: Make) -> None:
    """A subject is measured as well without the parts that `needs` does not name."""
    metric = make()
    unneeded = [part for part in ("record", "agent", "environment") if part not in metric.needs]
    try:
        measure(metric, suited(metric).having(**dict.fromkeys(unneeded)))
    except UserError as error:
        raise AssertionError(f"it reads more than needs = {metric.needs} says: {error}") from None


def reads_what_it_needs(make: Make) -> None:
    """Without any one of the parts that `needs` names it cannot measure."""
    metric = make()
    for part in metric.needs:
        try:
            metric.measure(suited(metric).having(**{part: None}), generator=np.random.default_rng(0))
        except UserError:
            continue
        raise AssertionError(f"needs = {metric.needs} names the {part}, and it measures without: leave it out")


def says_when_there_is_nothing(make: Make) -> None:
    """A record without a single step is refused with a UserError, or measured with a warning."""
    metric = make()
    if "record" not in metric.needs:
        raise NotApplicable("it reads no record")
    try:
        found = measure(metric, subject().having(record=Record()))
    except UserError:
        return
    assert found.warnings, f"an empty record gave {found.value} without a warning"


def known_answers_are_met(make: Make) -> None:
    """Where the value is known, the metric gives it."""
    made = make()
    if not isinstance(made, KnownAnswers):
        raise NotApplicable("it brings no known_answers()")
    cases = list(made.known_answers())
    assert cases, "known_answers() yields nothing: yield (metric, subject, value, tolerance)"
    for metric, case, value, tolerance in cases:
        found = measure(metric, case).value
        assert abs(found - value) <= tolerance, f"{metric} must give {value} within {tolerance:g}, got {found}"


CHECKS: tuple[Run, ...] = (
    declares_what_it_looks_at,
    returns_a_measurement,
    accounts_for_its_value,
    prints_itself,
    round_trips_json,
    subject_untouched,
    needs_what_it_reads,
    reads_what_it_needs,
    says_when_there_is_nothing,
    known_answers_are_met,
)


def _record() -> Record:
    return run(Coin(), TwoPlaces, Schedule(episodes=EPISODES), seed=1)


def _measured(metric: Metric) -> Measurement:
    return measure(metric, suited(metric))
