"""What a model costs: parameters, bytes, MACs, activation memory. Arithmetic on shapes and plans; no forward pass."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.cost.activations import activation_peak
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.removal.shrinkage import shrinkage


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
    activation_place: str
    """The module that runs when they do."""


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


def nonzero_parameters(model: nn.Module) -> int:
    """Parameters (not buffers) that are not zero."""
    return sum(int(torch.count_nonzero(parameter.detach())) for parameter in model.parameters())


def model_cost(model: nn.Module, graph: ModelGraph, sizes: Bytes | None = None) -> Cost:
    """Measure a model whose graph is `graph` (of this very model, not of its dense ancestor).

    `sizes`: where they are known already; to compress 100 MB of weights takes 4 s.
    """
    parameters = [parameter.detach() for parameter in model.parameters()]
    shapes = {name: tuple(t.shape) for name, t in (*model.named_parameters(), *model.named_buffers())}
    peak = activation_peak(graph)
    return Cost(
        params=sum(parameter.numel() for parameter in parameters),
        nonzero=nonzero_parameters(model),
        macs=count_macs(graph, shapes),
        bytes=model_bytes(model) if sizes is None else sizes,
        activation_bytes=peak.bytes,
        activation_place=peak.place,
    )


def model_bytes(model: nn.Module) -> Bytes:
    """Raw, deflate and bitmap-sparse size of all parameters and buffers."""
    tensors = saved_tensors(model).values()
    return Bytes(
        raw=sum(tensor.numel() * tensor.element_size() for tensor in tensors),
        deflate=deflated(tensor_bytes(tensor) for tensor in tensors),
        sparse=sum(sparse_bytes(tensor) for tensor in tensors),
    )


def sparse_bytes(tensor: Tensor) -> int:
    """A tensor of two or more dimensions as a bitmap of its non-zeros and their values; others as they are."""
    if tensor.dim() < 2:
        return tensor.numel() * tensor.element_size()
    return math.ceil(tensor.numel() / 8) + int(torch.count_nonzero(tensor)) * tensor.element_size()


def deflated(parts: Iterable[bytes]) -> int:
    """Length of all parts as one stream compressed with zlib at level 6."""
    compressor = zlib.compressobj(6)
    return sum(len(compressor.compress(part)) for part in parts) + len(compressor.flush())


def raw_bytes(model: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Bytes of all parameters and buffers that `model` saves, for given shapes; arithmetic."""
    return sum(math.prod(shapes[name]) * tensor.element_size() for name, tensor in saved_tensors(model).items())


def saved_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers that a file of the weights holds; what several modules share once, by its first name."""
    found: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor):  # a module may add a state of its own
            found.setdefault(id(tensor), (name, tensor.detach()))
    return dict(found.values())


def tensor_bytes(tensor: Tensor) -> bytes:
    """The numbers of a tensor in memory order."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
