"""What a replay says of any space: the very numbers of the record by their names, and pictures pixel by pixel."""

import json
import warnings
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings, strategies as st
from PIL import Image

import agentic
from agentic import Experiment, Record, load
from agentic.experiments.build import build
from agentic_report.parts import WIDEST, Part, is_picture, number, parts
from agentic_report.pictures import flat, shrunk
from agentic_report.replay import story
from agentic_report.writing import report
from tests.report.seeing import Sampled, Space, leaves, registered

SHAPES = st.sampled_from([(1,), (3,), (2, 3), (9,), (40,), (2, 2, 2)])
NUMBERS: list[st.SearchStrategy[Space]] = [
    SHAPES.map(lambda shape: spaces.Box(-5, 5, shape, np.float32)),
    SHAPES.map(lambda shape: spaces.Box(-(10**6), 10**6, shape, np.int64)),
    st.builds(spaces.Discrete, st.integers(1, 10**6), start=st.integers(-7, 7)),
    st.lists(st.integers(1, 30), min_size=1, max_size=12).map(spaces.MultiDiscrete),
    st.sampled_from([spaces.MultiBinary(1), spaces.MultiBinary(4), spaces.MultiBinary((2, 3))]),
]
PICTURES = st.sampled_from([(9, 8, 3), (3, 9, 8), (8, 9, 1), (4, 9, 8), (8, 9), (12, 10, 3), (2, 9, 8, 3)]).map(
    lambda shape: spaces.Box(0, 255, shape, np.uint8)
)
TEXT = st.just(spaces.Text(12))
KEYS = st.sampled_from(["speed", "place", "camera", "gear", "two words", "v.w", "<b>"])
SPACES = st.recursive(
    st.one_of(*NUMBERS, PICTURES, TEXT),
    lambda inner: st.one_of(
        st.dictionaries(KEYS, inner, min_size=1, max_size=4).map(spaces.Dict),
        st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple),
    ),
    max_leaves=8,
).map(lambda space: spaces.Dict({"always": spaces.Discrete(3), "rest": space}))
ACTIONS = st.sampled_from(
    [
        spaces.Discrete(3),
        spaces.Box(-1, 1, (2,), np.float32),
        spaces.Dict({"steer": spaces.Box(-1, 1, (30,), np.float32), "gear": spaces.Discrete(4, start=-1)}),
        spaces.Tuple((spaces.Discrete(2), spaces.MultiBinary(3))),
    ]
)


def recorded(space: Space, action: Space, folder: Path | None = None) -> tuple[Record, list[dict[str, np.ndarray]]]:
    """The record of an episode, and what its world really showed, leaf by leaf."""
    Sampled.seen.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that texts are left out
        record = agentic.run("random", lambda: Sampled(space, action), episodes=1, out=folder)
    return record, [leaves(each) for each in Sampled.seen[-4:]]


def pixels(url: str) -> np.ndarray:
    """The picture that an address holds, (height, width, 1 or 3)."""
    picture = Image.open(BytesIO(b64decode(url.partition(",")[2])))
    found = np.asarray(picture.convert("L" if picture.mode == "L" else "RGB"))
    return found[..., None] if found.ndim == 2 else found


def checked(found: list[list[float]], kept_of: list[list[Any]], truth: list[dict[str, np.ndarray]]) -> int:
    """Compare the kept numbers of each step with what was shown there; return how many there are."""
    from_ = 0
    for name, size, kept in kept_of:
        for t, seen in enumerate(truth):
            values = seen[name].reshape(-1)
            assert len(values) == size >= kept
            assert found[t][from_ : from_ + kept] == pytest.approx(values[:kept], rel=1e-6)
        from_ += kept
    assert all(len(row) == from_ for row in found)
    return from_


@settings(max_examples=60, deadline=None)
@given(SPACES, ACTIONS)
def test_a_replay_has_the_numbers_that_were_seen_and_done(space: Space, action: Space) -> None:
    record, truth = recorded(space, action)
    found = story(record)
    (episode,) = found["episodes"]
    numbers = {name for name, array in truth[0].items() if not is_picture(array[None])}
    assert {name for name, _, _ in found["seen"]} == numbers
    assert checked(episode["obs"], found["seen"], truth) == len(found["observations"])
    assert len(found["observations"]) == min(WIDEST, sum(truth[0][name].size for name in numbers))
    for album in found["albums"]:
        shown = [pixels(album["urls"][place]) for place in album["places"][0]]
        for picture, seen in zip(shown, truth, strict=True):
            np.testing.assert_array_equal(picture, flat(seen[album["name"]]))
    assert {album["name"] for album in found["albums"]} == truth[0].keys() - numbers
    acted = record.episodes("evaluate")[0].arrays
    done = [
        {name.partition(".")[2]: array[t] for name, array in acted.items() if name.startswith("action")}
        for t in range(3)
    ]
    checked(episode["action"], found["done"], done)
    json.dumps(found, allow_nan=False)


