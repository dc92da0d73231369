"""Turns: what a browser sends stands in the server's memory until it is on disk, so one visitor at a time sends."""

from __future__ import annotations

import secrets
import threading
import time

import streamlit as st

PATIENCE = 240.0
"""Seconds for which a turn lasts at most, from the last time that its visitor's page was drawn."""
_SESSION = "slot_name"


class Slot:
    """Whose turn it is."""

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


SLOT = Slot()
"""Of this server."""


def take() -> bool:
    """Whether this session may send a file now; it has the turn from here on."""
    return SLOT.take(_name())


def give_up() -> None:
    """This session sends nothing for now."""
    if _SESSION in st.session_state:
        SLOT.give_up(_name())


def _name() -> str:
    name: str = st.session_state.setdefault(_SESSION, secrets.token_hex(8))
    return name
