"""Progress in the lessons, kept in the visitor's browser (localStorage): no account, nothing on the server.

    progress.sync()                             # once a run of a page, before anything is read
    progress.of("why").acted
    progress.mark("why", answered="energy", right=True)
    progress.put("runs", ["a1b2"])              # a small list of something else, by name

What the browser holds is anybody's to edit, so it is checked when it is read, and nothing but ticks depends on it.
Where the browser keeps nothing (a private window), progress lasts for the session.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pruning.lessons.lesson import can_keep

NAME = "pruning-explorer"
"""Key in localStorage."""
LONGEST = 60_000
"""Characters of what is stored."""
MOST = 200
"""Lessons, and entries of a list."""
LISTS = ("runs",)
"""Names that `put` takes."""
_KEY = "progress_store"
_HELD = "progress_held"
_HEARD = "progress_heard"
_WRITE = "progress_write"
_GENERATION = "progress_generation"
_SYNCED = "progress_synced"
"""What was to be stored when `sync` was last called."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""Of a lesson."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far one lesson has come."""

    answered: str | float | None = None
    """What was answered: a choice's name, or a number."""
    right: bool | None = None
    acted: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """All that is kept."""

    lessons: dict[str, Mark]
    lists: dict[str, list[str]]


def sync() -> None:
    """Take what the browser has stored, once a session, and have it store what is new."""
    sent = (st.session_state.get(_KEY) or {}).get("stored")
    if sent is not None and not st.session_state.get(_HEARD):
        st.session_state[_HEARD] = True
        _take(read(sent.get("text") if isinstance(sent, dict) else None))
    st.session_state[_SYNCED] = st.session_state.get(_WRITE)
    write = st.session_state[_SYNCED] if st.session_state.get(_HEARD) else None
    with st.container(key="progress_box"):
        _component()(
            key=_KEY,
            data={"name": NAME, "write": write, "heard": bool(st.session_state.get(_HEARD))},
            on_stored_change=_told,
        )


def known() -> bool:
    """Whether the browser has said what it stores; never so where it runs no scripts."""
    return bool(st.session_state.get(_HEARD))


def is_newer() -> bool:
    """Whether something was noted since `sync`: the page runs once more, so that it is stored and the tick shown."""
    return bool(st.session_state.get(_WRITE) != st.session_state.get(_SYNCED))


def of(lesson: str) -> Mark:
    """How far a lesson has come."""
    return _held().lessons.get(lesson, Mark())


def generation() -> int:
    """Counts what comes from elsewhere than the page: a widget that shows progress has it in its key, to be new."""
    return int(st.session_state.get(_GENERATION, 0))


def mark(lesson: str, **changes: Any) -> None:
    """Note something about a lesson: `answered`, `right`, `acted`."""
    now = replace(of(lesson), **changes)
    if now != of(lesson):
        _held().lessons[lesson] = now
        _store()


def get(name: str) -> list[str]:
    """The list kept under one of `LISTS`."""
    return list(_held().lists.get(name, []))


def put(name: str, entries: list[str]) -> None:
    """Keep a small list of short texts under one of `LISTS`; the newest `MOST` stay."""
    assert name in LISTS, name
    if entries != get(name):
        _held().lists[name] = entries[-MOST:]
        _store()


def reset() -> None:
    """Forget everything, in the browser too."""
    st.session_state[_HELD] = Progress(lessons={}, lists={})
    st.session_state[_GENERATION] = generation() + 1
    st.session_state[_WRITE] = ""


def read(text: Any) -> Progress:
    """What a browser had stored; whatever is not as we write it is left out."""
    found: Any = None
    if isinstance(text, str) and len(text) <= LONGEST:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
    found = found if isinstance(found, dict) else {}
    lessons = found.get("lessons")
    lessons = lessons if isinstance(lessons, dict) else {}
    marks = {ident: _mark(entry) for ident, entry in list(lessons.items())[:MOST] if _ID.fullmatch(ident)}
    return Progress(
        lessons={ident: entry for ident, entry in marks.items() if entry is not None},
        lists={name: _short(found.get(name)) for name in LISTS},
    )


def written(progress: Progress) -> str:
    """What the browser is to store."""
    return json.dumps({"lessons": {k: asdict(v) for k, v in progress.lessons.items()}, **progress.lists})


def _mark(entry: Any) -> Mark | None:
    if not isinstance(entry, dict):
        return None
    answered, right, acted = entry.get("answered"), entry.get("right"), entry.get("acted")
    if isinstance(answered, bool) or not isinstance(answered, (str, int, float, type(None))):
        answered = None
    if isinstance(answered, str) and not can_keep(answered):
        answered = None
    if isinstance(answered, (int, float)) and not abs(answered) < 1e12:
        answered = None
    return Mark(
        answered=answered,
        right=right if isinstance(right, bool) and answered is not None else None,
        acted=acted is True,
    )


def _short(entries: Any) -> list[str]:
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries[-MOST:] if isinstance(entry, str) and 0 < len(entry) <= 100]


def _take(stored: Progress) -> None:
    """Join what was stored with what this session has done before the browser answered."""
    mine = _held()
    st.session_state[_GENERATION] = generation() + 1
    for lesson, entry in stored.lessons.items():
        now = mine.lessons.get(lesson, Mark())
        if now.answered is None:
            now = replace(now, answered=entry.answered, right=entry.right)
        mine.lessons[lesson] = replace(now, acted=now.acted or entry.acted)
    for name, entries in stored.lists.items():
        mine.lists[name] = [*entries, *(entry for entry in mine.lists.get(name, []) if entry not in entries)]
    if mine != stored:
        _store()


def _held() -> Progress:
    found: Progress = st.session_state.setdefault(_HELD, Progress(lessons={}, lists={}))
    return found


def _store() -> None:
    st.session_state[_WRITE] = written(_held())


def _told() -> None:
    """Streamlit knows a state by its callback; `sync` reads it."""


@cache
def _component() -> Callable[..., Any]:
    script = (Path(__file__).parent / "store.js").read_text(encoding="utf-8")
    renderer: Callable[..., Any] = st.components.v2.component("pruning_progress", js=script)
    return renderer
