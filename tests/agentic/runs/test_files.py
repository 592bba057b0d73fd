"""Files that anybody may have made: links, pipes and what lies in the way, and writing that leaves nothing behind."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agentic.runs.files import (
    LARGEST,
    held,
    is_held,
    is_own,
    json_table,
    sealed,
    text_of,
    toml_table,
    unsealed,
    whole,
    write_whole,
)
from agentic.runs.folder import RunFolder


def test_a_link_out_of_the_folder_is_not_read_and_one_within_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret.json").write_text('{"a": 1}')
    (folder / "own.json").write_text('{"b": 2}')
    (folder / "out.json").symlink_to("../secret.json")
    (folder / "within.json").symlink_to("own.json")
    (tmp_path / "by_link").symlink_to(folder)
    for home in (folder, tmp_path / "by_link"):  # the folder itself may be a link: the user named it
        assert json_table(home / "own.json") == json_table(home / "within.json") == {"b": 2}
        assert json_table(home / "out.json") == {}


@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe", "itself", "nowhere", "device"])
def test_what_is_no_file_is_empty(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    make: dict[str, Callable[[], None]] = {
        "folder": file.mkdir,
        "pipe": lambda: os.mkfifo(file),
        "itself": lambda: file.symlink_to(file),
        "nowhere": lambda: file.symlink_to("nowhere"),
        "device": lambda: file.symlink_to("/dev/zero"),
    }
    make.get(kind, lambda: None)()
    assert (is_own(file), json_table(file), toml_table(file)) == (False, {}, {})
    if kind in ("nothing", "itself", "nowhere"):
        write_whole(file, "text")
        assert file.read_text() == "text"
        assert not file.is_symlink()
    else:
        with pytest.raises(OSError, match="no file is in its place"):
            write_whole(file, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    for name in ("file", ".file.part"):
        (tmp_path / name).symlink_to(other)
    write_whole(tmp_path / "file", "text \udcff")
    assert other.read_text() == "mine"
    assert (tmp_path / "file").read_text() == "text \\udcff"


def test_what_was_not_written_to_its_end_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> None:
        with whole(tmp_path / "file") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert list(tmp_path.iterdir()) == []


def test_content_is_sealed() -> None:
    content = sealed({"b": [1.5], "a": Path("x")})
    assert unsealed(content) == {"b": [1.5], "a": "x"}
    assert unsealed({**content, "b": [1.25]}) is None
    assert unsealed({"b": [1.25]}) == {"b": [1.25]}


def test_a_text_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    for name, read in (("a.json", json_table), ("a.toml", toml_table)):
        with open(tmp_path / name, "wb") as file:
            file.truncate(LARGEST + 1)
        assert read(tmp_path / name) == {}
    with pytest.raises(ValueError, match="more than 16,777,216 bytes"):
        text_of(tmp_path / "a.json")


def test_the_end_of_a_long_traceback_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"status": "failed"}')
    (tmp_path / "error.txt").write_text("x" * 10**6 + "\nTypeError: of mine\n")
    assert RunFolder(tmp_path).status == "failed: TypeError: of mine"


def test_a_folder_is_held_while_somebody_is_at_work_in_it(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with held(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    assert not is_held(tmp_path / "nowhere")
