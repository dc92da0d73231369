"""A lesson's question: choices or a number, judged when the learner presses Check. A first wrong answer gets a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.lessons.judging import filled, judge, right_answer, unbroken
from ui.learn import progress

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ui.learn.stage import Stage


def show(stage: Stage) -> DeltaGenerator | None:
    """Draw the question; gives the place for what `explain` says once the activity has told its facts."""
    question, lesson = stage.lesson.question, stage.lesson
    if question is None:
        return None
    mark = progress.of(lesson.id)
    given = mark.answered
    key = f"lesson_{lesson.id}_answer_{progress.generation()}_{mark.tries}"  # a new widget shows what was answered
    label = question.text + (f" ({question.unit})" if question.unit and not question.choices else "")
    with st.form(f"question_{lesson.id}", border=False):
        st.markdown(f"**{label}**")  # a disabled widget's own label would be too pale to read
        if question.choices:
            names = list(question.choices)
            st.radio(
                label,
                names,
                index=names.index(str(given)) if given in names else None,
                format_func=lambda name: question.choices[name],
                disabled=mark.is_settled,
                label_visibility="collapsed",
                key=key,
            )
        else:
            number = float(given) if isinstance(given, (int, float)) else None
            st.number_input(label, value=number, format="%g", step=1.0, disabled=mark.is_settled, key=key,
                            label_visibility="collapsed")  # fmt: skip
        st.form_submit_button(
            stage.course.say("page", "check" if given is None else "check_again"),
            type="primary" if not mark.is_settled else "secondary",
            disabled=mark.is_settled,
            on_click=_answer,
            args=(stage, key),
        )
    return st.empty()


def explain(stage: Stage, place: DeltaGenerator) -> None:
    """Say whether the answer was right, and why; after a first wrong one, where to look once more."""
    question, mark, course = stage.lesson.question, progress.of(stage.lesson.id), stage.course
    assert question is not None
    early = st.session_state.get(f"lesson_{stage.lesson.id}_waits")
    waits = early is not None and (not mark.acted or judge(question, early, stage.facts) is None)
    if waits or (mark.is_settled and not mark.acted):
        place.info(course.say("page", "act_first"), icon=":material/touch_app:")
    elif mark.verdict == "open":
        hint = unbroken(question.hint or course.say("page", "hint"))
        place.info(f"**{course.say('page', 'try_again')}** {hint}", icon=":material/lightbulb:")
    elif mark.is_settled:
        verdict = f"**{course.say('page', f'verdict_{mark.verdict}')}**"
        if not mark.right and (answer := right_answer(question, stage.facts)):
            verdict += f" {course.say('page', 'right_is', answer=answer)}"
        why = filled(question.explain, stage.facts)
        with place.container():
            box, icon = (st.success, "check_circle") if mark.right else (st.warning, "cancel")
            box(f"{verdict}\n\n{why}", icon=f":material/{icon}:")
            st.button(course.say("page", "anew"), type="tertiary", icon=":material/replay:", on_click=_anew,
                      args=(stage,), key="lesson_anew")  # fmt: skip


def _answer(stage: Stage, key: str) -> None:
    question, given = stage.lesson.question, st.session_state.get(key)
    waits = f"lesson_{stage.lesson.id}_waits"
    st.session_state.pop(waits, None)
    if question is None or given is None:
        return
    mark = progress.of(stage.lesson.id)
    right = judge(question, given, stage.facts)
    if right is None or not mark.acted:
        st.session_state[waits] = given
    else:
        progress.put_mark(stage.lesson.id, mark.answering(given, right))


def _anew(stage: Stage) -> None:
    """The same question once more, with nothing chosen."""
    progress.put_mark(stage.lesson.id, progress.of(stage.lesson.id).unanswered())
    progress.renew()
