"""Values that come from a network's parameters, buffers and constants alone, computed where its code asks for one.

A trace runs without values. Where forward needs one, as in `float(self.stride.max())` or `if (mask == other).all()`,
the calls without data that came before are run on the real tensors, in float64 as in a proof.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx import Graph, Node
from torch.fx.experimental import proxy_tensor
from torch.fx.node import map_arg
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import _disable_current_modes

from pruning.graph.doubles import double, float64_by_default, in_double
from pruning.graph.source import users_line

ATEN = torch.ops.aten
ASKING = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)
"""What torch says of calls whose result, or its size, is a matter of values."""
UNTAGGED = (ATEN.is_nonzero.default, ATEN.where.default)
"""Such calls of which torch does not say it."""
MASKS = (torch.bool, torch.uint8)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A parameter or buffer whose values forward took for a number."""

    tensor: str
    line: str
    """'file:line' of the network's code."""


class KnownValues:
    """The real values of what a trace has computed without data."""

    def __init__(self, model: nn.Module) -> None:
        self.readings: dict[Reading, None] = {}
        """In the order in which they were made."""
        self._tensors = (
            *model.named_parameters(remove_duplicate=False),
            *model.named_buffers(remove_duplicate=False),
        )
        self._graph: Graph | None = None
        self._last: Node | None = None
        """Up to which call values are known."""
        self._leaves: dict[Node, tuple[str, Tensor]] = {}
        """Inputs of the graph that are the network's own tensors."""
        self._values: dict[Node, Any] = {}
        """Of calls, and of leaves that one of them reads; NotImplemented where data was written to them."""
        self._copies: dict[int, tuple[Tensor, Tensor]] = {}
        """Real tensor, by its identity, and the copy that calls may write to."""

    def answer(self, mode: Any, func: Any, args: Any, kwargs: Any) -> Any:
        """What a call that asks for values gives, or NotImplemented where these depend on the data."""
        if not self._follows(mode.tracer):
            return NotImplemented
        self._catch_up(mode.tracer)
        if func is ATEN.index.Tensor:
            return self._indexed(mode, args)
        sources: list[Node] = []
        found = pytree.tree_map_only(Tensor, lambda tensor: self._value(mode.tracer, tensor, sources), (args, kwargs))
        if any(value is NotImplemented for value in pytree.tree_leaves(found)):
            return NotImplemented
        result = self._call(func, *found)
        if type(result) is not bool:
            self._note(sources)
        given = [tensor for tensor in pytree.tree_leaves((args, kwargs)) if isinstance(tensor, Tensor)]
        floats = next((tensor.dtype for tensor in given if tensor.is_floating_point()), torch.float32)
        return pytree.tree_map_only(Tensor, lambda tensor: _constant(mode, tensor, floats), result)

    def _indexed(self, mode: Any, args: Any) -> Any:
        """A choice by masks without data: by the places at which these are true."""
        sources: list[Node] = []
        places: list[Any] = []
        for index in args[1]:
            if not isinstance(index, Tensor) or index.dtype not in MASKS:
                places.append(index)
                continue
            mask = self._value(mode.tracer, index, sources)
            if mask is NotImplemented:
                return NotImplemented
            with _real():
                where = mask.nonzero(as_tuple=True)
            places += [_constant(mode, each, torch.float32) for each in where]
        self._note(sources)
        return PROXY_CALL(mode, ATEN.index.Tensor, mode.pre_dispatch, (args[0], places), {})

    def _note(self, sources: Iterable[Node]) -> None:
        """Remember which parameters and buffers a number came from. What is true stays so as a rule, whatever is
        removed; where it does not, the code goes another way, which a trial or the proof sees."""
        todo, seen = list(sources), set(sources)
        place = users_line(sys._getframe(1))
        line = "" if place is None else f"{place[0]}:{place[1]}"
        while todo:
            node = todo.pop()
            if node in self._leaves:
                self.readings[Reading(tensor=self._leaves[node][0], line=line)] = None
            for source in node.all_input_nodes:
                if source not in seen:
                    seen.add(source)
                    todo.append(source)

    def _value(self, tracer: Any, tensor: Tensor, sources: list[Node]) -> Any:
        """The real tensor that one of the trace stands for, or NotImplemented."""
        slot = proxy_tensor.get_proxy_slot(tensor, tracer, None)
        if slot is None:
            return NotImplemented if isinstance(tensor, FakeTensor) else self._copy(tensor, widen=False)
        sources.append(slot.proxy.node)
        return self._of(slot.proxy.node)

    def _of(self, node: Node) -> Any:
        if node not in self._values and node in self._leaves:
            self._values[node] = self._copy(self._leaves[node][1], widen=True)
        return self._values.get(node, NotImplemented)

    def _follows(self, tracer: Any) -> bool:
        """Whether a tracer writes the graph of the whole network, whose first inputs are its tensors."""
        if self._graph is None:
            inputs = [node for node in tracer.graph.nodes if node.op == "placeholder"]
            shapes = [getattr(node.meta.get("val"), "shape", None) for node in inputs[: len(self._tensors)]]
            if shapes != [tensor.shape for _, tensor in self._tensors]:
                return False
            self._graph = tracer.graph
            self._leaves = dict(zip(inputs, self._tensors, strict=False))
        return tracer.graph is self._graph

    def _copy(self, tensor: Tensor, *, widen: bool) -> Tensor:
        """The one copy of a real tensor: of the network's own tensors in float64, of others as they are."""
        if id(tensor) not in self._copies:
            with _real():
                self._copies[id(tensor)] = (tensor, double(tensor) if widen else tensor.detach().clone())
        return self._copies[id(tensor)][1]

    def _catch_up(self, tracer: Any) -> None:
        """Run the calls without data since the last time, in order, since they may write into tensors."""
        nodes = tracer.graph.nodes
        node = next(iter(nodes)) if self._last is None else self._last.next
        while node.op != "root":
            if node.op == "get_attr":
                held = getattr(tracer.root, str(node.target), None)
                if isinstance(held, Tensor) and not isinstance(held, FakeTensor):
                    self._values[node] = self._copy(held, widen=False)
            elif node.op == "call_function":
                self._step(node)
            self._last, node = node, node.next

    def _step(self, node: Node) -> None:
        schema = getattr(node.target, "_schema", None)
        fixed = schema is not None and torch.Tag.nondeterministic_seeded not in node.target.tags  # type: ignore[union-attr]
        fixed = fixed or getattr(node.target, "__module__", "") == "_operator"
        if fixed and all(self._of(source) is not NotImplemented for source in node.all_input_nodes):
            args, kwargs = map_arg((node.args, node.kwargs), self._of)
            try:
                self._values[node] = self._call(node.target, args, kwargs)
                return
            except RuntimeError:  # types that do not go together in float64
                pass
        if schema is not None and schema.is_mutable:
            for given, argument in zip(node.args, schema.arguments, strict=False):
                if argument.alias_info is not None and argument.alias_info.is_write:
                    for source in (leaf for leaf in pytree.tree_leaves(given) if isinstance(leaf, Node)):
                        self._forget(self._of(source))

    def _forget(self, written: Any) -> None:
        """Data was written into a tensor: nothing on its memory is known any more."""
        if not isinstance(written, Tensor):
            return
        memory = written.untyped_storage().data_ptr()
        for node, value in self._values.items():
            if isinstance(value, Tensor) and value.untyped_storage().data_ptr() == memory:
                self._values[node] = NotImplemented

    def _call(self, target: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
        with _real():
            return target(*in_double(args), **in_double(dict(kwargs)))


@contextmanager
def _real() -> Iterator[None]:
    """Calls inside run on real tensors, though a trace is under way."""
    with torch.no_grad(), torch._C.DisableTorchFunction(), _disable_current_modes(), float64_by_default():
        yield


def _constant(mode: Any, tensor: Tensor, floats: torch.dtype) -> Any:
    """A real tensor as a constant of the trace; `floats`: of what type it is there, unless it has whole numbers."""
    with _real():
        tensor = tensor.to(floats) if tensor.is_floating_point() else tensor
    return PROXY_CALL(mode, ATEN.lift_fresh_copy.default, mode.pre_dispatch, (tensor,), {})


PROXY_CALL = proxy_tensor.proxy_call
"""How torch writes down a call."""


@contextmanager
def values_known(model: nn.Module) -> Iterator[KnownValues]:
    """While a network is traced, values without data are known. `model`: with its real tensors."""
    known = KnownValues(model)

    def call(mode: Any, func: Any, pre_dispatch: bool, args: Any, kwargs: Any) -> Any:
        if _asks(func, args):
            result = known.answer(mode, func, args, kwargs)
            if result is not NotImplemented:
                return result
        return PROXY_CALL(mode, func, pre_dispatch, args, kwargs)

    proxy_tensor.proxy_call = call  # type: ignore[assignment]
    try:
        yield known
    finally:
        proxy_tensor.proxy_call = PROXY_CALL


def _asks(func: Any, args: Any) -> bool:
    if func is ATEN.index.Tensor:
        return any(isinstance(index, Tensor) and index.dtype in MASKS for index in args[1])
    return func in UNTAGGED or any(tag in ASKING for tag in getattr(func, "tags", ()))
