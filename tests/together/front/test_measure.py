"""`agentic.measure` takes metrics by name, and whatever can be run or was recorded."""

from pathlib import Path
from typing import Any

import gymnasium
import pytest

import agentic
from agentic import Measurement, Profile, RunError, UserError
from agentic.testing.worlds import Coin
from agentic_metrics.episode_return import EpisodeReturn

LAKE = "FrozenLake-v1"


def right(observation: Any) -> int:
    return 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = agentic.run("random", LAKE, episodes=20, out=tmp_path_factory.mktemp("runs")).folder
    assert made is not None
    return made


def test_a_record_and_its_folder_are_the_same_subject(folder: Path) -> None:
    found = agentic.measure("episode_return", folder)
    record = agentic.Record.open(folder)
    assert found == agentic.measure("episode_return", record) == agentic.measure(EpisodeReturn(), str(folder))
    memory = agentic.measure("episode_return", agentic.run("random", LAKE, episodes=20, out=None))
    assert (memory.value, memory.interval) == (found.value, found.interval)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param((right, LAKE), id="a function"),
        pytest.param(((right, LAKE),), id="a pair"),
        pytest.param(("random", LAKE), id="an agent by name"),
        pytest.param((("random", gymnasium.make(LAKE)),), id="in a world that is made"),
        pytest.param((Coin(), "CartPole-v1"), id="an agent"),
        pytest.param(("tmaze",), id="an example"),
        pytest.param((agentic.Experiment.of({"env": {"id": LAKE}, "agent": {"name": "random"}}),), id="an experiment"),
    ],
)
def test_what_can_be_run_can_be_measured(given: tuple[Any, ...]) -> None:
    found = agentic.measure("episode_return", *given, episodes=10)
    assert isinstance(found, Measurement)
    assert found.episodes == 10


def test_what_needs_more_than_a_record_lives_again(folder: Path) -> None:
    assert agentic.measure("controllability", folder).value >= 0
    assert agentic.measure("controllability", (right, LAKE)).value >= 0
    with pytest.raises(UserError, match="this subject has no environment"):
        agentic.measure("controllability", agentic.run(right, LAKE, episodes=1, out=None))


def test_several_metrics_are_a_profile(folder: Path) -> None:
    found = agentic.measure(["episode_return", "homeostasis"], folder, settings={"episode_return.level": 0.9})
    assert isinstance(found, Profile)
    assert list(found) == ["episode_return"]
    interval = found["episode_return"].interval
    assert interval is not None
    assert interval.level == 0.9
    assert "needs a continuous observation" in str(found.left_out["homeostasis"])
    with pytest.raises(KeyError, match="needs a continuous observation"):
        found["homeostasis"]
    assert str(found).splitlines()[0].split() == ["metric", "value", "unit", "interval", "null", "verdict"]
    assert "not measured: homeostasis" in str(found)
    assert found._repr_html_().startswith("<table><caption>Profile</caption><tr><th>metric</th>")


def test_references_stand_beside_it(folder: Path) -> None:
    assert agentic.measure("episode_return", folder, references=True).references.keys() == {"rock"}


@pytest.mark.parametrize(
    ("metric", "options", "said"),
    [
        ("episode_retrn", {}, "did you mean 'episode_return'"),
        (["episode_return", 3], {}, "expected the name of a metric"),
        (3, {}, "expected the name of a metric, .* got 3"),
        ("episode_return", {"seeds": 3}, "has no option 'seeds', did you mean 'seed'"),
        ("homeostasis", {}, "needs a continuous observation"),
        ("episode_return", {"settings": {"episode_return.lvl": 1}}, "lvl"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(metric: Any, options: Any, said: str, folder: Path) -> None:
    with pytest.raises((UserError, RunError), match=said) as found:
        agentic.measure(metric, folder, **options)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("subject", [right, 42, "nowhere", int], ids=["function", "number", "text", "class"])
def test_what_is_no_subject_is_one_sentence(subject: Any) -> None:
    with pytest.raises(UserError):
        agentic.measure("episode_return", subject)


def test_nothing_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agentic.measure(["episode_return", "homeostasis"], folder)
    agentic.run("random", LAKE, episodes=1, out=None)
    assert capsys.readouterr() == ("", "")


def test_a_measurement_shows_its_verdict_and_cautions(folder: Path) -> None:
    found = agentic.measure("episode_return", agentic.run("random", LAKE, episodes=2, out=None))
    assert repr(found).startswith("<episode_return = ")
    page = found._repr_html_()
    assert "<tr><th>verdict</th><td>too little data</td></tr>" in page
    assert "<tr><th>cautions</th>" in page


@pytest.mark.parametrize(
    ("metric", "options", "said"),
    [
        (3, {}, "expected the name of a metric, .* got 3"),
        (int, {}, "expected the name of a metric, .* got <class 'int'>"),
        ("episode_return", {"seed": "x"}, "seed must be a whole number from 0 on, got 'x'"),
        ("episode_return", {"seed": -1}, "seed must be a whole number from 0 on, got -1"),
        ("episode_return", {"agent": "energy"}, "agent goes with what is run"),
        ("episode_return", {"episodes": 2}, "episodes goes with what is run"),
    ],
)
def test_what_a_record_is_not_measured_with(metric: Any, options: dict[str, Any], said: str) -> None:
    record = agentic.run("random", "CartPole-v1", episodes=2, out=None)
    with pytest.raises(UserError, match=said):
        agentic.measure(metric, record, **options)
