"""Whole numbers that a module keeps: in its attributes, in containers and plain objects there, and on its class.

A place is the way from an attribute to a number in it: names of attributes, keys, or numbers of items. Needs torch and
NumPy alone: bundles take this file along.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Iterator
from enum import Enum
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Place = tuple[str | int, ...]
"""() is the attribute itself."""
Held = tuple[str, Place, int]
"""An attribute, a place in it, and the number there."""
LEVELS = 4
"""Containers and objects in one another that are looked into."""
MOST = 256
"""Numbers of one module that are looked at, beside those in its plain attributes."""
TABLES = frozenset(vars(nn.Module()))
"""Attributes of every module."""
CLOSED = (nn.Module, type, Enum, types.ModuleType, types.FunctionType, property, classmethod, staticmethod)
"""Things whose attributes are not the module's own."""
LIBRARIES = ("torch.", "numpy.", "builtins", "typing", "abc", "collections")


def numbers_of(module: nn.Module) -> list[Held]:
    """All of them; those in plain attributes, tuples and lists first."""
    own = {name: value for name, value in vars(module).items() if name not in TABLES}
    plain = {name: value for name, value in own.items() if isinstance(value, tuple | list) or _is_number(value)}
    near = [(name, place, number) for name, value in plain.items() for place, number in _inside(value, (), 1)]
    known = {(name, place) for name, place, _ in near}
    everywhere = (
        (name, place, number)
        for name, value in chain(own.items(), _of_class(module, own))
        for place, number in _inside(value, (), LEVELS)
    )
    return [*near, *islice((held for held in everywhere if held[:2] not in known), MOST)]


def is_near(place: Place) -> bool:
    """Whether a place is an attribute itself, or an item of a tuple or list there."""
    return not place or (len(place) == 1 and type(place[0]) is int)


def number_at(module: nn.Module, attribute: str, place: Place) -> int | None:
    """The number at a place; None where there is none."""
    value = getattr(module, attribute, None)
    for step in place:
        value = _parts(value).get(step)
    return int(value) if value is not None and _is_number(value) else None


def put_number(module: nn.Module, attribute: str, place: Place, number: int) -> None:
    """Write a number to a place of a module. What others may hold, too, is copied on the way: objects and containers
    in attributes, and what stands on the class."""
    setattr(module, attribute, _with(getattr(module, attribute), place, number))


def _with(value: Any, place: Place, number: int) -> Any:
    if not place:
        return _like(value, number)
    step, rest = place[0], place[1:]
    part = _with(_parts(value)[step], rest, number)
    if hasattr(value, "_fields"):
        return value._replace(**{str(step): part})
    if isinstance(value, tuple):
        return type(value)(part if at == step else item for at, item in enumerate(value))
    copied = copy.copy(value)
    if isinstance(value, dict | list):
        copied[step] = part
    else:
        object.__setattr__(copied, str(step), part)  # a dataclass may be frozen
    return copied


def _inside(value: Any, around: tuple[int, ...], levels: int) -> Iterator[tuple[Place, int]]:
    """`around`: the objects that a value is in, which may hold each other."""
    if _is_number(value):
        yield (), int(value)
    elif levels and id(value) not in around:
        for step, part in _parts(value).items():
            for place, number in _inside(part, (*around, id(value)), levels - 1):
                yield (step, *place), number


def _parts(value: Any) -> dict[str | int, Any]:
    """What a container or a plain object holds, by the steps that lead there."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if type(key) in (str, int)}
    if isinstance(value, tuple | list):
        return dict(zip(getattr(value, "_fields", range(len(value))), value, strict=True))
    kind = type(value)
    if isinstance(value, CLOSED) or f"{kind.__module__}.".startswith(LIBRARIES):
        return {}
    slots = {name for each in kind.__mro__ for name in _names(vars(each).get("__slots__", ()))}
    return {**{name: getattr(value, name) for name in sorted(slots) if hasattr(value, name)},
            **getattr(value, "__dict__", {})}  # fmt: skip


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(name for name in slots if not name.startswith("__"))


def _of_class(module: nn.Module, own: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Attributes of a module's class and its parents that it has none of its own in place of."""
    seen = set(own)
    for kind in type(module).__mro__:
        if f"{kind.__module__}.".startswith(LIBRARIES):
            continue
        for name, value in vars(kind).items():
            if name not in seen and not name.startswith("__") and not isinstance(value, CLOSED):
                yield name, value
            seen.add(name)


def _is_number(value: Any) -> bool:
    if type(value) is int or isinstance(value, np.integer):
        return True
    whole = type(value) is Tensor and value.dim() == 0 and value.dtype in (torch.int64, torch.int32)
    return whole and not value.is_meta


def _like(value: Any, number: int) -> Any:
    """A number of the same type as another."""
    if isinstance(value, Tensor):
        return torch.tensor(number, dtype=value.dtype)
    return type(value)(number)
