"""The calls of a network as a graph, from running it once without values: what torch.export finds out, in a fraction of
its time, for a network whose data flow is known.

torch.export stays the judge of a network: `pruning.graph.trace` records one that resembles another only where the
calls recorded for that one were those that torch.export had found.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch._dispatch.python import enable_python_dispatcher
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch._subclasses.schema_check_mode import SchemaCheckMode
from torch.fx import Graph, Node
from torch.fx.node import map_aggregate
from torch.nn.utils.stateless import _reparametrize_module
from torch.utils import _pytree as pytree

from pruning.graph.inputs import Inputs
from pruning.graph.outputs import output_tensors

LIFTED = torch.ops.aten.lift_fresh.default
AS_EXPORTED = {LIFTED: torch.ops.aten.lift_fresh_copy.default}
"""Calls that torch.export writes down as others."""


class Recording:
    """A graph that grows as its network runs."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.tensors: dict[str, str] = {}
        """Placeholder → parameter or buffer, by all its names the first."""
        self.constants: dict[str, Tensor] = {}
        """Placeholder → constant tensor that the code makes."""
        self._node_of: dict[int, Node] = {}
        self._fresh: dict[tuple[int, torch.Size], Node] = {}
        """By memory and shape, what calls make of nothing, since torch hands their result on as another object."""
        self._kept: list[Any] = []
        """All tensors there were, so that no two have the same id."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Placeholders first, then the calls in their order, and at last the output."""
        return tuple(sorted(self.graph.nodes, key=lambda node: node.op != "placeholder"))

    def given(self, name: str, tensor: Tensor) -> Node:
        """A placeholder for a tensor that no call makes."""
        node = self.graph.placeholder(name)
        self._know(tensor, node)
        return node

    def call(self, func: Any, args: Any, kwargs: Any, result: Any) -> Node:
        """Add a call and its result."""
        inputs = map_aggregate((args, kwargs), lambda item: self._node(item) if isinstance(item, Tensor) else item)
        node = self.graph.call_function(AS_EXPORTED.get(func, func), *inputs)
        node.meta["val"] = result
        if isinstance(result, Tensor):
            self._know(result, node)
            if not node.all_input_nodes:
                self._fresh[_memory(result)] = node
        elif isinstance(result, list | tuple):
            for place, part in enumerate(result):
                if isinstance(part, Tensor):
                    self._know(part, self.graph.call_function(operator.getitem, (node, place)))
        return node

    def returns(self, output: Any) -> None:
        """Close the graph."""
        self.graph.output(tuple(self._node(tensor) for tensor in output_tensors(output)))

    def reshapes(self, tensor: Tensor) -> None:
        """A call is about to give a tensor itself another shape: what made it had this one."""
        self._node(tensor).meta["val"] = tensor.detach()

    def _know(self, tensor: Tensor, node: Node) -> None:
        node.meta["val"] = tensor
        self._node_of[id(tensor)] = node
        self._kept.append(tensor)

    def _node(self, tensor: Tensor) -> Node:
        if id(tensor) not in self._node_of and (memory := _memory(tensor)) in self._fresh:
            return self._fresh[memory]
        if id(tensor) not in self._node_of:
            node = self.given("constant", tensor)
            if not isinstance(tensor, FakeTensor):
                self.constants[node.name] = tensor
        return self._node_of[id(tensor)]


def _memory(tensor: Tensor) -> tuple[int, torch.Size]:
    return tensor.untyped_storage()._cdata, tensor.shape


class _Recorder(SchemaCheckMode):
    """Adds each call to a recording. It stands above autograd, as `pruning.removal.calls` does."""

    def __init__(self, recording: Recording, made: Callable[[Node], None]) -> None:
        super().__init__()
        self.recording, self.made = recording, made
        self._dispatch_key = torch._C.DispatchKey.PreDispatch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.inplace_view in func.tags:
            self.recording.reshapes(args[0])
        result = func(*args, **(kwargs or {}))
        self.made(self.recording.call(func, args, kwargs or {}, result))
        return result


def record(model: nn.Module, inputs: Inputs, made: Callable[[Node], None]) -> Recording:
    """Run a model without values and write its calls down; `made` gets each as soon as it is done.

    The model keeps its weights; what its code keeps in attributes has no values afterwards.
    """
    recording = Recording()
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    fakes: dict[str, Tensor] = {}
    known: dict[int, Tensor] = {}
    for name, tensor in _tensors(model):
        if id(tensor) not in known:
            known[id(tensor)] = _without_values(mode, tensor)
            recording.tensors[recording.given(name.replace(".", "_"), known[id(tensor)]).name] = name
        fakes[name] = known[id(tensor)]
    with mode:
        args, kwargs = pytree.tree_map_only(
            Tensor, lambda tensor: _given(recording, mode, tensor), (inputs.args, dict(inputs.kwargs or {}))
        )
        with _reparametrize_module(model, fakes), enable_python_dispatcher(), _Recorder(recording, made):
            output = model(*args, **kwargs)
    recording.returns(output)
    return recording


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters, then buffers, of each module once: tensors of a module with two names must not be swapped twice, or
    the second swap would keep what the first one put there."""
    for table in ("_parameters", "_buffers"):
        for path, module in model.named_modules():
            for name, tensor in vars(module)[table].items():
                if tensor is not None:
                    yield f"{path}.{name}".lstrip("."), tensor


def _without_values(mode: FakeTensorMode, tensor: Tensor) -> Tensor:
    """What the mode makes of a parameter or buffer, for plain ones in a tenth of the time."""
    if type(tensor) not in (Tensor, nn.Parameter) or tensor.layout != torch.strided or tensor.is_conj():
        return mode.from_tensor(tensor)
    meta = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    fake = FakeTensor(mode, meta, tensor.device)
    fake._is_param = isinstance(tensor, nn.Parameter)  # what isinstance asks for
    return fake


def _given(recording: Recording, mode: FakeTensorMode, tensor: Tensor) -> FakeTensor:
    fake = mode.from_tensor(tensor)
    recording.given("input", fake)
    return fake
