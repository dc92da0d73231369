"""What a plan leaves of the weights, tensor by tensor: their non-zeros and bytes, without a copy of the model."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from pruning.cost.counts import Bytes, deflated, saved_tensors, sparse_bytes, tensor_bytes
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.removal.shrinkage import shrinkage

SAMPLE = 2**22
"""Bytes that are compressed to see how well the rest would: zlib takes 4 s for 100 MB of weights."""
BLOCK = 2**15
"""Bytes of one block of that sample; zlib looks back no further."""


@torch.no_grad()
def remains(model: nn.Module, graph: ModelGraph, plan: Plan) -> Iterator[tuple[str, Tensor]]:
    """Every saved parameter and buffer as it will be: smaller, or with zeros. Nothing of the model is changed."""
    kept = shrinkage(graph, plan).kept
    masks = _joined_masks(graph, plan)
    for name, tensor in saved_tensors(model).items():
        for dim, index in kept.get(name, {}).items():
            tensor = tensor.index_select(dim, torch.tensor(index, dtype=torch.long))
        yield name, tensor * masks[name] if name in masks else tensor


def count_nonzero(model: nn.Module, graph: ModelGraph, plan: Plan) -> int:
    """Parameters (not buffers) that are not zero once the plan is carried out."""
    return sum(
        int(torch.count_nonzero(tensor)) for name, tensor in remains(model, graph, plan) if name in graph.parameters
    )


def bytes_left(model: nn.Module, graph: ModelGraph, plan: Plan, sample: int = SAMPLE) -> tuple[Bytes, bool]:
    """Sizes as `pruning.cost.counts.model_bytes` gives them for the pruned model, and whether `deflate` is an estimate.

    It is where there are more than `sample` bytes: then evenly spread blocks of every tensor are compressed, in all
    about `sample` bytes, and each tensor's part is scaled up.
    """
    return _sizes(lambda: (tensor for _, tensor in remains(model, graph, plan)), sample)


def bytes_now(model: nn.Module, sample: int = SAMPLE) -> tuple[Bytes, bool]:
    """The same for a model as it is."""
    return _sizes(lambda: saved_tensors(model).values(), sample)


def _sizes(tensors: Callable[[], Iterable[Tensor]], sample: int) -> tuple[Bytes, bool]:
    """`tensors` gives them anew each time, so that all of them need not be there at once."""
    raw = sparse = 0
    for tensor in tensors():
        raw += tensor.numel() * tensor.element_size()
        sparse += sparse_bytes(tensor)
    exact = raw <= sample
    contents = (tensor_bytes(tensor) for tensor in tensors())
    deflate = deflated(contents) if exact else round(sum(_estimate(data, sample / raw) for data in contents))
    return Bytes(raw=raw, deflate=deflate, sparse=sparse), not exact


def _estimate(data: bytes, share: float) -> float:
    """Compressed size of `data` from about a `share` of it, in evenly spread blocks."""
    blocks = [data[start : start + BLOCK] for start in range(0, len(data), round(BLOCK / share))]
    taken = sum(len(block) for block in blocks)
    return sum(len(zlib.compress(block, 6)) for block in blocks) * len(data) / max(1, taken)


def _joined_masks(graph: ModelGraph, plan: Plan) -> dict[str, Tensor]:
    """The plan's masks, where parameters on the same memory lose what either of them loses."""
    masks = dict(plan.masks)
    for first, second, transposed in (
        *graph.aliases,
        *graph.aliases,
    ):  # twice: then the first of three knows of the last
        mine, other = masks.get(first), masks.get(second)
        other = other.t() if other is not None and transposed else other
        found = [mask for mask in (mine, other) if mask is not None]
        if found:
            joined = found[0] & found[-1]
            masks[first], masks[second] = joined, joined.t() if transposed else joined
    return masks
