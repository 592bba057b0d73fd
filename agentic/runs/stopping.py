"""Stopping: Ctrl-C and SIGTERM, which a run that saves checkpoints obeys between two ticks."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import final


@final
class Stop:
    """Whether somebody asked for the end: true from the first signal on. A second one stops at once."""

    def __init__(self) -> None:
        self.asked = False

    def __bool__(self) -> bool:
        return self.asked

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def stop_between_ticks() -> Iterator[Stop]:
    """A while in which signals only set the flag. Only the main thread may take them; elsewhere nothing changes."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    mine = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.getsignal(each) for each in mine}
    taken = [each for each in mine if before[each] is signal.default_int_handler or before[each] is signal.SIG_DFL]
    for each in taken:
        signal.signal(each, stop)
    try:
        yield stop
    finally:
        for each in taken:
            signal.signal(each, before[each])
