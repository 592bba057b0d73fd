"""The same experiment, seed and thread count gives the same bytes; another seed gives others."""

from hashlib import sha256
from pathlib import Path

import pytest

from agentic.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


def hashes(example: str, seed: int, *settings: str) -> list[str]:
    """Run once more in the present folder, and the SHA-256 of every Parquet file of that run."""
    before = set(Path("runs").glob("*"))
    assert main(["run", str(EXAMPLES / example), "--seed", str(seed), "--quiet", *settings]) == 0
    (folder,) = set(Path("runs").glob("*")) - before
    return [sha256(chunk.read_bytes()).hexdigest() for chunk in sorted(folder.glob("ticks/ticks-*.parquet"))]


@pytest.mark.parametrize(
    ("example", "settings"),
    [
        ("cartpole.toml", ["--episodes", "1", "--set", "env.kwargs.max_episode_steps=260"]),
        (
            "continuous.toml",
            ["--episodes", "2", "--envs", "2", "--steps", "60", "--set", "env.kwargs.max_episode_steps=40"],
        ),
    ],
)
def test_same_seed_twice(example: str, settings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = hashes(example, 7, *settings)
    assert first
    assert first == hashes(example, 7, *settings)


def test_another_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, again, other = (hashes("tmaze-open-loop.toml", seed, "--episodes", "12") for seed in (7, 7, 8))
    assert first == again
    assert first != other