def test_every_leaf_has_its_share_of_the_numbers_that_are_kept() -> None:
    space = spaces.Dict({"all": spaces.Box(0, 1, (100,)), "most": spaces.Box(0, 1, (30,)), "one": spaces.Discrete(3)})
    record, _ = recorded(space, spaces.Discrete(2))
    found = {part.name: (part.kept, part.labels[-1]) for part in parts(record.episodes()[0], "obs")}
    assert found == {"all": (12, "all[11]"), "most": (11, "most[10]"), "one": (1, "one")}


def test_a_number_has_the_place_it_has_in_its_leaf() -> None:
    assert Part("obs.grid", "grid", (2, 3), 4).labels == ["grid[0, 0]", "grid[0, 1]", "grid[0, 2]", "grid[1, 0]"]
    assert Part("obs", "", (2,), 2).labels == ["[0]", "[1]"]
    assert Part("obs", "", (), 1).labels == [""]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(7.0, 7), (-0.0, 0), (123456789.0, 123456789), (1e-20, 1e-20), (0.12345678, 0.1234568), (float("nan"), None)],
)
def test_numbers_are_kept_as_they_are(value: float, shown: float | None) -> None:
    assert number(value, 7) == shown


def test_a_key_may_be_the_empty_text() -> None:
    record, truth = recorded(spaces.Dict({"": spaces.Box(-5, 5, (2,)), "gear": spaces.Discrete(9)}), spaces.Discrete(2))
    found = story(record)
    assert found["seen"] == [["", 2, 2], ["gear", 1, 1]]
    checked(found["episodes"][0]["obs"], found["seen"], truth)


def test_large_pictures_are_made_smaller_and_not_left_out() -> None:
    record, _ = recorded(spaces.Box(0, 255, (400, 300, 3), np.uint8), spaces.Discrete(2))
    sizes = []
    for room in (10**6, 100_000):
        (album,) = story(record, room)["albums"]
        assert sum(map(len, album["urls"])) <= room
        assert len(album["urls"]) == 4
        sizes.append(pixels(album["urls"][0]).shape)
    assert sizes == [(200, 150, 3), (80, 60, 3)]


def test_a_long_strip_is_made_smaller_along_its_longer_side() -> None:
    assert shrunk(np.zeros((1, 5000, 3), np.uint8)).shape == (1, 312, 3)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    tables = {"env": {"id": registered(), "kwargs": {"steps": 40}}, "agent": {"name": "random"}}
    with pytest.warns(match="text in its observations, says, is left out"):
        built = build(Experiment.of(tables | {"evaluate": {"episodes": 2}}), load())
    built.run(folder)
    return folder


def step_of(url: str) -> int:
    """The number that a frame of the drawn world shows."""
    bits = [int(x > 128) for x in pixels(url)[0, 10::30, 0]][:10]
    return sum(bit << (9 - place) for place, bit in enumerate(bits))


def test_what_a_world_draws_and_says_is_in_the_replay(drawn: Path) -> None:
    found = story(Record.open(drawn))
    assert (found["scene"], found["note"]) == ("frames", None)
    (album,) = found["albums"]
    assert (album["name"], len(album["urls"])) == (None, 41), "equal pictures are there once"
    for number_, episode in enumerate(found["episodes"]):
        shown = [step_of(album["urls"][place]) for place in album["places"][number_]]
        assert shown == [*range(41)] == [place for (place,) in episode["obs"]]
        assert episode["texts"] == {"says": [f"step{t}" for t in range(41)]}


def test_a_world_that_is_not_installed_is_drawn_where_it_is_trusted(drawn: Path, tmp_path: Path) -> None:
    folder = copytree(drawn, tmp_path / "received")
    file = folder / "experiment.toml"
    file.write_text(file.read_text().replace("tests/Drawn-v0", "tests.report.seeing:Drawn"))
    found = story(Record.open(folder))
    assert (found["scene"], found["albums"]) == ("bars", [])
    assert found["note"].endswith("this is tests.report.seeing:Drawn; where you trust it give --trust")
    for page in (report(folder), report(folder, tmp_path / "trusted.html", trust=True)):
        assert ('"urls":["data:image/png;' in page.read_text()) is (page.name == "trusted.html")


def test_pictures_of_a_world_are_fewer_and_smaller_where_there_is_little_room(drawn: Path) -> None:
    sizes = []
    for room in (250_000, 12_000, 5_000):
        found = story(Record.open(drawn), room)
        (album,) = found["albums"]
        assert sum(map(len, album["urls"])) <= room
        sizes.append(pixels(album["urls"][0]).shape[1])
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 300
    assert sizes[-1] < 160
