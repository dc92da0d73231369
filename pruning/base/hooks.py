"""Functions that a network calls beside its layers: hooks, and what they write to outside of it."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from contextlib import contextmanager
from typing import Any

from torch import nn

TABLES = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)
"""Where a module keeps its hooks."""
CONTAINERS = (MutableMapping, MutableSequence, MutableSet, deque)
LEVELS = 4
"""Containers in containers that are looked into."""


def rebind(copied: nn.Module, memo: dict[int, Any]) -> None:
    """Make the hooks of a deep copy write to the copy: deepcopy leaves functions as they are, so that one made inside
    of another (`def hook(module, args, out): self.features[name] = out`) still holds the original's objects. What is
    not the model's own stays shared: a list that hooks append to gets what the copy appends, too.

    `memo`: of the deepcopy.
    """
    for module in copied.modules():
        for table in TABLES:
            hooks: dict[int, Any] = module.__dict__.get(table) or {}
            for key, hook in list(hooks.items()):
                hooks[key] = _rebound(hook, memo)


def _rebound(hook: Any, memo: dict[int, Any]) -> Any:
    if not isinstance(hook, types.FunctionType) or not hook.__closure__:
        return hook
    cells = tuple(_own_cell(cell, memo) for cell in hook.__closure__)
    if all(one is other for one, other in zip(cells, hook.__closure__, strict=True)):
        return hook
    fresh = types.FunctionType(hook.__code__, hook.__globals__, hook.__name__, hook.__defaults__, cells)
    fresh.__kwdefaults__, fresh.__dict__, fresh.__doc__ = hook.__kwdefaults__, dict(hook.__dict__), hook.__doc__
    return fresh


def _own_cell(cell: types.CellType, memo: dict[int, Any]) -> types.CellType:
    try:
        held = cell.cell_contents
    except ValueError:  # not filled yet
        return cell
    if id(held) in memo:
        mine = memo[id(held)]
    elif isinstance(held, types.FunctionType):
        mine = _rebound(held, memo)
    else:
        mine = held
    return cell if mine is held else types.CellType(mine)


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Afterwards, containers outside of the network that its hooks and its code name hold what they held before."""
    found: dict[int, tuple[Any, Any]] = {}
    for function in _functions(model):
        for held in _reached(function):
            _note(held, found, LEVELS)
    try:
        yield
    finally:
        for container, before in found.values():
            _put_back(container, before)


def _functions(model: nn.Module) -> Iterator[types.FunctionType]:
    """Hooks of all modules, and the methods of the user's classes."""
    classes: dict[type, None] = {}
    for module in model.modules():
        for table in TABLES:
            for hook in (module.__dict__.get(table) or {}).values():
                function = getattr(hook, "__func__", hook)
                if isinstance(function, types.FunctionType):
                    yield function
        classes.update(
            (kind, None) for kind in type(module).__mro__ if not kind.__module__.startswith(("torch.", "builtins"))
        )
    for kind in classes:
        yield from (value for value in vars(kind).values() if isinstance(value, types.FunctionType))


def _reached(function: types.FunctionType) -> Iterator[Any]:
    """What a function can write to by name: variables around it and of its file, and values of its defaults."""
    for name in names_in(function.__code__):
        if name in function.__globals__:
            yield function.__globals__[name]
    for cell in function.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:
            continue
        yield held
    yield from function.__defaults__ or ()


def names_in(code: types.CodeType) -> set[str]:
    return set(code.co_names).union(*(names_in(part) for part in code.co_consts if isinstance(part, types.CodeType)))


def _note(held: Any, found: dict[int, tuple[Any, Any]], levels: int) -> None:
    if not isinstance(held, CONTAINERS) or id(held) in found or not levels:
        return
    items = list(held.items()) if isinstance(held, MutableMapping) else list(held)
    found[id(held)] = (held, items)
    for item in items:
        _note(item[1] if isinstance(held, MutableMapping) else item, found, levels - 1)


def _put_back(container: Any, before: list[Any]) -> None:
    now = list(container.items()) if isinstance(container, MutableMapping) else list(container)
    if len(now) == len(before) and all(_is_same(one, other) for one, other in zip(now, before, strict=True)):
        return
    container.clear()
    if isinstance(container, MutableMapping | MutableSet):
        for item in before:
            container.__setitem__(*item) if isinstance(container, MutableMapping) else container.add(item)
    else:
        container.extend(before)


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(a is b for a, b in zip(one, other, strict=True))
    return one is other
