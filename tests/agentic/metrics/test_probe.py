"""Metrics asked of subjects: a measurement or the reason why there is none, and what others score beside it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from agentic.errors import RunError, UserError, attempt
from agentic.metrics import Outcome, Probe, Result
from agentic.metrics.measurement import Access, Frame, Measurement
from agentic.metrics.metric import Metric, measure
from agentic.metrics.subject import Subject
from agentic.testing.metrics import subject
from agentic.testing.worlds import Coin, TwoPlaces

FRAME = Frame(("reward",), "the skin", 3, "none", "resets", ())
VALUE = Measurement(metric="m", value=1.0, unit="1", access=Access.RECORDS, frame=FRAME, estimator="known")


class Swapped(gymnasium.ActionWrapper[Any, Any, Any]):
    """One action is the other."""

    def action(self, action: Any) -> Any:
        return 1 - action


@dataclass(frozen=True)
class Pay(Metric):
    """The mean return, where there is one; it breaks where it is told to."""

    breaks: bool = False
    access = Access.RECORDS
    unit = "reward"
    needs = ("record",)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        if self.breaks:
            raise ZeroDivisionError("of nothing")
        return replace(VALUE, value=float(subject.record.returns().mean()), references={"known": 2.0})


@dataclass(frozen=True)
class Size(Pay):
    """Something of the world alone."""

    needs = ("environment",)

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return VALUE


@dataclass(frozen=True)
class Changes(Pay):
    """How many changes it is to compare with."""

    needs = ("agent", "environment")
    compares = True

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return replace(VALUE, value=float(len(subject.interventions)))


def test_what_others_score_stands_beside_the_value() -> None:
    others = {"same": subject(), "nobody": Subject(agent=Coin())}
    found, seconds = Probe(Pay()).ask(subject(), seed=3, label="me", references=others)
    assert isinstance(found, Measurement)
    assert found.value == measure(Pay(), subject(), seed=3).value
    assert found.references == {"known": 2.0, "same": found.value}
    assert (found.seed, found.diagnostics["subject"]) == (3, "me")
    assert seconds > 0


def test_a_metric_of_the_world_alone_has_no_others() -> None:
    found, _ = Probe(Size()).ask(subject(), seed=0, label="me", references={"same": subject()})
    assert isinstance(found, Measurement)
    assert found.references == {}


def test_what_does_not_apply_and_what_breaks_are_values() -> None:
    missing, _ = Probe(Pay()).ask(Subject(agent=Coin()), seed=0, label="me")
    assert isinstance(missing, UserError)
    assert str(missing).startswith("Pay looks at records and needs record; this subject has no record")
    broken, _ = Probe(Pay(breaks=True)).ask(subject(), seed=0, label="me")
    assert isinstance(broken, RunError)
    assert str(broken) == "it broke, ZeroDivisionError: of nothing"
    assert isinstance(broken.__cause__, ZeroDivisionError)


def test_in_a_changed_world_it_is_recorded_anew_or_compares() -> None:
    before = Subject(agent=Coin(), environment=TwoPlaces)
    changed = Probe(Pay(), "swapped", Swapped, "nothing", episodes=4)
    found, _ = changed.ask(before, seed=1, label="me")
    assert isinstance(found, Measurement)
    alone = Subject(agent=Coin(), environment=lambda: Swapped(TwoPlaces())).recorded(episodes=4, seed=1)
    assert found.value == alone.record.returns().mean()
    found, _ = Probe(Changes(), "swapped", Swapped).ask(before, seed=1, label="me")
    assert isinstance(found, Measurement)
    assert found.value == 1.0


def test_outcomes_are_a_result(tmp_path: Path) -> None:
    outcomes: dict[str, Outcome] = {"a": VALUE, "b": UserError("it has no goal"), "c": RunError("it broke, x")}
    result = Result.of(outcomes, "key")
    assert result == Result({"a": VALUE}, {"b": "it has no goal", "c": "it broke, x"}, ("c",), "key")
    result.keep(tmp_path)
    assert Result.read(tmp_path) == result


def test_ctrl_c_is_no_outcome() -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    assert attempt(lambda: 3) == 3
    with pytest.raises(KeyboardInterrupt):
        attempt(stopped)
