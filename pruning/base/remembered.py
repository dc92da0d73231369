"""What was read from files, kept as long as the files stay as they are: a list need not parse every file again."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pruning.base.errors import PruningError

Made = TypeVar("Made")
_SETTLED_NS = 50_000_000
"""A file changed so shortly before it was read may change again under the same time stamp, so it is not kept."""


class Remembered(Generic[Made]):
    """A function of a file that is called again only when the file has changed, by its times, size and inode.

    Safe for threads. What it gives is shared: it must not be changed. At most `most` answers are kept, those asked
    for last; a refusal (a `PruningError`) is an answer too.
    """

    def __init__(self, read: Callable[[Path], Made], *, most: int) -> None:
        self._read = read
        self._most = most
        self._kept: OrderedDict[str, tuple[tuple[int, ...], Made | PruningError]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, path: Path) -> Made:
        """What the function makes of the file as it is now. Raises what the function raises."""
        key, stamp = str(path), _stamp(path)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(key)
                return _given(kept[1])
        answer: Made | PruningError
        try:
            answer = self._read(path)
        except PruningError as error:
            answer = error
        if stamp and abs(time.time_ns() - max(stamp[:2])) > _SETTLED_NS:
            with self._lock:
                self._kept[key] = (stamp, answer)
                self._kept.move_to_end(key)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return _given(answer)


def _given(answer: Made | PruningError) -> Made:
    if isinstance(answer, PruningError):
        raise type(answer)(*answer.args)  # a new one: several threads may raise it, each with its own traceback
    return answer


def _stamp(path: Path) -> tuple[int, ...]:
    """() where there is nothing to look at."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
