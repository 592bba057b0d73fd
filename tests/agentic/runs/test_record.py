"""The record: columns, chunks, equal bytes, and what survives a kill or a full disk."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from gymnasium import spaces
from pyarrow.dataset import dataset
from torch import Tensor

from agentic import (
    Agent,
    Decision,
    Gaussian,
    Particles,
    Record,
    Recording,
    RunError,
    Schedule,
    UserError,
    make,
    run,
    ticks,
)
from agentic.runs.chunk import LARGEST, Block, boundary
from agentic.runs.folder import RunFolder, create_folder
from agentic.runs.manifest import annotate
from agentic.runs.recorder import Recorder
from agentic.testing.worlds import Coin
from tests.agentic.standins import Same
from tests.agentic.worlds import Echo, Walk

DICT = spaces.Dict({"eye": spaces.Box(0, 1, (2, 3), np.float32), "touch": spaces.Discrete(3, start=1)})


@dataclass
class Thinking(Agent):
    """Acts at random and reports beliefs and energies, from its `late`-th decision on."""

    late: int = 0
    particles: bool = False

    def start(self, batch: int, *, generator: torch.Generator) -> Tensor:
        return torch.zeros(batch)

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        action = torch.eye(2)[torch.randint(2, (len(obs),), generator=generator)]
        if state[0] < self.late:
            return Decision(action, state + 1)
        belief: Any = Gaussian(obs, torch.eye(2).expand(len(obs), 2, 2))
        if self.particles:
            belief = Particles(torch.stack([obs, obs + 2]), torch.full((2, len(obs)), 0.5).log())
        return Decision(action, state + 1, belief=belief, energies={"accuracy": state, "total": torch.tensor(2.0)})


def hashes(folder: Path) -> list[str]:
    return [sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("ticks/ticks-*.parquet"))]


def test_columns_are_those_of_the_format(tmp_path: Path) -> None:
    run(Thinking(), make(Walk, envs=2), Schedule(episodes=4), Recording(tmp_path))
    table = pq.read_table(tmp_path / "ticks/ticks-000000.parquet")
    assert table.column_names == [
        *("phase", "episode", "row", "t", "obs", "next_obs", "action", "reward", "terminated", "truncated"),
        *("energy.accuracy", "energy.total", "belief.mean", "belief.covariance"),
    ]
    assert json.loads(table.schema.metadata[b"shapes"])["belief.covariance"] == [2, 2]
    assert str(table.schema.field("belief.covariance").type).endswith("[4]")
    assert str(table.schema.field("obs").type).startswith("fixed_size_list<")
    assert set(table["phase"].to_pylist()) == {"evaluate"}
    assert table["action"].type == "int64"
    meta = pq.ParquetFile(tmp_path / "ticks/ticks-000000.parquet").metadata.row_group(0)
    assert not any("DICTIONARY" in str(meta.column(i).encodings) for i in range(meta.num_columns))


def test_a_record_reads_as_it_happened(tmp_path: Path) -> None:
    memory = run(Thinking(), make(Walk, envs=3), Schedule(episodes=8), seed=1)
    run(Thinking(), make(Walk, envs=3), Schedule(episodes=8), Recording(tmp_path), seed=1)
    disk = Record.open(tmp_path)
    assert disk.table().equals(memory.table())
    episodes = disk.episodes()
    assert [(e.row, e.episode) for e in episodes] == [*((r, e) for r in (0, 1) for e in range(3)), (2, 0), (2, 1)]
    assert [e.total for e in episodes] == disk.returns().tolist()
    for episode in episodes:
        assert episode.complete
        np.testing.assert_array_equal(episode.arrays["t"], np.arange(episode.length))
        np.testing.assert_array_equal(episode.arrays["obs"][1:], episode.arrays["next_obs"][:-1])
        np.testing.assert_array_equal(episode.arrays["belief.mean"], episode.arrays["obs"])
        assert episode.arrays["belief.covariance"].shape == (episode.length, 2, 2)
    assert disk.table(["reward"]).column_names == ["reward"]
    with pytest.raises(UserError, match="no column"):
        disk.table(["regret"])
    with pytest.raises(UserError, match="not the folder of a run"):
        Record.open(tmp_path / "nowhere")


def test_a_dict_observation_has_one_column_per_key(tmp_path: Path) -> None:
    echo = Echo(DICT, spaces.Discrete(2, start=5))
    run(Same(make(echo).action), echo, Schedule(episodes=1), Recording(tmp_path))
    arrays = Record.open(tmp_path).episodes()[0].arrays
    np.testing.assert_array_equal(arrays["obs.eye"], [seen["eye"] for seen in echo.seen[:4]])
    np.testing.assert_array_equal(arrays["next_obs.touch"], [seen["touch"] for seen in echo.seen[1:5]])
    assert set(arrays["action"]) <= {5, 6}


def test_a_column_that_comes_late_is_nan_before() -> None:
    record = run(Thinking(late=3), Walk(), Schedule(episodes=2))
    for episode in record.episodes():
        np.testing.assert_array_equal(np.isnan(episode.arrays["energy.accuracy"]), episode.arrays["t"] < 3)
        assert np.isnan(episode.arrays["belief.mean"][:3]).all()


def test_a_column_that_a_chunk_lacks_is_nan_there(tmp_path: Path) -> None:
    world = make(Walk())
    recorder = Recorder(world, RunFolder(tmp_path))
    for agent in (Coin(), Thinking()):
        for tick in ticks(agent, world, steps=256):
            recorder.add("learn", tick)
    recorder.close()
    record = Record.open(tmp_path)
    assert len(record.chunks) == 2
    table = record.table()
    assert table["belief.mean"].null_count == 256
    first = record.episodes()[0].arrays
    assert first["belief.covariance"].shape[1:] == (2, 2)
    assert np.isnan(first["belief.mean"][0]).all()


def test_particles_are_represented_by_their_mean() -> None:
    episode = run(Thinking(particles=True), make(Walk, envs=3), Schedule(episodes=3)).episodes()[0]
    np.testing.assert_allclose(episode.arrays["belief.mean"], episode.arrays["obs"] + 1, rtol=1e-6)


def test_chunks_end_at_fixed_ticks(tmp_path: Path) -> None:
    ends = [0]
    while ends[-1] < 13000:
        ends.append(boundary(ends[-1]))
    assert ends == [0, 256, 1024, 4096, 8192, 12288, 16384]
    run(Thinking(), Walk(), Schedule(episodes=1200), Recording(tmp_path))
    lengths = [pq.read_metadata(path).num_rows for path in Record.open(tmp_path).chunks]
    assert lengths[:-1] == [256, 768, 3072][: len(lengths) - 1]
    assert lengths[-1] <= 4096


def test_wide_ticks_make_shorter_chunks() -> None:
    wide = Echo(spaces.Box(0, 1, (1000, 1000), np.float64), spaces.Discrete(2))
    assert Block(0, 5000, make(wide)).room == LARGEST // (16_000_000 + 48)


@pytest.mark.parametrize("envs", [1, 8])
def test_the_same_run_twice_gives_equal_bytes(envs: int, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(Thinking(), make("CartPole-v1", envs=envs), Schedule(episodes=150), Recording(tmp_path / name), seed=5)
    run(Thinking(), make("CartPole-v1", envs=envs), Schedule(episodes=150), Recording(tmp_path / "c"), seed=6)
    a, b, c = (hashes(tmp_path / name) for name in "abc")
    assert len(a) > 1
    assert a == b
    assert a != c


def test_dummy_steps_are_not_recorded() -> None:
    own = gymnasium.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
    record = run(Coin(), own, Schedule(episodes=12))
    for episode in record.episodes():
        np.testing.assert_array_equal(episode.arrays["t"], np.arange(episode.length))
        assert (episode.arrays["reward"] == 1).all()
    assert len(record.returns()) == 12


@pytest.mark.parametrize("at", ["ticks", "manifest"])
def test_a_full_disk_is_one_sentence(at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if at == "ticks":
        monkeypatch.setattr(pq, "write_table", full)
    else:
        monkeypatch.setattr("agentic.runs.files.os.replace", full)
    with pytest.raises(RunError, match=r"cannot be written: No space left on device$"):
        run(Thinking(), Walk(), Schedule(episodes=400), Recording(tmp_path))
    if at == "ticks":
        assert Record.open(tmp_path).manifest["status"] == "failed"


def test_a_folder_that_cannot_be_made_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="give another one"):
        run(Thinking(), Walk(), recording=Recording(tmp_path / "file" / "run"))
    with pytest.raises(UserError, match="give another one"):
        create_folder(tmp_path / "file", "x")


def test_folders_are_numbered_also_when_many_start_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: create_folder(tmp_path, name), ["Cart Pole!"] * 8 + ["t-maze"] * 8))
    assert len({folder.name[:4] for folder in made}) == 16
    assert {folder.name[5:] for folder in made} == {"cart-pole", "t-maze"}


KILLED = """
import sys
from agentic import Recording, Schedule, make, run
from agentic.testing.worlds import Coin
world = make("CartPole-v1")
done = open(sys.argv[2], "w")
def tell(progress):
    if progress.steps % 64 == 0:
        done.seek(0); done.write(f"{progress.steps:9d}"); done.flush()
