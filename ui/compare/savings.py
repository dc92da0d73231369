"""What does it save? Machine time, money and bytes a year: only from the reader's own numbers and the measured time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import milliseconds, size, threads
from ui.compare import inner
from ui.kit import errors, state, tiles
from ui.kit.tiles import Number, Tile

if TYPE_CHECKING:
    from pruning.compare.savings import Saved, Usage
    from pruning.compare.sides import Clock, Pair
    from pruning.runs.result import Speedup

REQUESTS, DAYS, PRICE, CURRENCY, DEVICES, BATCH = (
    "savings_requests", "savings_days", "savings_price", "savings_currency", "savings_devices", "savings_batch",
)  # fmt: skip
MOST, DEAREST, LONGEST = 1e14, 1e9, 8
"""Of pictures a day and devices; of a price; and letters of a currency."""
state.DEFAULTS.update({REQUESTS: None, DAYS: 365, PRICE: None, CURRENCY: "", DEVICES: None, BATCH: 1})


def show(pair: Pair) -> None:
    """The reader's numbers on the left, what follows from them on the right."""
    st.markdown("### What does it save? Only what follows from your own numbers")
    left, right = st.columns([1, 1.7], gap="large")
    with left:
        requests = st.number_input("Pictures to classify a day", 0.0, MOST, step=1000.0, format="%.0f",
                                   placeholder="your number", **state.bound(REQUESTS))  # fmt: skip
        days = st.number_input("Days a year", 0, 366, **state.bound(DAYS))
        one, other = st.columns([1.6, 1])
        price = one.number_input(_price_words(pair), 0.0, DEAREST, step=0.01, format="%.4f",
                                 placeholder="your price", **state.bound(PRICE))  # fmt: skip
        currency = other.text_input("Currency", max_chars=LONGEST, placeholder="EUR, $, …", **state.bound(CURRENCY))
        devices = st.number_input("Devices that get the network", 0.0, MOST, step=100.0, format="%.0f",
                                  placeholder="your number", **state.bound(DEVICES))  # fmt: skip
    with right:
        batch = _batch(pair)
        speedup = pair.speedup(batch) if batch is not None else None
        if requests is None and devices is None:
            st.info(
                "Nothing is claimed yet. Say on the left how many pictures you classify a day, or how many devices "
                "get the network.",
                icon=":material/edit:",
            )
        with errors.shown(stop=False):
            if requests is not None:
                _time(pair, batch, speedup, requests, days, price, currency.strip())
            if devices is not None:
                _bytes(pair, devices)


def _batch(pair: Pair) -> int | None:
    batches = list(pair.batches)
    if not batches:
        return None
    if state.get(BATCH) not in batches:
        state.put(BATCH, batches[0])
    return int(
        st.segmented_control(
            "Your machine classifies",
            batches,
            required=True,
            **state.bound(BATCH),
            format_func=lambda batch: "one picture at a time" if batch == 1 else f"{batch} at once",
        )
    )


def _price_words(pair: Pair) -> str:
    """What the price is of: as much of a machine as the clock had."""
    cores = pair.clock.threads if pair.clock is not None else 1
    return f"Price of an hour of {'one such core' if cores == 1 else f'{cores} such cores'}"


def _time(
    pair: Pair, batch: int | None, speedup: Speedup | None, requests: float, days: float, price: float | None, unit: str
) -> None:
    """Machine time and money of a year."""
    from pruning.compare.savings import Usage, machine_time

    if batch is None or speedup is None:
        st.info("The two were never timed against each other, so no time saved can be worked out.")
        return
    usage = Usage(requests_a_day=requests, days_a_year=days, price_an_hour=price)
    median = pair.before.figures.latency[batch].median
    found = machine_time(usage, median, batch, speedup.span)
    first, second = inner.names(pair)
    shown = [_hours_tile(found, first, second)]
    if price is not None:
        shown.append(_money_tile(found, unit))
    tiles.show(st.empty(), shown)
    assert pair.clock is not None, "there is a speed-up"
    st.caption(errors.plain(_formula(usage, median, batch, speedup, pair.clock, found)))


