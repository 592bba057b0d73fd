"""The integrity of a record: flipped bits, lost, doubled and foreign chunks, and what stays readable."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agentic import Record, Recording, Schedule, UserError, run
from agentic.environments.environment import EnvironmentLike
from agentic.metrics.results import Result
from agentic.runs.folder import RunFolder
from agentic.runs.manifest import annotate
from agentic.testing.worlds import Coin
from tests.agentic.worlds import Walk


def recorded(folder: Path, env: EnvironmentLike = "CartPole-v1", episodes: int = 35, seed: int = 0) -> Path:
    """A run of at least two chunks, with an experiment beside it."""
    folder.mkdir()
    RunFolder(folder).experiment_file.write_text(f'[env]\nid = "{env}"\n', encoding="utf-8")
    run(Coin(), env, Schedule(episodes=episodes), Recording(folder), seed=seed)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = recorded(tmp_path_factory.mktemp("records") / "run")
    assert len(Record.open(folder).chunks) == 2
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def without_list(folder: Path) -> None:
    """Make of it a record as they were before manifests listed chunks."""
    file = RunFolder(folder).manifest_file
    content = json.loads(file.read_text())
    file.write_text(json.dumps({key: content[key] for key in content if key not in ("chunks", "checksum")}))


def numbers(folder: Path) -> list[object]:
    """All that is read of a run's folder as numbers."""
    record = Record.open(folder)
    return [record.table(), record.candidates(), dict(record.manifest), Result.read(folder)]


def check_flips(folder: Path, times: int, *, evenly: bool = False) -> None:
    """Flip single bits anywhere in a run's folder: each is noticed, or changes nothing that can be read.

    Files are chosen by their sizes or `evenly`; the traceback of a failed run is a text for people.
    """
    before = numbers(folder)
    files = sorted(path for path in folder.rglob("*.*") if path != RunFolder(folder).error_file)
    sizes = [1 if evenly else path.stat().st_size for path in files]
    rng, silent, noticed = np.random.default_rng(1), 0, 0
    for _ in range(times):
        file = files[rng.choice(len(files), p=np.array(sizes) / sum(sizes))]
        sound = file.read_bytes()
        data = bytearray(sound)
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        file.write_bytes(data)
        if Record.salvage(folder).problems:
            noticed += 1
        elif numbers(folder) != before:
            silent += 1
        file.write_bytes(sound)
    assert silent == 0
    assert noticed >= (0.6 if evenly else 0.9) * times  # much of a JSON file is blanks


def test_flipped_bits_are_noticed(copy: Path) -> None:
    check_flips(copy, 40)


@pytest.mark.slow
def test_many_flipped_bits_are_noticed(copy: Path) -> None:
    check_flips(copy, 1000)


@pytest.mark.parametrize("name", ["ticks-000001.parquet", "ticks-" + "9" * 200 + ".parquet"])
def test_chunks_of_any_number_are_one_sentence(name: str, copy: Path) -> None:
    without_list(copy)
    (copy / "ticks/ticks-000001.parquet").rename(copy / f"{name}.x")
    (copy / f"{name}.x").rename(copy / name)
    (copy / "ticks/ticks-000000.parquet").unlink()
    with pytest.raises(UserError, match=r"ticks-000000\.parquet .*missing"):
        Record.open(copy).table()


