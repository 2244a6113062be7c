"""A program's memory stays as it is for months: what glibc's allocator must be told for that, in lane and agent.

By itself it puts a block of 300 KB, once one was freed, between the small ones, where it leaves holes; and it gives
every thread a heap of its own. Then the program grows by a megabyte or two in its first thousands of cars.
"""

from __future__ import annotations

import ctypes

# <malloc.h>, glibc
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8

LARGE_BYTES = 128 * 1024
"""glibc's first threshold; naming it keeps it there. A picture is then the system's own pages, gone when freed."""


def settle() -> bool:
    """Once, before threads are started. False where the C library has no such thing (musl): nothing is changed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)) and bool(mallopt(M_ARENA_MAX, 1))


def give_back() -> None:
    """When much work has ended: what glibc keeps free between blocks in use goes back to the system. By itself it gives
    back only what is free above the last of them."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:  # musl gives back by itself
        malloc_trim(0)