def _hours_tile(found: Saved, first: str, second: str) -> Tile:
    title = "Computing in a year"
    if found.saved is None:
        return Tile(title=title, numbers=(Number("nothing measurable", None, f"{first}: {hours(found.before)} ○"),))
    low, middle, high = sorted(abs(value) for value in found.saved)
    word = "saved" if found.saved[1] > 0 else "more"
    small = f"{hours(low)} to {hours(high)} · {first} {hours(found.before)}, {second} {hours(found.after)}"
    return Tile(title=title, numbers=(Number(f"{hours(middle)} {word}", "estimated", small),), width=1.4)


def _money_tile(found: Saved, unit: str) -> Tile:
    title = "Its price"
    if found.money is None:
        return Tile(title=title, numbers=(Number("nothing measurable", None, ""),))
    low, middle, high = sorted(abs(value) for value in found.money)
    word = "saved" if found.money[1] > 0 else "more"
    return Tile(
        title=title,
        numbers=(Number(f"{money(middle, unit)} {word}", "estimated", f"{money(low, unit)} to {money(high, unit)}"),),
    )


def _formula(usage: Usage, median: float, batch: int, speedup: Speedup, clock: Clock, found: Saved) -> str:
    """How it was worked out, in words."""
    each = "a picture" if batch == 1 else f"{batch} pictures"
    machine = clock.cpu or "the machine that measured"
    text = (
        f"{usage.requests_a_day:,.0f} pictures a day × {usage.days_a_year:g} days × {milliseconds(median)} for {each} "
        f"● = {hours(found.before)} of computing on {threads(clock.threads)} of {machine}. "
    )
    ends = f"{speedup.low:.2f}–{speedup.high:.2f}×"
    how = "○ worked out from two runs" if speedup.estimated else "●"
    if found.saved is None:
        text += f"The interval of the speed-up ({ends} {how}) contains 1: no time is saved that the clock can show."
    else:
        text += f"Saved: that × (1 − 1 ÷ speed-up), with the speed-up's 95 % interval ({ends} {how}) as the range. "
    if usage.price_an_hour is not None and found.money is not None:
        text += "Money: hours × your price; it is saved only where you pay for the hours you use."
    return text


def _bytes(pair: Pair, devices: float) -> None:
    """Bytes to send to all devices, as plain and as packed files."""
    from pruning.compare.savings import bytes_sent

    first, second = inner.names(pair)
    shown = []
    old, new = pair.before.figures.bytes, pair.after.figures.bytes
    files = [("To send, as it is", old.raw, new.raw)]
    if new.sparse < new.raw:  # else it has no zeros worth leaving out; and nobody sends it larger than it is
        files.append(("To send, without its zeros", min(old.sparse, old.raw), new.sparse))
    for title, before, after in files:
        whole, left = bytes_sent(devices, before, after)
        word = "less" if left <= whole else "more"
        small = f"{first} {size(whole)}, {second} {size(left)}"
        big = "the same" if left == whole else f"{size(abs(whole - left))} {word}"
        shown.append(Tile(title=title, numbers=(Number(big, "estimated", small),)))
    tiles.show(st.empty(), shown)
    packed = " Without its zeros: a map of what is not zero, and those weights; the device must be able to unpack that."
    st.caption(f"{devices:,.0f} devices × the bytes of the weights, once.{packed if len(shown) > 1 else ''}")


def hours(value: float) -> str:
    """A time in the unit that fits: 0.02 → '1.2 minutes'; 12000 → '12,000 hours'."""
    if value < 1 / 60:
        return f"{value * 3600:.2g} seconds"
    if value < 1:
        return f"{value * 60:.2g} minutes"
    return f"{value:.1f} hours" if value < 100 else f"{value:,.0f} hours"


def money(value: float, unit: str) -> str:
    """An amount in the reader's currency."""
    digits = 2 if value < 1000 else 0
    return f"{value:,.{digits}f} {unit}".strip()
