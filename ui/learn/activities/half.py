"""Why 30 % of the channels is half the compute: two layers in a row as grids of in × out, then the real network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import amount
from pruning.render.markup import badges
from pruning.spec import PruneSpec
from ui.kit import lab
from ui.learn import bars, grids

if TYPE_CHECKING:
    from pruning.subject import Subject
    from ui.learn.stage import Stage

WIDTH = 10
"""Channels of each layer in the drawing."""


def show(stage: Stage) -> None:
    """Done once the guess for the real network was made and compared."""
    one, two = st.columns(2)
    first = stage.control("first", one.slider, stage.say("first"), 0, 90, step=10, format="%d %%")
    second = stage.control("second", two.slider, stage.say("second"), 0, 90, step=10, format="%d %%")
    st.html(_drawing(stage, first // 10, second // 10))
    percent = stage.value("percent")
    ask, go = st.columns([3.2, 1], vertical_alignment="bottom")
    guess = ask.slider(
        stage.say("guess", percent=percent), 0, 100, 100 - percent, step=1, format="%d %%",
        key=f"lesson_{stage.lesson.id}_guess",
    )  # fmt: skip
    if go.button(stage.say("reveal"), icon=":material/visibility:", width="stretch", key="half_reveal"):
        stage.memory["guess"] = guess
    if "guess" not in stage.memory:
        return
    subject = stage.subject()
    cut = PruneSpec(sparsity=percent / 100)
    dense, now = lab.costs(subject, PruneSpec()), lab.costs(subject, cut)
    left = now.macs / dense.macs
    st.markdown(
        stage.say(
            "real",
            percent=percent,
            left=f"{100 * left:.0f}",
            guess=stage.memory["guess"],
            now=amount(now.macs),
            dense=amount(dense.macs),
        )
    )
    bars.show(st.empty(), _layers(stage, subject, cut), name=stage.say("layers"))
    stage.acted(guess=stage.memory["guess"], left=f"{100 * left:.0f} %")


def _layers(stage: Stage, subject: Subject, cut: PruneSpec) -> list[bars.Bar]:
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
        found.append(bars.Bar(label=old.name, share=new.macs / old.macs, note=note))
    return found


def _drawing(stage: Stage, first: int, second: int) -> str:
    """Two grids side by side: columns are what a layer reads, rows what it makes. The last ones go."""
    passed, made = WIDTH - first, WIDTH - second
    alt = stage.say("alt", a=passed * WIDTH, b=passed * made)
    arrow = (
        f'<p class="px-pass"><span>{escape(stage.say("passes", count=passed))}</span><b aria-hidden="true">⟶</b></p>'
    )
    return (
        f"{grids.style()}<style>{badges.STYLE}{STYLE}</style>"
        f'<div class="px-two">{_grid(stage, "a", passed, WIDTH, alt)}{arrow}'
        f"{_grid(stage, 'b', made, passed, alt)}</div>"
        f'<p style="margin:.4rem 0 0">{escape(stage.say("drawn"))}</p>'
    )


def _grid(stage: Stage, name: str, rows: int, columns: int, alt: str) -> str:
    cells = [[grids.cell(0.75) if i < rows and j < columns else grids.GONE for j in range(WIDTH)] for i in range(WIDTH)]
    left = stage.say("left_of", share=100 * rows * columns // WIDTH**2, rows=rows, columns=columns)
    return (
        f"<div><h3>{escape(stage.say(f'layer_{name}'))}</h3><small>{escape(stage.say(f'reads_{name}'))}</small>"
        f'<div class="px-one"><small>{escape(stage.say(f"makes_{name}"))}</small>{grids.matrix(cells, alt=alt)}</div>'
        f"<p><b>{escape(left)}</b>{badges.badge('measured')}</p></div>"
    )


STYLE = """
.px-two{display:grid;grid-template-columns:minmax(0,17rem) minmax(5rem,8rem) minmax(0,17rem);gap:.6rem;
 align-items:center;font-variant-numeric:tabular-nums}
.px-two h3{margin:0!important;padding:0!important;font-size:1rem!important;font-weight:600}
.px-two small{font-size:.87rem;display:block}
.px-two p{margin:.3rem 0 0!important}
.px-one{display:grid;grid-template-columns:1.2rem minmax(0,1fr);align-items:center;margin-top:.2rem}
.px-one>small{writing-mode:vertical-rl;transform:rotate(180deg);text-align:center;justify-self:center}
.px-pass{display:grid;justify-items:center;line-height:1.2;text-align:center}
.px-pass b{font-size:1.6rem;font-weight:400}
@media (max-width:640px){.px-two{grid-template-columns:minmax(0,17rem)}.px-pass b{rotate:90deg}}
"""
