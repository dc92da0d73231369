"""JSON from files that anybody may have damaged: plain values within bounds, and whatever is wrong is one sentence."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from pruning.base.errors import StorageError
from pruning.base.files import MOST_BYTES, read_bytes

LARGEST = 2**63
"""Whole numbers stay below it, in size: one of 5,000 digits cannot even be shown in a message."""
DEEPEST = 50
"""So many objects and lists may stand inside each other."""


class JSONError(ValueError):
    """What is wrong with a JSON text, in a few words: 'it ends too early', 'a number is too large'."""


def read_object(path: Path, *, most_bytes: int = MOST_BYTES, allow_nan: bool = False) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is no file.

    >>> read_object(Path("no such file.json")) is None
    True

    Raises:
        StorageError: it cannot be read, or is damaged: too large, not UTF-8, not JSON, no object, nested deeper than
            `DEEPEST`, with a whole number of `LARGEST` or more, or (unless `allow_nan`) with NaN or infinity.
    """
    text = read_bytes(path, most_bytes=most_bytes)
    return None if text is None else load_object(text, path.name, allow_nan=allow_nan)


def load_object(text: bytes, name: str, *, allow_nan: bool = False) -> dict[str, Any]:
    """The JSON object in the bytes of a file called `name`.

    Raises:
        StorageError: it is damaged, as `read_object` says.
    """
    try:
        value = load(text, allow_nan=allow_nan)
    except JSONError as error:
        raise StorageError(f"{name} is damaged: {error}.") from error
    if not isinstance(value, dict):
        raise StorageError(f"{name} is damaged: it holds no object with names and values.")
    return value


def load(text: bytes, *, allow_nan: bool = False) -> Any:
    """The value in a JSON text.

    >>> load(b'{"share": 0.5}')
    {'share': 0.5}

    Raises:
        JSONError: it is damaged, as `read_object` says, or a text in it holds a stray half of a character.
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JSONError(f"byte {error.start:,} of it is no UTF-8 text") from error
    try:
        value = json.loads(
            decoded,
            parse_int=_whole,
            parse_float=None if allow_nan else _finite,
            parse_constant=None if allow_nan else _refused_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise JSONError("it is empty" if not decoded.strip() else f"it is no JSON ({where}: {error.msg})") from error
    except RecursionError as error:
        raise JSONError("it is nested too deeply") from error
    _check(value, halves=_ESCAPED_HALF.search(decoded) is not None)
    return value


def dump(value: Any, *, indent: int | None = None) -> bytes:
    """A value as JSON text that `load` takes back; NaN and infinity, which JSON does not know, become null.

    >>> dump({"loss": float("nan")})
    b'{"loss": null}'
    """
    return json.dumps(_strict(value), indent=indent, allow_nan=False).encode()


_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(value := int(digits)) >= LARGEST:
        raise JSONError("a number is too large")
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JSONError("a number is too large")
    return value


def _refused_constant(name: str) -> float:
    raise JSONError(f"it holds {name}, which is no number")


def _check(value: Any, *, halves: bool) -> None:
    """Depth, and where the text has any, escaped halves of characters. Without recursion: it is what checks depth."""
    level = [value]
    for depth in range(DEEPEST + 1):
        if halves and any(_HALF.search(text) for text in _texts(level)):
            raise JSONError("a text holds a stray half of a character")
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return
        if depth == DEEPEST:
            raise JSONError("it is nested too deeply")
        level = [below for item in containers for below in (item.values() if isinstance(item, dict) else item)]


def _texts(level: list[Any]) -> list[str]:
    names = [name for item in level if isinstance(item, dict) for name in item]
    return [*names, *(item for item in level if isinstance(item, str))]


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
