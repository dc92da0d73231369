"""What a lesson is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pruning.lessons.activities import ACTIVITIES, Value, settings_of
from pruning.lessons.prediction import Prediction

END = "end"
"""The page after the last lesson: no lesson has that name."""
Done = Literal["answered", "acted", "both"]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One source."""

    text: str
    """Authors, year, title."""
    link: str | None = None
    """Address of the paper, made of its arXiv number or DOI."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question, answered by looking at what was done."""

    text: str
    choices: Mapping[str, str] = field(default_factory=dict)
    """Id → words; empty where the answer is a number."""
    answer: str | float | None = None
    """The right choice's id, or the number; None where it depends on what was done."""
    answer_from: str | None = None
    """Name of the activity's fact that is the right answer."""
    tolerance: float = 0.0
    """How far from a number an answer may be and still be right."""
    unit: str = ""
    hint: str = ""
    """Where to look once more, shown after a first wrong answer; does not give the right one away."""
    explain: str = ""
    """Shown once the activity was done and the answer is right, or wrong twice; {names} of the activity's facts are
    filled in."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A few sentences, one thing to do, one question."""

    id: str
    title: str
    short: str
    """The title in one or two words, for the row of steps."""
    text: str
    do: str
    activity: str
    more: str = ""
    """What goes further, for those who open it."""
    settings: Mapping[str, Value] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    """Controls of the activity that are shown; the others are hidden."""
    predict: Prediction | None = None
    """What is to be predicted before the activity shows a figure."""
    question: Question | None = None
    done: Done = "answered"
    references: tuple[Reference, ...] = ()

    def setting(self, name: str) -> Value:
        """The lesson's own start value of a setting, or the activity's."""
        return self.settings.get(name, settings_of(self.activity)[name].default)


def controls_of(lesson: Lesson) -> tuple[str, ...]:
    """Every control that the lesson's activity has."""
    return ACTIVITIES[lesson.activity].controls


@dataclass(frozen=True, kw_only=True)
class LessonFile:
    """What one file holds."""

    lessons: tuple[Lesson, ...]
    words: Mapping[str, Mapping[str, str]]
    """Part of the page, or activity → key → text."""
    problems: tuple[str, ...] = ()
    """What could not be read, a sentence each."""


def can_keep(answer: str) -> bool:
    """Whether a choice of that name comes back from the browser, which stores it."""
    return 0 < len(answer) <= 40 and answer.isprintable()
