"""Memory that is freed and asked for again with each frame stays with the process."""

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of mallopt, as malloc.h of the GNU C library has them
_LARGEST_KEPT = 32 << 20
"""Bytes of the largest piece that is kept, the most that the library takes; a larger one goes back when it is freed."""
_KEPT = 512 << 20
"""Free bytes at the end of the heap, up to which nothing goes back to the system: edges of a frame of 1920x1080 take
most of it."""


def keep_freed_memory() -> None:
    """Keep pieces of up to 32 MB for their next use, in this process, where it runs on the GNU C library.

    By itself the library gives the planes of a frame back to the system and gets each page of the next ones anew,
    zeroed: some 5,000 page faults a frame at 1024x576. All threads share one heap: those of their own that the library
    gives them end after 64 MB, and their pages go back with each frame, whatever is to be kept. What the environment
    variables of the library say goes before this. Elsewhere nothing is changed.
    """
    is_told = any(name in os.environ for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"))
    if is_told or not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
    if "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, 1)
