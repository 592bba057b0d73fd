"""Recordings in every form, and what is said of those that cannot be read."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

import agentic
from agentic import UserError
from agentic_discovery.columns import Columns, named, pruned, ranks
from agentic_discovery.recording import read

VALUES = np.arange(12.0).reshape(4, 3) ** 2


def test_every_format_gives_the_same_columns(tmp_path: Path) -> None:
    arrays = {"a": VALUES[:, 0], "trial": np.array([1, 1, 2, 2]), "b": VALUES[:, 1]}
    table = pa.table(arrays)
    pq.write_table(table, tmp_path / "r.parquet")
    pc.write_csv(table, tmp_path / "r.csv")
    np.savez(tmp_path / "r.npz", **arrays)  # type: ignore[arg-type]
    for name in ("r.parquet", "r.csv", "r.npz"):
        found = read(tmp_path / name, episode="trial")
        assert found.names == ("a", "b")
        assert found.episodes == (2, 2)
        assert found.values.tolist() == VALUES[:, :2].tolist()


def test_arrays_with_shapes_become_scalar_columns() -> None:
    found = read({"obs": VALUES, "action": VALUES[:, 0], "grid": np.zeros((4, 1, 2))})
    assert found.names == ("obs[0]", "obs[1]", "obs[2]", "action", "grid[0,0]", "grid[0,1]")
    assert read(VALUES).names == ("x[0]", "x[1]", "x[2]")


def test_lists_of_a_parquet_file_are_spread(tmp_path: Path) -> None:
    column = pa.FixedSizeListArray.from_arrays(pa.array(VALUES.reshape(-1)), 3)
    pq.write_table(pa.table({"obs": column}), tmp_path / "r.parquet")
    assert read(tmp_path / "r.parquet").values.tolist() == VALUES.tolist()


def test_a_run_gives_what_is_seen_believed_and_done_in_its_order(tmp_path: Path) -> None:
    record = agentic.run(lambda observation: 1, "CartPole-v1", episodes=3, out=str(tmp_path))
    found = read(record)
    assert found.names == ("obs[0]", "obs[1]", "obs[2]", "obs[3]", "action")
    assert len(found.episodes) == 3
    assert sum(found.episodes) == len(found.values)
    assert ranks(found.names, pruned(found.order, found.names)).tolist() == [0, 0, 0, 0, 1]
    assert record.folder is not None
    assert read(record.folder).values.tolist() == found.values.tolist()


def test_columns_are_named_by_what_comes_before_a_bracket_or_by_stars() -> None:
    found = Columns.of({"obs": VALUES, "x1": VALUES[:, 0], "x2": VALUES[:, 1]})
    assert found.only(["obs"]).names == ("obs[0]", "obs[1]", "obs[2]")
    assert found.only(["x*", "obs[1]"]).names == ("obs[1]", "x1", "x2")
    assert named("belief", "belief.mean[0]")
    assert not named("obs", "observer")


def test_steps_are_cut_with_their_episodes() -> None:
    found = Columns(("a",), np.arange(10.0)[:, None], (4, 4, 2)).cut(3, 9)
    assert found.episodes == (1, 4, 1)
    assert found.values[:, 0].tolist() == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (3, {}, "a recording is a file, the folder of a run"),
        ({}, {}, "has no columns"),
        ({"a": np.ones(3), "b": np.ones(4)}, {}, "different numbers of steps"),
        ({"a": ["x", "y"]}, {}, "expected numbers"),
        ({"a": np.array([1.0, np.nan])}, {}, "finite numbers"),
        ({"a": np.ones(3)}, {"episode": "b"}, "no column is called 'b'"),
        ({"a": np.ones(3), "e": np.array([0, 1, 0])}, {"episode": "e"}, "not together"),
        ({"a": np.ones(3), "e": np.ones((3, 2))}, {"episode": "e"}, "expected one number for each step"),
        ("nowhere.csv", {}, "there is no recording"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(given: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        read(given, **options)
    assert "\n" not in str(caught.value)


def test_files_of_other_kinds_with_gaps_or_damaged_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("a")
    with pytest.raises(UserError, match=r"none of \.parquet, \.csv, \.npz"):
        read(tmp_path / "r.txt")
    pq.write_table(pa.table({"a": [1.0, None]}), tmp_path / "gap.parquet")
    with pytest.raises(UserError, match="has 1 gap: fill"):
        read(tmp_path / "gap.parquet")
    for name in ("bad.parquet", "bad.npz"):
        (tmp_path / name).write_bytes(b"nonsense")
        with pytest.raises(UserError, match="cannot be read as"):
            read(tmp_path / name)


def test_orders_are_parsed_and_refused() -> None:
    names = ("obs[0]", "obs[1]", "belief.mean[0]", "action")
    assert ranks(names, "obs<belief<action").tolist() == [0, 0, 1, 2]
    assert ranks(names, "obs[0]<obs[1],belief<action").tolist() == [0, 1, 1, 2]
    assert ranks(names, None).tolist() == [0, 0, 0, 0]
    assert pruned("world<obs<belief", ("obs", "belief.mean")) == "obs<belief"
    assert pruned("world<obs", ("obs",)) is None
    for order, said in (
        ("obs<belief", "leaves out action"),
        ("obs<obs[0],belief<action", "twice"),
        ("obs<state<action", "no column"),
        ("obs<<action", "looks like"),
    ):
        with pytest.raises(UserError, match=said):
            ranks(names, order)
