"""Attributes in which a layer states its own sizes, and tensors kept beside its own: they follow its tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from pruning.graph.statements import read_by_forward


@dataclass(frozen=True, kw_only=True)
class Stated:
    """One attribute of a kind of layer, and the dimension of a tensor that it states."""

    attribute: str
    tensor: str
    dim: int
    rank: Callable[[nn.Module], int]
    """Dimensions that the tensor has in such a layer: a class of the user's may keep another tensor by that name."""
    times: Callable[[nn.Module], int] = lambda module: 1
    """The attribute is so many times the dimension."""
    per: int = 1
    """The dimension is so many times the attribute."""


def _stated(attribute: str, tensor: str, dim: int, rank: int, per: int = 1) -> Stated:
    return Stated(attribute=attribute, tensor=tensor, dim=dim, rank=lambda module: rank, per=per)


def _of_convolution(attribute: str, dim: int, *, grouped: bool) -> Stated:
    return Stated(
        attribute=attribute,
        tensor="weight",
        dim=dim,
        rank=lambda module: len(module.kernel_size) + 2,  # type: ignore[arg-type]
        times=(lambda module: int(module.groups)) if grouped else (lambda module: 1),  # type: ignore[arg-type]
    )


def _of_recurrent(gates: int) -> tuple[Stated, ...]:
    return (
        _stated("hidden_size", "weight_ih_l0", 0, 2, gates),
        _stated("input_size", "weight_ih_l0", 1, 2),
        _stated("proj_size", "weight_hr_l0", 0, 2),
    )


def _of_cell(gates: int) -> tuple[Stated, ...]:
    return (_stated("hidden_size", "weight_ih", 0, 2, gates), _stated("input_size", "weight_ih", 1, 2))


LAYERS: tuple[tuple[type[nn.Module], tuple[Stated, ...]], ...] = (
    (
        nn.modules.conv._ConvTransposeNd,
        (_of_convolution("in_channels", 0, grouped=False), _of_convolution("out_channels", 1, grouped=True)),
    ),
    (
        nn.modules.conv._ConvNd,
        (_of_convolution("out_channels", 0, grouped=False), _of_convolution("in_channels", 1, grouped=True)),
    ),
    (nn.Linear, (_stated("out_features", "weight", 0, 2), _stated("in_features", "weight", 1, 2))),
    (
        nn.Bilinear,
        (
            _stated("out_features", "weight", 0, 3),
            _stated("in1_features", "weight", 1, 3),
            _stated("in2_features", "weight", 2, 3),
        ),
    ),
    (
        nn.modules.batchnorm._NormBase,
        (_stated("num_features", "weight", 0, 1), _stated("num_features", "running_mean", 0, 1)),
    ),
    (nn.GroupNorm, (_stated("num_channels", "weight", 0, 1),)),
    (nn.PReLU, (_stated("num_parameters", "weight", 0, 1),)),
    (nn.Embedding, (_stated("num_embeddings", "weight", 0, 2), _stated("embedding_dim", "weight", 1, 2))),
    (nn.EmbeddingBag, (_stated("num_embeddings", "weight", 0, 2), _stated("embedding_dim", "weight", 1, 2))),
    (nn.LSTM, _of_recurrent(4)),
    (nn.GRU, _of_recurrent(3)),
    (nn.RNN, _of_recurrent(1)),
    (nn.LSTMCell, _of_cell(4)),
    (nn.GRUCell, _of_cell(3)),
    (nn.RNNCell, _of_cell(1)),
)
"""A layer is the first of these kinds that it is."""
SHAPED = (nn.LayerNorm, nn.RMSNorm)
"""Layers that state the whole shape of their weight as `normalized_shape`."""


def states_its_sizes(module: nn.Module) -> bool:
    """Whether a module is one of torch's own layers, all of whose sizes follow its tensors."""
    own = type(module).__module__.startswith("torch.")
    return own and isinstance(module, (*(kind for kind, _ in LAYERS), *SHAPED))


def follow(dense: nn.Module, small: nn.Module) -> None:
    """Make the attributes of each layer of `small` say what its tensors are, where they did in `dense`.

    Layers that lost nothing, and attributes that say something else, stay as they are.
    """
    for before, after in zip(dense.modules(), small.modules(), strict=True):
        stated = next((stated for kind, stated in LAYERS if isinstance(before, kind)), ())
        for fact in stated:
            _follow(before, after, fact)
        if isinstance(before, SHAPED) and isinstance(after, SHAPED) and before.weight is not None:
            old, new = tuple(before.weight.shape), tuple(after.weight.shape)
            if tuple(before.normalized_shape) == old != new:
                after.normalized_shape = new


def _tensor(module: nn.Module, name: str) -> object:
    """What a layer has by this name. A parametrised tensor is computed by a copy in eval mode: in train mode spectral
    norm writes into its buffers whenever it is asked."""
    if is_parametrized(module, name):
        computing: Any = module.parametrizations
        return copy.deepcopy(computing[name]).eval()()
    return getattr(module, name, None)


@torch.no_grad()
def follow_kept(dense: nn.Module, small: nn.Module, kept: Mapping[str, Mapping[int, Sequence[int]]]) -> None:
    """Cut the tensors that modules of the user's keep beside their parameters and buffers, such as the kernel of an
    identity that is made once: along each dimension as the tensors in the module of just that length, where all of
    these are cut alike. What forward reads stays: the trace has it, and removal knows of it.
    """
    shapes: dict[str, tuple[int, ...]] = {
        name: tuple(tensor.shape) for name, tensor in (*dense.named_parameters(), *dense.named_buffers())
    }
    for path, module in small.named_modules():
        if type(module).__module__.startswith("torch."):
            continue
        beside = {
            name: value
            for name, value in vars(module).items()
            if type(value) is Tensor and value.dim() and name not in read_by_forward(module)
        }
        within = [name for name in shapes if name.startswith(f"{path}.") or not path] if beside else []
        for attribute, tensor in beside.items():
            cuts = [_cut(size, within, shapes, kept) for size in tensor.shape]
            if any(cut is None for cut in cuts):
                continue
            for dim, cut in enumerate(cuts):
                if cut:
                    tensor = tensor.index_select(dim, torch.tensor(cut))
            setattr(module, attribute, tensor)


def _cut(
    size: int, names: list[str], shapes: Mapping[str, tuple[int, ...]], kept: Mapping[str, Mapping[int, Sequence[int]]]
) -> tuple[int, ...] | None:
    """The indices that are kept of every dimension of that length; () where none is cut, None where they differ."""
    found = {
        tuple(kept.get(name, {}).get(dim, ()))
        for name in names
        for dim, length in enumerate(shapes[name])
        if length == size > 1
    }
    return found.pop() if len(found) == 1 else None if found else ()


def _follow(before: nn.Module, after: nn.Module, fact: Stated) -> None:
    old, new = _tensor(before, fact.tensor), _tensor(after, fact.tensor)
    if not isinstance(old, Tensor) or not isinstance(new, Tensor) or not old.dim() == new.dim() == fact.rank(before):
        return
    said = getattr(before, fact.attribute, None)
    if said is None or said * fact.per != old.shape[fact.dim] * fact.times(before):
        return
    if (old.shape[fact.dim], fact.times(before)) != (new.shape[fact.dim], fact.times(after)):
        setattr(after, fact.attribute, new.shape[fact.dim] * fact.times(after) // fact.per)
