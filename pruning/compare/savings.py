"""What a faster or smaller network saves, from the reader's own numbers and the measured time: a range, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from pruning.base.errors import InputError
from pruning.base.words import milliseconds, threads
from pruning.compare.sides import Clock
from pruning.cost.counts import Bytes
from pruning.latency.clock import shows
from pruning.runs.result import Speedup

Range = tuple[float, float, float]
"""Lower end, middle, upper end."""
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What the reader says about their own use."""

    requests_a_day: float
    """Images to classify."""
    days_a_year: float = 365
    price_an_hour: float | None = None
    """Of a machine, in any currency; None: money is not spoken of."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not 0 <= value < 1e15:
                raise InputError(f"{name.replace('_', ' ').capitalize()} must be zero or more, not {value:g}.")
        if self.days_a_year > 366:
            raise InputError(f"A year has no {self.days_a_year:g} days: 366 at most.")


@dataclass(frozen=True, kw_only=True)
class Saved:
    """Machine time of a year, and its price."""

    before: float
    """Hours of computing of the first network."""
    after: float
    saved: Range | None
    """Hours, negative where the second is slower; None where the interval of the speed-up contains 1."""
    money: Range | None
    """The same in money; None without a price, or where nothing is saved measurably."""


def machine_time(usage: Usage, time: float, batch: int, speedup: Range) -> Saved:
    """Hours of computing in a year: images a day × days × time an image. Saved: that × (1 − 1 / speed-up).

    `time`: measured for one batch, in milliseconds, on the first network. `speedup`: of the second, with its interval,
    whose ends give the ends of the range.

    >>> machine_time(Usage(requests_a_day=36_000, days_a_year=100), 10.0, 1, (1.6, 2.0, 4.0)).saved
    (3.75, 5.0, 7.5)
    """
    low, middle, high = speedup
    hours = usage.requests_a_day * usage.days_a_year * time / 1000 / batch / SECONDS_AN_HOUR
    saved = (hours * (1 - 1 / low), hours * (1 - 1 / middle), hours * (1 - 1 / high)) if shows(speedup) else None
    price = usage.price_an_hour
    money = None if saved is None or price is None else (saved[0] * price, saved[1] * price, saved[2] * price)
    return Saved(before=hours, after=hours / middle, saved=saved, money=money)


def bytes_sent(devices: float, before: int, after: int) -> tuple[float, float]:
    """Bytes to send a network to so many devices: of the first, and of the second.

    Raises:
        InputError: fewer than no devices.
    """
    if not 0 <= devices < 1e15:
        raise InputError(f"The number of devices must be zero or more, not {devices:g}.")
    return devices * before, devices * after


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The weights as a file that is sent: bytes of the first network, and of the second."""

    title: str
    before: int
    after: int


def files_to_send(before: Bytes, after: Bytes) -> list[Sent]:
    """The plain file; and one without the zeros, where the second network has some that are worth leaving out.

    Nobody sends the first one larger than its plain file is.
    """
    found = [Sent(title="To send, as it is", before=before.raw, after=after.raw)]
    if after.sparse < after.raw:
        found.append(
            Sent(title="To send, without its zeros", before=min(before.sparse, before.raw), after=after.sparse)
        )
    return found


def price_of(clock: Clock | None) -> str:
    """What an hour's price is of: as much of a machine as the clock had."""
    cores = 1 if clock is None else clock.threads
    return f"Price of an hour of {'one such core' if cores == 1 else f'{cores} such cores'}"


def formula(usage: Usage, time: float, speedup: Speedup, clock: Clock, found: Saved) -> str:
    """How `found` was worked out, in words; `time`: of one batch on the first network, in milliseconds."""
    each = "an image" if speedup.batch == 1 else f"{speedup.batch} images"
    machine = clock.cpu or "the machine that measured"
    text = (
        f"{usage.requests_a_day:,.0f} images a day × {usage.days_a_year:g} days × {milliseconds(time)} for {each} "
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


def hours(value: float) -> str:
    """A time in the unit that fits.

    >>> hours(0.02), hours(12_000)
    ('1.2 minutes', '12,000 hours')
    """
    if value < 1 / 60:
        return f"{value * 3600:.2g} seconds"
    if value < 1:
        return f"{value * 60:.2g} minutes"
    return f"{value:.1f} hours" if value < 100 else f"{value:,.0f} hours"


def money(value: float, currency: str) -> str:
    """An amount in the reader's currency.

    >>> money(2.5, "EUR"), money(12_345.6, "")
    ('2.50 EUR', '12,346')
    """
    digits = 2 if value < 1000 else 0
    return f"{value:,.{digits}f} {currency}".strip()
