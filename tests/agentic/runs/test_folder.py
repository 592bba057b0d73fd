"""The folder of a run, by the paths of its files and what can be read of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from agentic import Record, UserError
from agentic.experiments import recorded
from agentic.runs import RunFolder, create_folder, write_whole


def folder(path: Path, **manifest: Any) -> RunFolder:
    """One with a manifest."""
    made = RunFolder.new(path)
    made.manifest_file.write_text(json.dumps(manifest), encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        ("finished", None, "finished"),
        ("running", None, "running, or killed before it could say so"),
        ("failed", "Traceback\n  line\nKeyError: 'x'\n", "failed: KeyError: 'x'"),
        ("failed", " \n", "failed"),
        ("failed", None, "failed"),
        (None, None, "unknown"),
    ],
)
def test_the_status_is_how_the_run_ended(status: str | None, error: str | None, said: str, tmp_path: Path) -> None:
    made = folder(tmp_path, status=status)
    if error is not None:
        made.error_file.write_text(error, encoding="utf-8")
    assert made.status == said


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    there = RunFolder(tmp_path)
    assert (there.manifest, there.experiment, there.chunks(), there.holds_run) == ({}, {}, [], False)
    there.manifest_file.write_text("[1", encoding="utf-8")
    there.experiment_file.write_bytes(b"\xff\xfe")
    assert (there.manifest, there.experiment, there.holds_run, there.status) == ({}, {}, True, "unknown")


def test_a_folder_of_many_runs_is_none_of_a_run_and_names_one(tmp_path: Path) -> None:
    whole = folder(tmp_path / "runs" / "0001-whole", status="finished", executor="local", workers=2)
    with pytest.raises(UserError, match="0001-whole is not the folder of a run: it holds neither"):
        whole.check()
    (tmp_path / "runs" / ".draft").mkdir()
    folder(tmp_path / "runs" / ".draft" / "part", seed=0)
    for seed in (1, 0):
        folder(whole.path / "units" / "b" / f"seed-{seed}", seed=seed).check()
    for path in (whole.path, tmp_path / "runs"):
        with pytest.raises(UserError) as refused:
            Record.open(path)
        assert str(refused.value) == (
            f"{path} is the folder of many runs, as of a sweep: give one of its runs, such as "
            f"{whole.path}/units/b/seed-0; `agentic runs {path}` lists them"
        )
    with pytest.raises(UserError, match=r"is the folder of many runs, .*seed-0; `agentic runs"):
        recorded(whole.path)


def test_chunks_are_in_the_order_of_their_ticks_and_a_record_is_not_written_over(tmp_path: Path) -> None:
    made = RunFolder.new(tmp_path / "new" / "run")
    for index in (10, 2):
        made.chunk("ticks", index).touch()
    made.chunk("candidates", 2).touch()
    assert made.chunks() == [made.chunk("ticks", 2), made.chunk("ticks", 10)]
    assert made.chunks("candidates") == [made.chunk("candidates", 2)]
    assert made.holds_run
    with pytest.raises(UserError, match="already holds a record: give a new folder"):
        RunFolder.new(made.path)


def test_plugin_files_are_named_once_each(tmp_path: Path) -> None:
    rows = [{"plugin": "mine", "sha256": "a"}, {"plugin": "mine", "sha256": "a"}, {"plugin": "ours"}, "no row"]
    assert folder(tmp_path, components=[*rows, {"plugin": "a b", "sha256": "c"}]).plugin_options == (
        " --plugin mine.py --plugin 'a b'.py"
    )


def test_folders_are_numbered_past_9999(tmp_path: Path) -> None:
    for name in ("9998-cart", "0001x-cart", "1234567"):
        (tmp_path / name).mkdir()
    assert [create_folder(tmp_path, "cart").name for _ in range(3)] == ["9999-cart", "10000-cart", "10001-cart"]


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr("agentic.runs.files.os.fsync", lambda _: synced.append((tmp_path / "file").exists()))
    write_whole(tmp_path / "file", "text")
    assert synced == [False]
    assert (tmp_path / "file").read_text() == "text"
