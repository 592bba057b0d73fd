"""The folder of a bench: where its units lie."""

from pathlib import Path

from agentic_bench import BenchFolder, slug
from agentic_bench.folder import unit


def test_units_are_found_by_seed_and_nothing_else_is(tmp_path: Path) -> None:
    for seed in (10, 2):
        (tmp_path / unit("a world", "rock", seed)).mkdir(parents=True)
    (tmp_path / unit("a world", "rock", 2)).with_name("seed-x").mkdir()
    there = BenchFolder(tmp_path)
    assert list(there.units("a world", "rock")) == [2, 10]
    assert there.units("a world", "rock")[10] == tmp_path / "units" / slug("a world") / "rock" / "seed-10"
    assert there.units("a world", "paper") == {}
    assert there.holds_bench


def test_what_links_out_of_the_bench_is_no_unit(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    seeds = tmp_path / "bench" / unit("a", "b", 0).parent
    (seeds / "seed-1").mkdir(parents=True)
    (seeds / "seed-0").symlink_to(tmp_path / "outside")
    (seeds / "seed-2").symlink_to("seed-2")
    assert [*BenchFolder(tmp_path / "bench").units("a", "b")] == [1]


def test_drafts_are_no_units(tmp_path: Path) -> None:
    there = BenchFolder(tmp_path)
    assert not there.holds_bench
    there.draft("cart, rock, seed 0").mkdir(parents=True)
    assert there.drafts() == [there.draft("cart, rock, seed 0")]
    assert there.units("cart", "rock") == {}
    assert there.cells == {}


def test_labels_that_differ_keep_different_folders() -> None:
    assert slug("planner-40") == "planner-40"
    assert slug("Planner 40") != slug("planner 40")
