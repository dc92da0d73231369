"""Whether an answer to a lesson's question is right, and the explanation with what was found filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pruning.lessons.activities import Fact, number_in
from pruning.lessons.lesson import Question


def judge(question: Question, given: str | float, facts: Mapping[str, Fact]) -> bool | None:
    """Whether an answer is right; None where the fact that decides is not there yet.

    `given`: a choice's id, or a number where the question has no choices. `facts`: what the activity told, by name.
    """
    truth: Fact | None = question.answer if question.answer_from is None else facts.get(question.answer_from)
    if truth is None:
        return None
    if question.choices:
        return given == str(truth)
    number = number_in(truth)
    return None if number is None else abs(float(given) - number) <= question.tolerance + 1e-9


def right_answer(question: Question, facts: Mapping[str, Fact]) -> str:
    """The right answer in words; '' where the fact that decides is not there."""
    truth: Fact | None = question.answer if question.answer_from is None else facts.get(question.answer_from)
    if truth is None:
        return ""
    if question.choices:
        return question.choices.get(str(truth), "")
    number = number_in(truth)
    return "" if number is None else f"{number:g} {question.unit}".rstrip()


def filled(text: str, facts: Mapping[str, Fact]) -> str:
    """A text with its {names} replaced by facts; sentences with a fact that is not known are left out.

    >>> filled("There are {n}. It is so.", {})
    'It is so.'
    """
    known = re.sub(r"\{(\w+)\}", lambda found: _words(facts.get(found[1], found[0])), text)
    sentences = re.split(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?=\s)", known)
    complete = "".join(part for part in sentences if not re.search(r"\{\w+\}", part)).strip()
    return unbroken(complete)


def unbroken(text: str) -> str:
    """A text in which no line begins with a unit or a badge."""
    return re.sub(r" (?=[%●◆○])", "\u00a0", text)


def _words(value: Fact) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
