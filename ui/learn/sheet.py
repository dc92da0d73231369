"""What stands round an activity: the head of the page, the lesson's text, the ways on, and the page after the last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from pruning.lessons.lesson import END
from pruning.runs.links import is_local
from ui.kit import doors, errors
from ui.learn import address, progress, steps
from ui.learn.stage import forget

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.lessons.lesson import Lesson
    from pruning.lessons.library import Course
    from pruning.lessons.progress import Tick
    from ui.learn.stage import Stage

TICKS: tuple[Tick, ...] = ("first", "second", "wrong")
DOORS = (
    ("prune", ":material/content_cut:"),
    ("explore", ":material/search:"),
    ("compare", ":material/compare:"),
)
"""Where to go after the last lesson: page and icon."""


def head(course: Course, stage: Stage | None) -> None:
    """The title, the lesson's link, and the way to start over. `stage`: None after the last lesson."""
    st.html(f"<style>{STYLE}</style>")
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_head"):
        st.title(course.say("page", "title"), anchor=False)
        if stage is not None:
            _share(stage)
        with st.popover(course.say("page", "over"), icon=":material/restart_alt:"):
            st.markdown(course.say("page", "over_text"))
            if st.button(course.say("page", "over_sure"), key="start_over"):
                progress.reset()
                forget()
                address.go(course.lessons[0].id)
                st.rerun()


def places() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Text, activity and question: in this order for a keyboard and on a phone; else the activity stands beside."""
    with st.container(key="lesson_grid"):
        return st.container(key="lesson_text"), st.container(key="lesson_activity"), st.container(key="lesson_ask")


def show(stage: Stage) -> None:
    """The lesson's text and the one thing to do."""
    lesson, course = stage.lesson, stage.course
    st.header(f"{_number(course, lesson)} · {lesson.title}", anchor=False)
    st.markdown(lesson.text)
    with st.container(border=True, key="lesson_do"):
        st.markdown(f":material/touch_app: **{course.say('page', 'do')}** {lesson.do}")


def ways(stage: Stage) -> None:
    """Back and Next, what goes further, and where it comes from. Next is marked once the lesson is done."""
    course, lesson = stage.course, stage.lesson
    place, ids = _number(course, lesson) - 1, [entry.id for entry in course.lessons]
    back, on = st.columns(2)
    if place > 0:
        back.button(
            course.say("page", "back"),
            icon=":material/arrow_back:",
            width="stretch",
            on_click=address.go,
            args=(ids[place - 1],),
            key="lesson_back",
        )
    last = place == len(ids) - 1
    on.button(
        course.say("page", "finish" if last else "next"),
        icon=":material/arrow_forward:",
        icon_position="right",
        type="primary" if steps.is_done(lesson) else "secondary",
        width="stretch",
        on_click=address.go,
        args=(END if last else ids[place + 1],),
        key="lesson_next",
    )
    if lesson.more and stage.may_judge and progress.of(lesson.id).acted:  # it may answer the question
        with st.expander(course.say("page", "more"), icon=":material/add_circle:"):
            st.markdown(lesson.more)
    if lesson.references:
        with st.expander(course.say("page", "sources"), icon=":material/menu_book:"):
            for source in lesson.references:
                name = errors.plain(source.text)
                st.markdown(f"[{name}]({source.link})" if source.link else name)


def end(course: Course) -> None:
    """After the last lesson: what was done, what is left, and the door to Prune."""
    missing = [lesson for lesson in course.lessons if not steps.is_done(lesson)]
    st.header(course.say("page", "end_open" if missing else "end_title"), anchor=False)
    if missing:
        names = ", ".join(errors.plain(lesson.title) for lesson in missing)
        st.markdown(course.say("page", "end_missing", names=names))
        st.button(
            course.say("page", "end_back", title=missing[0].title),
            on_click=address.go,
            args=(missing[0].id,),
            icon=":material/arrow_back:",
            type="primary",
        )
    else:
        st.markdown(course.say("page", "end_all", count=len(course.lessons)))
        st.markdown(course.say("page", "end_text"))  # answers to lessons that are open would be in it
    if marks := _marks(course):
        st.markdown(marks)
    st.markdown(course.say("page", "end_doors"))
    cards = tuple(
        doors.Door(
            page=f"pages/{page}.py",
            title=course.say("page", f"door_{page}"),
            icon=icon,
            text=course.say("page", f"door_{page}_text"),
        )
        for page, icon in DOORS
    )
    doors.draw(cards, "doors_lessons")


def _marks(course: Course) -> str:
    """How the questions were answered, counted; '' where none was."""
    found = Counter(progress.of(lesson.id).verdict for lesson in course.lessons)
    said = [course.say("page", f"count_{verdict}", count=found[verdict]) for verdict in TICKS if found[verdict]]
    return " · ".join(said)


def _share(stage: Stage) -> None:
    """The lesson's link, its controls as they stand, with what a teacher wants hidden or locked in it."""
    from pruning.lessons.lesson import controls_of

    course, lesson = stage.course, stage.lesson
    with st.popover(course.say("page", "link"), icon=":material/share:"), st.container(width=380):
        st.markdown(course.say("page", "link_text"))
        controls = [name for name in controls_of(lesson) if name in lesson.controls]
        hidden: list[str] = []
        locked: list[str] = []
        if controls:
            st.markdown(course.say("page", "link_teacher"))
        for name in controls:
            choice = st.segmented_control(
                course.words.get("controls", {}).get(name, name),
                ["free", "lock", "hide"],
                default="free",
                required=True,
                format_func=lambda way: course.say("page", f"link_{way}"),
                key=f"link_{lesson.id}_{name}",
            )
            if choice != "free":
                (hidden if choice == "hide" else locked).append(name)
        link = address.link(lesson, {name: stage.value(name) for name in controls}, hidden, locked)
        if is_local(link):
            st.markdown(course.say("page", "link_local"))
        st.code(link, language=None, wrap_lines=True)


def _number(course: Course, lesson: Lesson) -> int:
    place = course.find(lesson.id)
    assert place is not None
    return place + 1


# Streamlit's columns would put the activity below the question on a phone.
STYLE = """
.st-key-lesson_grid{display:grid;grid-template-columns:minmax(0,1fr);gap:1rem 2rem}
@media (min-width:861px){
 .st-key-lesson_grid{grid-template-columns:minmax(0,1fr) minmax(0,2fr);grid-template-rows:auto 1fr}
 .st-key-lesson_grid>:has(>.st-key-lesson_activity),.st-key-lesson_grid>.st-key-lesson_activity
 {grid-column:2;grid-row:1/3}
}
"""
