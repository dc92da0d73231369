"""Where the lessons and the words of a language come from.

Ours are `files/en.yaml`, or another language's file beside it; a teacher's own are in the folder that the
environment variable PRUNING_LESSONS names. `files/README.md` describes the files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pruning.lessons.lesson import Lesson
from pruning.lessons.reading import read_course, read_lessons

FOLDER = Path(__file__).parent / "files"
ENVIRONMENT = "PRUNING_LESSONS"
BASE = "en"
"""The language that has every word; what another one lacks is taken from it."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """The lessons of one language with the words around them."""

    language: str
    lessons: tuple[Lesson, ...]
    words: Mapping[str, Mapping[str, str]]
    """Part of the page, or activity → key → text."""
    problems: tuple[str, ...] = ()
    """What could not be read, a sentence each."""

    def find(self, lesson: str | None) -> int | None:
        """Place of a lesson in the course."""
        return next((i for i, entry in enumerate(self.lessons) if entry.id == lesson), None)

    def say(self, part: str, key: str, /, **values: object) -> str:
        """A text of the page, with its `{names}` filled in; in English where a translation has other names."""
        text = self.words[part][key]
        try:
            return text.format(**values) if values else text
        except (ValueError, LookupError, AttributeError, TypeError):
            return _ours(BASE).words[part][key].format(**values)


def languages() -> tuple[str, ...]:
    """The languages that have a file."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def course(language: str | None = None) -> Course:
    """The lessons in a language, ours first, then the teacher's."""
    ours = _ours(language if language in languages() else BASE)
    folder = os.environ.get(ENVIRONMENT)
    return _with_teachers(ours, Path(folder)) if folder else ours


@cache
def _ours(language: str) -> Course:
    base = read_course(FOLDER / f"{BASE}.yaml")
    if language == BASE:
        return Course(language=BASE, lessons=base.lessons, words=base.words, problems=base.problems)
    other = read_course(FOLDER / f"{language}.yaml")
    translated = {lesson.id: lesson for lesson in other.lessons}
    return Course(
        language=language,
        lessons=tuple(translated.get(lesson.id, lesson) for lesson in base.lessons),
        words={part: {**texts, **other.words.get(part, {})} for part, texts in base.words.items()},
        problems=other.problems,
    )


def _with_teachers(ours: Course, folder: Path) -> Course:
    """Our lessons and those of a teacher's folder. Read anew each time: a teacher writes them with the page open."""
    lessons, problems = list(ours.lessons), list(ours.problems)
    if not folder.is_dir():
        problems.append(f"{ENVIRONMENT} names no folder, so only the lessons that come with the explorer are shown.")
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        found, wrong = read_lessons(path)
        problems += wrong
        for lesson in found:
            if any(lesson.id == known.id for known in lessons):
                problems.append(
                    f"{path.name}, lesson {lesson.id}: there is a lesson of that id already; choose another."
                )
            else:
                lessons.append(lesson)
    return Course(language=ours.language, lessons=tuple(lessons), words=ours.words, problems=tuple(problems))
