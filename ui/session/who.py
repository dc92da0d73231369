"""Who sits here, where others can reach the server: a nickname with a PIN to go on at another computer, and leaving one
that others use as well. In the corner of every page; on one's own machine there is nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pruning.base.errors import excerpt
from pruning.visitors.nicknames import DIGITS, LONGEST
from ui.kit import errors, visitor

WIDTH = 310
"""Pixels of what the button offers: a line on a phone."""
_PIN = "who_pin"
"""The PIN that was given out just now."""
_REFUSED = "who_refused"
"""Why the last thing asked for could not be done."""
_PLACE = """
[data-testid=stLayoutWrapper]:has(>.st-key-who){position:fixed;top:.55rem;right:3.4rem;z-index:999991;width:auto}
.st-key-who [data-testid=stPopoverButton]{min-height:2rem;padding:0 .6rem}
.st-key-who [data-testid=stPopoverButton] p{white-space:nowrap}
:is(.st-key-who_nickname,.st-key-who_back_nickname,.st-key-who_back_pin) [data-testid=InputInstructions]{display:none}
"""
"""Beside the menu, where there is room on every page; over the navigation, which Streamlit lifts to 999990."""


def show() -> None:
    """The button in the corner, with everything that it offers; nothing for the owner of the machine."""
    if visitor.is_owner():
        return
    with st.container(key="who"), errors.shown(stop=False):
        st.html(f"<style>{_PLACE}</style>")
        nickname = visitor.nicknames().of(visitor.current())
        corner = st.popover(errors.plain(excerpt(nickname or "Visitor", 14)), icon=":material/person:", key="who_open")
        with corner, st.container(width=WIDTH):
            if nickname is None:
                _stranger()
            else:
                _known(nickname)
            if refused := st.session_state.pop(_REFUSED, None):
                st.error(errors.plain(refused), icon=":material/error:")
            st.button(
                "Leave this computer", icon=":material/logout:", key="who_leave", width="stretch", on_click=_leave,
                help="Whoever comes next is somebody new here. Runs go on, and stay yours."
                if nickname
                else "Whoever comes next is somebody new here. Without a nickname you find your runs by their links "
                "alone.",
            )  # fmt: skip


def _stranger() -> None:
    st.markdown(
        "**This browser is known by a cookie alone.** Your runs are in nobody else's lists; a link to one opens it."
    )
    new, back = st.tabs(["Get a nickname", "Go on with mine"])
    with new, st.form("who_new", border=False):
        st.caption("With a nickname and its PIN you go on at another computer. Do not use your full name.")
        st.text_input("Nickname", max_chars=LONGEST, key="who_nickname", autocomplete="off")
        st.form_submit_button("Get a PIN", type="primary", width="stretch", on_click=_register)
    with back, st.form("who_back", border=False):
        st.caption("What was done at this browser before is found by its links alone then.")
        st.text_input("Nickname", max_chars=LONGEST, key="who_back_nickname", autocomplete="off")
        st.text_input(
            "PIN", max_chars=2 * DIGITS, key="who_back_pin", type="password", autocomplete="off",
            placeholder=f"{DIGITS} digits",
        )  # fmt: skip
        st.form_submit_button("Go on", type="primary", width="stretch", on_click=_resume)


def _known(nickname: str) -> None:
    pin: str | None = st.session_state.get(_PIN)
    if pin is None:
        st.markdown(f"You are **{errors.plain(nickname)}** here.")
        st.button(
            "New PIN", icon=":material/pin:", key="who_new_pin", width="stretch", on_click=_renew, args=(nickname,),
            help="The old one is not kept in a form that could be read.",
        )  # fmt: skip
        return
    half = DIGITS // 2
    st.markdown(f"**{errors.plain(nickname)}**, your PIN is")
    st.markdown(f"## {pin[:half]} {pin[half:]}")
    st.caption("Write it down: it is told this once.")
    st.button("I have it", type="primary", key="who_have_pin", width="stretch", on_click=_noted)


def _register() -> None:
    """In a callback: a nickname for this visitor, with a PIN; or why not."""
    _renew(str(st.session_state.get("who_nickname", "")))


def _renew(nickname: str) -> None:
    with _refusing():
        st.session_state[_PIN] = visitor.nicknames().register(nickname, visitor.current())


def _noted() -> None:
    st.session_state.pop(_PIN, None)


def _resume() -> None:
    """In a callback: whoever has this nickname and PIN sits here from now on."""
    with _refusing():
        names = visitor.nicknames()
        found = names.find(
            str(st.session_state.get("who_back_nickname", "")), str(st.session_state.get("who_back_pin", ""))
        )
        names.sit_down(visitor.browser(), found)
        visitor.start_anew()


def _leave() -> None:
    """In a callback: whoever comes next is somebody new."""
    with _refusing():
        visitor.nicknames().leave(visitor.browser())
        visitor.start_anew()


@contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be done is said below the forms."""
    try:
        yield
    except errors.PruningError as error:
        st.session_state[_REFUSED] = str(error)
