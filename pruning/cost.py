"""What a model costs: parameters, bytes, MACs, activation memory. Arithmetic on shapes and plans; no forward pass."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruning.graph.model_graph import ModelGraph
from pruning.graph.trace import Trace
from pruning.plan import Plan
from pruning.shrinkage import shrinkage

VIEWS = frozenset(
    "view reshape flatten unflatten permute transpose t squeeze unsqueeze expand slice select alias chunk split "
    "split_with_sizes narrow detach unbind dropout".split()
)
"""Calls whose result shares the memory of their input (dropout does in eval mode)."""


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """One convolution or linear layer, for one sample."""

    name: str
    kind: str
    weight_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    """Weight and bias."""
    macs: int


@dataclass(frozen=True, kw_only=True)
class Bytes:
    """Size of the weights (parameters and buffers) in three ways of writing them down."""

    raw: int
    """As they are in memory."""
    deflate: int
    """Compressed with zlib at level 6, as zip and gzip do."""
    sparse: int
    """Weights of two or more dimensions as a bitmap of non-zeros and the non-zero values; the rest raw."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Costs that follow from a model alone."""

    params: int
    nonzero: int
    macs: int
    """Multiply-accumulates of one sample in convolutions and linear layers. A zero weight still costs its MAC."""
    bytes: Bytes
    activation_bytes: int
    """Most memory that intermediate results of one sample take at once, in float32."""


def layer_costs(graph: ModelGraph, shapes: Mapping[str, tuple[int, ...]] | None = None) -> list[LayerCost]:
    """Every convolution and linear layer in network order; `shapes` as after a plan, else dense."""
    shapes = shapes or graph.shapes
    result = []
    for site in graph.contractions:
        shape = shapes[site.tensor]
        bias = shapes.get(f"{site.layer}.bias", (0,)) if f"{site.layer}.bias" in graph.parameters else (0,)
        output = list(site.output_shape)
        output[site.output_dim] = output[site.output_dim] * shape[0] // graph.shapes[site.tensor][0]
        result.append(
            LayerCost(
                name=site.layer,
                kind=site.kind,
                weight_shape=shape,
                output_shape=tuple(output),
                parameters=math.prod(shape) + math.prod(bias),
                macs=int(site.macs_per_weight * math.prod(shape)),
            )
        )
    return result


def shapes_after(graph: ModelGraph, plan: Plan) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter and buffer once a channel plan is carried out; unchanged for weight plans."""
    shapes = dict(graph.shapes)
    for tensor, dims in shrinkage(graph, plan).kept.items():
        shape = list(shapes[tensor])
        for dim, index in dims.items():
            shape[dim] = len(index)
        shapes[tensor] = tuple(shape)
    return shapes


def count_parameters(graph: ModelGraph, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Number of parameters (not buffers) for given shapes."""
    return sum(math.prod(shapes[name]) for name in graph.parameters)


def count_macs(graph: ModelGraph, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """MACs of one sample for given shapes."""
    weights = sum(int(site.macs_per_weight * math.prod(shapes[site.tensor])) for site in graph.contractions)
    products = 0
    for product in graph.products:
        left = math.prod(shapes[name][dim] for name, dim in product.scales)
        products += product.macs * left // math.prod(graph.shapes[name][dim] for name, dim in product.scales)
    return weights + products


def count_zeros(plan: Plan) -> int:
    """Weights that a weight plan zeroes."""
    return sum(int((~mask).sum()) for mask in plan.masks.values())


def model_cost(model: nn.Module, graph: ModelGraph) -> Cost:
    """Measure a model whose graph is `graph` (of this very model, not of its dense ancestor)."""
    parameters = [parameter.detach() for parameter in model.parameters()]
    shapes = {name: tuple(t.shape) for name, t in (*model.named_parameters(), *model.named_buffers())}
    return Cost(
        params=sum(parameter.numel() for parameter in parameters),
        nonzero=sum(int(torch.count_nonzero(parameter)) for parameter in parameters),
        macs=count_macs(graph, shapes),
        bytes=model_bytes(model),
        activation_bytes=peak_activation_bytes(graph.trace),
    )


def model_bytes(model: nn.Module) -> Bytes:
    """Raw, deflate and bitmap-sparse size of all parameters and buffers."""
    raw = deflate = sparse = 0
    compressor = zlib.compressobj(6)
    for tensor in model.state_dict().values():
        data = _bytes_of(tensor)
        raw += len(data)
        deflate += len(compressor.compress(data))
        if tensor.dim() >= 2:
            sparse += math.ceil(tensor.numel() / 8) + int(torch.count_nonzero(tensor)) * tensor.element_size()
        else:
            sparse += len(data)
    deflate += len(compressor.flush())
    return Bytes(raw=raw, deflate=deflate, sparse=sparse)


def _bytes_of(tensor: Tensor) -> bytes:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def peak_activation_bytes(trace: Trace) -> int:
    """Most bytes of intermediate results alive at once while the calls run in order, per sample.

    A result lives from its call to its last use; views share their source's memory; the input counts.
    """
    owner: dict[Node, Node] = {}
    size: dict[Node, int] = {}
    born: dict[Node, int] = {}
    last_use: dict[Node, int] = {}
    for step, node in enumerate(trace.nodes):
        if node.op == "placeholder" and node.name in trace.tensors:
            continue
        sources = [source for source in node.all_input_nodes if source in owner]
        name = str(node.target).removeprefix("aten.").split(".")[0]
        shared = bool(sources) and node.op == "call_function" and (name in VIEWS or "getitem" in name)
        owner[node] = owner[sources[0]] if shared else node
        value = node.meta.get("val")
        if isinstance(value, Tensor) and not shared:
            size[node], born[node] = value.numel() * 4 // trace.batch, step
        for source in (*sources, node):
            last_use[owner[source]] = step
    change = [0] * (len(trace.nodes) + 1)
    for node, amount in size.items():
        change[born[node]] += amount
        change[last_use[node] + 1] -= amount
    return max(itertools.accumulate(change))
