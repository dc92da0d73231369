"""How much work is left: two layers in a row as grids of in × out, then the real network, predicted first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import amount
from pruning.lessons.prediction import Prediction
from pruning.render.markup.bars import Bar
from pruning.render.markup.layer_pair import DrawnLayer, layer_pair
from pruning.spec import PruneSpec
from ui.kit import lab
from ui.learn import bars, prediction

if TYPE_CHECKING:
    from pruning.subject import Subject
    from ui.learn.stage import Stage

WIDTH = 10
"""Channels of each layer in the drawing."""


def show(stage: Stage) -> None:
    """Done once the work of the real network was predicted and compared."""
    one, two = st.columns(2)
    first = stage.control("first", one.slider, stage.say("first"), 0, 90, step=10, format="%d %%")
    second = stage.control("second", two.slider, stage.say("second"), 0, 90, step=10, format="%d %%")
    st.html(_drawing(stage, first // 10, second // 10))
    percent = stage.value("percent")
    predict = Prediction(text=stage.say("guess", percent=percent), fact="left")
    place = prediction.ask(stage, predict)
    if place is None:
        return
    subject = stage.subject()
    cut = PruneSpec(sparsity=percent / 100)
    dense, now = lab.costs(subject, PruneSpec()), lab.costs(subject, cut)
    left = now.macs / dense.macs
    st.markdown(stage.say("real", left=f"{100 * left:.0f}", now=amount(now.macs), dense=amount(dense.macs)))
    bars.show(st.empty(), _layers(stage, subject, cut), name=stage.say("layers"))
    stage.acted(guess=prediction.value_of(stage, predict) or 0.0, left=f"{100 * left:.0f} %")
    prediction.answer(stage, predict, place)


def _layers(stage: Stage, subject: Subject, cut: PruneSpec) -> list[Bar]:
    """Each layer's multiplications that are left, and the two factors that make them."""
    from pruning.cost.counts import layer_costs, shapes_after

    before = layer_costs(subject.graph)
    after = layer_costs(subject.graph, shapes_after(subject.graph, lab.plan(subject, cut)))
    found = []
    for old, new in zip(before, after, strict=True):
        note = stage.say(
            "factors", ins=new.weight_shape[1], all_ins=old.weight_shape[1], outs=new.weight_shape[0],
            all_outs=old.weight_shape[0],
        )  # fmt: skip
        found.append(Bar(label=old.name, share=new.macs / old.macs, note=note))
    return found


def _drawing(stage: Stage, first: int, second: int) -> str:
    """Two layers of `WIDTH` channels that lose so many: columns are what a layer reads, rows what it makes."""
    passed, made = WIDTH - first, WIDTH - second
    return layer_pair(
        _layer(stage, "a", passed, WIDTH),
        _layer(stage, "b", made, passed),
        width=WIDTH,
        passes=stage.say("passes", count=passed),
        note=stage.say("drawn"),
        alt=stage.say("alt", a=passed * WIDTH, b=passed * made),
    )


def _layer(stage: Stage, name: str, rows: int, columns: int) -> DrawnLayer:
    return DrawnLayer(
        title=stage.say(f"layer_{name}"),
        reads=stage.say(f"reads_{name}"),
        makes=stage.say(f"makes_{name}"),
        left=stage.say("left_of", share=100 * rows * columns // WIDTH**2, rows=rows, columns=columns),
        rows=rows,
        columns=columns,
    )
