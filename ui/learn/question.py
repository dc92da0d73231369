"""A lesson's question: choices or a number, judged when the learner presses Check, then explained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from ui.learn import progress
from ui.learn.stage import Fact, Stage

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.lessons.lesson import Question


def show(stage: Stage) -> DeltaGenerator | None:
    """Draw the question; gives the place for what `explain` says once the activity has told its facts."""
    question, lesson = stage.lesson.question, stage.lesson
    if question is None:
        return None
    given = progress.of(lesson.id).answered
    key = f"lesson_{lesson.id}_answer_{progress.generation()}"
    with st.form(f"question_{lesson.id}", border=False):
        if question.choices:
            names = list(question.choices)
            st.radio(
                f"**{question.text}**",
                names,
                index=names.index(str(given)) if given in names else None,
                format_func=lambda name: question.choices[name],
                key=key,
            )
        else:
            label = f"**{question.text}**" + (f" ({question.unit})" if question.unit else "")
            number = float(given) if isinstance(given, (int, float)) else None
            st.number_input(label, value=number, format="%g", step=1.0, key=key)
        st.form_submit_button(
            stage.course.say("page", "check"),
            type="primary" if given is None else "secondary",
            on_click=_answer,
            args=(stage, key),
        )
    return st.empty()


def explain(stage: Stage, place: DeltaGenerator) -> None:
    """Say whether the answer was right, and why."""
    question, mark = stage.lesson.question, progress.of(stage.lesson.id)
    assert question is not None
    course = stage.course
    if f"lesson_{stage.lesson.id}_waits" in st.session_state:
        place.info(course.say("page", "act_first"), icon=":material/touch_app:")
    elif mark.answered is not None:
        why = filled(question.explain, stage.facts)
        if mark.right:
            place.success(f"**{course.say('page', 'right')}** {why}", icon=":material/check_circle:")
        else:
            place.warning(f"**{course.say('page', 'wrong')}** {why}", icon=":material/help:")


def judge(question: Question, given: str | float, facts: Mapping[str, Fact]) -> bool | None:
    """Whether an answer is right; None where the fact that decides is not there yet."""
    truth: Fact | None = question.answer if question.answer_from is None else facts.get(question.answer_from)
    if truth is None:
        return None
    if question.choices:
        return given == str(truth)
    number = _number(truth)
    return None if number is None else abs(float(given) - number) <= question.tolerance + 1e-9


def filled(text: str, facts: Mapping[str, Fact]) -> str:
    """A text with its {names} replaced by facts; sentences with a fact that is not known are left out.

    >>> filled("There are {n}. It is so.", {})
    'It is so.'
    """
    known = re.sub(r"\{(\w+)\}", lambda found: _words(facts.get(found[1], found[0])), text)
    sentences = re.split(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?=\s)", known)
    whole = "".join(part for part in sentences if not re.search(r"\{\w+\}", part)).strip()
    return re.sub(r" (?=[%●◆○])", "\u00a0", whole)  # a unit or a badge does not begin a line


def _number(value: Fact) -> float | None:
    """The number in a fact, such as 54 in '54 %'; None where it is no number."""
    found = re.match(r"[-−]?\d[\d,]*(\.\d+)?", str(value))
    return float(found[0].replace("−", "-").replace(",", "")) if found else None


def _words(value: Fact) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _answer(stage: Stage, key: str) -> None:
    question, given = stage.lesson.question, st.session_state.get(key)
    waits = f"lesson_{stage.lesson.id}_waits"
    st.session_state.pop(waits, None)
    if question is None or given is None:
        return
    right = judge(question, given, stage.facts)
    if right is None:
        st.session_state[waits] = True
        return
    progress.mark(stage.lesson.id, answered=given, right=right)
