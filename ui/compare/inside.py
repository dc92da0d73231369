"""Inside both networks: what each filter answers to a picture, what is lost without it, and how its weights moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render import layers
from pruning.render.markup import filter_maps, pixels
from ui.compare import cached, filter_importance, picker, picture_choice, weights
from ui.kit import charts, errors, state

if TYPE_CHECKING:
    from pruning.compare.features import Maps
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data
    from pruning.subject import Subject

LAYER = "compare_layer"
FROM = "compare_from"
state.DEFAULTS.update({LAYER: None, FROM: 0})
MANY = 64
"""Filters shown at a time."""
_FILTERS = "compare_filters"


def show(pair: Pair) -> None:
    """Feature maps with a filter's knock-out beside them, then weights and norms; one layer for all."""
    if not pair.same_network:
        st.info(
            "These two runs began from different networks, so their layers cannot be laid side by side. Choose two "
            "runs of the same network.",
            icon=":material/info:",
        )
        return
    dense = cached.dense(pair)
    with st.container(key="compare_inside", gap="small"):
        if pair.missing is None:
            with st.spinner("Reading the images"):
                data = pair.data()
            _filters(pair, dense, data)
        else:
            st.info(f"What filters answer cannot be shown: {pair.missing}.", icon=":material/info:")
            _layer_box(dense)
        weights.show(pair, dense, state.get(LAYER))


def _layer_box(dense: Subject) -> str:
    names = layers.layer_names(dense)
    if state.get(LAYER) not in names:
        state.put(LAYER, names[0])
    return str(st.selectbox("Layer", names, **state.bound(LAYER)))


def _filters(pair: Pair, dense: Subject, data: Data) -> None:
    st.markdown("### What the filters answer to an image")
    left, right = st.columns([2.1, 1], gap="medium")
    with left:
        box, classes = st.columns([1, 2.6], vertical_alignment="bottom")
        with box:
            layer = _layer_box(dense)
        index = picture_choice.choose(pair, data, classes)
        channel = _maps(pair, dense, data, layer, index)
    with right, st.container(border=True, key="compare_knockout", gap="small"):
        _knockout(pair, data, layer, layers.unit_word(dense, layer), channel)
    filter_importance.show(pair, data, layer, layers.unit_word(dense, layer), state.get(FROM), MANY)


def _maps(pair: Pair, dense: Subject, data: Data, layer: str, index: int) -> int | None:
    """The grid of filters; the number of the chosen one."""
    from pruning.compare.features import common_reach, feature_maps
    from pruning.render.figures.style import palette

    image = data.normalise(data.image("select", index)[None])[0]
    with errors.shown():
        found = [feature_maps(side.subject, layer, image) for side in (pair.before, pair.after)]
    reach, colours = common_reach(*found), palette(charts.dark())
    unit, total = layers.unit_word(dense, layer), layers.layer_cost(dense, layer).weight_shape[0]
    start = _page(unit, total)
    words = pair.names

    def picture(some: Maps, number: int) -> str | None:
        values = some.of(number)
        return None if values is None else pixels.heat(values, reach, colours)

    items = [
        picker.Item(
            id=str(number),
            caption=str(number),
            aria=f"{unit} {number}" + "".join(
                f", removed in {word}" for word, some in zip(words, found, strict=True) if number not in some.channels
            ),
            pictures=tuple(picture(some, number) for some in found),
            disabled=all(number not in some.channels for some in found),
        )
        for number in range(start, min(start + MANY, total))
    ]  # fmt: skip
    st.html(filter_maps.legend(words, reach, colours))
    chosen = picker.show(
        items,
        key=f"{_FILTERS}_{layer}",
        label=f"{unit}s of {layer}",
        size=filter_maps.pixels(len(items)),
        names=words,
        default="",
    )
    after = "after batch normalisation, " if found[0].place != layer else ""
    gone = [total - len(some.channels) for some in found]
    st.caption(
        f"Each box is one {unit} of {errors.plain(layer)} under its number in the original network, {words[0]} left, "
        f"{words[1]} right, {after}on one scale for all (the strongest hundredth reaches beyond it). Removed: "
        f"{gone[0]} {words[0]}, {gone[1]} {words[1]}, of {total} ●. Click one to see what is lost without it."
    )
    return int(chosen) if chosen else None


def _page(unit: str, total: int) -> int:
    """The first number on screen."""
    if total <= MANY:
        state.put(FROM, 0)
        return 0
    starts = list(range(0, total, MANY))
    if state.get(FROM) not in starts:
        state.put(FROM, 0)
    start = st.segmented_control(
        f"{unit.capitalize()}s", starts, format_func=lambda first: f"{first}–{min(first + MANY, total) - 1}",
        required=True, label_visibility="collapsed", **state.bound(FROM),
    )  # fmt: skip
    return int(start or 0)


def _knockout(pair: Pair, data: Data, layer: str, unit: str, channel: int | None) -> None:
    """What is lost when only the chosen filter is removed, in each network that still has it."""
    from pruning.compare.features import kept_channels
    from pruning.compare.knockout import verdict
    from pruning.render.figures import inside as plots_inside

    if channel is None:
        st.markdown(
            f":material/touch_app: **Click a {unit}.** It alone is removed from the network, with what is tied to it, "
            + (
                "and you see which classes lose most. Nothing is trained: what stays right, the others can do as well."
                if pair.metric.counts_right
                else f"and you see what that does to {pair.metric.title}. Nothing is trained."
            )
        )
        return
    st.markdown(f"**Without {unit} {channel}** of {errors.plain(layer)}")
    found = []
    for word, side in zip(pair.names, (pair.before, pair.after), strict=True):
        if channel not in kept_channels(side.subject, layer):
            st.caption(f"{word.capitalize()}: {unit} {channel} was removed, the others do without it already.")
            continue
        with errors.shown(stop=False), st.spinner(f"Asking the {word} network without it"):
            knockout = cached.knockout(side.subject, layer, channel)
            found.append((word, "dense" if side is pair.before else "kept", knockout))
            st.markdown(f"{word.capitalize()}: {errors.plain(verdict(knockout))} ●")
    if not found or not found[0][2].classes:
        return
    charts.show(
        st,
        plots_inside.knockout_changes(found, charts.dark()),
        key="compare_knockout_figure",
        caption=f"Change of each class's accuracy on {found[0][2].before.images:,} select images with its 95 % "
        "interval; hollow: cannot be told from nothing. An interval holds for one class alone: of ten, one may seem to "
        "change by chance.",
        alt=f"Change of accuracy per class without {unit} {channel}",
    )
    if found[0][2].tied:
        st.caption(f"Tied to it, and removed as well: {errors.plain(', '.join(found[0][2].tied))}.")
