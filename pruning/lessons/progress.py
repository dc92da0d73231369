"""How far a visitor has come in the lessons: what a browser stores of it, checked when it is read, and joined.

What a browser holds is anybody's to edit, so nothing but ticks depends on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pruning.lessons.lesson import Lesson, can_keep

LONGEST = 60_000
"""Characters of what is stored."""
MOST = 200
"""Lessons, and entries of a list."""
LISTS = ("runs",)
"""Names of lists that are kept beside the lessons."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""Of a lesson."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far one lesson has come."""

    answered: str | float | None = None
    """What was answered: a choice's name, or a number."""
    right: bool | None = None
    acted: bool = False

    def is_done(self, lesson: Lesson) -> bool:
        """Whether what the lesson asks for has been done."""
        answered = self.answered is not None
        return {"answered": answered, "acted": self.acted, "both": answered and self.acted}[lesson.done]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """All that is kept."""

    lessons: Mapping[str, Mark] = field(default_factory=dict)
    """By the lesson's id."""
    lists: Mapping[str, list[str]] = field(default_factory=dict)
    """Small lists of short texts, by one of `LISTS`."""

    def of(self, lesson: str) -> Mark:
        """How far a lesson has come."""
        return self.lessons.get(lesson, Mark())

    def with_mark(self, lesson: str, mark: Mark) -> Progress:
        """The same with one lesson's mark."""
        return replace(self, lessons={**self.lessons, lesson: mark})

    def with_list(self, name: str, entries: list[str]) -> Progress:
        """The same with one of `LISTS`, of which the newest `MOST` stay."""
        assert name in LISTS, name
        return replace(self, lists={**self.lists, name: entries[-MOST:]})

    def joined(self, stored: Progress) -> Progress:
        """With what was stored earlier: an answer given since then stays, and lists go on where they ended."""
        lessons = dict(self.lessons)
        for lesson, earlier in stored.lessons.items():
            now = self.of(lesson)
            if now.answered is None:
                now = replace(now, answered=earlier.answered, right=earlier.right)
            lessons[lesson] = replace(now, acted=now.acted or earlier.acted)
        lists = dict(self.lists)
        for name, entries in stored.lists.items():
            lists[name] = [*entries, *(entry for entry in self.lists.get(name, []) if entry not in entries)]
        return Progress(lessons=lessons, lists=lists)


def read_progress(text: Any) -> Progress:
    """What a browser had stored; whatever is not as `write_progress` gives it is left out."""
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


def write_progress(progress: Progress) -> str:
    """What a browser is to store."""
    return json.dumps({"lessons": {k: asdict(v) for k, v in progress.lessons.items()}, **progress.lists})


def where_left_off(lessons: Sequence[Lesson], progress: Progress) -> str:
    """The first lesson that is not done, in a few words; '' where none is done yet."""
    done = [progress.of(lesson.id).is_done(lesson) for lesson in lessons]
    if not any(done):
        return ""
    if all(done):
        return f"all {len(lessons)} lessons done; open any of them again"
    first = done.index(False)
    return f"lesson {first + 1} of {len(lessons)}, {lessons[first].title}"


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
