"""The address of the Learn page in the browser: which lesson is open, in which language."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pruning.lessons.activities import Value
from pruning.lessons.address import Opened, address_of, read_address
from pruning.lessons.lesson import Lesson
from pruning.lessons.library import BASE, Course, languages

_LANGUAGE = "learn_language"


def language() -> str:
    """The language that the address names, if there is a file of it; it stays for the session."""
    asked = st.query_params.get("lang")
    if asked in languages():
        st.session_state[_LANGUAGE] = asked
    return str(st.session_state.get(_LANGUAGE, BASE))


def read(course: Course) -> Opened:
    """Look at the address."""
    return read_address(course, st.query_params)


def go(lesson: str) -> None:
    """Let the address name a lesson, with nothing set, hidden or locked."""
    if st.query_params.get("lesson") != lesson:
        st.query_params["lesson"] = lesson
        for name in ("set", "hide", "lock"):
            st.query_params.pop(name, None)


def link(lesson: Lesson, values: Mapping[str, Value], hidden: list[str], locked: list[str]) -> str:
    """The full address of a lesson, as this visitor reaches it, with its controls at `values`."""
    here = st.context.url or "/learn"
    return address_of(lesson, values, here=here, language=language(), hidden=hidden, locked=locked)
