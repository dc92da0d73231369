"""Progress in the lessons, kept in the visitor's browser (localStorage): no account, nothing on the server.

    progress.sync()                             # once a run of a page, before anything is read
    progress.of("why").acted
    progress.mark("why", acted=True)
    progress.put("runs", ["a1b2"])              # a small list of something else, by name

Where the browser keeps nothing (a private window), progress lasts for the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pruning.lessons.progress import Mark, Progress, read_progress, write_progress
from ui.kit import visitor
from ui.kit.component import component

NAME = "pruning-explorer"
"""Key in localStorage; where several people use one computer, the visitor's name follows."""
_KEY = "progress_store"
_HELD = "progress_held"
_HEARD = "progress_heard"
_WRITE = "progress_write"
_GENERATION = "progress_generation"
_SYNCED = "progress_synced"
"""What was to be stored when `sync` was last called."""


def sync() -> None:
    """Take what the browser has stored, once a session, and have it store what is new."""
    name = f"{NAME} {visitor.current()}".rstrip()
    sent = (st.session_state.get(_KEY) or {}).get("stored")
    others = isinstance(sent, dict) and sent.get("name", name) != name
    if sent is not None and not others and not st.session_state.get(_HEARD):
        st.session_state[_HEARD] = True
        _take(read_progress(sent.get("text") if isinstance(sent, dict) else None))
    st.session_state[_SYNCED] = st.session_state.get(_WRITE)
    write = st.session_state[_SYNCED] if st.session_state.get(_HEARD) else None
    with st.container(key="progress_box"):
        _component()(
            key=_KEY,
            data={
                "name": name,
                "write": write,
                "heard": bool(st.session_state.get(_HEARD)),
            },
            on_stored_change=_told,
        )


def known() -> bool:
    """Whether the browser has said what it stores; never so where it runs no scripts."""
    return bool(st.session_state.get(_HEARD))


def is_newer() -> bool:
    """Whether something was noted since `sync`: the page runs once more, so that it is stored and the tick shown."""
    return bool(st.session_state.get(_WRITE) != st.session_state.get(_SYNCED))


def held() -> Progress:
    """All that this session knows."""
    found: Progress = st.session_state.setdefault(_HELD, Progress())
    return found


def of(lesson: str) -> Mark:
    """How far a lesson has come."""
    return held().of(lesson)


def generation() -> int:
    """Counts what comes from elsewhere than the page: a widget that shows progress has it in its key, to be new."""
    return int(st.session_state.get(_GENERATION, 0))


def renew() -> None:
    """Have widgets that show progress begin anew."""
    st.session_state[_GENERATION] = generation() + 1


def mark(lesson: str, **changes: Any) -> None:
    """Note something about a lesson: `acted`, `predicted`."""
    put_mark(lesson, replace(of(lesson), **changes))


def put_mark(lesson: str, now: Mark) -> None:
    """Note how far a lesson has come."""
    if now != of(lesson):
        _store(held().with_mark(lesson, now))


def get(name: str) -> list[str]:
    """The list kept under one of `pruning.lessons.progress.LISTS`."""
    return list(held().lists.get(name, []))


def put(name: str, entries: list[str]) -> None:
    """Keep a small list of short texts under one of `pruning.lessons.progress.LISTS`."""
    if entries != get(name):
        _store(held().with_list(name, entries))


def reset() -> None:
    """Forget everything, in the browser too."""
    st.session_state[_HELD] = Progress()
    renew()
    st.session_state[_WRITE] = ""


def _take(stored: Progress) -> None:
    """Join what was stored with what this session has done before the browser answered."""
    renew()
    st.session_state[_HELD] = held().joined(stored)
    if held() != stored:
        _store(held())


def _store(progress: Progress) -> None:
    st.session_state[_HELD] = progress
    st.session_state[_WRITE] = write_progress(progress)


def _told() -> None:
    """Streamlit knows a state by its callback; `sync` reads it."""


@cache
def _component() -> Callable[..., Any]:
    return component("pruning_progress", Path(__file__).parent, js=("store.js",))
