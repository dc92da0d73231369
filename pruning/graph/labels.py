"""Which channels must go together: run the exported graph on label tensors.

Every output channel of a convolution or linear layer gets an integer label. Calls that only move data are run on
the labels as they are, so their index mapping is right by construction; elementwise calls join the labels that
meet; contractions read the labels of their input and give out fresh ones. A call without a rule locks what reaches
it. The sets of joined labels are the removable units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from pruning.graph.trace import Trace, macs_per_weight, module_path, place, shape_of

RAW = 0
"""Label of what is not a channel anyone made: input data, constants. Never removed."""

MOVES = frozenset(
    "view reshape _unsafe_view flatten unflatten permute transpose t numpy_T squeeze unsqueeze expand expand_as slice "
    "select cat concat stack chunk split split_with_sizes alias contiguous clone detach flip roll index_select narrow "
    "movedim swapaxes pixel_shuffle pixel_unshuffle channel_shuffle repeat tile unbind".split()
)
UNARY = frozenset(
    "relu relu_ relu6 hardtanh hardtanh_ gelu silu silu_ sigmoid tanh hardswish hardswish_ hardsigmoid elu elu_ "
    "leaky_relu leaky_relu_ softplus mish selu exp sqrt rsqrt abs neg pow clamp clamp_min dropout dropout_ "
    "feature_dropout to _to_copy square log".split()
)
BINARY = frozenset("add add_ sub sub_ mul mul_ div div_ maximum minimum".split())
POOLS = frozenset(
    "max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d max_pool1d avg_pool1d adaptive_avg_pool1d".split()
)
REDUCTIONS = frozenset("mean sum amax amin".split())


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of a value: `data` has the value's number of dimensions, size 1 where labels do not vary."""

    data: Tensor
    shape: tuple[int, ...]

    def full(self) -> Tensor:
        return self.data.expand(self.shape)

    def varies(self, dim: int) -> bool:
        return self.data.shape[dim] > 1

    def along(self, dim: int) -> Tensor:
        """Labels along a dimension on which alone they vary, one an index."""
        return self.data.movedim(dim, 0).reshape(-1).expand(self.shape[dim])


def compact(full: Tensor) -> Labels:
    """Labels from a full tensor: dimensions in which nothing varies shrink to 1."""
    data = full
    for dim in range(full.dim()):
        if data.shape[dim] > 1:
            first = data.narrow(dim, 0, 1)
            if full.stride(dim) == 0 or bool((data == first).all()):
                data = first
    return Labels(data, tuple(full.shape))


@dataclass(frozen=True, kw_only=True)
class PadSite:
    """Channels of zeros that a padding module adds: their labels before and after the data."""

    module: str
    dim: int
    """Dimension counted from the last one, as -1, -2, ..."""
    before: Tensor
    after: Tensor


@dataclass(frozen=True, kw_only=True)
class Contraction:
    """One convolution or linear call."""

    layer: str
    tensor: str
    kind: str
    macs_per_weight: int
    output_shape: tuple[int, ...]
    """Without the batch dimension."""


@dataclass
class Propagation:
    """Everything the walk over the graph found out."""

    parent: list[int] = field(default_factory=lambda: [RAW])
    locks: dict[int, str] = field(default_factory=dict)
    """Label → why it may not be removed."""
    tensor_labels: dict[str, dict[int, Tensor]] = field(default_factory=dict)
    """Parameter or buffer → dimension → label an index."""
    roles: dict[tuple[str, int], str] = field(default_factory=dict)
    """(tensor, dimension) → producer, consumer or follower."""
    contractions: list[Contraction] = field(default_factory=list)
    pads: list[PadSite] = field(default_factory=list)

    def fresh(self, count: int) -> Tensor:
        start = len(self.parent)
        self.parent.extend(range(start, start + count))
        return torch.arange(start, start + count)

    def find(self, label: int) -> int:
        root = label
        while self.parent[root] != root:
            root = self.parent[root]
        while self.parent[label] != root:
            self.parent[label], label = root, self.parent[label]
        return root

    def join(self, first: Tensor, second: Tensor) -> None:
        """Join labels pair by pair; the lower root wins, so that RAW stays the root of what it meets."""
        pairs = torch.stack((first.reshape(-1), second.reshape(-1)), 1).unique(dim=0)
        for a, b in pairs.tolist():
            root_a, root_b = self.find(a), self.find(b)
            if root_a != root_b:
                low, high = min(root_a, root_b), max(root_a, root_b)
                self.parent[high] = low

    def lock(self, labels: Tensor, reason: str) -> None:
        for label in labels.unique().tolist():
            self.locks.setdefault(label, reason)

    def bind(self, tensor: str, dim: int, labels: Tensor, role: str) -> None:
        """Index i of `dim` of a parameter or buffer is removed with label i; a second use joins the labels."""
        known = self.tensor_labels.setdefault(tensor, {})
        if dim in known:
            self.join(known[dim], labels)
        else:
            known[dim] = labels
            self.roles[tensor, dim] = role


