"""The verdict on two networks: in words first, then as four tiles."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import amount, ratio, size, threads
from ui.kit import badges, tiles
from ui.kit.tiles import Number, Tile

if TYPE_CHECKING:
    from pruning.compare.sides import Pair, Side
    from pruning.compare.verdict import Verdict


def show(pair: Pair) -> None:
    """Verdict and tiles."""
    from pruning.compare.verdict import facts_of, verdict

    found = verdict(facts_of(pair))
    st.html(verdict_html(found, pair))
    tiles.show(st.empty(), [metric_tile(pair), size_tile(pair), macs_tile(pair), time_tile(pair)])


def verdict_html(found: Verdict, pair: Pair) -> str:
    """The verdict as HTML, a badge behind each half."""
    speedup = pair.speedup(pair.batches[0]) if pair.batches else None
    first = badges.badge("estimated" if speedup is not None and speedup.estimated else "measured")
    second = badges.badge(metric_badge(pair))
    return (
        f"<style>{badges.STYLE}{STYLE}</style>"
        f'<div class="px-verdict"><h2>{whole(found.headline)}{first}</h2><p>{escape(found.rest)}{second}</p></div>'
    )


def whole(text: str) -> str:
    """Escaped; large letters break no word at its hyphen."""
    return escape(text).replace("speed-up", '<span style="white-space:nowrap">speed-up</span>')


def side_badge(side: Side) -> badges.Kind:
    """How one network's metric came about."""
    return "tuned" if side.tuned else "measured"


def metric_badge(pair: Pair) -> badges.Kind:
    """How the figures came about: the answers of a fine-tuned network make the comparison one after fine-tuning."""
    return "tuned" if pair.after.tuned or pair.before.tuned else "measured"


def metric_tile(pair: Pair) -> Tile:
    """The metric of both and the paired change, each with its interval."""
    metric = pair.metric

    def number(side: Side, word: str) -> Number:
        test = side.figures.test
        if test is None:
            return Number("–", None, f"{word}: not measured", dim=True)
        return Number(metric.words(test.value), side_badge(side), f"{word} · {metric.span(test.interval)}")

    difference = pair.difference
    if difference is None:
        change = Number("–", None, "change: not known", dim=True)
    else:
        ends = " to ".join(map(metric.signed, difference.interval))
        small = f"{metric.unit_of_change} · {ends}".removeprefix(" · ")
        change = Number(metric.signed(difference.value), metric_badge(pair), small)
    test, title = pair.after.figures.test, metric.title.capitalize()
    return Tile(
        title=f"{title}: no test images" if test is None else f"{title} on {test.images:,} test images",
        numbers=(number(pair.before, "before"), number(pair.after, "after"), change),
        width=2.6,
    )


def size_tile(pair: Pair) -> Tile:
    """Parameters; those that are not zero where only they differ."""
    before, after = pair.before.figures, pair.after.figures
    if before.params == after.params and before.nonzero != after.nonzero:
        big = _ratio(before.nonzero, max(1, after.nonzero))
        small = f"{amount(before.nonzero)} → {amount(after.nonzero)}"
        return Tile(
            title=f"Not zero · still {size(after.bytes.raw)}", numbers=(Number(big, "measured", small),), width=1.0
        )
    big = _ratio(before.params, after.params)
    small = f"{amount(before.params)} → {amount(after.params)}"
    bytes_ = (
        f"{size(before.bytes.raw)} → {size(after.bytes.raw)}"
        if before.bytes.raw != after.bytes.raw
        else size(after.bytes.raw)
    )
    return Tile(title=f"Size · {bytes_}", numbers=(Number(big, "measured", f"{small} parameters"),), width=1.15)


def macs_tile(pair: Pair) -> Tile:
    """Multiply-accumulates for one image."""
    before, after = pair.before.figures.macs, pair.after.figures.macs
    small = f"{amount(after)}, as before" if before == after else f"{amount(before)} → {amount(after)}"
    return Tile(title="Multiplications (MACs)", numbers=(Number(_ratio(before, after), "measured", small),), width=1.0)


def time_tile(pair: Pair) -> Tile:
    """How much faster for each batch size, claiming no more than the interval shows."""
    numbers = tuple(_speed(pair, batch) for batch in pair.batches) or (Number("–", None, "not timed", dim=True),)
    said = "" if pair.clock is None else f", {threads(pair.clock.threads)}"
    return Tile(title=f"Speed, on the clock{said}", numbers=numbers, width=2.0)


def _speed(pair: Pair, batch: int) -> Number:
    speedup = pair.speedup(batch)
    if speedup is None:
        return Number("–", None, f"{_batch(batch)}: see Race", dim=True)
    big = f"{speedup.middle:.2f}×" if speedup.shows else "≈ 1×"
    small = f"{_batch(batch)} · {speedup.low:.2f}–{speedup.high:.2f}×"
    return Number(big, "estimated" if speedup.estimated else "measured", small)


def _batch(batch: int) -> str:
    return "one image" if batch == 1 else f"{batch} at a time"


def _ratio(before: int, after: int) -> str:
    if before == after:
        return "same"
    return ratio(before, after) if after < before else f"× {after / max(1, before):.2f}"


STYLE = """
.px-verdict{padding:.7rem 0 .3rem}
.px-verdict h2{margin:0!important;padding:0!important;font-size:1.85rem!important;font-weight:700!important;
 line-height:1.2!important;letter-spacing:-.01em!important}
.px-verdict p{margin:.25rem 0 0!important;font-size:1.15rem;line-height:1.4}
.px-verdict .px-badge{vertical-align:.12em}
@media (max-width:640px){.px-verdict h2{font-size:1.45rem!important}.px-verdict p{font-size:1rem}}
"""
