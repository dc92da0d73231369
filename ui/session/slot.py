"""Turns: what a browser sends stands in the server's memory until it is on disk, so one visitor at a time sends."""

from __future__ import annotations

import secrets

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pruning.uploads.slot import Slot

_SESSION = "slot_name"
SLOT = Slot()
"""Of this server."""


def take() -> bool:
    """Whether this session may send a file now; it has the turn from here on."""
    return SLOT.take(_name())


def give_up() -> None:
    """This session sends nothing for now."""
    if _SESSION in st.session_state:
        SLOT.give_up(_name())


def session() -> str:
    """What Streamlit calls this session in the addresses that files are sent to."""
    context = get_script_run_ctx()
    return context.session_id if context is not None else ""


def _name() -> str:
    name: str = st.session_state.setdefault(_SESSION, secrets.token_hex(8))
    return name
