"""Labels as files of arrays and tables hold them, as classes by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pruning.base.errors import DataError, excerpt
from pruning.data.own.class_names import MOST_CLASSES, order_of_numbers
from pruning.data.own.words import listed, printable


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of all images of a data set."""

    numbers: np.ndarray = field(repr=False)
    """int32, N."""
    classes: tuple[str, ...]
    remarks: tuple[str, ...]


def number_labels(values: np.ndarray, names: Sequence[str] | None, where: str) -> Labels:
    """Classes by number. `values`: whole numbers (N), or texts. `names`: of the classes, where the data has them.

    Texts are sorted. Numbers stay as they are; where they begin with 1 or have holes, it is said.

    Raises:
        DataError: a number is no class.
    """
    if values.dtype.kind in "US":
        texts = np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values
        found = sorted(set(texts.tolist()))
        follows = bool(names) and set(found) <= set(names or ())
        order = list(names or ()) if follows else found
        number = {name: place for place, name in enumerate(order)}
        classes = tuple(map(printable, order))
        numbers = np.array([number[text] for text in texts.tolist()], dtype=np.int32)
        said = []
        if names and not follows:
            missing = listed([text for text in found if text not in names])
            said.append(f"The names of classes in {where} were not followed: they lack {missing}.")
        if not follows and (numbered := order_of_numbers(found)) is not None:
            said.append(f"The labels in {where} are texts, and their classes stand in the order of text {numbered}.")
        return Labels(numbers=numbers, classes=_few(classes, where), remarks=tuple(said))
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if low < 0 or high >= MOST_CLASSES:
        raise DataError(
            f"A label in {where} is {low if low < 0 else high:,}: labels are whole numbers from 0 to "
            f"{MOST_CLASSES - 1:,}, one for each class."
        )
    there = np.unique(values)
    first = 1 if there[0] == 1 and (not names or high == len(names)) else 0
    remarks = []
    if first:
        remarks.append(
            f"The labels in {where} go from 1 to {high}: label 1 was taken as the first class, as the first "
            "output of a network."
        )
    if names and high - first >= len(names):
        raise DataError(f"A label in {where} is {high}, but there are names of {len(names)} classes only.")
    if names:
        remarks.append(f"The classes are named by {where}.")
        return Labels(
            numbers=(values - first).astype(np.int32),
            classes=_few(tuple(map(printable, names)), where),
            remarks=tuple(remarks),
        )
    holes = np.setdiff1d(np.arange(first, high + 1), there)
    if len(holes):
        remarks.append(
            f"No image in {where} has the label {listed([str(hole) for hole in holes])}: there are {len(there)} labels "
            f"from {first} to {high}, each of which stays the number of its class."
        )
    classes = tuple(str(number) for number in range(first, high + 1))
    return Labels(numbers=(values - first).astype(np.int32), classes=classes, remarks=tuple(remarks))


def _few(classes: tuple[str, ...], where: str) -> tuple[str, ...]:
    if len(classes) > MOST_CLASSES or len(set(classes)) < len(classes):
        raise DataError(f"The classes in {where} are more than {MOST_CLASSES:,}, or two have one name.")
    if any(len(name) > 200 for name in classes):
        raise DataError(f"The labels in {where} are long texts such as {excerpt(classes[0], 40)}, no names of classes.")
    return classes
