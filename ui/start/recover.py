"""The next step after a cut, in one place: Recover, how far it is, what came of it, and what to try then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render import story
from ui.kit import charts, errors, lab, state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.repair.accuracy import CutAccuracy
    from pruning.spec import PruneSpec
    from pruning.subject import Subject


def show(place: DeltaGenerator, subject: Subject, cut: PruneSpec, gone: int, accuracy: CutAccuracy) -> None:
    """Offer what to do next about a cut that takes `gone` per cent; where it is asked for, do it here and now."""
    recovered = state.get(state.START_RECOVERED)
    at = (cut.granularity, gone)
    if gone == 0:
        place.empty()
        return
    if at not in recovered:
        step = story.next_step(*at, accuracy.difference, recovered=False)
        with place.container():
            pressed = st.button(
                "Recover",
                icon=":material/healing:",
                type="primary" if step == "recover" else "secondary",
                width="stretch",
                help="Two passes over the 3,000 training images. What is gone stays gone.",
                key="recover",
            )
            below = st.empty()
            below.caption("Trains what is left for a few seconds.")
            if pressed:
                with errors.shown(stop=False), below.container():
                    recovered[at] = lab.recover(subject, cut, progress=charts.training_bar(below))
    if at in recovered:
        step = story.next_step(*at, accuracy.difference, recovered=True)
        with place.container():
            st.markdown(story.recovery_story(accuracy.best, recovered[at].accuracy, step))
            if step == "channels":
                st.button(
                    "Now try channels",
                    icon=":material/arrow_forward:",
                    type="primary",
                    width="stretch",
                    on_click=state.put,
                    args=(state.START_GRANULARITY, "channel"),
                    key="try_channels",
                )
