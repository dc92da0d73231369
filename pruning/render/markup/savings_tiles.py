"""What a faster or smaller network saves, as tiles: hours and money of a year, and bytes to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.base.words import size
from pruning.render.markup.tiles import Number, Tile

if TYPE_CHECKING:
    from pruning.compare.savings import Saved, Sent


def hours_tile(found: Saved, names: tuple[str, str]) -> Tile:
    """Computing in a year; `names`: of the two networks."""
    from pruning.compare.savings import hours

    title, (first, second) = "Computing in a year", names
    if found.saved is None:
        return Tile(title=title, numbers=(Number("nothing measurable", None, f"{first}: {hours(found.before)} ○"),))
    low, middle, high = sorted(abs(value) for value in found.saved)
    word = "saved" if found.saved[1] > 0 else "more"
    small = f"{hours(low)} to {hours(high)} · {first} {hours(found.before)}, {second} {hours(found.after)}"
    return Tile(title=title, numbers=(Number(f"{hours(middle)} {word}", "estimated", small),), width=1.4)


def money_tile(found: Saved, currency: str) -> Tile:
    """The price of that computing."""
    from pruning.compare.savings import money

    title = "Its price"
    if found.money is None:
        return Tile(title=title, numbers=(Number("nothing measurable", None, ""),))
    low, middle, high = (money(value, currency) for value in sorted(abs(value) for value in found.money))
    word = "saved" if found.money[1] > 0 else "more"
    return Tile(title=title, numbers=(Number(f"{middle} {word}", "estimated", f"{low} to {high}"),))


def bytes_tile(file: Sent, devices: float, names: tuple[str, str]) -> Tile:
    """A file sent to so many devices.

    Raises:
        InputError: fewer than no devices.
    """
    from pruning.compare.savings import bytes_sent

    before, after = bytes_sent(devices, file.before, file.after)
    word = "less" if after <= before else "more"
    big = "the same" if after == before else f"{size(abs(before - after))} {word}"
    small = f"{names[0]} {size(before)}, {names[1]} {size(after)}"
    return Tile(title=file.title, numbers=(Number(big, "estimated", small),))