run(Coin(), world, Schedule(episodes=10**6), Recording(sys.argv[1]), observer=tell)
"""


def killed_runs(times: int) -> Iterator[int]:
    rng = np.random.default_rng(0)
    return (int(ticks) for ticks in rng.integers(300, 20000, times))


def check_killed(folder: Path, enough: int) -> None:
    progress = folder.with_suffix(".steps")
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder), str(progress)])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None and steps_of(progress) < enough:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    record = Record.open(folder)
    assert record.manifest["status"] == "running"
    kept = sum(len(pq.read_table(path)) for path in record.chunks)
    assert steps_of(progress) >= enough
    assert steps_of(progress) - kept <= 4096
    assert len(record.table()) == kept


def steps_of(progress: Path) -> int:
    return int(progress.read_text() or 0) if progress.exists() else 0


def test_kill_9_loses_little(tmp_path: Path) -> None:
    check_killed(tmp_path / "run", 6000)


@pytest.mark.soak
def test_kill_9_ten_times_loses_little(tmp_path: Path) -> None:
    for number, enough in enumerate(killed_runs(10)):
        check_killed(tmp_path / f"run{number}", enough)


@dataclass
class Waking(Thinking):
    """Reports beliefs and energies from its 301st decision on, whatever the episode."""

    decided: int = 0

    def decide(self, state: Tensor, obs: Tensor, *, generator: torch.Generator) -> Decision:
        self.decided += 1
        decision = super().decide(state, obs, generator=generator)
        return decision if self.decided > 300 else Decision(decision.action, decision.state)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A run whose first chunk knows of no energies: they come later."""
    folder = tmp_path_factory.mktemp("late")
    return run(Waking(), Walk(), Schedule(episodes=150), Recording(folder))


