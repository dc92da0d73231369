"""What lies in a file of weights: tensors by their names in it, and plain values beside them. Nothing in it is run."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.catalog.weights.kinds import Kind, kind_of
from pruning.catalog.weights.pickled import read_pickled

DEEPEST = 12
"""Wrappers around a tensor."""
MOST_THINGS = 500_000
"""Tensors and other values in a file."""
MOST_VALUES = 200_000
"""Plain values that are kept of what lies beside the tensors."""
Values = str | int | float | bool | None | list["Values"] | dict[str, "Values"]
"""Plain values, as JSON has them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contents:
    """A file of weights, opened. Tensors are read from it when they are looked at."""

    path: Path
    kind: Kind
    tensors: Mapping[str, Tensor]
    """By name: what it is filed under in the file, wrappers and all, joined by dots ('state_dict.conv1.weight')."""
    values: Mapping[str, Values]
    """What else lies in the file, as far as it is plain: settings, names of classes."""
    what: str = "dict"
    """What the outermost value is, in Python's terms."""
    layers: tuple[str, ...] = ()
    """Classes of layers and networks that it names: there where a network itself was saved."""
    masked: frozenset[str] = frozenset()
    """Names of tensors that `pruning.catalog.weights.masks` made of values and a mask."""

    @property
    def said(self) -> str:
        """Its path, to be quoted inside a sentence."""
        return excerpt(str(self.path), 160)


def read_contents(path: Path | str) -> Contents:
    """Open a file of weights.

    Raises:
        InputError: there is no such file, it is something else, damaged, or would run code.
    """
    path = given_path(path)
    kind = kind_of(path)
    if kind is Kind.SAFETENSORS:
        return _safetensors(path)
    pickled = read_pickled(path, kind)
    try:
        content = _load(path, kind, pickled.names)
    except InputError:
        if pickled.layers:  # in the first format no stand-in can take the place of a layer
            return Contents(path=path, kind=kind, tensors={}, values={}, layers=pickled.layers)
        raise
    tensors: dict[str, Tensor] = {}
    values: dict[str, Values] = {}
    for name, value in _leaves(content, (), set()):
        if isinstance(value, Tensor):
            tensors.setdefault(name, value.detach())
    if isinstance(content, Mapping):
        values = {
            str(name): plain for name, value in content.items() if (plain := plain_value(value)) not in (None, {}, [])
        }
    return Contents(
        path=path, kind=kind, tensors=tensors, values=values, what=type(content).__name__, layers=pickled.layers
    )


def _safetensors(path: Path) -> Contents:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise InputError(
            f"{excerpt(str(path), 160)} is no readable safetensors file, cut short or damaged: fetch or copy it again."
        ) from error
    return Contents(path=path, kind=Kind.SAFETENSORS, tensors=tensors, values=dict(metadata))


class _Unread(list[Any]):
    """Stands for an object of a class that is no part of weights: settings, a clock of the training. Holds nothing."""

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __new__(cls, *_: object, **__: object) -> _Unread:
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        return


class _UnreadMapping:
    """The same for a class that is filled like a dict: a plain one, which the unpickler may fill."""

    def __new__(cls, *_: object, **__: object) -> Any:
        return Counter()


def _load(path: Path, kind: Kind, names: frozenset[str]) -> Any:
    """What torch makes of the file where it may build tensors and plain values alone.

    Classes of others are not imported: an empty stand-in takes the place of their objects, so that settings of any
    kind beside the weights are no reason to refuse them.
    """
    for likely in (_looks_like_mapping, lambda _: True, lambda _: False):
        # torch's own classes go before these, so that each name may have a stand-in
        strangers = [(_UnreadMapping if likely(name) else _Unread, name) for name in names]
        try:
            with _LOADING, warnings.catch_warnings(), torch.serialization.safe_globals(strangers):  # type: ignore[arg-type]
                warnings.simplefilter("ignore")
                return torch.load(path, map_location="cpu", weights_only=True, mmap=kind is Kind.ZIP)
        except Exception:  # a damaged file raises nearly anything; torch's advice is not passed on
            continue
    raise InputError(
        f"{excerpt(str(path), 160)} cannot be read as weights: it is cut short or damaged, or was not written by "
        "torch.save. Save it again as torch.save(model.state_dict(), FILE), or as safetensors."
    )


def _looks_like_mapping(name: str) -> bool:
    last = name.rpartition(".")[2].lower()
    return any(part in last for part in ("dict", "config", "cfg", "map"))


_LOADING = threading.Lock()
"""What torch may build is set for the whole process."""


def _leaves(value: Any, path: tuple[str, ...], above: set[int]) -> Iterator[tuple[str, Any]]:
    """Tensors below a value with their names."""
    counted = 0

    def walk(value: Any, path: tuple[str, ...], above: frozenset[int]) -> Iterator[tuple[str, Any]]:
        nonlocal counted
        counted += 1
        if counted > MOST_THINGS:
            return
        if isinstance(value, Tensor):
            yield ".".join(path), value
            return
        if len(path) > DEEPEST or id(value) in above:
            return
        if isinstance(value, Mapping):
            items = [(str(key), item) for key, item in value.items() if isinstance(key, str | int)]
        elif isinstance(value, list | tuple) and not isinstance(value, _Unread):
            items = [(str(place), item) for place, item in enumerate(value[:100])]
        else:
            return
        for key, item in items:
            yield from walk(item, (*path, key), above | {id(value)})

    yield from walk(value, path, frozenset(above))


def plain_value(value: Any, depth: int = 0, left: list[int] | None = None) -> Values:
    """A value of strings, numbers, lists and mappings alone; None for anything else, and for what is too much."""
    left = [MOST_VALUES] if left is None else left
    left[0] -= 1
    if isinstance(value, str | int | float | bool):
        return value
    if depth > 5 or left[0] < 0 or isinstance(value, _Unread):
        return None
    if isinstance(value, Mapping):
        found: dict[str, Values] = {}
        for key, item in value.items():
            plain = plain_value(item, depth + 1, left) if isinstance(key, str | int) else None
            if plain is not None:
                found[str(key)] = plain
            if left[0] < 0:
                return None
        return found
    if isinstance(value, list | tuple) and len(value) <= left[0]:
        return [plain_value(item, depth + 1, left) for item in value]
    return None
