"""Answers that are known, so that what was asked once is answered at once."""

from __future__ import annotations

import threading
from collections import OrderedDict

from pruning.whatif.engine import Measured


class Answers:
    """The last answers, by what was asked; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, ...], Measured] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...]) -> Measured | None:
        """The answer, where it is known."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, ...], measured: Measured) -> None:
        """Keep an answer; the one that was asked for longest ago goes."""
        with self._lock:
            self._kept[key] = measured
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
