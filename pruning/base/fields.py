"""What an object from a file holds, each value checked as it is taken, so that damage is a sentence that names it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NoReturn

from pruning.base.errors import StorageError

YEARS = (1970, 9998)
"""A moment lies in one of these, so that it can be turned into any zone."""


class Fields:
    """The values of an object by name; whatever is absent or of another type is a StorageError.

    `"name" in fields` tells whether a value is there (and not null), for those that may be absent.

    >>> fields = Fields({"share": 0.5, "lanes": [{"seed": 3}]}, "race.json")
    >>> fields.number("share", 0, 1), [lane.whole("seed") for lane in fields.parts("lanes")]
    (0.5, [3])
    """

    def __init__(self, values: Any, where: str) -> None:
        """`values`: as read from JSON. `where`: how sentences call it: 'race.json', or 'lane 3 of race.json'.

        Raises:
            StorageError: it is no object.
        """
        self.where = where
        if not isinstance(values, Mapping):
            raise StorageError(f"{where} is damaged: {shown(values)} stands where names and values should.")
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def names(self) -> list[str]:
        """Of all values that are there."""
        return list(self._values)

    def text(self, name: str) -> str:
        """A text."""
        value = self._value(name)
        return value if isinstance(value, str) else self.refuse(name, "a text")

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """One of several texts."""
        value = self._value(name)
        return value if isinstance(value, str) and value in allowed else self.refuse(name, " or ".join(allowed))

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self._value(name)
        return value if isinstance(value, bool) else self.refuse(name, "true or false")

    def whole(self, name: str, low: int | None = None, high: int | None = None) -> int:
        """A whole number from `low` to `high`, both included."""
        value = self._value(name)
        if type(value) is int and (low is None or value >= low) and (high is None or value <= high):
            return value
        return self.refuse(name, "a whole number" + _between(low, high))

    def number(self, name: str, low: float | None = None, high: float | None = None) -> float:
        """A finite number from `low` to `high`, both included."""
        value = self._value(name)
        if _is_number(value) and (low is None or value >= low) and (high is None or value <= high):
            return float(value)
        return self.refuse(name, "a number" + _between(low, high))

    def wholes(self, name: str, low: int | None = None, *, length: int | None = None) -> tuple[int, ...]:
        """A list of whole numbers of at least `low`, of a given length where one is named."""
        value = self._value(name)
        if isinstance(value, list) and length in (None, len(value)):
            found = tuple(item for item in value if type(item) is int and (low is None or item >= low))
            if len(found) == len(value):
                return found
        return self.refuse(name, f"a list of {'' if length is None else f'{length} '}whole numbers")

    def table(self, name: str, columns: int) -> list[tuple[float, ...]]:
        """A list of rows of finite numbers, each of so many columns."""
        value = self._value(name)
        if not isinstance(value, list):
            return self.refuse(name, "a list of rows")
        rows = Fields({f"row {number} of {name}": row for number, row in enumerate(value, 1)}, self.where)
        return [rows.numbers(row, columns) for row in rows.names()]

    def numbers(self, name: str, length: int | None = None) -> tuple[float, ...]:
        """A list of finite numbers, of a given length where one is named."""
        value = self._value(name)
        if isinstance(value, list) and all(map(_is_number, value)) and length in (None, len(value)):
            return tuple(float(item) for item in value)
        return self.refuse(name, "a list of numbers" if length is None else f"a list of {length} numbers")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self._value(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        return self.refuse(name, "a list of texts")

    def moment(self, name: str) -> datetime:
        """A date and time with its zone, as ISO 8601 writes it."""
        value = self._value(name)
        try:
            found = datetime.fromisoformat(value)
        except (ValueError, TypeError):
            return self.refuse(name, "a date and time")
        if found.tzinfo is None or not YEARS[0] <= found.year <= YEARS[1]:
            return self.refuse(name, "a date and time with its zone")
        return found

    def part(self, name: str) -> Fields:
        """An object inside this one."""
        return Fields(self._value(name), f"{_short(name)} of {self.where}")

    def parts(self, name: str) -> list[Fields]:
        """A list of objects."""
        value = self._value(name)
        if not isinstance(value, list):
            return self.refuse(name, "a list")
        return [Fields(item, f"{name} {number} of {self.where}") for number, item in enumerate(value, 1)]

    def items(self) -> list[tuple[str, Any]]:
        """Names and values as they are, unchecked."""
        return list(self._values.items())

    def refuse(self, name: str, wanted: str) -> NoReturn:
        """Raise the StorageError for a value that is not what it should be."""
        raise StorageError(f"{self.where} is damaged: {_short(name)} is {shown(self._values.get(name))}, not {wanted}.")

    def _value(self, name: str) -> Any:
        if name not in self:
            raise StorageError(f"{self.where} is damaged: it holds no {_short(name)}.")
        return self._values[name]


def shown(value: Any, length: int = 40) -> str:
    """A value inside a sentence, cut short.

    >>> shown([1, 2]), shown("on"), shown(None)
    ('a list', "'on'", 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return "an object"
    text = repr(value)
    return text if len(text) <= length else f"{text[:length]}…"


def _short(name: str) -> str:
    """A name inside a sentence: those of an object's values come from the file as well."""
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" of at least {low}" if low is not None else f" of at most {high}" if high is not None else ""
