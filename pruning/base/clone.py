"""A copy of a model that works where `copy.deepcopy` alone does not."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils import _pytree as pytree

from pruning.base.errors import InputError, first_line
from pruning.base.hooks import rebind

_TABLES = frozenset(vars(nn.Module()))
"""Attributes of every module; those that hold its parameters, buffers and parts among them."""
_HOLDERS = (Tensor, dict, list, tuple)


def twin(model: nn.Module) -> nn.Module:
    """A copy whose modules, attributes and tensors are its own, on the same memory: to be run without values.

    Whatever the network's code keeps in its attributes then stays out of the caller's model.

    Raises:
        InputError: something in the model cannot be copied.
    """
    memo: dict[int, object] = {id(tensor): tensor.detach() for tensor in (*model.buffers(), *_computed(model))}
    memo |= {id(p): nn.Parameter(p.detach(), requires_grad=p.requires_grad) for p in model.parameters()}
    return _copied(model, memo)


def clone(model: nn.Module) -> nn.Module:
    """A deep copy with the same values, modes, flags and shared parameters.

    Weights that a module computes anew at every call (weight_norm, `torch.nn.utils.prune`) lie in plain attributes
    that deepcopy refuses; they are copied detached.

    Raises:
        InputError: something in the model cannot be copied.
    """
    copied = _copied(model, {id(tensor): tensor.detach().clone() for tensor in _computed(model)})
    for module in copied.modules():
        _give_own_class(module)
    named = dict(copied.named_parameters())
    for first, second, transposed in shared_memory(model):  # deepcopy gives every parameter memory of its own
        named[second].data = named[first].data.t() if transposed else named[first].data
    return copied


def _give_own_class(module: nn.Module) -> None:
    """torch makes a class for each parametrized module, which holds what computes its parameters, and writes into it
    when they are removed; deepcopy leaves classes as they are, so that this would break the original."""
    kind = type(module)
    if parametrize.is_parametrized(module) and kind.__module__ == parametrize.__name__:
        members = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
        module.__class__ = type(kind.__name__, kind.__bases__, members)


def _computed(model: nn.Module) -> list[Tensor]:
    """Tensors with a history in attributes, also in lists and dicts there."""
    values = (value for module in model.modules() for name, value in vars(module).items() if name not in _TABLES)
    leaves = (leaf for value in values if isinstance(value, _HOLDERS)
              for leaf in pytree.tree_leaves(value))  # fmt: skip
    return [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.grad_fn is not None]


def _copied(model: nn.Module, memo: dict[int, object]) -> nn.Module:
    try:
        copied = copy.deepcopy(model, memo)
    except Exception as error:
        raise InputError(
            f"This network cannot be copied ({type(error).__name__}: {first_line(error)}). "
            "Removal works on a copy: keep locks, open files and generators out of its attributes."
        ) from error
    rebind(copied, memo)
    own = {id(module) for module in model.modules()}
    same = next((path for path, module in copied.named_modules() if id(module) in own), None)
    if same is not None:
        part = f"part '{same}'" if same else "self"
        raise InputError(
            f"A copy of this network still holds the original's {part}, so removal would change both: let its "
            "__deepcopy__ make a new one."
        )
    return copied


def named_tensors(model: nn.Module) -> dict[str, Tensor]:
    """All parameters, then all buffers; a tensor of several names stands under each."""
    return {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers(remove_duplicate=False))}


def apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors in one piece each, and each in memory of its own, as files of safetensors take them: what
    shares memory with one before it is copied."""
    places: set[int] = set()
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        whole = tensor.detach().contiguous()
        place = whole.untyped_storage().data_ptr()
        found[name] = whole.clone() if place and place in places else whole
        places.add(place)
    return found


def shared_memory(model: nn.Module) -> tuple[tuple[str, str, bool], ...]:
    """Pairs of different parameters on the same memory: (first, other, transposed)."""
    first: dict[int, tuple[str, Tensor]] = {}
    pairs = []
    for name, tensor in model.named_parameters():
        if tensor.numel() < 2:
            continue
        storage = tensor.untyped_storage().data_ptr()
        if storage in first:
            known, other = first[storage]
            same = tensor.shape == other.shape and tensor.stride() == other.stride()
            turned = (
                tensor.dim() == other.dim() == 2
                and tensor.shape == other.t().shape
                and tensor.stride() == other.t().stride()
            )
            if same or turned:
                pairs.append((known, name, not same))
        else:
            first[storage] = (name, tensor)
    return tuple(pairs)
