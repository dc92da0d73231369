"""What does it save? Machine time, money and bytes a year: only from the reader's own numbers and the measured time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import savings_tiles, tiles
from ui.kit import errors, state

if TYPE_CHECKING:
    from pruning.compare.sides import Pair

REQUESTS, DAYS, PRICE, CURRENCY, DEVICES, BATCH = (
    "savings_requests", "savings_days", "savings_price", "savings_currency", "savings_devices", "savings_batch",
)  # fmt: skip
MOST, DEAREST, LONGEST = 1e14, 1e9, 8
"""Of pictures a day and devices; of a price; and letters of a currency."""
NEVER = "The two were never timed against each other, so no time saved can be worked out."
state.DEFAULTS.update({REQUESTS: None, DAYS: 365, PRICE: None, CURRENCY: "", DEVICES: None, BATCH: 1})


def show(pair: Pair) -> None:
    """The reader's numbers on the left, what follows from them on the right."""
    from pruning.compare.savings import price_of

    st.markdown("### What does it save? Only what follows from your own numbers")
    left, right = st.columns([1, 1.7], gap="large")
    with left:
        requests = st.number_input("Images to classify a day", 0.0, MOST, step=1000.0, format="%.0f",
                                   placeholder="your number", **state.bound(REQUESTS))  # fmt: skip
        days = st.number_input("Days a year", 0, 366, **state.bound(DAYS))
        one, other = st.columns([1.6, 1])
        price = one.number_input(price_of(pair.clock), 0.0, DEAREST, step=0.01, format="%.4f",
                                 placeholder="your price", **state.bound(PRICE))  # fmt: skip
        currency = other.text_input("Currency", max_chars=LONGEST, placeholder="EUR, $, …", **state.bound(CURRENCY))
        devices = st.number_input("Devices that get the network", 0.0, MOST, step=100.0, format="%.0f",
                                  placeholder="your number", **state.bound(DEVICES))  # fmt: skip
    with right:
        batch = _batch(pair)
        if requests is None and devices is None:
            st.info(
                "Nothing is claimed yet. Say on the left how many images you classify a day, or how many devices "
                "get the network.",
                icon=":material/edit:",
            )
        with errors.shown(stop=False):
            if requests is not None:
                _time(pair, batch, requests, days, price, currency.strip())
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
            format_func=lambda batch: "one image at a time" if batch == 1 else f"{batch} at once",
        )
    )


def _time(pair: Pair, batch: int | None, requests: float, days: float, price: float | None, currency: str) -> None:
    """Machine time and money of a year."""
    from pruning.compare.savings import Usage, formula, machine_time
    from pruning.runs.result import NOT_TIMED

    speedup = None if batch is None else pair.speedup(batch)
    if batch is None or speedup is None:
        st.info(
            NEVER if pair.untimed == NOT_TIMED else f"No time saved can be worked out: {pair.untimed}.",
            icon=":material/timer:",
        )
        return
    usage = Usage(requests_a_day=requests, days_a_year=days, price_an_hour=price)
    median = pair.before.figures.latency[batch].median
    found = machine_time(usage, median, batch, speedup.span)
    shown = [savings_tiles.hours_tile(found, pair.names)]
    if price is not None:
        shown.append(savings_tiles.money_tile(found, currency))
    st.html(tiles.html(shown))
    assert pair.clock is not None, "there is a speed-up"
    st.caption(errors.plain(formula(usage, median, speedup, pair.clock, found)))


def _bytes(pair: Pair, devices: float) -> None:
    """Bytes to send to all devices, as plain and as packed files."""
    from pruning.compare.savings import files_to_send

    files = files_to_send(pair.before.figures.bytes, pair.after.figures.bytes)
    st.html(tiles.html([savings_tiles.bytes_tile(file, devices, pair.names) for file in files]))
    packed = " Without its zeros: a map of what is not zero, and those weights; the device must be able to unpack that."
    st.caption(f"{devices:,.0f} devices × the bytes of the weights, once.{packed if len(files) > 1 else ''}")
