"""The folder of many units: where each lies, what is none, and what may not be written into."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agentic import UserError
from agentic.jobs import UnitFolder, slug, unit_path


def test_units_are_found_by_seed_and_nothing_else_is(tmp_path: Path) -> None:
    for seed in (10, 2):
        (tmp_path / unit_path("a world", "rock", seed=seed)).mkdir(parents=True)
    (tmp_path / unit_path("a world", "rock", seed=2)).with_name("seed-x").mkdir()
    there = UnitFolder(tmp_path)
    assert list(there.seeds("a world", "rock")) == [2, 10]
    assert there.seeds("a world", "rock")[10] == tmp_path / "units" / slug("a world") / "rock" / "seed-10"
    assert there.seeds("a world", "paper") == {}
    assert there.holds_units


def test_what_links_out_is_no_unit(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    seeds = tmp_path / "whole" / unit_path("a", "b", seed=0).parent
    (seeds / "seed-1").mkdir(parents=True)
    (seeds / "seed-0").symlink_to(tmp_path / "outside")
    (seeds / "seed-2").symlink_to("seed-2")
    assert [*UnitFolder(tmp_path / "whole").seeds("a", "b")] == [1]
    with pytest.raises(UserError, match="seed-0 is a link; give another one"):
        UnitFolder(tmp_path / "whole").check_writable()


def test_drafts_are_no_units(tmp_path: Path) -> None:
    there = UnitFolder(tmp_path)
    assert not there.holds_units
    there.draft("cart, rock, seed 0").mkdir(parents=True)
    assert there.drafts() == [there.draft("cart, rock, seed 0")]
    assert there.seeds("cart", "rock") == {}


@given(st.lists(st.text(max_size=80), unique=True, min_size=2, max_size=20))
def test_labels_that_differ_keep_different_folders(labels: list[str]) -> None:
    names = [slug(label) for label in labels]
    assert len(set(names)) == len(names)
    assert all(Path(name).name == name and len(name) < 80 for name in names)
