"""What the activity does as lines of Python to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.lessons.activities import settings_of

if TYPE_CHECKING:
    from ui.learn.stage import Stage


def show(stage: Stage) -> None:
    """Draw the code, filled with the settings as they stand, folded away."""
    from pruning.lessons.snippets import code_of

    activity = stage.lesson.activity
    settings = {name: stage.value(name) for name in settings_of(activity)} | stage.chosen
    with st.expander(stage.course.say("page", "code"), icon=":material/code:", key="lesson_code"):
        st.caption(stage.course.say("page", "code_needs"))
        st.code(code_of(activity, settings), language="python")
