"""The address of the Learn page: which lesson is open, in which language, where its controls stand, and which of them
a teacher's link hides or locks.

    /learn?lesson=ranking&set=percent:30&hide=criterion&lock=percent&lang=en

What sets, hides and locks belongs to the lesson of the link, and ends where the visitor goes on to another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pruning.lessons.activities import Value, check_value, settings_of
from pruning.lessons.lesson import END, Lesson, controls_of
from pruning.lessons.library import BASE, Course, languages

_LANGUAGE = "learn_language"
_LONGEST = 400
"""Characters of a list of controls."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What the address asks for, as far as it exists."""

    lesson: str | None
    """None: the address names no lesson that there is."""
    hidden: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    given: Mapping[str, Value] = field(default_factory=dict)
    """Control → the value that the link sets it to."""
    problems: tuple[str, ...] = ()
    """What is asked for and does not exist, a sentence each."""


def language() -> str:
    """The language that the address names, if there is a file of it; it stays for the session."""
    asked = st.query_params.get("lang")
    if asked in languages():
        st.session_state[_LANGUAGE] = asked
    return str(st.session_state.get(_LANGUAGE, BASE))


def read(course: Course) -> Opened:
    """Look at the address."""
    asked = st.query_params.get("lesson")
    if asked is None:
        return Opened(lesson=None)
    if asked == END:
        return Opened(lesson=END)
    place = course.find(asked)
    if place is None:
        names = ", ".join(lesson.id for lesson in course.lessons)
        return Opened(lesson=None, problems=(course.say("page", "no_lesson", asked=asked[:40], names=names),))
    lesson = course.lessons[place]
    problems: list[str] = []
    hidden, locked = (_controls(course, lesson, name, problems) for name in ("hide", "lock"))
    given = _given(course, lesson, problems)
    return Opened(lesson=asked, hidden=hidden, locked=locked, given=given, problems=tuple(problems))


def go(lesson: str) -> None:
    """Let the address name a lesson, with nothing set, hidden or locked."""
    if st.query_params.get("lesson") != lesson:
        st.query_params["lesson"] = lesson
        for name in ("set", "hide", "lock"):
            st.query_params.pop(name, None)


def link(lesson: Lesson, values: Mapping[str, Value], hidden: list[str], locked: list[str]) -> str:
    """The whole address of a lesson, as this visitor reaches it, with its controls at `values`."""
    parameters = {"lesson": lesson.id}
    moved = [f"{name}:{value}" for name, value in values.items() if value != lesson.setting(name)]
    if moved:
        parameters["set"] = ",".join(moved)
    parameters |= {name: ",".join(names) for name, names in (("hide", hidden), ("lock", locked)) if names}
    if language() != BASE:
        parameters["lang"] = language()
    here = urlsplit(st.context.url or "/learn")
    return urlunsplit((here.scheme, here.netloc, here.path, urlencode(parameters, safe=",:"), ""))


def _given(course: Course, lesson: Lesson, problems: list[str]) -> dict[str, Value]:
    """Values of controls that the address names, each of the type that its setting has."""
    settings = settings_of(lesson.activity)
    found: dict[str, Value] = {}
    for entry in st.query_params.get("set", "")[:_LONGEST].split(","):
        name, _, text = entry.strip().partition(":")
        if not name:
            continue
        if name not in controls_of(lesson):
            problems.append(_no_control(course, lesson, name))
            continue
        kind = type(settings[name].default)
        try:
            value: Value = kind(text) if kind in (int, float) else text
        except ValueError:
            value = text
        wrong = check_value(settings[name], value)
        if wrong is None:
            found[name] = value
        else:
            problems.append(course.say("page", "no_value", asked=name, value=text[:40], wrong=wrong))
    return found


def _no_control(course: Course, lesson: Lesson, name: str) -> str:
    there = ", ".join(controls_of(lesson)) or course.say("page", "no_controls")
    return course.say("page", "no_control", asked=name[:40], names=there)


def _controls(course: Course, lesson: Lesson, name: str, problems: list[str]) -> tuple[str, ...]:
    asked = [entry.strip() for entry in st.query_params.get(name, "")[:_LONGEST].split(",") if entry.strip()]
    known = controls_of(lesson)
    unknown = [entry for entry in asked if entry not in known]
    if unknown:
        problems.append(_no_control(course, lesson, unknown[0]))
    return tuple(entry for entry in asked if entry in known)
