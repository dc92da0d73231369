"""Two networks beside each other as four tiles of the ledger: metric, size, MACs and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pruning.base.words import threads
from pruning.render.markup import badges
from pruning.render.markup.ledger_tiles import COMPARED, macs_tile, measured, size_tile
from pruning.render.markup.tiles import Number, Tile, absent

if TYPE_CHECKING:
    from pruning.compare.sides import Pair, Side


class _Counts(NamedTuple):
    """What the tiles count of one of the two."""

    params: int
    nonzero: int
    macs: int
    bytes: int


def tiles_of(pair: Pair) -> list[Tile]:
    """All four."""
    before, after = _counts(pair.before), _counts(pair.after)
    granularity, width = ("weight", 1.0) if pair.only_zeros else ("channel", 1.15)
    return [
        change_tile(pair),
        size_tile(granularity, before, after, COMPARED, width=width),
        macs_tile(before, after, COMPARED, width=1.0),
        speed_tile(pair),
    ]


def change_tile(pair: Pair) -> Tile:
    """The metric of both and the paired change, each with its interval."""
    metric, difference = pair.metric, pair.difference
    if difference is None:
        change = absent("change: not known")
    else:
        ends = metric.signed_span(difference.interval)
        small = f"{metric.unit_of_change} · {ends}".removeprefix(" · ")
        change = Number(metric.signed(difference.value), badges.of_metric(pair.tuned), small)
    test, title = pair.after.figures.test, metric.title.capitalize()
    return Tile(
        title=f"{title}: no test images" if test is None else f"{title} on {test.images:,} test images",
        numbers=(_measured(pair.before, "before"), _measured(pair.after, "after"), change),
        width=2.6,
    )


def speed_tile(pair: Pair) -> Tile:
    """How much faster for each batch size, claiming no more than the interval shows."""
    numbers = tuple(_speed(pair, batch) for batch in pair.batches) or (absent(pair.untimed),)
    said = "" if pair.clock is None else f", {threads(pair.clock.threads)}"
    return Tile(title=f"Speed, on the clock{said}", numbers=numbers, width=2.0)


def _counts(side: Side) -> _Counts:
    found = side.figures
    return _Counts(params=found.params, nonzero=found.nonzero, macs=found.macs, bytes=found.bytes.raw)


def _measured(side: Side, what: str) -> Number:
    test = side.figures.test
    if test is None:
        return absent(f"{what}: not measured")
    return measured(test.kind, test.value, test.interval, badges.of_metric(side.tuned), what)


def _speed(pair: Pair, batch: int) -> Number:
    images, speedup = "one image" if batch == 1 else f"{batch} at a time", pair.speedup(batch)
    if speedup is None:
        return absent(f"{images}: see Race")
    small = f"{images} · {speedup.low:.2f}–{speedup.high:.2f}×"
    return Number(speedup.short, badges.of_clock(speedup.estimated), small)
