"""How a pruned network differs from the unpruned one as its code builds it: what load.py does to make one the other.

The two modules are compared, whatever made them different: no rule of removal is known here or there. Shapes come with
the tensors; what else a smaller network has are other numbers in attributes, and a few classes of attention.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruning.base import held
from pruning.base.clone import shared_memory
from pruning.base.errors import InputError
from pruning.export.bundle.encoding import NotPlain, encoded

SLIM = "pruning.removal.slim_"
"""Where classes are at home that take the place of others in smaller networks."""
Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """What is to be done to the unpruned network, and the tensors for it."""

    tensors: Mapping[str, Tensor]
    """Parameters and buffers of the pruned network by name, what is shared under its first name alone."""
    others: Mapping[str, Tensor]
    """Buffers that are not saved with a network, and tensors in attributes, where they are others."""
    files: tuple[Path, ...]
    """Of classes and functions that load.py needs for it."""
    values: Values = field(default_factory=dict)
    """As `config.json` has it."""


def difference(bare: nn.Module, pruned: nn.Module) -> Difference:
    """Compare the pruned network with the unpruned one, which was just built, with other lots than ever before: so that
    what is drawn at random is among the differences.

    Raises:
        InputError: the two are not built alike.
    """
    before, after = (dict(model.named_modules(remove_duplicate=False)) for model in (bare, pruned))
    for path in (*before, *after):
        if path not in before or path not in after:
            which = "not in what its code builds" if path in after else "only in what its code builds"
            raise InputError(f"the network was changed after it was built: its part '{path}' is {which}")
    others: dict[str, Tensor] = {}
    files: dict[Path, None] = {}
    classes, attributes, numbers = {}, {}, []
    registered = {id(tensor) for tensor in (*pruned.parameters(), *pruned.buffers())}
    for path, module in pruned.named_modules():
        slim = _slim_file(path, before[path], module)
        if slim is not None:
            files[slim] = None
            classes[path] = [slim.name, type(module).__name__]
        plain = _attributes(path, before[path], module, registered, others)
        if plain:
            attributes[path] = plain
        numbers += [[path, *place] for place in _numbers(before[path], module, set(plain))]
    if numbers:
        files[Path(held.__file__)] = None
    saved, tied = _saved(pruned)
    unsaved = _unsaved(before, after, others)
    memory = shared_memory(pruned)
    for _, name, _ in memory:
        saved.pop(name, None)
    values = {
        "classes": classes,
        "attributes": attributes,
        "numbers": numbers,
        "buffers": [name for name in saved if _is_buffer(after, name)],
        "unsaved": unsaved,
        "tied": tied,
        "same_memory": [list(pair) for pair in memory],
        "frozen": [n for n, p in pruned.named_parameters(remove_duplicate=False) if not p.requires_grad],
    }
    return Difference(tensors=saved, others=others, files=tuple(files), values=values)


def _slim_file(path: str, before: nn.Module, after: nn.Module) -> Path | None:
    """The file of the class that took the place of a module's own; None where it has its own."""
    if type(after).__module__.startswith(SLIM):
        return Path(inspect.getfile(type(after)))
    if type(before).__qualname__ != type(after).__qualname__:
        raise InputError(
            f"the network was changed after it was built: its part '{path}' is a {type(after).__name__}, and its code "
            f"builds a {type(before).__name__}"
        )
    return None


def _attributes(
    path: str, before: nn.Module, after: nn.Module, registered: set[int], others: dict[str, Tensor]
) -> Values:
    """Attributes of plain values, tensors beside parameters and buffers among them, that are others now."""
    found: Values = {}
    for name, value in vars(after).items():
        if name in held.TABLES:
            continue
        now: dict[str, Tensor] = {}
        try:
            new = encoded(value, _keeper(f"{path}.{name}".removeprefix("."), registered, now))
        except NotPlain:
            continue
        was: dict[str, Tensor] = {}
        try:
            old = encoded(getattr(before, name), _keeper(f"{path}.{name}".removeprefix("."), set(), was))
        except (NotPlain, AttributeError):
            was, old = {}, NotPlain
        if new != old or not all(_same(tensor, was[key]) for key, tensor in now.items()):
            found[name] = new
            others.update(now)
    return found


def _keeper(name: str, registered: set[int], kept: dict[str, Tensor]) -> Any:
    def keep(tensor: Tensor) -> str:
        if id(tensor) in registered or tensor.grad_fn is not None or tensor.is_meta:
            raise NotPlain("computed, or a parameter: it is there without being told")
        key = f"{name}[{len(kept)}]"
        kept[key] = tensor.detach()
        return key

    return keep


def _numbers(before: nn.Module, after: nn.Module, told: set[str]) -> list[list[Any]]:
    """Whole numbers within objects and containers, and on classes, that are others now: attribute, place, number."""
    return [
        [name, list(place), number]
        for name, place, number in held.numbers_of(after)
        if name not in told and place and held.number_at(before, name, place) not in (None, number)
    ]


def _saved(model: nn.Module) -> tuple[dict[str, Tensor], list[list[str]]]:
    """Parameters and the buffers that are saved with a network, what is shared under the first of its names; and the
    names of what is shared."""
    names: dict[int, list[str]] = {}
    tensors: dict[str, Tensor] = {}
    for table in (model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False)):
        for name, tensor in table:
            if id(tensor) not in names:
                tensors[name] = tensor.detach()
            names.setdefault(id(tensor), []).append(name)
    modules = dict(model.named_modules(remove_duplicate=False))
    saved = {name: tensor for name, tensor in tensors.items() if not _is_unsaved(modules, name)}
    return saved, [group for group in names.values() if len(group) > 1]


def _unsaved(before: Mapping[str, nn.Module], after: Mapping[str, nn.Module], others: dict[str, Tensor]) -> list[str]:
    """Names of buffers that are not saved with a network, and are others than those that its code makes."""
    found = []
    for path, module in after.items():
        for local in module._non_persistent_buffers_set:
            tensor, was = module._buffers.get(local), before[path]._buffers.get(local)
            if tensor is not None and (was is None or not _same(tensor, was)):
                name = f"{path}.{local}".removeprefix(".")
                others[name] = tensor.detach()
                found.append(name)
    return found


def _is_unsaved(modules: Mapping[str, nn.Module], name: str) -> bool:
    path, _, local = name.rpartition(".")
    return local in modules[path]._non_persistent_buffers_set


def _is_buffer(modules: Mapping[str, nn.Module], name: str) -> bool:
    path, _, local = name.rpartition(".")
    return local in modules[path]._buffers


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)
