"""Where the app serves: this machine alone, or others as well. What only its owner may do hangs on it."""

from __future__ import annotations

import streamlit as st

from pruning.settings import is_loopback_address

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-Ip", "Via")
"""What a proxy adds to a request: then the visitor is elsewhere, whatever the server is bound to."""


def is_loopback() -> bool:
    """Whether the server is bound to this machine alone, and this visitor came to it without a detour.

    Without an address Streamlit binds to all networks, so that is no.
    """
    return is_loopback_address(st.get_option("server.address")) and not _came_through_others()


def _came_through_others() -> bool:
    from pruning.runs.links import is_local

    url = st.context.url
    return any(name in st.context.headers for name in FORWARDED) or (url is not None and not is_local(url))
