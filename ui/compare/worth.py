"""What each filter of a layer is worth alone: all of them left out in turn, in both networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.compare import inner
from ui.kit import charts, errors

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    sides = (pair.before, pair.after)
    numbers = [[n for n in kept_channels(side.subject, layer) if start <= n < start + many] for side in sides]
    work = sum(side.figures.macs * inner.IMAGES * len(some) for side, some in zip(sides, numbers, strict=True))
    if not any(numbers) or work > MOST or not _removable(pair, layer, numbers):
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


def _removable(pair: Pair, layer: str, numbers: list[list[int]]) -> bool:
    """Whether channels of this layer may be removed at all: the last layer's stay."""
    from pruning.compare.knockout import find_unit

    for side, some in zip((pair.before, pair.after), numbers, strict=True):
        try:
            for number in some:
                find_unit(side.subject, layer, number)
        except errors.PruningError:
            return False
    return True


def _all(pair: Pair, data: Data, layer: str, numbers: list[list[int]]) -> list[dict[int, Knockout]]:
    """Measure what is not known yet; a click elsewhere breaks it off, and the next run of the page goes on."""
    found: list[dict[int, Knockout]] = [{}, {}]
    total, done = sum(map(len, numbers)), 0
    bar = st.progress(0.0, "Leaving out each in turn")
    for place, side in enumerate((pair.before, pair.after)):
        for number in numbers[place]:
            found[place][number] = inner.knockout(side.subject, layer, number)
            done += 1
            bar.progress(done / total, f"Leaving out each in turn: {done} of {total}")
    bar.empty()
    return found


def _draw(pair: Pair, found: list[dict[int, Knockout]], layer: str, unit: str) -> None:
    from pruning.render.figures import inside as plots_inside

    before, after = found
    seen = next(iter({**before, **after}.values())).before
    title = seen.metric.title
    charts.show(
        st,
        plots_inside.each_alone(before, after, charts.dark(), names=inner.names(pair), unit=unit),
        key="compare_each_figure",
        caption=f"Change of the {title} on {seen.images:,} select images when one {unit} of {errors.plain(layer)} is "
        "left out, as cut, with its 95 % interval ●; hollow: cannot be told from nothing, but of twenty one may seem "
        "missed by chance. " + summary(before, after, inner.names(pair)),
        alt=f"Change of {title} without each {unit} of {layer}",
    )


def summary(before: Mapping[int, Knockout], after: Mapping[int, Knockout], names: tuple[str, str]) -> str:
    """Did what was removed matter less than what stays, and is there still something to spare?"""
    gone = [knockout for number, knockout in before.items() if number not in after]
    stays = [knockout for number, knockout in before.items() if number in after]
    missed = [sum(knockout.felt for knockout in some) for some in (gone, stays, after.values())]
    first = [
        f"{count} of the {len(some)} that {what}"
        for count, some, what in ((missed[1], stays, "stay"), (missed[0], gone, "were removed"))
        if some
    ]
    found = [f"in {names[0]} {' and '.join(first)}"] if first else []
    found += [f"in {names[1]} {missed[2]} of {len(after)}"] if after else []
    return f"Missed when left out alone: {'; '.join(found)}."
