"""Functions that a network calls beside its layers: hooks."""

from __future__ import annotations

import types
from collections.abc import Iterator
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


def rebind(copied: nn.Module, memo: dict[int, Any]) -> None:
    """Make the hooks of a deep copy write to the copy: deepcopy leaves functions as they are, so that one made inside
    of another (`def hook(module, args, out): self.features[name] = out`) still holds the original's objects. What is
    not the model's own stays shared: a list that hooks append to gets what the copy appends, too.

    `memo`: of the deepcopy.
    """
    for module in copied.modules():
        for hooks in hooks_of(module):
            for key, hook in list(hooks.items()):
                hooks[key] = _rebound(hook, memo)


def hooks_of(module: nn.Module) -> Iterator[dict[int, Any]]:
    """The tables of a module's hooks that have any."""
    return (module.__dict__[table] for table in TABLES if module.__dict__.get(table))


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
