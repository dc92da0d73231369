"""Whole numbers that a notebook's author gives."""

from __future__ import annotations

import reprlib
from numbers import Integral
from typing import Any

from pruning.base.errors import InputError


def whole(name: str, value: Any, least: int, most: int = 2**31 - 1) -> int:
    """The value as a plain int, also from NumPy.

    Raises:
        InputError: it is no whole number from `least` to `most`.

    >>> whole("seed", 3, 0)
    3
    """
    if not isinstance(value, Integral) or not least <= int(value) <= most:
        raise InputError(f"'{name}' is a whole number from {least} to {most:,}, not {reprlib.repr(value)}.")
    return int(value)
