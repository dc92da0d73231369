"""Turns: one visitor at a time sends a file."""

from __future__ import annotations

import threading
import time

PATIENCE = 240.0
"""Seconds for which a turn lasts at most, from the last time that it was asked for."""


class Slot:
    """Whose turn it is. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder, self._until = "", 0.0

    def take(self, name: str) -> bool:
        """Take the turn, or keep it; False where it is somebody else's."""
        with self._lock:
            now = time.monotonic()
            if self._holder not in ("", name) and now < self._until:
                return False
            self._holder, self._until = name, now + PATIENCE
            return True

    def give_up(self, name: str) -> None:
        """Let the next one have it."""
        with self._lock:
            if self._holder == name:
                self._holder = ""
