"""The panel beside the board: one group or layer in large, and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import charts, cuts, errors, lab, preview, sliders, state
from pages.shared.numbers import time_tile
from pages.shared.tiles import Number, Tile
from pages.shared.words import amount

if TYPE_CHECKING:
    from pages.shared.cuts import Target
    from pages.shared.preview import Arithmetic
    from pruning.catalog.models import OpenModel
    from pruning.latency import Comparison

_TIMES = "prune_times"
"""(digest, cut) → comparison or why there is none; measured on demand."""


def show(opened: OpenModel, target: Target | None, known: Arithmetic, cut: lab.Cut) -> None:
    """Large bars or histogram of the chosen row with its cut, and in words what goes; None: no row is free."""
    if target is None:
        st.info("No channels of this network can be removed: each row says why. Weights can: switch to **weights**.",
                icon=":material/lock:")  # fmt: skip
        return
    with st.container(border=True, key="inspector", gap="small"):
        st.markdown(f"#### {errors.plain(target.label)}")
        if cut.granularity == "channel":
            st.caption(errors.plain(sliders.coupled(target)))
            _units(opened, target, known, cut)
        else:
            st.caption("Single weights of this layer become zero; its shape stays.")
            _weights(opened, target, known)
        dense, now = known.dense_macs[target.tensor], known.macs[target.tensor]
        if cut.granularity == "channel":
            st.markdown(
                f":small[MACs: {amount(dense)} → **{amount(now)}** ●]",
                help="Of the layers these channels run through; a layer between two groups counts for both.",
            )
        note = next((row.note for row in known.plan.layers if row.note and row.name in target.layers), None)
        if note:
            st.caption(f":material/info: {note}")
    st.button(
        "Measure time",
        icon=":material/timer:",
        key="measure_time",
        on_click=_ask_time,
        args=(opened, cut),
        disabled=known.plan.removes_nothing,
        help="Times this cut against dense in turn, batch 1: about two seconds. A run measures it anyway.",
    )


def time_so_far(opened: OpenModel, cut: lab.Cut, result: dict[str, Any] | None) -> Tile:
    """The time of this cut, batch 1: from the run shown, else as asked for, else how to get one."""
    times: dict[tuple[str, str], Comparison | str] = st.session_state.setdefault(_TIMES, {})
    if result is not None:
        return _time_of_run(result)
    return time_tile(1, times.get((opened.digest, cut.key), "measured in the run"))


def _time_of_run(result: dict[str, Any]) -> Tile:
    low, middle, high = result["speedup"]["1"]
    words = str(result["verdict"]["1"])
    number = Number("≈ 1×" if low <= 1 <= high else f"{middle:.2f}×", "measured", words)
    threads = result["threads"]
    return Tile(title=f"Time for 1 image, {threads} thread{'' if threads == 1 else 's'}", numbers=(number,), width=1.25)


def _ask_time(opened: OpenModel, cut: lab.Cut) -> None:
    from pruning.errors import PruningError

    times: dict[tuple[str, str], Comparison | str] = st.session_state.setdefault(_TIMES, {})
    try:
        times[opened.digest, cut.key] = lab.speed(opened, cut, 1, 1.2)
    except PruningError as error:  # a run is training on this machine
        times[opened.digest, cut.key] = str(error)


def _units(opened: OpenModel, target: Target, known: Arithmetic, cut: lab.Cut) -> None:
    from pruning.plots import palette

    colours = palette(charts.dark())
    scores = preview.scores(opened, cut.granularity, cut.criterion, cut.seed)[target.tensor]
    kept = len(known.plan.kept[target.tensor])
    removed = target.total - kept
    st.html(
        sliders.bars_html(scores, removed / target.total, colours, 130)
        + f'<div style="display:flex;justify-content:space-between;font-size:.87rem;color:{colours.soft};'
        'font-variant-numeric:tabular-nums"><span>go first</span>'
        f'<span><b style="color:{colours.removed}">{removed} removed</b> · '
        f'<b style="color:{colours.kept}">{kept} kept</b></span><span>go last</span></div>'
    )


def _weights(opened: OpenModel, target: Target, known: Arithmetic) -> None:
    from pruning import plots
    from pruning.distributions import magnitude_histogram

    weight = dict(opened.model.named_parameters())[target.tensor].detach()
    mask = known.plan.masks[target.tensor]
    kept = int(mask.sum())
    ranked = state.get(cuts.CRITERION) in ("l1", "l2")
    cut = float(weight[mask].abs().min()) if ranked and kept < target.total else None
    charts.show(
        st,
        plots.weight_histogram(magnitude_histogram(weight), charts.dark(), cut=cut),
        key="inspector_histogram",
        alt=f"Histogram of the magnitudes of {target.label}, on a log axis",
    )
    st.markdown(f"**{target.total - kept:,}** become zero, **{kept:,}** stay")
