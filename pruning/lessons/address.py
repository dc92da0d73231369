"""The address of a lesson: where its controls stand, and which of them a teacher's link hides or locks.

    /learn?lesson=ranking&set=percent:30&hide=criterion&lock=percent&lang=en

What sets, hides and locks belongs to the lesson of the link, and ends where the visitor goes on to another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from pruning.lessons.activities import Value, check_value, settings_of
from pruning.lessons.lesson import END, Lesson, controls_of
from pruning.lessons.library import BASE, Course

_LONGEST = 400
"""Characters of a list of controls."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What an address asks for, as far as it exists."""

    lesson: str | None
    """None: the address names no lesson that there is."""
    hidden: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    given: Mapping[str, Value] = field(default_factory=dict)
    """Control → the value that the link sets it to."""
    problems: tuple[str, ...] = ()
    """What is asked for and does not exist, a sentence each."""


def read_address(course: Course, asked: Mapping[str, str]) -> Opened:
    """What the parameters of an address (`lesson`, `set`, `hide`, `lock`) ask of a course."""
    named = asked.get("lesson")
    if named is None:
        return Opened(lesson=None)
    if named == END:
        return Opened(lesson=END)
    place = course.find(named)
    if place is None:
        names = ", ".join(lesson.id for lesson in course.lessons)
        return Opened(lesson=None, problems=(course.say("page", "no_lesson", asked=named[:40], names=names),))
    lesson = course.lessons[place]
    problems: list[str] = []
    hidden, locked = (_controls(course, lesson, asked.get(name, ""), problems) for name in ("hide", "lock"))
    given = _given(course, lesson, asked.get("set", ""), problems)
    return Opened(lesson=named, hidden=hidden, locked=locked, given=given, problems=tuple(problems))


def address_of(
    lesson: Lesson,
    values: Mapping[str, Value],
    *,
    here: str,
    language: str = BASE,
    hidden: list[str] | None = None,
    locked: list[str] | None = None,
) -> str:
    """The full address of a lesson with its controls at `values`. `here`: the page's own address, as it is reached."""
    parameters = {"lesson": lesson.id}
    moved = [f"{name}:{value}" for name, value in values.items() if value != lesson.setting(name)]
    if moved:
        parameters["set"] = ",".join(moved)
    parameters |= {name: ",".join(names) for name, names in (("hide", hidden), ("lock", locked)) if names}
    if language != BASE:
        parameters["lang"] = language
    url = urlsplit(here)
    return urlunsplit((url.scheme, url.netloc, url.path, urlencode(parameters, safe=",:"), ""))


def _given(course: Course, lesson: Lesson, asked: str, problems: list[str]) -> dict[str, Value]:
    """Values of controls that the address names, each of the type that its setting has."""
    settings = settings_of(lesson.activity)
    found: dict[str, Value] = {}
    for entry in asked[:_LONGEST].split(","):
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


def _controls(course: Course, lesson: Lesson, asked: str, problems: list[str]) -> tuple[str, ...]:
    named = [entry.strip() for entry in asked[:_LONGEST].split(",") if entry.strip()]
    known = controls_of(lesson)
    unknown = [entry for entry in named if entry not in known]
    if unknown:
        problems.append(_no_control(course, lesson, unknown[0]))
    return tuple(entry for entry in named if entry in known)


def _no_control(course: Course, lesson: Lesson, name: str) -> str:
    there = ", ".join(controls_of(lesson)) or course.say("page", "no_controls")
    return course.say("page", "no_control", asked=name[:40], names=there)
