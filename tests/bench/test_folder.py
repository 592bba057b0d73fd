"""The folder of a bench: whether it holds one, and what can be read of it."""

from pathlib import Path

from agentic.jobs import UnitFolder, unit_path
from agentic_bench import BenchFolder


def test_a_bench_is_known_by_its_units(tmp_path: Path) -> None:
    there = BenchFolder(tmp_path)
    assert not there.holds_bench
    (tmp_path / unit_path("a world", "rock", seed=2)).mkdir(parents=True)
    assert there.holds_bench
    assert list(there.units("a world", "rock")) == [2]
    assert there.cells == {}
    UnitFolder(tmp_path).draft("cart, rock, seed 0").mkdir(parents=True)
    assert there.units("cart", "rock") == {}
