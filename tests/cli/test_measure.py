"""`agentic measure`, as a user calls it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import agentic_metrics
from agentic import Access, Frame, Interval, Measurement, Null, Record, RunError, UserError, Verdict
from agentic.cli import main
from agentic.cli.measuring import _tell
from agentic.cli.profile import difference
from agentic.metrics.profile import Row, verdicts

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAME = Frame(("action",), "the agent acts", 1, "none", "resets", ())

PLUGIN = '''
"""Metrics for tests: one of agents, one that never applies, one that breaks."""

from dataclasses import dataclass

from agentic import Access, Frame, Measurement, Metric, Null, UserError, hookimpl


@dataclass(frozen=True)
class Depth(Metric):
    """How deep it plans, which is 3. Not more."""

    scale: int = 1
    access = Access.INTERNALS
    unit = "steps"
    needs = ("agent", "environment")

    def measure(self, subject, *, generator):
        env = subject.environment()
        assert subject.agent.learner is None
        frame = Frame(("plan",), "the agent plans", 1, "none", "resets", ())
        null = Null("no plan", 0.0, 0.1, 99, 0.01)
        low = self.scale * type(subject.agent).__name__.startswith("Energy")
        return Measurement(metric="depth", value=3.0 * low, unit=self.unit, access=self.access, frame=frame,
                           estimator="said", null=null, parameters={"scale": self.scale})


class Never(Depth):
    """Nothing."""

    def measure(self, subject, *, generator):
        raise UserError("it cannot be applied here: look elsewhere")


class Broken(Depth):
    """Nothing."""

    def measure(self, subject, *, generator):
        raise ZeroDivisionError("of nothing")


@hookimpl
def agentic_metrics():
    return {"depth": Depth, "never": Never} | ({"broken": Broken} if BROKEN else {})
'''


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTIC_LOAD_PLUGINS", "agentic")
    monkeypatch.setattr(agentic_metrics, "_METRICS", {"episode_return": "episode_return:EpisodeReturn"})
    for name, broken in (("deep", False), ("broken", True)):
        (tmp_path / f"{name}.py").write_text(PLUGIN.replace("BROKEN", str(broken)))


def measure(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    code = main(["measure", *map(str, arguments)])
    return code, *capsys.readouterr()


def recorded(capsys: pytest.CaptureFixture[str], *arguments: Any) -> str:
    assert main(["run", *map(str, arguments), "--quiet"]) == 0
    return capsys.readouterr().out.strip()


RETURN = ("--metric", "episode_return")
WORLD = ("--env", "CartPole-v1", "--episodes", 12)


def test_table_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded(capsys, EXAMPLES / "tmaze.toml", "--episodes", 12)
    code, out, err = measure(capsys, folder, *RETURN)
    assert code == 0
    for part in ("0001-agentic-tmaze-v0-energy", "episode_return", "reward", "rock", "random", "seconds", "95 %"):
        assert part in out
    assert "measuring episode_return (1 of 1)" in err
    assert "no null" in out


def test_few_episodes_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded(capsys, EXAMPLES / "tmaze.toml", "--episodes", 3)
    code, out, _ = measure(capsys, folder, *RETURN, "--no-references")
    assert code == 0
    assert "too little data" in out
    assert "warning: episode_return: 3 episodes are too few" in out
    assert "rock" not in out


def test_json_is_a_list_of_measurements_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded(capsys, EXAMPLES / "tmaze.toml", "--episodes", 12)
    code, out, _ = measure(capsys, folder, *RETURN, "--json")
    (message,) = [Measurement.from_dict(each) for each in json.loads(out)]
    assert code == 0
    assert message.value == Record.open(folder).returns().mean()
    assert set(message.references) == {"rock", "random"}
    assert message.diagnostics["subject"] == Path(folder).name
    assert measure(capsys, folder, *RETURN, "--json", "--quiet") == (0, out, "")


def test_several_seeds_are_one_row_and_all_their_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (*WORLD, "--agent", "random", "--seeds", 3, "--seed", 4, *RETURN)
    code, out, _ = measure(capsys, *arguments, "--json")
    found = [Measurement.from_dict(each) for each in json.loads(out)]
    assert code == 0
    assert [each.seed for each in found] == [4, 5, 6]
    assert len({each.value for each in found}) == 3
    assert all(set(each.references) == {"rock"} for each in found)
    value, interval = Row("episode_return", found).estimate
    assert value == pytest.approx(sum(each.value for each in found) / 3)
    assert interval is not None
    code, out, _ = measure(capsys, *arguments)
    assert f"[{interval.low:.4g}, {interval.high:.4g}]" in out
    assert "Student t over 3 seeds" in out


def test_a_seed_alone_is_the_run_of_that_seed(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded(capsys, *WORLD, "--agent", "random", "--seed", 4)
    _, out, _ = measure(capsys, *WORLD, "--agent", "random", "--seed", 4, *RETURN, "--json")
    assert json.loads(out)[0]["value"] == Record.open(folder).returns().mean()


def test_against_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    rock, random = (recorded(capsys, *WORLD, "--agent", name) for name in ("rock", "random"))
    code, out, _ = measure(capsys, rock, "--against", random, *RETURN)
    assert code == 0
    for part in ("0001-cartpole-v1-rock", "0002-cartpole-v1-random", "difference", "random"):
        assert part in out
    code, out, _ = measure(capsys, rock, "--against", random, *RETURN, "--json")
    assert [each["diagnostics"]["subject"][5:] for each in json.loads(out)] == [
        "cartpole-v1-rock",
        "cartpole-v1-random",
    ]


def test_an_agent_is_as_it_had_learned_or_made_again_and_learns_again(capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded(capsys, *WORLD, "--episodes", 1)
    asked = (folder, "--metric", "depth", "--plugin", "deep.py", "--set", "depth.scale=2")
    for learns in (False, True):
        code, out, err = measure(capsys, *asked)
        assert code == 0, err
        assert "outside the null" in out
        assert ("experience: 40 of 40 steps" in err) == learns
        assert "did not do" not in err
        assert "evaluation" not in err
        shutil.rmtree(Path(folder) / "learned", ignore_errors=True)


def test_learning_that_is_not_repeated_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(recorded(capsys, *WORLD, "--episodes", 1))
    file = folder / "experiment.toml"
    file.write_text(file.read_text().replace("seed = 0", "seed = 1").replace("steps = 40", "steps = 60"))
    code, _, err = measure(capsys, folder, "--metric", "depth", "--plugin", "deep.py")
    assert code == 0
    assert "did not do what it did then" in err


def test_what_does_not_apply_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = measure(capsys, *WORLD, "--agent", "rock", "--plugin", "deep.py", "--no-references")
    assert code == 0
    assert "not measured: never: it cannot be applied here: look elsewhere" in err.splitlines()
    assert "never" not in out
    assert "depth" in out


def test_a_record_alone_is_measured_where_its_world_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(recorded(capsys, *WORLD, "--agent", "random"))
    (folder / "experiment.toml").unlink()
    code, out, err = measure(capsys, folder, "--plugin", "deep.py")
    assert code == 0
    assert "episode_return" in out
    assert "not measured: depth: Depth looks at internals and needs agent, environment" in err


def test_a_metric_that_breaks_costs_one_line_and_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = measure(capsys, *WORLD, "--agent", "rock", "--plugin", "broken.py")
    assert code == 1
    assert "failed: broken: it broke, ZeroDivisionError: of nothing" in err
    assert "depth" in out
    code, _, err = measure(capsys, *WORLD, "--agent", "rock", "--plugin", "broken.py", "--metric", "broken")
    assert (code, err.splitlines()[-1]) == (1, "agentic: broken: it broke, ZeroDivisionError: of nothing")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected either the folder of a run or --env ID"),
        (("runs", "--env", "CartPole-v1"), "expected either the folder of a run or --env ID"),
        (("runs",), "is not the folder of a run"),
        (("deep.py",), "is not the folder of a run"),
        (("minari:no/such-v0",), "is not here"),
        (("--env", "NoSuchWorld-v1", "--agent", "random"), "unknown environment 'NoSuchWorld-v1'"),
        (("--env", "CartPole-v1", "--agent", "randm"), "did you mean 'random'?"),
        (("--env", "CartPole-v1", "--metric", "episode_retrn"), "did you mean 'episode_return'?"),
        (("--env", "CartPole-v1", "--set", "episode_return.levl=0.9"), "did you mean 'level'?"),
        (("--env", "CartPole-v1", "--set", "episode_return.level=9"), "a level between 0 and 1"),
        (("--env", "CartPole-v1", "--set", "episode_retrn.level=0.9"), "did you mean 'episode_return'?"),
        (("--env", "CartPole-v1", "--set", "level=0.9"), "write METRIC.KEY=VALUE"),
        (("--env", "CartPole-v1", "--seeds", "0"), "0 is not in the range x>=1"),
        (("--env", "CartPole-v1", "--against", "nowhere"), "nowhere is not the folder of a run"),
        ((*WORLD, "--agent", "rock", "--plugin", "deep.py", "--metric", "never"), "never: it cannot be applied here"),
    ],
)
def test_mistakes_are_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = measure(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]


@pytest.mark.parametrize("flag", ["--agent", "--seeds", "--episodes"])
def test_a_record_stays_as_it_is(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    folder = recorded(capsys, *WORLD, "--agent", "rock")
    code, _, err = measure(capsys, folder, flag, "3")
    assert code == 2
    assert f"{flag} goes with --env" in err


def found(value: float = 1.0, p: float | None = None, half: float | None = None, **more: Any) -> Measurement:
    interval = None if half is None else Interval(0.95, value - half, value + 2 * half, "told")
    null = None if p is None else Null("shuffled", 0.0, 1.0, 99, p)
    return Measurement(
        metric="m",
        value=value,
        unit="bits",
        access=Access.RECORDS,
        frame=FRAME,
        estimator="known",
        interval=interval,
        null=null,
        **more,
    )


def test_verdicts_are_adjusted_for_their_number() -> None:
    rows = [Row("a", [found(p=0.03)]), Row("b", [found(p=0.001)]), Row("c", [found()])]
    assert verdicts(rows) == [Verdict.OUTSIDE, Verdict.OUTSIDE, Verdict.NO_NULL]
    rows.append(Row("d", [found(p=0.04)]))
    assert verdicts(rows) == [Verdict.INSIDE, Verdict.OUTSIDE, Verdict.NO_NULL, Verdict.INSIDE]


def test_exact_nulls_are_no_tests_to_adjust_for() -> None:
    exact = Null("zero", 0.0, 0.0, 1, 0.0)
    rows = [Row(str(i), [replace(found(), null=exact)]) for i in range(9)]
    assert verdicts([*rows, Row("a", [found(p=0.03)])]) == [Verdict.OUTSIDE] * 10


def test_surrogates_that_are_too_few_among_so_many_are_reported() -> None:
    rows = [Row(str(i), [found(p=0.01)]) for i in range(6)]  # 1 / (1 + 99): none of them reaches the value
    assert verdicts(rows) == [Verdict.TOO_FEW_SURROGATES] * 6
    assert verdicts(rows[:4]) == [Verdict.OUTSIDE] * 4


def test_little_data_is_no_verdict() -> None:
    few = found(p=0.001, warnings=("9 samples are too few: record at least 10",), enough=False)
    assert verdicts([Row("a", [few])]) == [Verdict.TOO_LITTLE_DATA]


def test_p_values_of_seeds_are_put_together() -> None:
    halves = [found(1.0, p=0.5), found(2.0, p=0.5)]
    assert Row("a", halves).p_value == pytest.approx(0.25 * (1 - 2 * -0.6931471805599453))
    assert Row("a", [*halves, *halves]).p_value == Row("a", halves).p_value  # the same again is no more evidence
    assert Row("a", [found(1.0, p=0.0), found(2.0, p=1.0)]).p_value == 0.0
    assert Row("a", [found(1.0, p=1.0), found(2.0, p=1.0)]).p_value == 1.0
    assert Row("a", [found(p=0.5), found()]).p_value is None


def test_seeds_that_agree_to_the_last_bit_have_the_interval_of_one() -> None:
    one = found(p=0.1, half=0.5, samples=9)
    assert Row("a", [one] * 3).estimate == (one.value, one.interval)


def test_difference_has_the_width_of_both() -> None:
    a, b = Row("m", [found(5.0, half=3.0, samples=9)]), Row("m", [found(1.0, half=4.0, samples=9)])
    delta, interval = difference(a, b)
    assert delta == 4.0
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((4 - (3**2 + 8**2) ** 0.5, 4 + (6**2 + 4**2) ** 0.5))
    exact = Row("m", [found(2.0)])
    _, interval = difference(a, exact)
    assert interval is not None
    assert (interval.low, interval.high) == (0.0, 9.0)
    assert difference(exact, exact) == (0.0, None)
    assert difference(a, Row("m", [found(2.0, samples=3)])) == (3.0, None)


def test_one_reason_of_many_metrics_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    _tell({"a": UserError("it needs\narrays"), "b": RunError("no"), "c": UserError("it needs arrays")})
    assert capsys.readouterr().err.splitlines() == ["not measured: a, c: it needs arrays", "failed: b: no"]
