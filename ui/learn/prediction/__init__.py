"""Predict first: a track without a thumb until the learner places one, and the measured value on the same track after.

place = prediction.ask(stage, predict)      # None as long as nothing was predicted: show no figures
...
prediction.answer(stage, predict, place)    # once the activity has told its facts
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.lessons.judging import unbroken
from pruning.render.markup.badges import SYMBOLS
from ui.kit.component import component
from ui.learn import progress

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.lessons.prediction import Prediction
    from ui.learn.stage import Stage


def ask(stage: Stage, predict: Prediction) -> DeltaGenerator | None:
    """Draw the empty track, unless a value was placed on it; else the place for what `answer` draws."""
    if value_of(stage, predict) is not None:
        return st.container(key="lesson_predict")
    with st.container(key="lesson_predict"):
        _draw(stage, predict)
    return None


def answer(stage: Stage, predict: Prediction, place: DeltaGenerator) -> None:
    """Draw the track with what was predicted and, from then on when it is known, what was measured."""
    found = predict.measured(stage.told, stage.value)
    kept = stage.measured_before
    if found is not None:
        badge, span = SYMBOLS[stage.badge_of(predict.fact)], f" ({found.span})" if found.span else ""
        kept["at"], kept["words"] = found.number, f"{found.words}{span} {badge}"
    with place:
        _draw(stage, predict, kept or None)


def value_of(stage: Stage, predict: Prediction) -> float | None:
    """What was predicted; None as long as nothing was."""
    known = progress.of(stage.lesson.id).predicted
    if predict.holds(known):
        return known
    sent = (st.session_state.get(_key(stage)) or {}).get("placed")
    value = sent.get("value") if isinstance(sent, dict) and sent.get("token") == _token(stage) else None
    if not predict.holds(value):
        return None
    assert value is not None
    progress.mark(stage.lesson.id, predicted=float(value))
    return float(value)


def _draw(stage: Stage, predict: Prediction, measured: dict[str, Any] | None = None) -> None:
    course = stage.course
    st.markdown(f"**{course.say('page', 'predict')}** {unbroken(predict.text)}")
    words = ("predict_button", "predict_empty", "predict_yours", "predict_measured", "predict_waits")
    value = value_of(stage, predict)
    _component()(
        key=_key(stage),
        data={
            "token": _token(stage),
            "low": predict.low,
            "high": predict.high,
            "step": predict.step,
            "unit": predict.unit,
            "value": value,
            "measured": measured,
            "name": predict.text.replace("*", ""),
            "words": {name: course.words["page"][name] for name in words},
        },
        on_placed_change=_heard,
    )
    if value is None:
        st.caption(course.say("page", "predict_first"))


def _key(stage: Stage) -> str:
    return f"prediction_{stage.lesson.id}"


def _token(stage: Stage) -> str:
    return f"{stage.lesson.id} {progress.generation()}"


def _heard() -> None:
    """Streamlit knows a state by its callback; `value_of` reads it."""


@cache
def _component() -> Callable[..., Any]:
    return component("pruning_prediction", Path(__file__).parent, css="track.css", js=("track.js",))
