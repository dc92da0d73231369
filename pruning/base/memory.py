"""How this process takes memory from the system."""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's malloc.h."""


def share_arenas(count: int) -> bool:
    """Let all threads take memory from so many pools, in place of up to eight for each core; whether it was done.

    What a thread has used and given back stays in its pool: with thirty visitors, each served by a thread of its own,
    more than twice as much lay unused as was in use. To be called before there are many threads. glibc alone has such
    pools; elsewhere nothing happens.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, count))
    except (OSError, AttributeError, TypeError):
        return False
