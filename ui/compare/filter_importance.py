"""How important each filter of a layer is alone: all of them left out in turn, in both networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.compare import cached
from ui.kit import charts, errors

if TYPE_CHECKING:
    from pruning.compare.knockout import Knockout
    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data

MOST = 4e11
"""Multiply-accumulates that a page may spend on it, counted as if nothing were kept: some ten seconds."""
_ASKED = "compare_worth"
"""(digests, layer, first number) of which all filters were asked for: what is broken off goes on at the next run."""


def show(pair: Pair, data: Data, layer: str, unit: str, start: int, many: int) -> None:
    """A button, and once pressed the figure; the filters on screen only."""
    from pruning.compare.features import kept_channels
    from pruning.compare.knockout import removable

    sides = (pair.before, pair.after)
    numbers = [[n for n in kept_channels(side.subject, layer) if start <= n < start + many] for side in sides]
    work = sum(side.figures.macs * cached.IMAGES * len(some) for side, some in zip(sides, numbers, strict=True))
    if (
        not any(numbers)
        or work > MOST
        or not all(removable(side.subject, layer, some) for side, some in zip(sides, numbers, strict=True))
    ):
        return
    asked: set[tuple[str, str, str, int]] = st.session_state.setdefault(_ASKED, set())
    key = (pair.before.subject.digest, pair.after.subject.digest, layer, start)
    if key not in asked:
        place = st.empty()
        words = f"Leave out each {unit} of {errors.plain(layer)} in turn"
        help_ = "Some seconds. Shows which one is worth most."
        if not place.button(words, icon=":material/playlist_remove:", key="compare_each", help=help_):
            return
        place.empty()
        asked.add(key)
    _draw(pair, _all(pair, data, layer, numbers), layer, unit)


def _all(pair: Pair, data: Data, layer: str, numbers: list[list[int]]) -> list[dict[int, Knockout]]:
    """Measure what is not known yet; a click elsewhere breaks it off, and the next run of the page goes on."""
    found: list[dict[int, Knockout]] = [{}, {}]
    total, done = sum(map(len, numbers)), 0
    bar = st.progress(0.0, "Leaving out each in turn")
    for place, side in enumerate((pair.before, pair.after)):
        for number in numbers[place]:
            found[place][number] = cached.knockout(side.subject, layer, number)
            done += 1
            bar.progress(done / total, f"Leaving out each in turn: {done} of {total}")
    bar.empty()
    return found


def _draw(pair: Pair, found: list[dict[int, Knockout]], layer: str, unit: str) -> None:
    from pruning.compare.knockout import importance_words
    from pruning.render.figures import inside as plots_inside

    before, after = found
    seen = next(iter({**before, **after}.values())).before
    title = seen.metric.title
    charts.show(
        st,
        plots_inside.each_alone(before, after, charts.dark(), names=pair.names, unit=unit),
        key="compare_each_figure",
        caption=f"Change of the {title} on {seen.images:,} select images when one {unit} of {errors.plain(layer)} is "
        "left out, as cut, with its 95 % interval ●; hollow: cannot be told from nothing, but of twenty one may seem "
        "missed by chance. " + importance_words(before, after, pair.names),
        alt=f"Change of {title} without each {unit} of {layer}",
    )
