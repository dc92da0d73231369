"""Threads that read and decode images: Pillow and zlib let go of Python's lock while they work, so that several do."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

WORKERS = max(2, min(8, os.cpu_count() or 1))
AT_ONCE = 16
"""Items that one worker takes together, where there are many."""


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="images")


def for_each(work: Callable[[int], None], items: Sequence[int]) -> None:
    """Do the work for every item, several at a time. Not to be called from within such work.

    Raises:
        Exception: what the work raised for the first item that failed; the rest is not begun any more.
    """
    step = max(1, min(AT_ONCE, len(items) // (2 * WORKERS)))
    chunks = [items[start : start + step] for start in range(0, len(items), step)]

    def do(chunk: Sequence[int]) -> None:
        for item in chunk:
            work(item)

    futures = [_pool().submit(do, chunk) for chunk in chunks]
    try:
        for future in futures:
            future.result()
    finally:
        for future in futures:
            future.cancel()
