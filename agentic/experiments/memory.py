"""Memory that an agent may ask for while it is made and tried: what is not there is refused in a sentence.

The system is asked to refuse it, so that this holds for every component, whoever wrote it, before anything is touched.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from agentic.errors import said

SHARE = 0.5  # of the memory that is free, which an agent may ask for before it has done anything
LEAST = 2**30  # bytes that may be asked for in any case: modules that are imported meanwhile count too
SYSTEM, OWN, GROUP = Path("/proc/meminfo"), Path("/proc/self/status"), Path("/sys/fs/cgroup")
_LOCK, _inside, _before = Lock(), 0, (0, 0)  # threads that are within memory, and the limit from before the first
ASKED = re.compile(r"allocate ([\d.]+) ?(bytes|[KMGTP]iB)")


@contextmanager
def within_memory() -> Iterator[None]:
    """A while in which at most `SHARE` of what is free, or `LEAST`, can be had, where the system tells what is free.

    The limit is the process's: of threads that overlap the first sets it, and the last puts back what was there.
    """
    global _inside, _before
    try:
        import resource

        with _LOCK:
            if not _inside:
                _before = resource.getrlimit(resource.RLIMIT_DATA)
                most = _bytes(OWN, "VmData") + max(LEAST, int(SHARE * free()))
                given = [limit for limit in _before if limit != resource.RLIM_INFINITY]
                resource.setrlimit(resource.RLIMIT_DATA, (min([most, *given]), _before[1]))
            _inside += 1
    except (ImportError, OSError):
        yield
        return
    try:
        yield
    finally:
        with _LOCK:
            _inside -= 1
            if not _inside:
                resource.setrlimit(resource.RLIMIT_DATA, _before)


def free() -> int:
    """The bytes that can be had, of the machine and within the container. Raises OSError where nobody says."""
    found = [_bytes(SYSTEM, "MemAvailable")]
    with suppress(OSError, ValueError):  # no container, or one that may take all there is
        kept = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines())
        used = int((GROUP / "memory.current").read_text()) - int(kept.get("inactive_file", 0))  # files read go first
        found.append(int((GROUP / "memory.max").read_text()) - used)
    return min(found)


def refused(error: BaseException) -> str:
    """How much memory was asked for in vain, in words; empty where that is not what went wrong."""
    each: BaseException | None = error
    while each is not None:
        if found := ASKED.search(said(each)):
            return f"{float(found[1]) / 1e9:,.1f} GB" if found[2] == "bytes" else f"{found[1]} {found[2]}"
        if isinstance(each, MemoryError):
            return "much memory"
        each = each.__cause__
    return ""


def _bytes(file: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s*(\d+) kB", file.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{file} has no {name}")
    return 1024 * int(found[1])
