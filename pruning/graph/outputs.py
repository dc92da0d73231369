"""What a network returns: the tensors in it, whatever holds them."""

from __future__ import annotations

import dataclasses
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.fx import Node
from torch.utils import _pytree as pytree

CLOSED = (nn.Module, type, types.ModuleType, types.FunctionType, types.MethodType)
"""Things whose attributes are no part of a result."""


def output_tensors(output: Any) -> list[Tensor]:
    """All tensors in a model's output in a fixed order: in tuples, lists and dicts, in dataclasses and other objects
    that keep them as attributes, however nested; one that stands in several places is there as often.

    >>> import torch
    >>> [len(tensor) for tensor in output_tensors({"a": torch.zeros(1), "b": (torch.zeros(2), None, 3)})]
    [1, 2]
    """
    return list(_tensors(output, ()))


def _tensors(value: Any, around: tuple[int, ...]) -> Iterator[Tensor]:
    """`around`: the objects that a value is in, which may hold each other."""
    if isinstance(value, Tensor):
        yield value
    elif id(value) not in around:
        for part in _parts(value):
            yield from _tensors(part, (*around, id(value)))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, CLOSED):
        return ()
    if isinstance(value, Mapping) and len(value):
        return value.values()
    if isinstance(value, tuple | list | deque):
        return value
    if type(value) in pytree.SUPPORTED_NODES:
        return pytree.tree_flatten(value, is_leaf=lambda part: part is not value)[0]
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return getattr(value, "__dict__", {}).values()


def returned(output: Node) -> list[Node]:
    """The results that the last node of a graph returns; one that stands in several places is there as often."""
    return [node for node in pytree.tree_leaves(output.args) if isinstance(node, Node)]
