"""The C library is asked to keep freed memory, and nothing happens where it cannot be asked."""

import ctypes
import os
import subprocess
import sys

import pytest

from agentic.jobs import allocator

ANSWER = "from agentic.jobs import keep_freed_memory; print(keep_freed_memory(), keep_freed_memory())"


def test_it_says_whether_it_could_however_often_it_is_asked() -> None:
    done = subprocess.run([sys.executable, "-c", ANSWER], capture_output=True, text=True, check=True)
    first, second = done.stdout.split()
    assert first == second
    assert first == str(sys.platform == "linux" and allocator._is_glibc())


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_nothing_is_asked(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", None)
    assert allocator.keep_freed_memory() is False


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown)
    monkeypatch.setattr(ctypes, "CDLL", None)
    assert allocator.keep_freed_memory() is False
