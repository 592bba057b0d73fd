"""Pictures in records: written once, read as they happened."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from gymnasium import Env, spaces

from agentic import Record, Recording, Schedule, UserError, make, run
from agentic.runs.images import packed
from agentic.runs.recorder import write_chunk
from agentic.testing.worlds import Coin


class Frames(Env[np.ndarray, np.int64]):
    """Random pictures, episodes of 90 steps."""

    observation_space = spaces.Box(0, 255, (21, 16, 3), np.uint8)
    action_space = spaces.Discrete(2)

    def _frame(self) -> np.ndarray:
        return self.np_random.integers(0, 256, self.observation_space.shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: object = None) -> tuple[np.ndarray, dict[str, object]]:
        super().reset(seed=seed)
        self.t = 0
        return self._frame(), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, object]]:
        self.t += 1
        return self._frame(), 1.0, self.t == 90, False, {}


@pytest.mark.parametrize("envs", [1, 3])
def test_pictures_are_written_once_and_read_as_they_happened(envs: int, tmp_path: Path) -> None:
    memory = run(Coin(), make(Frames, envs=envs), Schedule(episodes=6))
    run(Coin(), make(Frames, envs=envs), Schedule(episodes=6), Recording(tmp_path))
    record = Record.open(tmp_path)
    assert record.table().equals(memory.table())
    assert record.table(["next_obs"]).equals(memory.table(["next_obs"]))
    assert record.table()["obs"].type == pa.binary(21 * 16 * 3)
    for episode in record.episodes():
        assert episode.arrays["obs"].shape == (90, 21, 16, 3)
        assert episode.arrays["obs"].dtype == np.uint8
        np.testing.assert_array_equal(episode.arrays["obs"][1:], episode.arrays["next_obs"][:-1])
    chunks = [pq.read_table(path)["next_obs"] for path in record.chunks]
    boundaries = sum(len(chunk) - chunk.null_count for chunk in chunks)
    assert 6 <= boundaries <= 6 + envs * (len(chunks) - 1)
    raw = len(record.table()) * 21 * 16 * 3
    assert sum(path.stat().st_size for path in record.chunks) < 1.1 * raw


def test_some_ticks_of_an_episode_have_their_pictures(tmp_path: Path) -> None:
    table = run(Coin(), make(Frames), Schedule(episodes=1), Recording(tmp_path)).table()
    for some in (pc.field("t") < 30, pc.field("t") == 88, (pc.field("t") > 4) & (pc.field("t") < 7)):
        assert Record.open(tmp_path).table(where=some).equals(table.filter(some))


def test_pictures_that_are_nowhere_are_one_sentence(tmp_path: Path) -> None:
    record = run(Coin(), make(Frames), Schedule(episodes=1), Recording(tmp_path))
    path, written = record.chunks[0], packed(record.table())
    pq.write_table(written.slice(0, 20), path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(UserError, match="pictures that no next row has"):
        Record.open(tmp_path).table()


def test_a_successor_that_is_not_the_next_observation_is_kept(tmp_path: Path) -> None:
    table = run(Coin(), make(Frames), Schedule(episodes=1)).table()
    changed = table.set_column(
        table.column_names.index("next_obs"), table.schema.field("next_obs"), table["obs"].combine_chunks()
    )
    write_chunk(changed, tmp_path / "ticks-000000.parquet")
    assert Record.open(tmp_path).table().equals(changed)


FILM = """
import sys
from agentic import Recording, Schedule, make, run
from agentic.testing.worlds import Coin
from gymnasium import spaces
from tests.agentic.runs.test_images import Frames
import numpy as np
class Film(Frames):
    observation_space = spaces.Box(0, 255, (210, 160, 3), np.uint8)
run(Coin(), make(Film), Schedule(episodes=int(sys.argv[2])), Recording(sys.argv[1]))
"""


REPORT = """
import re, sys
from pathlib import Path
from agentic.cli import main
assert main(["report", sys.argv[1]]) == 0
# Not ru_maxrss: a process that is spawned takes over its parent's, and a worker of pytest has had much in memory.
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_long_film_costs_its_bytes_and_a_report_of_it_no_more_memory_than_of_a_short_one(tmp_path: Path) -> None:
    short, long = (_filmed(tmp_path / str(episodes), episodes) for episodes in (8, 36))
    more = (36 - 8) * 90 * 210 * 160 * 3
    assert _peak_of_report(long) - _peak_of_report(short) < more / 2


def _filmed(folder: Path, episodes: int) -> Path:
    subprocess.run([sys.executable, "-c", FILM, str(folder), str(episodes)], check=True)
    record = Record.open(folder)
    steps = len(record.table(["reward"]))
    assert steps == 90 * episodes
    assert sum(path.stat().st_size for path in record.chunks) < 1.1 * steps * 210 * 160 * 3
    return folder


def _peak_of_report(folder: Path) -> int:
    """In bytes."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, str(folder)], check=True, capture_output=True, text=True, timeout=120
    )
    return int(done.stdout.splitlines()[-1]) * 1024
