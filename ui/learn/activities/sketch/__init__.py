"""Sensitivity: the learner sketches the curve of one group of channels, then the measured one is laid over it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.base.words import percent
from pruning.latency import turns
from pruning.lessons.sketch import (
    MeasuredCurve,
    group_of,
    mean_distance,
    measure_curve,
    outline_of,
    read_sketch,
    share_of_macs,
    sketched_shares,
)
from ui.kit import errors
from ui.kit.component import component

if TYPE_CHECKING:
    from pruning.sensitivity import Curve, Figure
    from pruning.subject import Subject
    from ui.learn.stage import Stage

KEY = "sketch_canvas"
_ORDER = ("first", "second")


def show(stage: Stage) -> None:
    """Done once the curves of all groups are revealed."""
    groups = stage.value("groups")
    memory = stage.memory
    at: int = memory.setdefault("at", 0)
    group = str(groups[at])
    subject = stage.subject()
    outline = outline_of(subject, stage.value("images"))
    target = group_of(outline, group)
    _take(stage)
    revealed: set[str] = memory.setdefault("revealed", set())
    st.markdown(stage.say("group", number=at + 1, count=len(groups), name=errors.plain(", ".join(target.layers)),
                          words=_words(stage, target, share_of_macs(subject, target))))  # fmt: skip
    curve = None
    if group in revealed:
        with st.spinner(stage.say("measuring")):
            curve = _measured(subject.digest, subject.data.digest, group, outline.images, subject)
    _canvas(stage, group, curve)
    st.caption(stage.say("caption", images=f"{outline.images:,}"))
    said, action = st.columns([2.2, 1], vertical_alignment="center")
    if curve is None:
        said.markdown(stage.say("draw_first"))
        action.button(stage.say("reveal"), icon=":material/visibility:", key="sketch_reveal", width="stretch",
                      disabled=group not in memory.get("sketches", {}), type="primary", on_click=revealed.add,
                      args=(group,))  # fmt: skip
        return
    off = mean_distance(memory["sketches"][group], curve.points)
    half, most = (_left(curve.at(share).figure) for share in (0.5, 0.9))
    gone = percent(curve.at(0.9).achieved, 0)  # of few channels not every share can go
    said.markdown(stage.say("off", off=f"{off:.0f}", half=half, gone=gone, most=most))
    with action:
        _ways(stage, at, len(groups), group)
    facts = {}
    if at < len(_ORDER):
        name = _ORDER[at]
        facts = {f"{name}_off": off, f"{name}_half": half, f"{name}_most": most}
    memory.setdefault("facts", {}).update(facts)
    if revealed >= set(groups):
        stage.acted(**memory["facts"])


def _take(stage: Stage) -> None:
    """Keep what was drawn; a group whose curve is revealed is drawn no more."""
    sent = (st.session_state.get(KEY) or {}).get("curve")
    if not isinstance(sent, dict):
        return
    for group in map(str, stage.value("groups")):
        values = read_sketch(sent.get("values"), len(sketched_shares()))
        if sent.get("token") == _token(stage, group) and values and group not in stage.memory.get("revealed", set()):
            stage.memory.setdefault("sketches", {})[group] = values


def _canvas(stage: Stage, group: str, curve: MeasuredCurve | None) -> None:
    measured = None
    start = 100.0
    if curve is not None:
        start = 100 * curve.dense.value
        measured = [_dot(0.0, curve.dense), *(_dot(point.achieved, point.figure) for point in curve.points)]
    words = ("axis_x", "axis_y", "point", "hint", "yours", "measured")
    _component()(
        key=KEY,
        data={
            "token": _token(stage, group),
            "xs": [round(100 * share) for share in sketched_shares()],
            "start": start,
            "values": stage.memory.get("sketches", {}).get(group),
            "measured": measured,
            "words": {name: stage.words[name] for name in words} | {"name": stage.say("yours")},
        },
        on_curve_change=_heard,
    )


def _ways(stage: Stage, at: int, count: int, group: str) -> None:
    """On to the other group, or this one anew."""

    def go(place: int) -> None:
        stage.memory["at"] = place

    def anew() -> None:
        stage.memory["revealed"].discard(group)
        stage.memory["sketches"].pop(group, None)
        stage.memory["draws"] = stage.memory.get("draws", 0) + 1

    if at + 1 < count:
        st.button(stage.say("other"), icon=":material/arrow_forward:", key="sketch_other", type="primary",
                  width="stretch", on_click=go, args=(at + 1,))  # fmt: skip
    elif at:
        st.button(stage.say("back"), icon=":material/arrow_back:", key="sketch_back", width="stretch", on_click=go,
                  args=(0,))  # fmt: skip
    st.button(stage.say("redraw"), icon=":material/draw:", key="sketch_redraw", width="stretch", on_click=anew)


def _words(stage: Stage, target: Curve, share: float) -> str:
    """What kind of group it is. `share`: of the network's multiplications."""
    kind = "shared" if len(target.layers) > 1 else "alone"
    return stage.say(kind, count=len(target.layers), units=target.units, share=percent(share, 0))


def _left(figure: Figure) -> str:
    low, high = figure.interval
    return f"{percent(figure.value)} ({100 * low:.1f}–{100 * high:.1f})"


def _dot(share: float, figure: Figure) -> dict[str, float]:
    low, high = figure.interval
    return {"x": round(100 * share, 1), "y": 100 * figure.value, "low": 100 * low, "high": 100 * high}


@st.cache_data(show_spinner=False, max_entries=50)
def _measured(digest: str, data_digest: str, group: str, images: int, _subject: Subject) -> MeasuredCurve:
    """The measured curve of a group: a few seconds, once for everybody."""
    with turns.computing():
        return measure_curve(_subject, group, images)


def _token(stage: Stage, group: str) -> str:
    return f"{stage.lesson.id} {group} {stage.memory.get('draws', 0)}"


def _heard() -> None:
    """Streamlit knows a state by its callback; `_take` reads it."""


@cache
def _component() -> Callable[..., Any]:
    return component("pruning_sketch", Path(__file__).parent, css="canvas.css", js=("canvas.js",))
