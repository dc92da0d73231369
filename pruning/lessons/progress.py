"""How far a visitor has come in the lessons: what a browser stores of it, checked when it is read, and joined.

What a browser holds is anybody's to edit, so nothing but ticks depends on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from pruning.lessons.fields import is_number
from pruning.lessons.lesson import Lesson, can_keep

LONGEST = 60_000
"""Characters of what is stored."""
MOST = 200
"""Lessons, and entries of a list."""
LISTS = ("runs",)
"""Names of lists that are kept beside the lessons."""
TRIES = 2
"""A wrong answer gets a hint and another try; then the explanation."""
Tick = Literal["first", "second", "wrong", "open"]
"""Right at the first try or at the second, wrong, or wrong with a try left."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""Of a lesson."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far one lesson has come."""

    answered: str | float | None = None
    """What was answered: a choice's name, or a number."""
    right: bool | None = None
    tries: int = 0
    """How often it was answered, at most `TRIES`."""
    acted: bool = False
    predicted: float | None = None
    """What was predicted before the activity showed its figures."""

    @property
    def verdict(self) -> Tick | None:
        """How the answer is to be marked; None where there is none."""
        if self.answered is None:
            return None
        if self.right:
            return "second" if self.tries >= TRIES else "first"
        return "wrong" if self.tries >= TRIES else "open"

    @property
    def is_settled(self) -> bool:
        """Whether the answer stands: it is right, or no try is left."""
        return self.verdict not in (None, "open")

    def answering(self, given: str | float, right: bool) -> Mark:
        """With one answer more. The same answer once more, judged alike, is no other try; a settled one stays."""
        if self.is_settled or (self.answered, self.right) == (given, right):
            return self
        return replace(self, answered=given, right=right, tries=min(TRIES, self.tries + 1))

    def unanswered(self) -> Mark:
        """As before the first answer."""
        return replace(self, answered=None, right=None, tries=0)

    def is_done(self, lesson: Lesson) -> bool:
        """Whether what the lesson asks for has been done."""
        settled = self.is_settled
        return {"answered": settled, "acted": self.acted, "both": settled and self.acted}[lesson.done]


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
                now = replace(now, answered=earlier.answered, right=earlier.right, tries=earlier.tries)
            if now.predicted is None:
                now = replace(now, predicted=earlier.predicted)
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
    if isinstance(answered, (int, float)) and not is_number(answered):
        answered = None
    predicted = entry.get("predicted")
    begun = Mark(acted=acted is True, predicted=predicted if is_number(predicted) else None)
    if answered is None:
        return begun
    right = right if isinstance(right, bool) else None
    tries = entry.get("tries")
    if isinstance(tries, bool) or not isinstance(tries, int) or not 1 <= tries <= TRIES:
        tries = 1 if right else TRIES  # stored before there was a second try
    return replace(begun, answered=answered, right=right, tries=tries)


def _short(entries: Any) -> list[str]:
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries[-MOST:] if isinstance(entry, str) and 0 < len(entry) <= 100]
