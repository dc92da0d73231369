"""What removal leaves alone in a network that it is given, whatever network that is."""

from __future__ import annotations

import copy
import gc
import types
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

NO_DATA = (type, types.ModuleType, types.CodeType, types.FrameType, str, bytes, int, float)
"""What leads to no tensor of a network's own."""


def state(model: nn.Module) -> dict[str, Any]:
    """Every bit of every tensor, wherever a module keeps it, every other attribute, those of its classes, and which
    hooks there are."""
    return {
        "bits": {place: bits(tensor) for place, tensor in _tensors(model)},
        "strides": {place: tensor.stride() for place, tensor in _tensors(model)},
        "learning": {name: parameter.requires_grad for name, parameter in model.named_parameters()},
        "shared": shared(model),
        "attributes": {path: _plain(vars(module)) for path, module in model.named_modules()},
        "classes": {kind: _written(kind) for module in model.modules() for kind in type(module).__mro__},
        "kinds": {path: type(module) for path, module in model.named_modules()},
        "hooks": {path: _hooks(module) for path, module in model.named_modules()},
        "copies": copies(model),
    }


def changes(before: dict[str, Any], model: nn.Module) -> list[str]:
    """What is another than in a `state` of before, and whatever of tracing can be reached from the model."""
    after = state(model)
    found = [f"{what} {key}" for what in before if isinstance(before[what], dict)
             for key in before[what].keys() | after[what].keys()
             if before[what].get(key) != after[what].get(key)]  # fmt: skip
    found += [what for what in ("shared", "copies") if before[what] != after[what]]
    return found + [f"a fake tensor of {tuple(tensor.shape)}" for tensor in fakes(model)]


def bits(tensor: Tensor) -> tuple[torch.dtype, tuple[int, ...], bytes]:
    """Its type, its shape, and its numbers as they lie in memory."""
    whole = tensor.detach().contiguous()
    plain = torch.view_as_real(whole) if whole.is_complex() else whole
    return tensor.dtype, tuple(tensor.shape), plain.reshape(-1).view(torch.uint8).numpy().tobytes()


def shared(model: nn.Module) -> set[frozenset[str]]:
    """Names of parameters that lie on the same memory."""
    places = defaultdict(set)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        places[parameter.untyped_storage().data_ptr()].add(name)
    return {frozenset(names) for names in places.values() if len(names) > 1}


def copies(model: nn.Module) -> bool:
    """Whether it can be copied: with a weight that a hook has computed it cannot, before as after."""
    try:
        copy.deepcopy(model)
    except Exception:
        return False
    return True


def fakes(model: nn.Module) -> Iterator[FakeTensor]:
    """Tensors without numbers, as tracing makes them, that the model's attributes, hooks and closures lead to."""
    seen: set[int] = set()
    todo: list[Any] = [model]
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, NO_DATA):
            continue
        seen.add(id(item))
        if isinstance(item, FakeTensor):
            yield item
        elif isinstance(item, types.FunctionType):
            todo += [*(item.__closure__ or ()), *(item.__defaults__ or ()), vars(item)]
        else:
            todo += gc.get_referents(item)


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for path, module in model.named_modules():
        for table in (module._parameters, module._buffers, vars(module)):
            for name, value in table.items():
                if isinstance(value, Tensor):
                    yield f"{path}.{name}", value


def _written(kind: type) -> dict[str, str]:
    """Plain attributes of a class, without those that Python keeps there."""
    return _plain({name: value for name, value in vars(kind).items() if not name.startswith("__")})


def _plain(attributes: dict[str, Any]) -> dict[str, str]:
    """Attributes that hold neither tensors nor modules, as text."""
    return {name: repr(value) for name, value in attributes.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(item) for item in (*value.keys(), *value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | complex | str | torch.dtype)


def _hooks(module: nn.Module) -> dict[str, list[int]]:
    return {name: [id(hook) for hook in table.values()] for name, table in vars(module).items()
            if name.endswith("_hooks") and table}  # fmt: skip
