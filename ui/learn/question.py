"""A lesson's question: choices or a number, judged when the learner presses Check, then explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.lessons.judging import filled, judge
from ui.learn import progress

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ui.learn.stage import Stage


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