def propagate(trace: Trace) -> Propagation:
    """Run the traced graph on labels."""
    state = Propagation()
    values: dict[Node, Any] = {}
    for node in trace.nodes:
        if node.op == "placeholder":
            if node.name not in trace.tensors:
                values[node] = raw(shape_of(node))
        elif node.op == "output":
            for source in node.all_input_nodes:
                for labels in _labels_in(values.get(source)):
                    state.lock(labels.data, "the network's outputs stay")
        else:
            values[node] = _Call(state, trace, node, values).run()
    return state


def raw(shape: Sequence[int]) -> Labels:
    return Labels(torch.full((1,) * len(shape), RAW), tuple(shape))


def _labels_in(value: Any) -> list[Labels]:
    if isinstance(value, Labels):
        return [value]
    if isinstance(value, list | tuple):
        return [labels for item in value for labels in _labels_in(item)]
    return []


class _Call:
    """One node being run on labels: its arguments, and a rule for its op."""

    def __init__(self, state: Propagation, trace: Trace, node: Node, values: dict[Node, Any]) -> None:
        self.state, self.trace, self.node, self.values = state, trace, node, values
        self.op = str(node.target).removeprefix("aten.").split(".")[0]

    def run(self) -> Any:
        rule = self._rule()
        result = rule() if rule else None
        return self._unknown() if result is None else result

    def _rule(self) -> Callable[[], Any] | None:
        if str(self.node.target) == "<built-in function getitem>":
            return self._getitem
        if self.op in MOVES:
            return self._move
        for ops, rule in (
            (UNARY, self._unary),
            (BINARY, self._binary),
            (POOLS, self._pool),
            (REDUCTIONS, self._reduce),
            ({"conv2d", "conv1d", "conv3d", "linear"}, self._contract),
            ({"batch_norm", "_native_batch_norm_legit_no_training"}, self._batch_norm),
            ({"pad", "constant_pad_nd"}, self._pad),
        ):
            if self.op in ops:
                return rule
        return None

    # arguments -----------------------------------------------------------------------------------------------
    def labels(self, argument: Any) -> Labels | None:
        """Labels of an argument; None for numbers and for parameters, which have a rule of their own."""
        value = self.values.get(argument) if isinstance(argument, Node) else None
        return value if isinstance(value, Labels) else None

    def tensor(self, argument: Any) -> str | None:
        """Name of the parameter or buffer that an argument is."""
        return self.trace.tensors.get(argument.name) if isinstance(argument, Node) else None

    @property
    def output_shape(self) -> tuple[int, ...]:
        return shape_of(self.node)

    # rules: each returns the labels of the result, or None where it does not apply ----------------------------
    def _unknown(self) -> Any:
        """No rule: what comes in may not be removed, what goes out is nobody's channel."""
        for source in self.node.all_input_nodes:
            for labels in _labels_in(self.values.get(source)):
                self.state.lock(labels.data, f"{place(self.node)} is not understood")
            name = self.trace.tensors.get(source.name)
            for bound in self.state.tensor_labels.get(name or "", {}).values():
                self.state.lock(bound, f"{place(self.node)} is not understood")
        value = self.node.meta.get("val")
        if isinstance(value, list | tuple):
            return tuple(raw(item.shape) for item in value if isinstance(item, Tensor))
        return raw(value.shape) if isinstance(value, Tensor) else None

    def _getitem(self) -> Any:
        source, index = self.node.args
        return self.values[source][index]  # type: ignore[index]

    def _move(self) -> Any:
        if any(self.tensor(source) for source in self.node.all_input_nodes):
            return None
        args, kwargs = torch.fx.node.map_arg(
            (self.node.args, self.node.kwargs), lambda source: self.values[source].full()
        )
        # reshape in place of view: labels are not contiguous where the values were
        function: Any = torch.reshape if self.op in ("view", "_unsafe_view") else self.node.target
        moved = function(*args, **kwargs)
        return compact(moved) if isinstance(moved, Tensor) else tuple(compact(part) for part in moved)

    def _unary(self) -> Labels | None:
        return self.labels(self.node.args[0])

    def _binary(self) -> Labels | None:
        left, right = (self._operand(argument) for argument in self.node.args[:2])
        if left is None or right is None:
            return left or right
        rank = len(self.output_shape)
        a, b = (side.data.reshape((1,) * (rank - side.data.dim()) + side.data.shape) for side in (left, right))
        sizes_a, sizes_b = ((1,) * (rank - len(side.shape)) + side.shape for side in (left, right))
        broadcast_a = any(sizes_a[d] == 1 and b.shape[d] > 1 for d in range(rank))
        broadcast_b = any(sizes_b[d] == 1 and a.shape[d] > 1 for d in range(rank))
        if broadcast_a and broadcast_b:
            return None
        if broadcast_a or broadcast_b:  # one channel over all channels: nothing meets index by index
            return Labels(b if broadcast_a else a, self.output_shape)
        whole = torch.broadcast_shapes(a.shape, b.shape)
        self.state.join(a.expand(whole), b.expand(whole))
        return Labels(torch.minimum(a.expand(whole), b.expand(whole)), self.output_shape)

    def _operand(self, argument: Any) -> Labels | None:
        name = self.tensor(argument)
        if name is None:
            return self.labels(argument)
        shape = shape_of(argument)
        wide = [dim for dim, size in enumerate(shape) if size > 1]
        if len(wide) != 1:
            return raw(shape)
        dim = wide[0]
        known = self.state.tensor_labels.get(name, {}).get(dim)
        labels = self.state.fresh(shape[dim]) if known is None else known
        self.state.bind(name, dim, labels, "follower")
        return Labels(labels.reshape([-1 if d == dim else 1 for d in range(len(shape))]), shape)

    def _pool(self) -> Labels | None:
        source = self.labels(self.node.args[0])
        if source is None or any(source.varies(d) for d in range(2, len(source.shape))):
            return None
        return Labels(source.data, self.output_shape) if isinstance(self.node.meta["val"], Tensor) else None

    def _reduce(self) -> Labels | None:
        source = self.labels(self.node.args[0])
        if source is None or len(self.node.args) < 2:
            return None
        dims = self.node.args[1]
        reduced = [int(d) % len(source.shape) for d in (dims if isinstance(dims, list | tuple) else [dims])]  # type: ignore[arg-type]
        if any(source.varies(d) for d in reduced):
            return None
        keep = self.output_shape
        data = source.data
        if len(keep) != len(source.shape):
            for d in sorted(reduced, reverse=True):
                data = data.squeeze(d)
        return Labels(data, keep)

    def _contract(self) -> Labels | None:
        source, weight = self.labels(self.node.args[0]), self.tensor(self.node.args[1])
        bias = self.node.args[2] if len(self.node.args) > 2 else None
        if source is None or weight is None or (bias is not None and self.tensor(bias) is None):
            return None
        input_dim = len(source.shape) - 1 if self.op == "linear" else 1
        if any(source.varies(d) for d in range(len(source.shape)) if d != input_dim):
            return None
        groups = self.node.args[6] if len(self.node.args) > 6 else 1
        shape = self.output_shape
        output_dim = len(shape) - 1 if self.op == "linear" else 1
        incoming = source.along(input_dim)
        weight_shape = shape_of(self.node.args[1])  # type: ignore[arg-type]
        self.state.contractions.append(
            Contraction(
                layer=weight.rsplit(".", 1)[0],
                tensor=weight,
                kind="linear" if self.op == "linear" else "conv",
                macs_per_weight=macs_per_weight(self.node, self.trace.batch),
                output_shape=shape[1:],
            )
        )
        if groups == 1:
            known = self.state.tensor_labels.get(weight, {}).get(0)
            outgoing = self.state.fresh(shape[output_dim]) if known is None else known
            self.state.bind(weight, 0, outgoing, "producer")
            self.state.bind(weight, 1, incoming, "consumer")
        elif groups == len(incoming) == weight_shape[0]:  # depthwise: each channel goes on by itself
            outgoing = incoming
            self.state.bind(weight, 0, outgoing, "follower")
        else:
            self.state.lock(incoming, f"{place(self.node)} has {groups} groups")
            outgoing = self.state.fresh(shape[output_dim])
            self.state.bind(weight, 0, outgoing, "producer")
            self.state.lock(outgoing, f"{place(self.node)} has {groups} groups")
        if bias is not None:
            self.state.bind(str(self.tensor(bias)), 0, outgoing, "follower")
        return Labels(outgoing.reshape([-1 if d == output_dim else 1 for d in range(len(shape))]), shape)

    def _batch_norm(self) -> Labels | None:
        source = self.labels(self.node.args[0])
        if source is None or any(source.varies(d) for d in range(len(source.shape)) if d != 1):
            return None
        for argument in self.node.args[1:5]:
            name = self.tensor(argument)
            if name is not None:
                self.state.bind(name, 0, source.along(1), "follower")
            elif argument is not None:
                return None
        return source

    @staticmethod
    def _carries_channels(source: Labels, dim: int) -> bool:
        """Whether labels run along a dimension; a single channel is told from a spatial size of 1 by its place."""
        alone = dim == 1 and source.shape[1] == 1 and source.data.numel() == 1 and int(source.data) != RAW
        return source.varies(dim) or alone

    def _pad(self) -> Labels | None:
        source = self.labels(self.node.args[0])
        amounts = self.node.args[1]
        if source is None or not isinstance(amounts, list | tuple):
            return None
        data, shape = source.data, list(source.shape)
        for pair in range(len(amounts) // 2):
            before, after = (int(amount) for amount in amounts[2 * pair : 2 * pair + 2])  # type: ignore[arg-type]
            dim = len(shape) - 1 - pair
            if before < 0 or after < 0:
                return None
            shape[dim] += before + after
            if not before + after or not self._carries_channels(source, dim):
                continue
            if any(source.varies(d) for d in range(len(shape)) if d != dim):
                return None
            labels = self.state.fresh(before + after)
            site = PadSite(module=module_path(self.node), dim=-1 - pair, before=labels[:before], after=labels[before:])
            self.state.pads.append(site)
            parts = (site.before, source.along(dim), site.after)
            data = torch.cat(parts).reshape([-1 if d == dim else 1 for d in range(len(shape))])
        return Labels(data, tuple(shape))
