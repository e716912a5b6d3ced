"""What the C library does with memory that is given back to it."""

from __future__ import annotations

import ctypes
import os
import platform

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # as in malloc.h
_LARGEST = 32 * 2**20  # the most that glibc takes
_KEPT = 2**30


def keep_freed_memory() -> bool:
    """Lets a process keep what it frees in blocks of up to 32 MB, for the next tensor to take.

    By default glibc hands large blocks back to the system, which clears every page anew when the
    next tensor wants it. Of what is free at the end of the main thread's heap, 1 GB at most is
    kept; other threads keep less. This is for programs; a library leaves its host's memory alone.

    Returns:
        Whether it was done: only with glibc, and not where the environment already tells it what to
        do (`MALLOC_…_`, `GLIBC_TUNABLES`).
    """
    told = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if told or platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    done = [
        library.mallopt(option, value)
        for option, value in ((_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _KEPT))
    ]
    return all(done)
