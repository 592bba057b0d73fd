"""Boundaries as metrics: known answers, and what is refused."""

import numpy as np
import pytest

from agentic import Subject, UserError, measure
from agentic.testing.metrics import subject
from agentic_discovery import BoundaryEvidence, BoundaryLeak, discover
from agentic_envs.planted import network


def test_known_answers_are_met() -> None:
    for metric in (BoundaryEvidence, BoundaryLeak):
        for one, given, value, tolerance in metric.known_answers():
            assert measure(one, given).value == pytest.approx(value, abs=tolerance)


def test_a_leak_is_outside_its_null_and_none_is_inside() -> None:
    tight, leaking = [measure(metric, given) for metric, given, _, _ in BoundaryLeak.known_answers()]
    assert tight.outside_null is False
    assert leaking.outside_null is True
    assert leaking.interval is not None
    assert leaking.interval.low < 0.5 * np.log(2) < leaking.interval.high


@pytest.mark.slow
def test_a_planted_boundary_has_evidence_that_roles_in_random_order_have_not() -> None:
    planted = network(3, world=7, sensors=2, actuators=2, inside=5, steps=1000, density=0.4)
    found = discover(dict(zip(planted.names, planted.values.T, strict=True)), objects=1)
    given = measure(BoundaryEvidence(surrogates=99), Subject(record=found.record()))
    assert given.value == pytest.approx(found.boundary_evidence, abs=2)
    assert given.null is not None
    assert given.null.p_value == pytest.approx(0.01)


def test_a_record_without_world_and_inside_is_refused() -> None:
    for metric in (BoundaryEvidence(), BoundaryLeak()):
        with pytest.raises(UserError, match="no world and no belief"):
            metric.measure(subject(), generator=np.random.default_rng(0))
