"""The row of steps on top of the Learn page: every lesson, the one that is open, and a tick where one is done."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pruning.lessons.lesson import END, Lesson
from pruning.lessons.library import Course
from ui.kit.component import component
from ui.learn import progress

KEY = "lesson_row"
_OPEN = "learn_open"
"""The lesson that this session has open, where the address names none."""


def is_done(lesson: Lesson) -> bool:
    """Whether what the lesson asks for has been done."""
    return progress.of(lesson.id).is_done(lesson)


def current(course: Course, asked: str | None) -> str:
    """The lesson to show: the one asked for, else the one that is open, else the first that is not done."""
    if asked is None:
        asked = st.session_state.get(_OPEN)
    if asked is None:
        unfinished = (lesson.id for lesson in course.lessons if not is_done(lesson))
        asked = next(unfinished, END) if progress.known() else course.lessons[0].id
    if progress.known():  # until then the browser may still say that the first ones are done
        st.session_state[_OPEN] = asked
    return asked


def show(course: Course, current: str) -> str | None:
    """Draw the row; gives the id of the lesson that was clicked."""
    result = _component()(
        key=KEY,
        data={
            "steps": [
                {"id": lesson.id, "title": lesson.title, "short": lesson.short, **_mark(course, lesson)}
                for lesson in course.lessons
            ],
            "current": current,
            "name": course.say("page", "steps"),
            "end": course.say("page", "end_name"),
        },
        on_go_change=_clicked,
    )
    clicked = result.go
    return clicked if isinstance(clicked, str) and course.find(clicked) is not None else None


def _mark(course: Course, lesson: Lesson) -> dict[str, str | None]:
    """The lesson's tick: how its question was answered, and that in words; None where it is not done."""
    if not is_done(lesson):
        return {"mark": None, "said": None}
    verdict = progress.of(lesson.id).verdict or "done"
    return {"mark": verdict, "said": course.say("page", f"mark_{verdict}")}


def _clicked() -> None:
    """Streamlit knows a trigger by its callback; `show` gives its value."""


@cache
def _component() -> Callable[..., Any]:
    return component("pruning_lesson_row", Path(__file__).parent, css="steps.css", js=("steps.js",))
