"""The replay: known stories of known agents, worlds made again, and what is shown where they cannot be."""

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from agentic import Experiment, Record, UserError, load
from agentic.experiments.build import build
from agentic.runs import RunFolder, annotate
from agentic_report.replay import BYTES, _cuts, _telling, replay, story
from agentic_report.scenes import scene, styled
from tests.report import folders

CENTER, LEFT, RIGHT, CUE = range(4)
REGISTRY = load()
TMAZE = folders.TMAZE | {"run": {"candidates": 16}}
GRID: dict[str, Any] = {
    "env": {
        "id": "agentic/GridWorld-v0",
        "kwargs": {"layout": [3, 3], "goals": [[2, 2, 1.0]], "exit": True, "steps": 12},
    },
    "agent": {"name": "random"},
    "evaluate": {"episodes": 3},
}


def record_of(folder: Path, tables: dict[str, Any]) -> Record:
    return build(Experiment.of(tables), REGISTRY).run(folder)


def random(folder: Path, id: str, **kwargs: Any) -> Record:
    world = {"id": id, "kwargs": kwargs}
    return record_of(folder, {"env": world, "agent": {"name": "random"}, "evaluate": {"episodes": 2}})


@pytest.fixture(scope="module")
def tmaze(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tmaze")
    record_of(folder, TMAZE)
    return folder


def test_the_cue_comes_first_and_then_the_arm(tmaze: Path) -> None:
    found = story(Record.open(tmaze))
    assert found["actions"][CUE] == "cue"
    assert len(found["episodes"]) == 2
    for episode in found["episodes"]:
        assert episode["action"][0] == [CUE]
        assert episode["action"][1][0] in (LEFT, RIGHT)
        assert episode["obs"][0] == [CENTER, 0]
        assert episode["obs"][1][0] in (CUE, CUE + 1)
        assert len(episode["obs"]) == len(episode["action"]) + 1 == 5
        assert episode["end"] == "truncated"


def test_the_pictures_are_those_of_the_observations(tmaze: Path) -> None:
    found = story(Record.open(tmaze))
    assert (found["scene"], found["note"]) == ("text", None)
    for episode in found["episodes"]:
        pictures = ["".join(text for text, _ in found["frames"][place]) for place in episode["frame"]]
        assert len(pictures) == len(episode["obs"])
        for picture, (place, outcome) in zip(pictures, episode["obs"], strict=True):
            column, row = {CENTER: (1, 0), LEFT: (0, 0), RIGHT: (2, 0)}.get(place, (1, 2))
            assert picture.split("\n")[row][column] == "@"
            assert ("+" in picture) == (outcome != 1), "the agent stands on the reward where it sees it"


def test_beliefs_are_reported_factor_by_factor(tmaze: Path) -> None:
    found = story(Record.open(tmaze))
    assert found["belief"] == {"kind": "factors", "sizes": [4, 2], "names": ("location", "side")}
    for episode in found["episodes"]:
        before, after = episode["belief"][:2]
        assert before == [[[CENTER, 1]], [[0, 0.5], [1, 0.5]]]
        assert after[0] == [[CUE, 1]]
        side = episode["obs"][1][0] - CUE
        assert dict(map(tuple, after[1]))[side] == pytest.approx(0.95)


def test_candidates_sum_to_one_and_their_terms_to_the_energy(tmaze: Path) -> None:
    found = story(Record.open(tmaze))
    assert found["terms"] == ["pragmatic", "− state gain"]
    for episode in found["episodes"]:
        for action, plans, energy in zip(
            episode["action"], episode["plans"], episode["energies"]["expected_energy"], strict=True
        ):
            assert len(plans) == 4
            assert sum(probability for _, probability, _ in plans) == pytest.approx(1)
            assert plans[0][0] == [action]
            assert sum(plans[0][2]) == pytest.approx(energy, abs=2e-3)
            totals = [sum(terms) for _, _, terms in plans]
            assert totals == sorted(totals)


def test_without_candidates_the_chosen_plan_has_its_terms(tmp_path: Path) -> None:
    found = story(record_of(tmp_path, TMAZE | {"run": {}, "evaluate": {"episodes": 1}}))
    episode = found["episodes"][0]
    assert found["terms"] == ["pragmatic", "− state gain"]
    for action, plans, energy in zip(
        episode["action"], episode["plans"], episode["energies"]["expected_energy"], strict=True
    ):
        assert [plan[:2] for plan in plans] == [[[action], None]]
        assert sum(plans[0][2]) == pytest.approx(energy, abs=2e-3)


def test_a_fragment_stands_by_itself(tmaze: Path) -> None:
    html = replay(tmaze, "<b>maze</b> & co")
    assert "&lt;b&gt;maze&lt;/b&gt; &amp; co" in html
    assert "<b>" not in html
    assert not re.search(r"\sid=", html), "several replays share a page"
    data = re.search(r'<script type="application/json">(.*?)</script>', html, re.S)
    assert data is not None
    assert json.loads(data[1]) == json.loads(json.dumps(story(Record.open(tmaze))))


def test_a_grid_shows_where_the_agent_is_and_when_it_left(tmp_path: Path) -> None:
    found = story(record_of(tmp_path, GRID))
    assert found["belief"] is None
    assert found["terms"] == []
    for episode in found["episodes"]:
        assert episode["plans"] == [[] for _ in episode["action"]]
        for place, (cell,) in zip(episode["frame"], episode["obs"], strict=True):
            frame = found["frames"][place]
            flat = "".join(text for text, _ in frame).replace("\n", "")
            assert flat.find("@") == (cell if cell < 9 else -1)
            assert [style for text, style in frame if text == "@"] == ["agent"] * (cell < 9)


def marked(frame: list[tuple[str, str]]) -> int:
    """The number of the cell whose letter is styled, counted over the rows of a grid."""
    before = [text for text, _ in frame[: [style != "" for _, style in frame].index(True)]]
    return len(re.sub(r"\(\w+\)|\s", "", "".join(before)))


@pytest.mark.parametrize("id", ["FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_worlds_of_text_are_made_again(id: str, tmp_path: Path) -> None:
    record = random(tmp_path, id, max_episode_steps=20)
    episodes = record.episodes("evaluate")
    found = scene(record, episodes)
    assert (found.kind, found.note) == ("text", None)
    for episode, places in zip(episodes, found.places, strict=True):
        seen = [*episode.arrays["obs"], episode.arrays["next_obs"][-1]]
        assert len(places) == len(seen)
        if id != "Taxi-v4":  # whose state is more than a cell
            assert [marked(found.frames[place]) for place in places] == seen


@pytest.mark.parametrize(
    ("id", "kind"),
    [
        *(("CartPole-v1", "cartpole"), ("Pendulum-v1", "pendulum"), ("MountainCar-v0", "mountaincar")),
        *(("MountainCarContinuous-v0", "mountaincar"), ("Acrobot-v1", "acrobot")),
    ],
)
def test_classic_worlds_are_drawn_from_their_observations(id: str, kind: str, tmp_path: Path) -> None:
    found = story(random(tmp_path, id, max_episode_steps=10))
    assert (found["scene"], found["frames"], found["note"]) == (kind, [], None)
    assert len(found["observations"]) == len(found["episodes"][0]["obs"][0])


def test_a_world_that_shows_other_things_is_not_believed(tmp_path: Path) -> None:
    record = record_of(tmp_path, GRID)
    path = record.chunks[0]
    table = pq.read_table(path)
    cells = (table["next_obs"].to_numpy() + 1) % 9
    place = table.column_names.index("next_obs")
    pq.write_table(table.set_column(place, table.field(place), [cells]), path)
    annotate(RunFolder(tmp_path), chunks={path.name: {"sha256": sha256(path.read_bytes()).hexdigest()}})
    found = story(Record.open(tmp_path))
    assert (found["scene"], found["frames"]) == ("bars", [])
    assert "is another one from episode 0, step 0 on" in found["note"]
    assert found["episodes"][0]["frame"] == []


def test_a_world_that_is_not_installed_is_shown_as_bars(tmp_path: Path) -> None:
    record_of(tmp_path, GRID)
    path = tmp_path / "experiment.toml"
    path.write_text(path.read_text().replace("agentic/GridWorld-v0", "elsewhere/Maze-v0"))
    found = story(Record.open(tmp_path))
    assert found["scene"] == "bars"
    assert "could not be made again here" in found["note"]
    path.unlink()
    assert story(Record.open(tmp_path))["note"] == "there is no experiment.toml to make its world again from"


def test_remapped_actions_have_no_words(tmp_path: Path) -> None:
    swapped = {"name": "remap_actions", "order": [4, 3, 2, 1, 0]}
    found = story(record_of(tmp_path, GRID | {"env": GRID["env"] | {"changes": [swapped]}}))
    assert (found["scene"], found["actions"], found["observations"]) == ("text", (), ("cell",))


def test_a_replay_opens_with_the_whole_episode_that_earned_most(tmp_path: Path) -> None:
    record = record_of(tmp_path, GRID | {"evaluate": {"episodes": 3}})
    returns = [sum(each["reward"]) for each in story(record)["episodes"]]
    assert story(record)["opens"] == returns.index(max(returns))
    episodes = record.episodes("evaluate")
    paid = [
        replace(each, arrays={**each.arrays, "reward": each.arrays["reward"] * 0 + i})
        for i, each in enumerate(episodes)
    ]
    assert _telling(paid) == 2
    cut = replace(paid[2], arrays={**paid[2].arrays, "terminated": np.zeros(1, bool), "truncated": np.zeros(1, bool)})
    assert _telling([*paid[:2], cut]) == 1


def test_a_long_episode_is_cut(tmp_path: Path) -> None:
    tables = {"env": {"id": "agentic/TMaze-v0", "kwargs": {"steps": 700}}, "agent": {"name": "random"}}
    found = story(record_of(tmp_path, tables | {"evaluate": {"episodes": 2}}))
    (episode,) = found["episodes"]
    assert len(episode["action"]) == len(episode["plans"]) == 600
    assert len(episode["obs"]) == len(episode["frame"]) == 601
    assert episode["end"] == "cut here"


def test_less_is_shown_until_it_is_small_enough(tmaze: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, room, shown = Record.open(tmaze), BYTES, []
    for _ in range(4):
        monkeypatch.setattr("agentic_report.replay.BYTES", room)
        found = story(record)
        length = len(json.dumps(found, separators=(",", ":")))
        assert length <= room
        room = length - 1
        first = found["episodes"][0]["plans"][0]
        shown.append((len(found["episodes"]), len(first), first[0][1]))
    assert shown == [(2, 4, 1), (1, 4, 1), (1, 2, 1), (1, 1, None)]


def test_a_run_without_evaluation_is_refused(tmp_path: Path) -> None:
    record = record_of(tmp_path, GRID)
    for path in record.chunks:
        path.unlink()
    with pytest.raises(UserError, match="no evaluation episode to show"):
        replay(tmp_path, "nothing")


def test_gaussian_beliefs_have_deviations(tmp_path: Path) -> None:
    tables = {
        "env": {"id": "CartPole-v1", "kwargs": {"max_episode_steps": 15}},
        "agent": {"name": "energy"},
        "model": {"name": "linear_gaussian", "prior_precision": 1e-8},
        "goal": {"name": "quadratic", "weights": [1.0, 0.0, 1.0, 0.0]},
        "inference": {"name": "newton"},
        "planner": {"name": "riccati", "horizon": 8, "effort": {"name": "effort", "scale": 0.2}},
        "learner": {"name": "conjugate"},
        "learn": {"steps": 40, "warmup": 20},
        "evaluate": {"episodes": 1},
    }
    record = record_of(tmp_path, tables)
    found, arrays = story(record), record.episodes("evaluate")[0].arrays
    assert found["belief"]["kind"] == "points"
    means, deviations = zip(*found["episodes"][0]["belief"], strict=True)
    np.testing.assert_allclose(means, arrays["belief.mean"], rtol=1e-3)
    variances = np.diagonal(arrays["belief.covariance"], axis1=1, axis2=2)
    np.testing.assert_allclose(np.square(deviations), variances, rtol=3e-3)
    low, high = found["belief"]["range"]
    assert (np.array(low) <= np.min(means, 0) - np.min(deviations, 0)).all()
    assert (np.array(high) >= np.max(means, 0) + np.min(deviations, 0)).all()


def test_factors_are_read_where_the_world_does_not_tell() -> None:
    probs = np.array([[0.0, 1.0, 0.0, 0.5, 0.5], [0.3, 0.3, 0.4, 1.0, 0.0]])
    assert _cuts(probs) == [0, 3, 5]


def test_colors_of_a_terminal_become_styles() -> None:
    assert styled("  (Up)\nS\x1b[41mF\x1b[0mH\n") == [("  (Up)\nS", ""), ("F", "41"), ("H", "")]
    assert styled("..\n@.\n") == [("..\n", ""), ("@", "agent"), (".", "")]
    assert styled("ox\n", "x") == [("o", ""), ("x", "agent")]
