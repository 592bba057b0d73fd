"""Freed memory is kept for the next step instead of being handed back to the kernel, where the C library lets us ask.

Imagining allocates and frees the same few megabytes at every step. glibc returns them each time and has every page
zeroed anew when it asks again, which may cost more than the arithmetic in between.
"""

import ctypes
import os
import sys

TOP_PAD, MMAP_THRESHOLD = -2, -3  # M_TOP_PAD and M_MMAP_THRESHOLD of malloc.h
KEPT, LARGEST = 64 * 2**20, 32 * 2**20  # bytes; the second is the most that glibc allows


def keep_freed_memory() -> bool:
    """Let this process keep up to 64 MiB that were freed, of blocks up to 32 MiB each; whether it does.

    Only glibc can be asked; elsewhere nothing changes. The second setting belongs to the first, which by itself stops
    glibc from learning how large the blocks are that come and go.
    """
    if sys.platform != "linux" or not _is_glibc():
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(TOP_PAD, KEPT)) and bool(mallopt(MMAP_THRESHOLD, LARGEST))


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError):
        return False
