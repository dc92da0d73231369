"""Fields of a lesson's file: each is checked alone, and what is wrong is a sentence that begins with its name."""

from __future__ import annotations

from typing import Any

from pruning.base.errors import InputError

LONGEST = 4_000
"""Characters of a text."""


def text_of(entry: dict[str, Any], name: str, where: str = "") -> str:
    """A text that must be there. Raises InputError."""
    value = entry.get(name)
    if value is None:
        raise InputError(f"`{where}{name}` is missing.")
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
        raise InputError(f"`{where}{name}` must be a text of at most {LONGEST:,} characters.")
    return value.strip()


def unit_of(entry: dict[str, Any]) -> str:
    """The unit of a number, '' where there is none."""
    return "" if entry.get("unit") is None else str(entry["unit"])[:20]


def check_known(entry: dict[Any, Any], fields: set[str], where: str = "") -> None:
    """Raises InputError where there is a field that is not one of `fields`."""
    unknown = sorted(str(name) for name in entry if name not in fields)
    if unknown:
        raise InputError(f"`{where}{unknown[0][:40]}` is not known here. The fields are: {', '.join(sorted(fields))}.")


def is_number(value: Any) -> bool:
    """Whether a value is a number that can be shown."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12
