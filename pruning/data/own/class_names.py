"""The order and the names of classes: what the data itself says, else the order of text, as ImageFolder sorts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pruning.base.errors import excerpt, first_line
from pruning.base.safe_json import JSONError, load
from pruning.data.own.look import CHANGED
from pruning.data.own.words import listed, printable

FILES = ("class_to_idx.json", "classes.txt", "class_names.txt", "labels.txt")
"""Files beside the images that may name the classes; the first that fits is followed."""
MOST_CLASSES = 100_000


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Classes by number."""

    names: tuple[str, ...]
    number: dict[str, int]
    """Folder's name → its class."""
    remarks: tuple[str, ...] = ()


def order_classes(folders: Sequence[str], files: dict[str, Callable[[], bytes]]) -> Classes:
    """Classes of folders by their names. `files`: names of `FILES` that are there → their content."""
    remarks: list[str] = []
    for name in FILES:
        if name not in files:
            continue
        try:
            found = _from_file(name, files[name](), sorted(folders))
        except CHANGED as error:
            found = f"it cannot be read ({first_line(error, 100)})"
        if isinstance(found, Classes):
            return Classes(names=found.names, number=found.number, remarks=(*remarks, *found.remarks))
        remarks.append(f"{name} was not followed: {found}.")
    return _by_text(folders, remarks)


def _by_text(folders: Sequence[str], remarks: list[str]) -> Classes:
    names = sorted(folders)
    said = order_of_numbers(names)
    if said is not None:
        remarks.append(f"The classes are numbers and stand in the order of text, as ImageFolder sorts them {said}.")
    return Classes(names=tuple(names), number={name: i for i, name in enumerate(names)}, remarks=tuple(remarks))


def order_of_numbers(names: Sequence[str]) -> str | None:
    """How sorted names that are all numbers stand, and how they would stand by number; None where that is the same.

    >>> order_of_numbers(["1", "10", "2"])
    '(1, 10, 2 …), not by number (1, 2, 10 …)'
    """
    if not names or not all(re.fullmatch("[0-9]{1,18}", name) for name in names):
        return None
    by_number = sorted(names, key=int)
    place = next((i for i, (one, other) in enumerate(zip(names, by_number, strict=True)) if one != other), None)
    if place is None:
        return None
    return f"({', '.join(names[: place + 2])} …), not by number ({', '.join(by_number[: place + 2])} …)"


def _from_file(file: str, content: bytes, folders: list[str]) -> Classes | str:
    """Classes as a file orders them, or why it cannot be followed."""
    names = _of_json(content) if file.endswith(".json") else _of_text(content)
    if isinstance(names, str):
        return names
    known = {name: number for number, name in enumerate(names)}
    missing = [name for name in folders if name not in known]
    if not missing:
        return Classes(names=tuple(names), number=known, remarks=(f"The classes stand as {file} orders them.",))
    if all(re.fullmatch("[0-9]{1,9}", name) for name in folders):
        numbers = [int(name) for name in folders]
        first = 1 if max(numbers) == len(names) and min(numbers) >= 1 else 0
        if len(set(numbers)) == len(numbers) and max(numbers) - first < len(names):
            counted = f"folder {first} is {excerpt(names[0], 40)}"
            return Classes(
                names=tuple(names),
                number={name: int(name) - first for name in folders},
                remarks=(f"The classes are named by {file}: {counted}.",),
            )
    first_words = {name.split()[0].rstrip(":,"): number for number, name in enumerate(names)}
    if len(first_words) == len(names) and all(name in first_words for name in folders):  # 'n01440764 tench'
        return Classes(names=tuple(names), number=first_words, remarks=(f"The classes are named by {file}.",))
    return f"it does not name {listed(missing)}"


def _of_text(content: bytes) -> list[str] | str:
    """One name a line, in order; a number before it, as in '0 cat', has to be the line's own."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "it is no UTF-8 text"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [re.fullmatch(r"([0-9]+)[\s:,]+(.+)", line) for line in lines]
    if all(numbered):
        numbers = [int(found[1][:9]) for found in numbered if found]
        if numbers in (list(range(len(lines))), list(range(1, len(lines) + 1))):
            lines = [found[2] for found in numbered if found]
    return _checked(lines)


def _of_json(content: bytes) -> list[str] | str:
    """{"cat": 0, "dog": 1}, or a list of names."""
    try:
        value = load(content)
    except JSONError as error:
        return str(error)
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return _checked(value)
    if not isinstance(value, dict) or not value or not all(type(number) is int for number in value.values()):
        return "it holds no names with numbers"
    if min(value.values()) < 0 or max(value.values()) >= MOST_CLASSES or len(set(value.values())) < len(value):
        return "its numbers are no places of classes"
    names = [f"class {number}" for number in range(max(value.values()) + 1)]
    for name, number in value.items():
        names[number] = name
    return _checked(names)


def _checked(names: list[str]) -> list[str] | str:
    names = [unicodedata.normalize("NFC", printable(name)) for name in names]
    if not names or len(names) > MOST_CLASSES:
        return f"it holds {len(names):,} names"
    if len(set(names)) < len(names):
        return "it holds a name twice"
    return "it holds a name of more than 200 characters" if max(map(len, names)) > 200 else names
