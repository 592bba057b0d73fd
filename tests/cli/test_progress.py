"""What is told of a run while it goes on: returns of completed episodes, and what learning reported."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from agentic import Decision, Experiment, Tick
from agentic.cli.live import DRAWN, Live, Trace
from agentic.cli.progress import _News, progress
from agentic.runs.run import Progress
from agentic.runs.seeds import Phase
from agentic.tick import Native


def reported(
    rewards: list[float], ended: list[bool], phase: Phase, counts: tuple[int, int], learned: Mapping[str, float] = {}
) -> Progress:
    """A tick of some rows, the last of which is not valid where its reward is NaN."""
    pay, over = np.array(rewards), np.array(ended)
    nothing = torch.zeros(len(pay), 1)
    where = (over, np.zeros_like(over), ~np.isnan(pay), np.zeros(len(pay), int), np.zeros(len(pay), int))
    tick = Tick(nothing, nothing, nothing, pay, *where, Decision(nothing), Native(None, None, None))
    return Progress(phase, tick, *counts, learned)


def experiment(steps: int, episodes: int) -> Experiment:
    return Experiment.of(
        {
            "env": {"id": "CartPole-v1"},
            "agent": {"name": "random"},
            "learn": {"steps": steps},
            "evaluate": {"episodes": episodes},
        }
    )


def test_lines_tell_returns_and_what_was_learned(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentic.cli.progress.SECONDS", 0.0)
    with progress(experiment(9, 3)) as observe:
        assert observe is not None
        observe(reported([1.0, 5.0], [False, False], "learn", (2, 0)))
        observe(reported([2.0, 6.0], [True, False], "learn", (4, 1), {"loss": 0.125}))
        observe(reported([4.0, float("nan")], [True, True], "learn", (5, 2), {"error": float("nan")}))
        observe(reported([7.0, 1.0], [False, True], "evaluate", (2, 1)))
        observe(reported([1.0, 1.0], [True, True], "evaluate", (4, 3)))
    assert capsys.readouterr().err.splitlines() == [
        "experience: 2 of 9 steps",
        "experience: 4 of 9 steps, return 3, loss 0.12",
        "experience: 5 of 9 steps, return 3.5, loss 0.12, error -",
        "evaluation: 1 of 3 episodes, 2 steps, return 1",
        "evaluation: 3 of 3 episodes, 4 steps, return 3.333",
    ]


def test_an_episode_that_began_before_the_run_went_on_has_no_return(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentic.cli.progress.SECONDS", 0.0)
    with progress(experiment(0, 5)) as observe:
        assert observe is not None
        within = reported([1.0, 8.0], [True, True], "evaluate", (2, 3))
        observe(replace(within, tick=replace(within.tick, t=np.array([7, 0]))))
        observe(reported([4.0, 3.0], [True, True], "evaluate", (4, 5)))
    assert capsys.readouterr().err.splitlines() == [
        "evaluation: 3 of 5 episodes, 2 steps, return 8",
        "evaluation: 5 of 5 episodes, 4 steps, return 5",
    ]


def test_while_learning_the_last_five_episodes_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentic.cli.progress.SECONDS", 0.0)
    with progress(experiment(99, 1)) as observe:
        assert observe is not None
        for number in range(10):
            observe(reported([float(number)], [True], "learn", (number + 1, number + 1)))
    assert capsys.readouterr().err.splitlines()[-1] == "experience: 10 of 99 steps, return 7"


def test_bars_draw_return_energy_and_model_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("agentic.cli.progress.monotonic", iter(range(100)).__next__)
    with progress(experiment(4, 1)) as observe:
        assert observe is not None
        for number, pay in enumerate([0.0, 7.0, 3.0, float("inf")], 1):
            learned = {"loss": 2.0, "squared_error": 8.0 / number, "value_error": 0.5}
            news = reported([pay], [True], "learn", (number, number), learned)
            news.tick.decision = Decision(torch.zeros(1, 1), energies={"free_energy": torch.tensor([-2.0 * number])})
            observe(news)
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert "return                      ▁█▄ inf" in lines
    assert "free energy                 █▆▃▁ -5" in lines
    assert "model error (squared error) █▃▂▁ 4.167" in lines
    assert "loss 2, value error 0.5" in lines


def test_a_terminal_without_a_cursor_gets_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    with progress(experiment(2, 1)) as observe:
        assert observe is not None
        observe(reported([1.0], [True], "evaluate", (1, 1)))
    assert capsys.readouterr().err == "evaluation: 1 of 1 episodes, 1 steps, return 1\n"


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_drawn_where_nobody_looks(
    quiet: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentic.cli.progress.SECONDS", 0.0)
    with progress(experiment(2, 1), quiet=quiet) as observe:
        if observe is not None:
            news = reported([1.0], [True], "learn", (1, 1), {"squared_error": 0.25})
            news.tick.decision = Decision(torch.zeros(1, 1), energies={"free_energy": torch.tensor([3.0])})
            observe(news)
    said = "" if quiet else "experience: 1 of 2 steps, return 1, squared_error 0.25\n"
    assert capsys.readouterr().err == said


def test_a_long_course_is_drawn_in_few_bars() -> None:
    trace = Trace()
    for step in range(10_000):
        trace.add(float(step))
    trace.add(float("nan"))
    drawn = trace.drawn("utf-8")
    assert DRAWN / 2 <= len(drawn) <= DRAWN
    assert drawn == "".join(sorted(drawn))
    assert trace.latest == pytest.approx(9989.5)


@pytest.mark.parametrize("rewards", [[1e308, -1e308, 0.0], [np.inf, -np.inf, 1.0], [-np.inf, 2.0, 1e308]])
def test_rewards_beyond_floats_break_no_run(rewards: list[float]) -> None:
    news, live = _News(), Live("utf-8")
    for reward in rewards:
        heard = reported([reward], [True], "evaluate", (1, 1))
        news.hear(heard)
        live.hear(heard, news.ended)
    assert news.words().startswith(", return ")
    (line,) = live.lines(news.latest())
    assert line.startswith("return ")
