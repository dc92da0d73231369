"""Downloads of a library: shown on standard error, and given up within seconds where there is no connection."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

from pruning.base.errors import InputError, first_line

WAIT = 10.0
"""Seconds that a server may keep silent while it is read from."""
PATIENCE = 6.0
"""Seconds within which a server must have answered at all, the look-up of its name included."""


@contextlib.contextmanager
def fetching() -> Iterator[None]:
    """While a library fetches weights: what it prints goes to standard error, with its progress, and a server that does
    not answer is given up."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(WAIT)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        socket.setdefaulttimeout(before)


def reason_of(error: Exception) -> str:
    """Why a download failed, in a few words."""
    inner = getattr(error, "reason", None) if isinstance(error, urllib.error.URLError) else None
    if isinstance(inner, OSError):
        return inner.strerror or first_line(inner, 120)
    return first_line(error)


def check_connection(address: str) -> None:
    """Whether a server answers at all, asked once: clients of some libraries ask for half a minute.

    Raises:
        InputError: it does not.
    """
    found: list[str | None] = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=PATIENCE).close()
            found.append(None)
        except urllib.error.HTTPError:
            found.append(None)  # it answers, if only that this page is not there
        except (OSError, ValueError) as error:
            found.append(reason_of(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    reason = found[0] if found else "it does not answer"
    if reason is not None:
        raise InputError(f"no connection to the server of the weights: {reason}")
