"""Sensitivity: the learner sketches the curve of one group of channels, then the measured one is laid over it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.base.words import percent
from pruning.latency import turns
from pruning.spec import PruneSpec
from ui.kit import errors

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
    outline = _outline(subject, stage.value("images"))
    target = _target(outline, group)
    _take(stage)
    revealed: set[str] = memory.setdefault("revealed", set())
    everything = sum(cost.macs for cost in _costs(subject))
    st.markdown(stage.say("group", number=at + 1, count=len(groups), name=errors.plain(", ".join(target.layers)),
                          words=_words(stage, target, everything)))  # fmt: skip
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
    off = _off(memory["sketches"][group], curve[1])
    half, most = (_left(curve, share) for share in (0.5, 0.9))
    gone = percent(curve[1][0.9][0], 0)  # of few channels not every share can go
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


def read_sketch(sent: Any, count: int) -> list[float] | None:
    """The heights that a browser sent, 0 to 100; None where they are not such."""
    if not isinstance(sent, list) or len(sent) != count:
        return None
    good = all(isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100 for value in sent)
    return [float(value) for value in sent] if good else None


def _take(stage: Stage) -> None:
    """Keep what was drawn; a group whose curve is revealed is drawn no more."""
    sent = (st.session_state.get(KEY) or {}).get("curve")
    if not isinstance(sent, dict):
        return
    for group in map(str, stage.value("groups")):
        values = read_sketch(sent.get("values"), len(_shares()))
        if sent.get("token") == _token(stage, group) and values and group not in stage.memory.get("revealed", set()):
            stage.memory.setdefault("sketches", {})[group] = values


def _canvas(stage: Stage, group: str, curve: tuple[Figure, dict[float, tuple[float, Figure]]] | None) -> None:
    measured = None
    start = 100.0
    if curve is not None:
        dense, points = curve
        start = 100 * dense.value
        measured = [_dot(0.0, dense), *(_dot(achieved, figure) for _, (achieved, figure) in sorted(points.items()))]
    words = ("axis_x", "axis_y", "point", "hint", "yours", "measured")
    _component()(
        key=KEY,
        data={
            "token": _token(stage, group),
            "xs": [round(100 * share) for share in _shares()],
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


def _words(stage: Stage, target: Curve, everything: int) -> str:
    """What kind of group it is."""
    kind = "shared" if len(target.layers) > 1 else "alone"
    share = percent(target.macs / everything, 0)
    return stage.say(kind, count=len(target.layers), units=target.units, share=share)


def _off(sketch: list[float], points: dict[float, tuple[float, Figure]]) -> float:
    """Mean distance of a sketch from the measured curve, in points, where the curve was measured: of few channels not
    every share can go, and between its own places the sketch is a straight line."""
    import numpy as np

    mine = np.interp([achieved for achieved, _ in points.values()], _shares(), sketch)
    measured = [100 * figure.value for _, figure in points.values()]
    return float(np.abs(mine - measured).mean())


def _left(curve: tuple[Figure, dict[float, tuple[float, Figure]]], share: float) -> str:
    figure = curve[1][share][1]
    low, high = figure.interval
    return f"{percent(figure.value)} ({100 * low:.1f}–{100 * high:.1f})"


def _dot(share: float, figure: Figure) -> dict[str, float]:
    low, high = figure.interval
    return {"x": round(100 * share, 1), "y": 100 * figure.value, "low": 100 * low, "high": 100 * high}


def _shares() -> list[float]:
    from pruning.sensitivity import SPARSITIES

    return sorted(SPARSITIES["channel"])


def _outline(subject: Subject, images: int):
    from pruning.sensitivity import outline

    return outline(subject.digest, subject.graph, subject.data, PruneSpec(), images=images)


def _target(outline: Any, group: str) -> Curve:
    from pruning.base.errors import InputError

    names = [curve.name for curve in outline.curves if curve.locked is None]
    if group not in names:
        raise InputError(f"This network has no group of channels '{group}' to cut. It has: {', '.join(names)}.")
    found: Curve = outline.curve(group)
    return found


def _costs(subject: Subject):
    from pruning.cost.counts import layer_costs

    return layer_costs(subject.graph)


@st.cache_data(show_spinner=False, max_entries=50)
def _measured(
    digest: str, data_digest: str, group: str, images: int, _subject: Subject
) -> tuple[Figure, dict[float, tuple[float, Figure]]]:
    """Dense, and at each share asked for the share that went and the accuracy: a few seconds, once for everybody."""
    from dataclasses import replace

    from pruning.sensitivity import scan
    from pruning.whatif import WhatIf

    wanted = _outline(_subject, images)
    wanted = replace(wanted, curves=(wanted.curve(group),))
    with turns.computing():
        *_, found = scan(
            _subject.model,
            _subject.graph,
            _subject.data,
            WhatIf(_subject.model, _subject.graph, _subject.data, images=images),
            wanted,
        )
    assert found.dense is not None
    points = {point.sparsity: (point.achieved, point.figure("recalibrated")) for point in found.curve(group).points}
    return found.dense.figure("recalibrated"), points


def _token(stage: Stage, group: str) -> str:
    return f"{stage.lesson.id} {group} {stage.memory.get('draws', 0)}"


def _heard() -> None:
    """Streamlit knows a state by its callback; `_take` reads it."""


@cache
def _component() -> Callable[..., Any]:
    folder = Path(__file__).parent
    renderer: Callable[..., Any] = st.components.v2.component(
        "pruning_sketch",
        css=(folder / "canvas.css").read_text(encoding="utf-8"),
        js=(folder / "canvas.js").read_text(encoding="utf-8"),
    )
    return renderer