def test_a_folder_of_ticks_is_one_table_for_who_reads_folders(late: Record) -> None:
    assert late.folder is not None
    found = dataset(late.folder / "ticks", format="parquet").to_table()
    assert found.column_names == late.columns
    assert found.num_rows == len(late.table())
    assert found["energy.total"].null_count == 256
    assert late.problems == []
    memory = run(Waking(), Walk(), Schedule(episodes=150))
    for ours, theirs in zip(late.episodes(), memory.episodes(), strict=True):
        for name, array in ours.arrays.items():
            np.testing.assert_array_equal(array, theirs.arrays[name])


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ("pandas", "pandas.read_parquet(folder)"),
        ("polars", "polars.read_parquet(folder)"),
        ("duckdb", "duckdb.sql(f\"select * from '{folder}/*.parquet'\").to_arrow_table()"),
    ],
)
def test_a_folder_of_ticks_is_read_by(package: str, code: str, late: Record) -> None:
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    assert late.folder is not None
    found = eval(code, {package: import_module(package), "folder": str(late.folder / "ticks")})
    assert (len(found), found.shape[1]) == (len(late.table()), len(late.columns))


def test_folders_of_older_runs_are_read(late: Record, tmp_path: Path) -> None:
    """Their chunks lie beside the manifest."""
    assert late.folder is not None
    older = Path(shutil.copytree(late.folder, tmp_path / "older"))
    for chunk in (older / "ticks").iterdir():
        chunk.rename(older / chunk.name)
    (older / "ticks").rmdir()
    acts = ["t", "obs", "action", "reward"]
    assert Record.open(older).table(acts).equals(late.table(acts))
    assert (Record.open(older).problems, Record.open(older).columns) == ([], late.columns)


def test_a_run_that_was_killed_while_columns_were_added_is_sound(late: Record, tmp_path: Path) -> None:
    """The manifest has the hashes of what was there and of what comes."""
    assert late.folder is not None
    copy = RunFolder(shutil.copytree(late.folder, tmp_path / "killed"))
    new = copy.manifest["chunks"]["ticks-000000.parquet"]["sha256"]
    chunks = {**copy.manifest["chunks"], "ticks-000000.parquet": {"ticks": 256, "rows": 256, "sha256": "before"}}
    annotate(copy, chunks=chunks, partial=[new])
    assert Record.open(copy.path).problems == []
    annotate(copy, chunks=chunks, partial=["another"])
    assert len(Record.open(copy.path).problems) == 1


def test_a_link_in_the_place_of_the_ticks_is_not_followed(late: Record, tmp_path: Path) -> None:
    assert late.folder is not None
    copy = Path(shutil.copytree(late.folder, tmp_path / "run"))
    (copy / "ticks").rename(tmp_path / "outside")
    (copy / "ticks").symlink_to(tmp_path / "outside")
    with pytest.raises(UserError, match="is missing: the run wrote it"):
        Record.open(copy).table()
    (copy / "manifest.json").unlink()
    with pytest.raises(UserError, match="is not the folder of a run"):
        Record.open(copy)


def test_a_record_shows_itself_briefly(late: Record) -> None:
    assert repr(late) == f"Record(status='finished', evaluation_steps={len(late.table())}, folder={str(late.folder)!r})"
    page = late._repr_html_()
    assert "<td>150 complete ones evaluated</td>" in page
    assert len(page) < 1000
    assert repr(Record(manifest={"components": "<b>", "status": "failed"})) == "Record(status='failed')"
    assert "&lt;b&gt;" in Record(manifest={"status": "<b>"})._repr_html_()


def test_pandas_is_asked_for_where_it_is_missing(late: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match=r"pip install 'agentic\[pandas\]'"):
        late.to_pandas()


def test_a_record_becomes_a_data_frame(late: Record) -> None:
    if find_spec("pandas") is None:
        pytest.skip("pandas is not installed")
    frame = late.to_pandas(["t", "reward"])
    assert list(frame.columns) == ["t", "reward"]
    assert len(frame) == len(late.table())
