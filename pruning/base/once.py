"""Answers that are worked out once for each object, and forgotten with it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

Question = ParamSpec("Question")
Answer = TypeVar("Answer")


def once_each(function: Callable[Question, Answer]) -> Callable[Question, Answer]:
    """A function of an immutable object, and of hashable arguments after it, that answers each question once as long
    as the object lives. Its answers must not hold the object itself."""
    known: WeakKeyDictionary[object, dict[tuple[object, ...], Answer]] = WeakKeyDictionary()

    @functools.wraps(function)
    def answer(*question: Question.args, **named: Question.kwargs) -> Answer:
        assert question and not named, "arguments of such a function have no names"
        answers = known.setdefault(question[0], {})
        if question[1:] not in answers:
            answers[question[1:]] = function(*question)  # type: ignore[call-arg]
        return answers[question[1:]]

    return answer
