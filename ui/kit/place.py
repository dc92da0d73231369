"""Where the app serves: this machine alone, or others as well. What only its owner may do hangs on it."""

from __future__ import annotations

import streamlit as st

from pruning.base.errors import PruningError
from pruning.base.hosts import is_local
from pruning.settings import is_loopback_address, settings

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-Ip", "Via")
"""What a proxy adds to a request: then the visitor is elsewhere, whatever the server is bound to."""


def is_loopback() -> bool:
    """Whether the server is bound to this machine alone, and this visitor came to it without a detour.

    Without an address Streamlit binds to all networks, so that is no. Where the owner has said that others come, as by
    a proxy that hides it, it is no as well.
    """
    return is_loopback_address(st.get_option("server.address")) and not _is_public() and not _came_through_others()


def _is_public() -> bool:
    """Whether the owner says so; settings that cannot be read allow nothing."""
    try:
        return settings().server.public
    except PruningError:
        return True


def _came_through_others() -> bool:
    url, headers = st.context.url, st.context.headers
    return any(name in headers for name in FORWARDED) or (url is not None and not is_local(url))
