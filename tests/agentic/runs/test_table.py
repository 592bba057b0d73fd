"""What chunks claim to hold is looked at: columns that no record has are told, also where all checksums are right."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agentic import Record, Recording, Schedule, UserError, run
from agentic.cli import main
from agentic.runs.files import sha256_of
from agentic.runs.folder import RunFolder
from agentic.runs.manifest import annotate
from agentic.runs.table import ROWS, SHAPES, arrow_array, check_schema, empty_table, numpy_of
from agentic.testing.worlds import Coin

N = 20
NULL = pa.nulls(N)
COLUMNS: dict[str, tuple[dict[str, Any], str]] = {
    "text": ({"reward": ["x"] * N}, "'reward' is of type string"),
    "moments": ({"reward": pa.array([0] * N, pa.timestamp("ns"))}, "'reward' is of type timestamp"),
    "lists": ({"reward": [[1.0, 2.0]] * N}, "'reward' is of type list"),
    "tables": ({"energy.a": [{"a": 1}] * N}, "'energy.a' is of type struct"),
    "belief": ({"belief.a": [b"x"] * N}, "'belief.a' is of type binary"),
    "several": ({"obs": pa.array([[1.0]] * N, pa.list_(pa.float32()))}, "'obs' is of type list"),
    "no reward": ({"reward": NULL.cast(pa.float64())}, "'reward' lacks values"),
    "no end": ({"terminated": NULL.cast(pa.bool_())}, "'terminated' lacks values"),
    "no place": ({"t": NULL.cast(pa.int64())}, "'t' lacks values"),
    "between": ({"t": np.arange(N) / 2}, "'t' is of type double"),
    "phase": ({"phase": ["\x1b[2J<script>"] * N}, "'phase' has others than learn, evaluate"),
    "unshaped": ({"belief.a": pa.array([[1.0, 2.0]] * N, pa.list_(pa.float32(), 2))}, "no shape, or another"),
}
METADATA = ["x", "[]", "null", "[" * 100_000, '{"obs": [10000000000]}', '{"obs": [-2, -2]}', '{"obs": "ab"}', "{}"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run(Coin(), "CartPole-v1", Schedule(episodes=4), Recording(tmp_path / "run"))
    return tmp_path / "run"


def forged(folder: Path, columns: dict[str, Any], shapes: str | None = None) -> None:
    """Other columns in the chunk of a record, whose manifest is written anew as well."""
    chunk = folder / "ticks-000000.parquet"
    table = pq.read_table(chunk).slice(0, N)
    metadata = table.schema.metadata if shapes is None else {SHAPES: shapes.encode()}
    kept = {name: table[name] for name in table.column_names} | columns
    pq.write_table(pa.table(kept).replace_schema_metadata(metadata), chunk, write_page_checksum=True)
    annotate(RunFolder(folder), chunks={chunk.name: {"ticks": N, "rows": N, "sha256": sha256_of(chunk)}})


def refused(folder: Path, capsys: pytest.CaptureFixture[str], why: str) -> None:
    """Whether a reader and every command say it in one sentence."""
    capsys.readouterr()
    with pytest.raises(UserError, match="is not a chunk of a record: ") as caught:
        Record.salvage(folder).table()
    assert why in str(caught.value)
    for command in (["measure", "--metric", "episode_return", "--quiet"], ["report"], ["show"]):
        code = main([*command, str(folder)])
        out, err = capsys.readouterr()
        assert code in (0, 2), err
        assert "\x1b" not in out + err


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns_that_no_record_has(kind: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns, why = COLUMNS[kind]
    forged(folder, columns)
    refused(folder, capsys, why)


@pytest.mark.parametrize("shapes", METADATA, ids=range(len(METADATA)))
def test_shapes_that_are_none(shapes: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged(folder, {}, shapes)
    refused(folder, capsys, "")


@pytest.mark.parametrize("content", [b"", b"PAR1xxxxPAR1"])
def test_chunks_that_are_none(content: bytes, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chunk = folder / "ticks-000000.parquet"
    chunk.write_bytes(content)
    annotate(RunFolder(folder), chunks={chunk.name: {"ticks": 1, "rows": 1, "sha256": sha256_of(chunk)}})
    refused(folder, capsys, "")


def test_a_few_bytes_that_claim_to_be_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chunk = folder / "ticks-000000.parquet"
    nothing = {name: pa.repeat(0, ROWS + 1) for name in ("row", "episode", "t")}
    pq.write_table(pa.table({"phase": pa.repeat("learn", ROWS + 1), **nothing}), chunk)
    assert chunk.stat().st_size < 2**20
    annotate(RunFolder(folder), chunks={chunk.name: {"ticks": 1, "rows": 1, "sha256": sha256_of(chunk)}})
    refused(folder, capsys, "it claims to hold 4,194,305 rows")


def test_wide_rows_count_too() -> None:
    wide = pa.list_(pa.float64(), 10_000)
    names = {"phase": pa.string(), "row": pa.int64(), "episode": pa.int64(), "t": pa.int64(), "obs": wide}
    schema = pa.schema(names, {SHAPES: json.dumps({"obs": [100, 100]})})
    check_schema(schema, 10_000)
    with pytest.raises(ValueError, match="more than a run writes at once"):
        check_schema(schema, 100_000)


def test_folders_whose_names_are_no_utf8(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        other = folder.rename(folder.with_name("run\udcff"))
    except (OSError, UnicodeError):
        pytest.skip("the file system has no such names")
    assert Record.open(other).returns().size == 4
    assert main(["show", str(other)]) == 0
    assert "\udcff" not in capsys.readouterr().out


def test_chunks_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    record = run(Coin(), "CartPole-v1", Schedule(episodes=35), Recording(folder))
    chunks = RunFolder(folder).manifest["chunks"]
    assert len(chunks) > 1
    before = record.table()
    annotate(RunFolder(folder), chunks=dict(reversed(chunks.items())))
    assert Record.open(folder).table().equals(before)


KINDS = ["bool", "i1", "u2", "i4", "i8", "u8", "f2", "f4", "f8"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [slice(None), slice(3, 11), slice(7, 7)])
def test_numbers_come_back_as_they_were_from_arrays_parts_and_chunks(kind: str, cut: slice) -> None:
    values = np.arange(N).astype(kind) if kind != "bool" else np.arange(N) % 3 == 0
    array = arrow_array(values)
    assert array.to_pylist() == values.tolist()
    part = array[cut]
    assert numpy_of(part).dtype == values.dtype
    np.testing.assert_array_equal(numpy_of(part), values[cut])
    np.testing.assert_array_equal(numpy_of(pa.chunked_array([array, part])), np.concatenate([values, values[cut]]))


def test_null_is_nan_and_words_are_words() -> None:
    np.testing.assert_array_equal(numpy_of(pa.array([1.5, None])), [1.5, np.nan])
    assert numpy_of(pa.array(["learn", "evaluate"])).tolist() == ["learn", "evaluate"]
    assert numpy_of(pa.chunked_array([], pa.int64())).shape == (0,)
    assert empty_table(pa.schema([("a", pa.int8())])).to_pydict() == {"a": []}


def test_records_are_written_and_read_without_a_look_at_pandas(tmp_path: Path) -> None:
    """Which is imported by `pa.array` and the like, and takes longer than all the rest of a short run."""
    code = (
        "import sys; from agentic import Record, Recording, Schedule, run; from agentic.testing.worlds import Coin;"
        f"run(Coin(), 'CartPole-v1', Schedule(episodes=4), Recording({str(tmp_path / 'run')!r}));"
        f"record = Record.open({str(tmp_path / 'run')!r}); record.returns(); record.episodes();"
        "print('pandas' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "False\n"
