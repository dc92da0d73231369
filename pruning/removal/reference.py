"""The masked model, run call by call in float64: what a removed model must equal.

Removed channels contribute zero at every consumer's input (convolutions, linear layers, matrix products, sums), and
normalisations over channels use the survivors only. Everything else runs as the traced graph says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.fx.node import map_arg
from torch.utils._python_dispatch import TorchDispatchMode

from pruning.graph.doubles import double, in_double
from pruning.graph.inputs import Inputs
from pruning.graph.labels import Value
from pruning.graph.ops import OPS, of
from pruning.graph.outputs import returned
from pruning.graph.rules.call import Walk
from pruning.graph.trace import Trace, argument, op_name

CONSTANT = 0.5
"""In place of random numbers, in both networks, or nothing could be compared."""

Step = tuple[Node, Any, list[Any]]
"""A call, its result, and its tensor operands (masked, where it is a consumer)."""


def run(trace: Trace, tensors: Mapping[str, Tensor], inputs: Inputs, mask: Masking | None = None) -> Iterator[Step]:
    """Run a traced graph in float64, giving each call as it is done, the output node last (its result is a list).

    `tensors`: parameters and buffers by name. Random dropout is left out, and random numbers are a constant.
    """
    given = iter(inputs.cast(torch.float64).tensors)
    env: dict[Node, Any] = {}
    last_use: dict[Node, Node] = {}
    for node in trace.nodes:
        for source in node.all_input_nodes:
            last_use[source] = node

    def known(source: Node) -> Any:
        """A parameter is there in float64 from its first use to its last, not all of them at once."""
        if source not in env and source.op == "placeholder":
            name = trace.tensors.get(source.name)
            if name is not None or source.name in trace.constants:
                env[source] = double(trace.constants[source.name] if name is None else tensors[name])
        return env.get(source)

    for node in trace.nodes:
        if node.op == "placeholder":
            if node.name not in trace.tensors and node.name not in trace.constants and _is_tensor(node):
                env[node] = next(given).clone()
            continue
        if node.op == "output":
            yield node, [known(source) for source in returned(node)], []
            return
        sources = node.all_input_nodes
        operands = {source: known(source) for source in sources}
        if mask is not None and of(node).consumer and node not in mask.walk.followed:
            operands = {source: mask.zeroed(source, value) for source, value in operands.items()}
        env[node] = _call(node, operands, mask)
        yield node, env[node], [operands[source] for source in sources]
        for source in sources:
            if last_use[source] is node:
                env.pop(source, None)


def _is_tensor(node: Node) -> bool:
    return isinstance(node.meta.get("val"), Tensor)


class Masking:
    """What of each value a plan removes."""

    def __init__(self, walk: Walk, gone: Tensor) -> None:
        self.walk, self.gone = walk, gone
        self.means: dict[Node, list[int]] = defaultdict(list)
        """Means and variances that are taken over survivors, and along which dimensions."""
        for site in walk.means:
            self.means[site.node].append(site.dim)
        self._left: dict[Node, list[Tensor | None]] = {}

    def left(self, node: Node, item: int | None = None) -> list[Tensor | None]:
        """For each dimension of a call's result the indices that are left, None where all are."""
        value = self.walk.values.get(node)
        if item is not None and isinstance(value, tuple):
            return self._indices(value[item])
        if node not in self._left:
            self._left[node] = self._indices(value)
        return self._left[node]

    def _indices(self, value: Any) -> list[Tensor | None]:
        if not isinstance(value, Value):
            return []
        found: list[Tensor | None] = [None] * len(value.shape)
        for layer in value.layers:
            alive = ~self.gone[layer]
            if bool(alive.all()):
                continue
            for dim, size in enumerate(alive.shape):
                if size > 1:
                    others = [d for d in range(alive.dim()) if d != dim]
                    stay = alive.amax(others) if others else alive
                    if not bool(stay.all()):
                        found[dim] = stay.nonzero().reshape(-1)
        return found

    def zeroed(self, node: Node, tensor: Any) -> Any:
        """A value with zeros where it is removed."""
        value = self.walk.values.get(node)
        if not isinstance(value, Value) or not isinstance(tensor, Tensor):
            return tensor
        whole = tensor
        for layer in value.layers:
            gone = self.gone[layer]
            if bool(gone.any()):
                tensor = tensor.masked_fill(gone, 0) if tensor is whole else tensor.masked_fill_(gone, 0)
        return tensor

    def survivors(self, node: Node, tensor: Tensor, item: int | None = None) -> Tensor:
        """A value without what is removed."""
        for dim, index in enumerate(self.left(node, item)):
            if index is not None:
                tensor = tensor.index_select(dim, index)
        return tensor


def _call(node: Node, operands: Mapping[Node, Any], mask: Masking | None) -> Any:
    op = of(node)
    given: Any = map_arg((node.args, node.kwargs), lambda source: operands[source])
    args, kwargs = given
    if op.dropout:
        return args[0]
    if op.asserts:  # it states the types of the original run
        return None
    args, kwargs = in_double((args, kwargs))
    target: Callable[..., Any] = node.target  # type: ignore[assignment]
    if op.normalises and mask is not None:
        return _norm_over_survivors(node, op.name, target, args, mask)
    if mask is not None and node in mask.means:
        dims = {dim: mask.left(argument(node, 0))[dim] for dim in mask.means[node]}
        for dim, index in dims.items():
            args = (args[0] if index is None else args[0].index_select(dim, index), *args[1:])
    result = target(*args, **kwargs)
    return result.fill_(CONSTANT) if op.random else result


class AllDouble(TorchDispatchMode):
    """Calls that ask for a narrower float type get float64, and random numbers are a constant, as in `run`."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*in_double(args), **in_double(kwargs or {}))
        op = OPS.get(op_name(func))
        return result.fill_(CONSTANT) if op is not None and op.random else result


def _norm_over_survivors(node: Node, op: str, target: Callable[..., Any], args: Any, mask: Masking) -> Tensor:
    source: Node = node.args[0]  # type: ignore[assignment]
    left = mask.left(source)
    full: Tensor = args[0]
    count = 1 if op == "group_norm" else len(args[1])
    dims = [1] if op == "group_norm" else list(range(full.dim() - count, full.dim()))
    if all(left[dim] is None for dim in dims):
        return target(*args)
    part = full
    for dim in dims:
        index = left[dim]
        part = part if index is None else part.index_select(dim, index)
    vectors = []
    for vector in args[2:4]:
        for place, dim in enumerate(dims):
            index = left[dim]
            vector = vector if index is None or not isinstance(vector, Tensor) else vector.index_select(place, index)
        vectors.append(vector)
    if op == "group_norm":
        number = part.shape[1] if args[1] == full.shape[1] else args[1]
    else:
        number = [part.shape[dim] for dim in dims]
    normed = target(part, number, *vectors, *args[4:])
    out = torch.zeros_like(full)
    places = [
        torch.arange(size) if dim not in dims or left[dim] is None else left[dim] for dim, size in enumerate(full.shape)
    ]
    out[torch.meshgrid(*places, indexing="ij")] = normed  # type: ignore[arg-type]
    return out
