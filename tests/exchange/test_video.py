"""A video shows the world of a recorded episode, made again and compared, with what the agent believed beside it."""

import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agentic import Record, UserError, load
from agentic.cli import main
from agentic_exchange import make_video
from agentic_exchange.frames import world_frames
from agentic_exchange.worlds import world_of_run
from agentic_exchange.writing import write_video

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four episodes of the energy agent in two rows of the T-maze, its plans recorded."""
    monkeypatch.chdir(tmp_path)
    run = ["run", "--env", "agentic/TMaze-v0", "--episodes", "4", "--envs", "2", "--set", "run.candidates=2", "--quiet"]
    assert main(run) == 0
    return next(Path("runs").iterdir())


def test_frames_are_those_of_the_world_as_it_was(folder: Path) -> None:
    record, registry = Record.open(folder), load()
    for number, (row, place) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        episode = record.episode(number)
        assert (episode.row, episode.episode) == (row, place)
        world = world_of_run(folder, registry, trust=False, render_mode="rgb_array")
        frames = list(world_frames(record, episode, world))
        assert len(frames) == episode.length + 1
        assert any((frames[0] != each).any() for each in frames[1:])
        world.close()


@pytest.mark.parametrize("ending", ["gif", "mp4"])
def test_a_video_is_written(ending: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if ending == "mp4":
        pytest.importorskip("imageio_ffmpeg")
    file = Path(f"maze.{ending}")
    assert main(["video", str(folder), "--episode", "2", "--out", str(file), "--fps", "5"]) == 0
    length = Record.open(folder).episode(2).length
    assert f"{file}: {length + 1} frames" in capsys.readouterr().out
    assert not list(Path().glob(".*.part*"))
    if ending == "gif":
        with Image.open(file) as found:
            assert (found.n_frames, found.info["duration"], found.info["loop"]) == (length + 1, 200, 0)
            assert found.size[0] > found.size[1]
    else:
        assert file.read_bytes()[4:8] == b"ftyp"


def test_every_frame_has_its_colors(tmp_path: Path) -> None:
    colors = [(200, 30, 40), (10, 220, 60), (0, 0, 250)]
    file = tmp_path / "colors.gif"
    assert write_video((Image.new("RGB", (40, 30), color) for color in colors), file, 10) == 3
    with Image.open(file) as found:
        for place, color in enumerate(colors):
            found.seek(place)
            assert np.abs(np.asarray(found.convert("RGB"))[5, 5].astype(int) - color).max() < 4


def test_long_videos_take_the_memory_of_short_ones(tmp_path: Path) -> None:
    def noise(count: int) -> Iterator[Any]:
        draws = np.random.default_rng(0)
        for _ in range(count):
            yield Image.fromarray(draws.integers(0, 255, (100, 100, 3), np.uint8))

    def peak(count: int) -> int:
        tracemalloc.start()
        assert write_video(noise(count), tmp_path / f"{count}.gif", 10) == count
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)  # which imports
    assert peak(100) < 2 * peak(4)


def test_another_world_is_found_out_and_belief_shown_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agentic.experiments.reliving.environment_seed", lambda *_, **__: 5)
    for number in range(4):
        assert main(["video", str(folder), "--episode", str(number), "--out", f"{number}.gif"]) == 0
    assert "there is no picture of the world: the world, made again, is another one from" in capsys.readouterr().err


def test_an_episode_of_which_nothing_can_be_drawn_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pygame", None)
    assert main(["run", "--env", "CartPole-v1", "--agent", "random", "--episodes", "1", "--quiet"]) == 0
    assert main(["video", "runs/0001-cartpole-v1-random", "--out", "pole.gif"]) == 2
    said = capsys.readouterr().err
    assert "there is nothing to draw: no picture of the world, pygame is not installed" in said
    assert "gymnasium[classic-control]" in said
    assert not Path("pole.gif").exists()


def test_mistakes_are_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, said in (
        (["--episode", "9"], "there is no episode 9 of the phase evaluate; known: 0 to 3"),
        (["--phase", "learn"], "there is no episode 0 of the phase learn; known: none"),
        (["--out", "film.avi"], "a video is a .gif or an .mp4, got film.avi"),
    ):
        assert main(["video", str(folder), *given]) == 2
        assert said in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"or ask for a \.gif"):
        make_video(folder, "film.mp4", load())


def test_what_only_the_folder_names_needs_trust(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hashlib import sha256

    from agentic.runs import RunFolder, annotate

    file = folder / "experiment.toml"
    file.write_text(file.read_text().replace('id = "agentic/TMaze-v0"', 'id = "theirs:World-v0"'))
    annotate(RunFolder(folder), experiment=sha256(file.read_bytes()).hexdigest())
    assert main(["video", str(folder)]) == 2
    assert "only with --trust" in capsys.readouterr().err
