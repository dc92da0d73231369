"""What a faster or smaller network saves, from the reader's own numbers and the measured time: a range, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from pruning.base.errors import InputError

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


def machine_time(usage: Usage, milliseconds: float, batch: int, speedup: Range) -> Saved:
    """Hours of computing in a year: images a day × days × time an image. Saved: that × (1 − 1 / speed-up).

    `milliseconds`: measured time of one batch on the first network. `speedup`: of the second, with its interval,
    whose ends give the ends of the range.

    >>> machine_time(Usage(requests_a_day=36_000, days_a_year=100), 10.0, 1, (1.25, 2.0, 4.0)).saved
    (2.0, 5.0, 7.5)
    """
    low, middle, high = speedup
    hours = usage.requests_a_day * usage.days_a_year * milliseconds / 1000 / batch / SECONDS_AN_HOUR
    saved = None if low <= 1 <= high else (hours * (1 - 1 / low), hours * (1 - 1 / middle), hours * (1 - 1 / high))
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
