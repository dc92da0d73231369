"""Documented orders of classes: those in which a training script may have numbered the classes of these images.

Never a fitted permutation: an order that nobody wrote down can make any network look right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pruning.catalog.class_names import imagenet
from pruning.data.info import DataInfo


def orders(info: DataInfo) -> Iterator[tuple[str, Tensor]]:
    """Each order in words, and for every label the number that its class has in it (int64); those that number the
    classes as they are, or as another order does, are left out."""
    seen = {tuple(range(len(info.classes)))}
    for words, sort in _ORDERS.items():
        ranked = sort(info.classes)
        if ranked is None:
            continue
        place = {name: number for number, name in enumerate(ranked)}
        table = tuple(place[name] for name in info.classes)
        if table not in seen:
            seen.add(table)
            yield words, torch.tensor(table)


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
    """The order of the ids of ImageNet's classes, where these are its classes by their words."""
    known: dict[str, int] = {}
    for number, names in enumerate(imagenet()):
        for name in names:
            known.setdefault(name.casefold(), number)
    plain = {name: name.replace("_", " ").casefold() for name in classes}
    if len(classes) != len(imagenet()) or not all(text in known for text in plain.values()):
        return None
    return sorted(classes, key=lambda name: known[plain[name]])


_ORDERS: dict[str, Callable[[Sequence[str]], list[str] | None]] = {
    "the order of their names as text": _as_text,
    "alphabetical order, whatever their case": _whatever_case,
    "the order of their numbers": _as_numbers,
    "the order of the numbers that they begin with": _by_first_number,
    "ImageNet's order": _imagenet,
}
