"""Documented orders of classes: those in which a training script may have numbered the classes of these images.

Never a fitted permutation: an order that nobody wrote down can make any network look right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pruning.base.errors import InputError, excerpt
from pruning.catalog.class_names import imagenet


@dataclass(frozen=True, kw_only=True)
class ClassOrder:
    """One documented order. A row in `ORDERS` is all that gate, command line and references need."""

    name: str
    """In references and on the command line."""
    words: str
    """To go on 'classes in …'."""
    needs: str
    """What the classes have to be, to go on 'not all of them …'; '' where any have it."""
    sort: Callable[[Sequence[str]], list[str] | None]
    """The classes in this order; None where they do not have it."""

    def numbers(self, classes: Sequence[str]) -> tuple[int, ...] | None:
        """For every label the number that its class has in this order; None where they do not have it.

        >>> ORDERS["numbers"].numbers(("1", "10", "2"))
        (0, 2, 1)
        """
        ranked = self.sort(classes)
        if ranked is None:
            return None
        place = {name: number for number, name in enumerate(ranked)}
        return tuple(place[name] for name in classes)


def find_order(name: str) -> ClassOrder:
    """An order by its name.

    Raises:
        InputError: there is no such order.
    """
    if name not in ORDERS:
        raise InputError(f"There is no class order '{excerpt(name)}': there is {', '.join(ORDERS)}.")
    return ORDERS[name]


def other_orders(classes: Sequence[str]) -> Iterator[tuple[ClassOrder, tuple[int, ...]]]:
    """Each order, and for every label the number that its class has in it; those that number the classes as they
    stand, or as another order does, are left out."""
    seen = {tuple(range(len(classes)))}
    for order in ORDERS.values():
        table = order.numbers(classes)
        if table is not None and table not in seen:
            seen.add(table)
            yield order, table


def _as_text(classes: Sequence[str]) -> list[str]:
    return sorted(classes)


def _whatever_case(classes: Sequence[str]) -> list[str]:
    return sorted(classes, key=str.casefold)


def _as_numbers(classes: Sequence[str]) -> list[str] | None:
    return sorted(classes, key=int) if all(name.isascii() and name.isdecimal() for name in classes) else None


def _by_first_number(classes: Sequence[str]) -> list[str] | None:
    """'10-dog' after '2-cat'."""
    first = {name: name.partition("-")[0].partition("_")[0].partition(" ")[0] for name in classes}
    if not all(text.isascii() and text.isdecimal() for text in first.values()):
        return None
    return sorted(classes, key=lambda name: int(first[name]))


def _imagenet(classes: Sequence[str]) -> list[str] | None:
    """The order of the ids of ImageNet's classes, where these are its classes by their ids or words."""
    known: dict[str, int] = {}
    for number, names in enumerate(imagenet()):
        for name in names:
            known.setdefault(name.casefold(), number)
    plain = {name: name.replace("_", " ").casefold() for name in classes}
    if len(classes) != len(imagenet()) or not all(text in known for text in plain.values()):
        return None
    return sorted(classes, key=lambda name: known[plain[name]])


ORDERS: dict[str, ClassOrder] = {
    order.name: order
    for order in (
        ClassOrder(name="text", words="the order of their names as text", needs="", sort=_as_text),
        ClassOrder(name="alphabetical", words="alphabetical order, whatever their case", needs="", sort=_whatever_case),
        ClassOrder(name="numbers", words="the order of their numbers", needs="are whole numbers", sort=_as_numbers),
        ClassOrder(
            name="first-numbers",
            words="the order of the numbers that they begin with",
            needs="begin with a number",
            sort=_by_first_number,
        ),
        ClassOrder(
            name="imagenet",
            words="ImageNet's order",
            needs="are one of ImageNet's 1,000, with all of these there",
            sort=_imagenet,
        ),
    )
}
"""By name."""
