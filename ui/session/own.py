"""A visitor's own network and images in the address: F5 finds them again, and a link of theirs says what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import permits, state
from ui.session import data_box, network_box, uploads

if TYPE_CHECKING:
    from pruning.subject import Subject

_TAKEN = "own_taken"
MISSING = (
    "**This address leads to somebody's own network or images:** only the browser that sent them can open them, and "
    "only while they are kept. Send them yourself under *Your network*."
)


def take_up() -> None:
    """At the first page of a session: choose again what the address names, where it is this browser's."""
    wanted = st.query_params.get(permits.PARAMETER)
    if st.session_state.get(_TAKEN):
        return
    st.session_state[_TAKEN] = True
    if not wanted:
        return
    mine = permits.mine()
    models = dict.fromkeys((*mine, st.query_params.get("model", state.DEFAULTS[state.MODEL])))
    for model in models:
        for data in ("", *mine):
            if permits.digest(model, data) == wanted:
                network_box.ask(model)
                if data:
                    data_box.ask(data)
                return
    st.query_params.pop(permits.PARAMETER)
    st.toast(MISSING, icon=":material/link_off:", duration="infinite")


def write(chosen: Subject) -> None:
    """Keep the address at what is chosen."""
    _write(chosen.ref, chosen.data_name)


def keep() -> None:
    """On a page that shows neither network nor images of its session: F5 there loses them no more than elsewhere."""
    take_up()
    if not network_box.is_asked():
        _write(state.get(state.MODEL), state.get(state.DATA))


def _write(model: str, data: str) -> None:
    if permits.holds(model) or permits.holds(data):
        uploads.touch(model, data)
        st.query_params[permits.PARAMETER] = permits.digest(model, data if permits.holds(data) else "")
    elif permits.PARAMETER in st.query_params:
        st.query_params.pop(permits.PARAMETER)
