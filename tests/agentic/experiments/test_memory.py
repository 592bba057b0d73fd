"""The limit on memory is the process's own: it is back as it was, whatever happened and whoever came between."""

from pathlib import Path
from threading import Event, Thread

import pytest

from agentic.experiments import memory
from agentic.experiments.memory import free, within_memory

resource = pytest.importorskip("resource")


def limit() -> tuple[int, int]:
    found: tuple[int, int] = resource.getrlimit(resource.RLIMIT_DATA)
    return found


def test_the_limit_is_back_after_a_failure() -> None:
    before = limit()
    with pytest.raises(ValueError, match="odd"), within_memory():
        raise ValueError("odd")
    assert limit() == before


def test_the_limit_is_back_after_threads_that_overlap() -> None:
    try:
        free()
    except OSError:
        pytest.skip("nobody says how much memory is free")
    before, entered, leave = limit(), Event(), Event()

    def first() -> None:
        with within_memory():
            entered.set()
            leave.wait(5)

    thread = Thread(target=first)
    thread.start()
    entered.wait(5)
    inside = limit()
    with within_memory():
        assert limit() == inside != before
        leave.set()
        thread.join()
        assert limit() == inside, "somebody is still within"
    assert limit() == before


def test_files_that_were_read_do_not_count_as_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container counts them as memory in use, and gives them up when it is asked for more."""
    (tmp_path / "meminfo").write_text("MemTotal: 64000 kB\nMemAvailable:   32000 kB\n")
    (tmp_path / "memory.max").write_text("20000000\n")
    (tmp_path / "memory.current").write_text("19000000\n")
    (tmp_path / "memory.stat").write_text("anon 1000000\ninactive_file 18000000\n")
    monkeypatch.setattr(memory, "SYSTEM", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    assert free() == 19_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free() == 32_768_000


def test_a_gibibyte_may_be_asked_for_whatever_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda: 0)
    if not memory.OWN.exists():
        pytest.skip("nobody says how much memory is in use")
    with within_memory():
        assert len(bytearray(2**29)) == 2**29
