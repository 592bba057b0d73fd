"""The limit on memory is the process's own: it is back as it was, whatever happened and whoever came between."""

from threading import Event, Thread

import pytest

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