def test_links_out_of_the_folder_are_not_read(copy: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = RunFolder(copy)
    for file in (folder.chunk("ticks", 1), folder.experiment_file):
        file.rename(outside / file.name)
        file.symlink_to(outside / file.name)
    (outside / "error.txt").write_text("a secret")
    folder.error_file.symlink_to(outside / "error.txt")
    annotate(folder, status="failed")
    found = Record.salvage(copy)
    assert found.problems == [
        f"{folder.chunk('ticks', 1)} is a link out of its folder: the run wrote it",
        f"{folder.experiment_file} is not the one the run was made from",
    ]
    assert len(found.table()) == 256
    assert folder.status == "failed"
    folder.manifest_file.rename(outside / "manifest.json")
    folder.manifest_file.symlink_to(outside / "manifest.json")
    with pytest.raises(UserError, match=r"manifest\.json cannot be read: it is no file of this folder"):
        Record.open(copy).table()
    assert Record.salvage(copy).manifest == {}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("how", ["lost", "doubled", "flipped", "foreign", "of other types"])
def test_what_is_wrong_with_a_chunk_is_one_sentence_and_the_rest_is_read(
    how: str, listed: bool, copy: Path, tmp_path: Path
) -> None:
    first, second = Record.open(copy).chunks
    third = RunFolder(copy).chunk("ticks", 2)
    sound = Record.open(copy).table()
    if not listed:
        without_list(copy)
        assert Record.salvage(copy).problems == []
    if how == "lost":
        first.unlink()
        left, named = sound.slice(256), first
    elif how == "doubled":
        shutil.copy(first, third)
        left, named = sound, third
    elif how == "flipped":
        data = bytearray(second.read_bytes())
        data[len(data) // 2] ^= 8
        second.write_bytes(data)
        left, named = sound.slice(0, 256), second
    else:
        other = recorded(tmp_path / "other", "CartPole-v1" if how == "foreign" else Walk(), 100, seed=1)
        shutil.copy(Record.open(other).chunks[1], second)
        left, named = sound.slice(0, 256), second
    with pytest.raises(UserError, match=named.name):
        Record.open(copy).table()
    with pytest.raises(UserError, match=named.name):
        Record.open(copy).returns()
    rest = Record.salvage(copy)
    assert len(rest.problems) == 1
    assert rest.table().equals(left)


def test_a_lost_chunk_in_the_middle_is_noticed_without_a_list(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", episodes=60)
    without_list(folder)
    _, second, _ = Record.open(folder).chunks
    second.unlink()
    (problem,) = Record.salvage(folder).problems
    assert problem == f"{second} is missing"


def test_a_lost_last_chunk_is_noticed_without_a_list(copy: Path) -> None:
    without_list(copy)
    Record.open(copy).chunks[1].unlink()
    (problem,) = Record.salvage(copy).problems
    assert "steps of evaluate, its chunks hold 256" in problem


def test_a_killed_run_may_have_one_chunk_more_than_it_lists(copy: Path, tmp_path: Path) -> None:
    file = RunFolder(copy).manifest_file
    content = json.loads(file.read_text())
    sound = Record.open(copy).table()
    first = {name: entry for name, entry in content["chunks"].items() if name.endswith("0.parquet")}
    annotate(RunFolder(copy), status="running", chunks=first)
    assert Record.open(copy).table().equals(sound)
    second = Record.open(copy).chunks[1]
    shutil.copy(Record.open(recorded(tmp_path / "other", seed=1)).chunks[1], second)
    with pytest.raises(UserError, match="do not follow from those before it"):
        Record.open(copy).table()


def test_a_changed_manifest_is_refused_and_what_it_says_salvaged(copy: Path) -> None:
    file = RunFolder(copy).manifest_file
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(UserError, match=r"manifest\.json is damaged: its checksum"):
        Record.open(copy).table()
    with pytest.raises(UserError, match=r"manifest\.json is damaged"):
        _ = Record.open(copy).manifest
    assert Record.salvage(copy).manifest["seed"] == 1
    assert len(Record.salvage(copy).table())


def test_a_changed_experiment_is_remarked(copy: Path) -> None:
    file = RunFolder(copy).experiment_file
    file.write_text(file.read_text() + "\n")
    assert Record.salvage(copy).problems == [f"{file} is not the one the run was made from"]
    assert len(Record.open(copy).table())


def test_pages_have_checksums(whole: Path) -> None:
    path = Record.open(whole).chunks[0]
    data = path.read_bytes()
    noticed = 0
    for place in range(100, len(data) // 2, 97):
        bad = bytearray(data)
        bad[place] ^= 1
        try:
            pq.read_table(pa.BufferReader(bytes(bad)), page_checksum_verification=True)
        except (OSError, ValueError):
            noticed += 1
    assert noticed >= 0.9 * len(range(100, len(data) // 2, 97))
