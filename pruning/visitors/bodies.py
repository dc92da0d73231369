"""How much a visitor may send at once: little, unless a page has just offered them to send weights or images."""

from __future__ import annotations

import threading
from collections import OrderedDict

LARGEST = 20 * 2**20
"""Bytes of any file but weights and images."""
ROOM = 2**20
"""Bytes that a form adds to the file in it."""
_MOST = 10_000
"""Sessions that are remembered."""


class BodyLimits:
    """What each session may send: `LARGEST` bytes, or as many as a page has granted it. Used by several threads."""

    def __init__(self) -> None:
        self._granted: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def grant(self, session: str, most: int) -> None:
        """Let a session send files of so many bytes, until that is withdrawn."""
        with self._lock:
            self._granted[session] = most
            self._granted.move_to_end(session)
            while len(self._granted) > _MOST:
                self._granted.popitem(last=False)

    def withdraw(self, session: str) -> None:
        """Let it send no more than any other."""
        with self._lock:
            self._granted.pop(session, None)

    def of(self, session: str) -> int:
        """Bytes of a file that it may send."""
        with self._lock:
            return max(LARGEST, self._granted.get(session, 0))


LIMITS = BodyLimits()
"""Of this server."""
