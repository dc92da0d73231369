"""Carry out one step on what a plan leaves of its operands.

Most calls do the right thing on smaller values as they are. Some have sizes written into them, which are put right
here; any other call that meets a cut runs on its operands in their full shape, zeros where they are cut, and what is
left is taken of its result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.fx.node import map_arg
from torch.nn import functional as F

from pruning.calls.cut import Cut, Statistics, narrowed, scattered
from pruning.calls.program import Program, Step, is_tensor
from pruning.graph.trace import argument


class Runner:
    """Runs steps of one program for one cut, in one number type."""

    def __init__(self, program: Program, cut: Cut, dtype: torch.dtype, statistics: Statistics | None = None) -> None:
        """`statistics`: of batch normalisations, in place of the network's own."""
        self.program, self.cut, self.dtype, self.statistics = program, cut, dtype, statistics
        self.images = program.batch
        """How many images the present batch has."""
        self._layers: dict[Node, tuple[Tensor, Tensor | None]] = {}
        self._tensors: dict[tuple[str, bool], Tensor] = {}

    def __call__(self, step: Step, values: dict[Node, Tensor], free: bool) -> Any:
        """The value of a step. `free`: nobody reads its first operand afterwards, so it may be written to."""
        node = step.node
        if step.conv is not None:
            return self._convolution(step, values[argument(step.conv, 0)])
        if step.op.layer == "plain convolution" and not self._computes_weight(step):
            return self._convolution(step, values[argument(node, 0)])
        if step.op.layer == "linear" and not self._computes_weight(step):
            return self._linear(step, self._operand(argument(node, 0), values, whole=False))
        if step.op.name == "batch_norm" and is_tensor(argument(node, 3)):
            return self._batch_norm(step, values[argument(node, 0)])
        if step.op.dropout:
            return values[argument(node, 0)]
        name = step.op.name.removesuffix("_")
        if free and step.op.overwrites and len(node.args) == 1:
            return getattr(torch.ops.aten, f"{name}_")(values[node.args[0]])  # type: ignore[index]
        if free and name == "add" and self._adds(node, values):
            first, second = (values[source] for source in node.args)  # type: ignore[index]
            return first.add_(second)
        if step.op.name == "getitem":
            return values[argument(node, 0)][argument(node, 1)]
        if step.op.in_place and not free and argument(node, 0) in values:  # it would write into what others read
            values = {**values, argument(node, 0): values[argument(node, 0)].clone()}
        return self._call(step, values)

    def batch_statistics(self, step: Step, values: dict[Node, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """A batch normalisation with the batch's own statistics: its result, mean and (unbiased) variance."""
        node = step.node
        if step.conv is not None:
            full = self._plain(step.conv, values[argument(step.conv, 0)])
        else:
            full = values[argument(node, 0)]
        mean = torch.zeros(full.shape[1])
        variance = torch.ones(full.shape[1])
        weight, bias = self._affine(node)
        normed = torch.batch_norm(full, weight, bias, mean, variance, True, 1.0, argument(node, 7), False)
        return normed, mean, variance

    def _convolution(self, step: Step, images: Tensor) -> Tensor:
        conv = step.conv or step.node
        if step.node not in self._layers:
            weight, bias = self._weights(conv)
            if step.conv is not None:
                scale, shift = self.scale_and_shift(step.node)
                weight = weight * scale.view(-1, *[1] * (weight.dim() - 1))
                bias = shift if bias is None else shift + scale * bias
            self._layers[step.node] = self._typed(weight), None if bias is None else bias.to(self.dtype)
        return self._convolved(conv, images, *self._layers[step.node])

    def _plain(self, conv: Node, images: Tensor) -> Tensor:
        if conv not in self._layers:
            weight, bias = self._weights(conv)
            self._layers[conv] = self._typed(weight), None if bias is None else bias.to(self.dtype)
        return self._convolved(conv, images, *self._layers[conv])

    def _convolved(self, conv: Node, images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        target: Callable[..., Tensor] = conv.target  # type: ignore[assignment]
        groups = images.shape[1] // weight.shape[1]
        settings = [argument(conv, i, default) for i, default in ((3, 1), (4, 0), (5, 1))]
        settings = [[value] * (weight.dim() - 2) if isinstance(value, int) else value for value in settings]
        return target(images, weight, bias, *settings, groups)

    def _computes_weight(self, step: Step) -> bool:
        """Whether the network's code computes the weight or bias of a layer, in place of a parameter."""
        return any(argument(step.node, place) in self.program.by_node for place in (1, 2))

    def _linear(self, step: Step, values: Tensor) -> Tensor:
        last = step.node is self.program.output  # small, and two answers close together must stay apart
        if step.node not in self._layers:
            dtype = torch.float32 if last else self.dtype
            weight, bias = self._weights(step.node)
            self._layers[step.node] = weight.to(dtype), None if bias is None else bias.to(dtype)
        weight, bias = self._layers[step.node]
        return F.linear(values.to(weight.dtype), weight, bias)

    def _batch_norm(self, step: Step, values: Tensor) -> Tensor:
        if step.node not in self._layers:
            self._layers[step.node] = self.scale_and_shift(step.node)
        scale, shift = (part.to(self.dtype) for part in self._layers[step.node] if part is not None)
        shape = [1, -1, *[1] * (values.dim() - 2)]
        return torch.addcmul(shift.view(shape), values, scale.view(shape))

    def scale_and_shift(self, norm: Node) -> tuple[Tensor, Tensor]:
        """A batch normalisation as y = scale · x + shift, float32."""
        if self.statistics is not None:
            mean, variance = self.statistics[norm]
        else:
            mean, variance = (self.cut.tensor(self._name(argument(norm, i))) for i in (3, 4))
        weight, bias = self._affine(norm)
        scale = (variance + argument(norm, 7)).rsqrt()
        scale = scale if weight is None else scale * weight
        return scale, (0.0 if bias is None else bias) - mean * scale

    def _affine(self, norm: Node) -> tuple[Tensor | None, Tensor | None]:
        weight, bias = argument(norm, 1), argument(norm, 2)
        found = [self.cut.tensor(self._name(a)).float() if is_tensor(a) else None for a in (weight, bias)]
        return found[0], found[1]

    def _weights(self, layer: Node) -> tuple[Tensor, Tensor | None]:
        bias = argument(layer, 2)
        weight = self.cut.tensor(self._name(argument(layer, 1)))
        return weight, self.cut.tensor(self._name(bias)) if is_tensor(bias) else None

    def _name(self, node: Node) -> str:
        return self.cut.graph.trace.tensors[node.name]

    def _typed(self, weight: Tensor) -> Tensor:
        weight = weight.to(self.dtype)
        return weight.contiguous(memory_format=torch.channels_last) if weight.dim() == 4 else weight

    def _adds(self, node: Node, values: dict[Node, Tensor]) -> bool:
        if len(node.args) != 2 or node.kwargs or not all(source in values for source in node.args):
            return False
        first, second = (values[source] for source in node.args)  # type: ignore[index]
        return first.shape == second.shape and first.dtype == second.dtype and node.args[0] is not node.args[1]

    def _call(self, step: Step, values: dict[Node, Tensor]) -> Any:
        node, cut = step.node, self.cut
        touched = any(cut.left(n) for n in (node, *node.all_input_nodes))
        if step.op.on_cut == "resized":
            sizes = self._sizes(step)
            value = self._operand(argument(node, 0), values, whole=False)
            return value.expand(sizes) if step.op.name == "expand" else value.reshape(sizes)
        if step.op.name == "pad" and argument(node, 2, "constant") == "constant":
            return self._padded(node, values)
        if not touched or step.op.on_cut == "as it is" or self._whole_along(step):
            return self._plainly(node, values)
        if step.op.name == "layer_norm":
            args = self._arguments(node, values, whole=False)
            shape = list(args[0].shape[-len(args[1]) :])
            return F.layer_norm(args[0], shape, *args[2:5])
        if step.op.name == "group_norm":
            args = self._arguments(node, values, whole=False)
            each = node.args[1] == argument(node, 0).meta["val"].shape[1]
            return F.group_norm(args[0], args[0].shape[1] if each else args[1], *args[2:5])
        return self._in_full_shape(node, values)

    def _whole_along(self, step: Step) -> bool:
        if step.op.dim_place is None:
            return False
        left = self.cut.left(argument(step.node, 0))
        return not left or left[argument(step.node, step.op.dim_place, 0)] is None

    def _plainly(self, node: Node, values: dict[Node, Tensor]) -> Any:
        target: Callable[..., Any] = node.target  # type: ignore[assignment]
        kwargs = map_arg(dict(node.kwargs), lambda source: self._operand(source, values, whole=False))
        return target(*self._arguments(node, values, whole=False), **kwargs)

    def _in_full_shape(self, node: Node, values: dict[Node, Tensor]) -> Any:
        target: Callable[..., Any] = node.target  # type: ignore[assignment]
        kwargs = map_arg(dict(node.kwargs), lambda source: self._operand(source, values, whole=True))
        result = target(*self._arguments(node, values, whole=True), **kwargs)
        if isinstance(result, list | tuple):
            return [narrowed(item, (), self.cut.left(node, i)) for i, item in enumerate(result)]
        return narrowed(result, (), self.cut.left(node))

    def _arguments(self, node: Node, values: dict[Node, Tensor], whole: bool) -> Any:
        return map_arg(node.args, lambda source: self._operand(source, values, whole))

    def _operand(self, source: Node, values: dict[Node, Tensor], whole: bool) -> Any:
        trace = self.cut.graph.trace
        if source.name in trace.tensors:
            key = trace.tensors[source.name], whole
            if key not in self._tensors:
                tensor = (self.cut.whole if whole else self.cut.tensor)(key[0])
                self._tensors[key] = tensor.to(self.dtype) if tensor.is_floating_point() else tensor
            return self._tensors[key]
        if source.name in trace.constants:
            tensor = trace.constants[source.name]
            return tensor.to(self.dtype) if tensor.is_floating_point() else tensor
        value = values[source]
        if not whole:
            return value
        if isinstance(value, list):
            return [scattered(v, self.cut.left(source, i), m.shape)
                    for i, (v, m) in enumerate(zip(value, source.meta["val"], strict=True))]  # fmt: skip
        return scattered(value, self.cut.left(source), source.meta["val"].shape)

    def _sizes(self, step: Step) -> list[int]:
        """Sizes of what a view makes: less what is cut, and for as many images as there are."""
        node = step.node
        sizes = list(node.meta["val"].shape)
        for dim, index in enumerate(self.cut.left(node)):
            sizes[dim] = sizes[dim] if index is None else len(index)
        source = argument(node, 0)
        depends = source in self.cut.graph.walks[0].from_input
        if (depends or step.op.name == "expand") and sizes[0] % self.program.batch == 0:
            sizes[0] = sizes[0] // self.program.batch * self.images
        return sizes

    def _padded(self, node: Node, values: dict[Node, Tensor]) -> Tensor:
        source = argument(node, 0)
        padding = list(argument(node, 1))
        shape = source.meta["val"].shape
        for dim, index in enumerate(self.cut.left(node)):
            place = 2 * (len(shape) - 1 - dim)
            if index is not None and place < len(padding):
                before = padding[place]
                padding[place] = int((index < before).sum())
                padding[place + 1] = int((index >= before + shape[dim]).sum())
        value = self._operand(source, values, whole=False)
        return F.pad(value, padding, value=argument(node, 3, 0.0) or 0.0)
