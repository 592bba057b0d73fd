"""Measurements account for themselves, and nothing is measured without a frame or without what it needs."""

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
import torch
from rich.console import Console

from agentic.agents.agent import Agent, Change
from agentic.errors import RunError, UserError, attempt
from agentic.learning.learner import Learner
from agentic.metrics.measurement import Access, Frame, Interval, Measurement, Null
from agentic.metrics.metric import Metric, Outcome, Probe, measure
from agentic.metrics.results import Result
from agentic.metrics.subject import Intervention, Part, Subject
from agentic.testing.metrics import subject
from agentic.testing.worlds import Coin, TwoPlaces
from agentic.tick import Decision

FRAME = Frame(
    variables=("reward", "action"), boundary="the skin", horizon=3, goal="none", start="resets", interventions=("slip",)
)
FULL = Measurement(
    metric="flow",
    value=1.25,
    unit="bits",
    access=Access.INTERVENE,
    frame=FRAME,
    estimator="plug-in",
    parameters={"lag": np.int64(2), "bins": [3, 4]},
    interval=Interval(0.95, 1.0, float("inf"), "bootstrap"),
    null=Null("circular shift", 0.1, 0.05, 99, 0.01),
    references={"rock": 0.0, "random": float("nan")},
    episodes=7,
    samples=70,
    diagnostics={"gap": np.float64(1e-9), "curve": np.array([1.0, np.inf])},
    seed=3,
    warnings=("too few",),
    enough=False,
)


def test_a_measurement_survives_strict_json() -> None:
    text = json.dumps(FULL.to_dict(), allow_nan=False)
    again = Measurement.from_dict(json.loads(text))
    assert again.to_dict() == FULL.to_dict()
    assert again.interval == FULL.interval
    assert (again.null, again.frame, again.access) == (FULL.null, FRAME, Access.INTERVENE)
    assert (again.enough, json.loads(text)["enough"]) == (False, False)
    assert np.isnan(again.references["random"])
    assert json.loads(text)["parameters"] == {"lag": 2, "bins": [3, 4]}
    assert json.loads(text)["interval"]["high"] == "inf"


def test_a_measurement_from_before_there_was_enough_is_read() -> None:
    old = {key: value for key, value in FULL.to_dict().items() if key != "enough"}
    assert Measurement.from_dict(old).enough


def test_enough_is_yes_or_no() -> None:
    with pytest.raises(UserError, match="enough"):
        Measurement.from_dict(FULL.to_dict() | {"enough": "perhaps"})


def test_an_exact_value_needs_neither_interval_nor_null() -> None:
    exact = replace(FULL, interval=None, null=None, references={}, episodes=0, samples=0, warnings=())
    assert Measurement.from_dict(exact.to_dict()).interval is None
    assert str(exact) == "flow = 1.25 bits; exact"


def test_it_prints_itself_in_one_line() -> None:
    assert str(FULL) == (
        "flow = 1.25 bits; [1, inf]; null 0.1 ± 0.05 (circular shift, 99), p = 0.01; rock scores 0; "
        "random scores nan; 7 episodes, 70 samples; warning: too few"
    )
    assert (
        str(FRAME) == "reward, action over 3 steps; boundary: the skin; goal: none; start: resets; interventions: slip"
    )


def test_it_shows_itself_in_rich_and_html() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(replace(FULL, estimator="a < b"))
    shown = console.export_text()
    assert "1.25 bits" in shown
    assert "circular shift" in shown
    assert "a &lt; b" in replace(FULL, estimator="a < b")._repr_html_()


@pytest.mark.parametrize("frame", [None, {"variables": ["reward"]}, "whole episodes"])
def test_no_value_without_a_frame(frame: Any) -> None:
    with pytest.raises(UserError, match="a measurement of flow needs a Frame"):
        replace(FULL, frame=frame)
    with pytest.raises(TypeError, match="frame"):
        Measurement(metric="flow", value=1.0, unit="bits", access=Access.RECORDS, estimator="none")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["variables", "boundary", "goal", "start"])
def test_a_frame_says_everything(name: str) -> None:
    with pytest.raises(UserError, match=f"a frame needs its {name}"):
        replace(FRAME, **{name: ()} if name == "variables" else {name: ""})


def test_variables_are_not_the_letters_of_a_word() -> None:
    with pytest.raises(UserError, match="tuples of names"):
        replace(FRAME, variables="reward")  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", ["frame", "value", "access", "metric"])
def test_a_dictionary_that_is_no_measurement_is_refused(missing: str) -> None:
    plain = FULL.to_dict()
    del plain[missing]
    with pytest.raises(UserError, match="not a measurement"):
        Measurement.from_dict(plain)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(UserError, match="flavor"):
        Measurement.from_dict({**FULL.to_dict(), "flavor": "red"})


@dataclass(frozen=True)
class Draw(Metric):
    """One number from the generator."""

    access = Access.INTERVENE
    unit = "1"
    needs = ("agent", "environment")

    def measure(self, subject: Subject, *, generator: np.random.Generator) -> Measurement:
        return replace(FULL, value=float(generator.random()))


def test_the_seed_alone_decides() -> None:
    first, again, other = (measure(Draw(), subject(), seed=seed) for seed in (4, 4, 5))
    assert (first.value, first.seed) == (again.value, 4)
    assert other.value != first.value


def test_a_subject_that_lacks_something_is_refused() -> None:
    with pytest.raises(UserError, match="needs agent, environment; this subject has no environment"):
        measure(Draw(), Subject(agent=Coin()))


class Listener(Agent):
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.heard: Change | None = None
        self.learner = Student()

    def start(self, batch: int, *, generator: torch.Generator) -> None:
        return None

    def decide(self, state: Any, obs: torch.Tensor, *, generator: torch.Generator) -> Decision:
        raise NotImplementedError

    def informed(self, change: Change) -> Agent:
        self.heard = change
        return self


class Student(Learner):
    """Learns nothing."""

    def update(self, tick: Any) -> dict[str, float]:
        return {}


class Doubled(gymnasium.RewardWrapper[Any, Any]):
    """Pays twice."""

    def reward(self, reward: Any) -> float:
        return 2 * float(reward)


def test_an_intervention_changes_the_world_and_tells_a_sealed_copy() -> None:
    agent, change = Listener(), Change(goal="more")
    before = Subject(subject().record, agent, TwoPlaces)
    after = before.under(Intervention("doubled", Doubled, change))
    assert isinstance(after.agent, Listener)
    assert after.agent is not agent
    assert (after.agent.heard, after.agent.learner, after.lacks("record")) == (change, None, ["record"])
    assert (agent.heard, agent.learner is None) == (None, False)
    assert isinstance(after.environment(), Doubled)
    silent = before.under(Intervention("doubled", Doubled))
    assert isinstance(silent.agent, Listener)
    assert silent.agent.heard is None


def test_an_intervention_needs_someone_to_run() -> None:
    with pytest.raises(UserError, match="intervention doubled needs an agent and an environment"):
        Subject(agent=Coin()).under(Intervention("doubled", Doubled))


def test_a_verdict_needs_a_null() -> None:
    enough = replace(FULL, enough=True)
    assert (FULL.enough, FULL.outside_null, enough.outside_null) == (False, None, True)
    assert replace(enough, null=Null("shift", 0.0, 0.1, 99, 0.05)).outside_null is False
    assert replace(enough, null=None).outside_null is None


VALUE = replace(FULL, value=1.0, interval=None, null=None, references={}, diagnostics={}, warnings=())


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
    needs: ClassVar[tuple[Part, ...]] = ("record",)

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
