"""From a model to its data flow: `torch.export`, with every node tied to the layer and source line it came from."""

from __future__ import annotations

import contextlib
import io
import linecache
import logging
import math
import operator
import random
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.fx import Node
from torch.fx import config as fx_config
from torch.fx.proxy import TracerBase

from pruning.base.clone import named_tensors, twin
from pruning.base.errors import InputError, first_line
from pruning.base.outside import as_given
from pruning.base.time_limit import OutOfTime, check_time
from pruning.graph.data_followed import DataFollowed
from pruning.graph.inputs import Inputs
from pruning.graph.known import Reading, values_known
from pruning.graph.leftovers import cleared
from pruning.graph.outputs import output_tensors
from pruning.graph.packed import LengthsNeeded, Steps, packing, steps_of
from pruning.graph.plain_attention import plain_attention
from pruning.graph.recorded import record
from pruning.graph.sizes_asked import SizesAsked
from pruning.graph.source import TORCH_FOLDER, outside_torch, users_line

ALONE = threading.RLock()
"""torch.export and the switches that tracing needs are the whole process's: one thread at a time."""
NO_STACK_TRACES = "do_not_emit_stack_traces"
"""A setting that torch 2.9 lacks: it takes no stack traces of its own there."""
CHATTER = ("torch._subclasses.fake_tensor", "torch.fx.experimental.symbolic_shapes", "torch.export")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """The exported data flow of a model for one batch size."""

    nodes: tuple[Node, ...]
    """ATen calls in the order they run, then the output node."""
    tensors: dict[str, str]
    """Placeholder name → parameter or buffer name."""
    constants: dict[str, Tensor]
    """Placeholder name → constant tensor that the code makes."""
    batch: int
    steps: tuple[Steps, ...] = ()
    """Of the sequences that the model packs, as they are held in it."""
    readings: tuple[Reading, ...] = ()
    """Values of parameters and buffers that the code took for numbers."""
    asks_sizes: bool = False
    """Whether the network's own code looked at sizes of tensors, which it may have checked or chosen its way by."""
    draws: bool = False
    """Whether it drew numbers with Python's `random`, which may have chosen its way."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Where the code itself stopped a trace, between two calls, as an assertion does."""

    module: str
    """Dotted name of the innermost module whose method ran; '' is the model itself."""
    line: str
    """'file:line' in that method."""
    text: str
    """The code there."""
    raised: bool
    """Whether the network's code raised the error, as an assertion does, not a call of torch's."""

    @property
    def place(self) -> str:
        """In words: the line, the module, and the code."""
        return f"{Path(self.line).name} in {self.module or 'the model itself'} (`{self.text}`)"


class TraceError(InputError):
    """torch.export cannot follow the model; `lines` are the source lines outside torch, innermost last; `nodes` are
    the calls up to the one that failed, which has no result; `stop` is there where the code itself stopped."""

    def __init__(
        self, message: str, lines: tuple[str, ...], nodes: tuple[Node, ...] = (), stop: Stop | None = None
    ) -> None:
        super().__init__(message)
        self.lines = lines
        self.nodes = nodes
        self.stop = stop


def trace(
    model: nn.Module,
    inputs: Inputs,
    *,
    training: bool = False,
    steps: tuple[Steps, ...] = (),
    recorded: bool = False,
    disposable: bool = False,
) -> Trace:
    """Export the data flow of `model` in eval (or train) mode. A twin of the model runs: the model is left as it was.

    `steps`: of the sequences that it packs, where they are known; else a copy runs with values, if it packs any.
    `recorded`: write down the calls as the model runs, in place of torch.export (see `pruning.graph.recorded`); they
    then say nothing of where in the code they stand. `disposable`: nobody needs the model afterwards, so that recording
    does without a twin.

    Raises:
        TraceError: torch.export cannot follow the model, with its reason.
        InputError: the model cannot be copied.
    """
    with ALONE:
        try:
            return _traced(model, inputs, training, steps, recorded, disposable)
        except TraceError as error:
            if steps or not isinstance(error.__cause__, LengthsNeeded):
                raise
        try:
            found = steps_of(model, inputs, training)
        except Exception as failure:
            raise _untraceable(failure, (), model) from failure
        return _traced(model, inputs, training, found, recorded, disposable)


def _traced(
    model: nn.Module, inputs: Inputs, training: bool, steps: tuple[Steps, ...], recorded: bool, disposable: bool
) -> Trace:
    copy = model if recorded and disposable else twin(model)
    made: list[Node] = []
    sizes = SizesAsked()
    drawn = random.getstate()
    try:
        with (
            as_given(),
            cleared(copy),
            values_known(model) as known,
            _quiet(made),
            packing(steps),
            contextlib.nullcontext() if recorded else DataFollowed(),  # these two make each call slower
            contextlib.nullcontext() if recorded else sizes,  # it looks at who calls it, so it must be the inner one
            torch.no_grad(),
        ):
            copy.train(training)
            copy.register_forward_hook(lambda module, args, output: tuple(output_tensors(output)))
            if recorded:
                found = record(copy, inputs, partial(_note, made))
                return Trace(
                    nodes=found.nodes,
                    tensors=found.tensors,
                    constants=found.constants,
                    batch=inputs.batch,
                    steps=steps,
                )
            program = torch.export.export(copy, inputs.args, dict(inputs.kwargs or {}), strict=False)
            lifted = set(program.graph_signature.inputs_to_lifted_tensor_constants.values())
            _check_own_tensors(model, copy, [c for name, c in program.constants.items() if name in lifted])
    except OutOfTime:
        raise
    except Exception as error:
        calls = (node for node in made if getattr(node.target, "__name__", "") not in SWITCHES)
        raise _untraceable(error, tuple(calls), copy) from error
    signature = program.graph_signature
    named = {**program.constants, **dict(program.named_buffers())}
    constants = {k: named[v] for k, v in signature.inputs_to_lifted_tensor_constants.items() if v in named}
    whole = named_tensors(model)
    first: dict[int, str] = {}  # a tensor that several modules hold goes by the first of its names
    for name, tensor in whole.items():
        first.setdefault(id(tensor), name)
    tensors = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    tensors = {key: first[id(whole[name])] if name in whole else name for key, name in tensors.items()}
    graph = _inlined(program.graph_module)
    nodes = tuple(node for node in graph.nodes if node.op in ("call_function", "output", "placeholder"))
    read = tuple(replace(r, tensor=first[id(whole[r.tensor])]) for r in known.readings)
    return Trace(
        nodes=nodes,
        tensors=tensors,
        constants=constants,
        batch=inputs.batch,
        readings=read,
        asks_sizes=sizes.asked,
        draws=random.getstate() != drawn,
        steps=steps,
    )


def _note(made: list[Node], node: Node) -> None:
    check_time(f"tracing it, at its call {len(made) + 1:,}")
    made.append(node)


def _check_own_tensors(model: nn.Module, copy: nn.Module, constants: Iterable[Any]) -> None:
    """Raise InputError where forward made tensors for itself, or a copy of the model calls the original."""
    known, now = (dict((*m.named_parameters(), *m.named_buffers())) for m in (model, copy))
    added = next((name for name in now if name not in known), None)
    if added is not None:
        raise InputError(
            f"forward makes {added} when it first runs: run the network once on its inputs, so that this is there."
        )
    places = {tensor.data_ptr(): name for name, tensor in known.items() if tensor.numel()}
    taken = [places.get(c.data_ptr()) for c in constants if isinstance(c, Tensor) and c.numel()]
    name = next((name for name in taken if name is not None), None)
    if name is not None:
        raise InputError(
            f"A copy of this network still uses the original's {name}: something beside its layers holds it (a list, a "
            "replaced forward, a hook), so reach it through the layer itself, as self.layer."
        )


SWITCHES = frozenset(("_set_grad_enabled", "_enter_autocast", "_exit_autocast"))
"""What a finished trace has in place of the wrappers until it is finished."""
WRAPPERS = frozenset(("wrap_with_set_grad_enabled", "wrap_with_autocast"))
"""Calls that run a part of the graph in another mode, which makes no difference to what flows where."""


def _inlined(module: torch.fx.GraphModule) -> torch.fx.Graph:
    """The graph of a module, with the wrapped parts in their places."""
    if not any(str(node.target) in WRAPPERS for node in module.graph.nodes):
        return module.graph
    whole = torch.fx.Graph()
    env: dict[Node, Any] = {}

    def put(owner: torch.fx.GraphModule, nodes: Iterable[Node]) -> Any:
        for node in nodes:
            if node.op == "output" and owner is not module:
                return torch.fx.node.map_arg(node.args[0], lambda source: env[source])
            if str(node.target) in WRAPPERS:
                place = next(i for i, a in enumerate(node.args) if isinstance(a, Node) and a.op == "get_attr")
                part = getattr(owner, str(node.args[place].target))  # type: ignore[union-attr]
                operands = [env[source] for source in node.args[place + 1 :]]  # type: ignore[index]
                inner = list(part.graph.nodes)
                heads = [n for n in inner if n.op == "placeholder"]
                env.update(zip(heads, operands, strict=True))
                env[node] = put(part, inner[len(heads) :])
            elif node.op == "call_function" and isinstance(env.get(node.args[0]), list | tuple):  # type: ignore[arg-type]
                env[node] = env[node.args[0]][node.args[1]]  # type: ignore[index]
            else:
                env[node] = whole.node_copy(node, lambda source: env[source])
        return None

    put(module, module.graph.nodes)
    return whole


@contextlib.contextmanager
def _quiet(made: list[Node]) -> Iterator[None]:
    """No warnings, attention through its plain operations, distributions that do not ask whether their values are
    allowed, and for each call the line of the user's code that it comes from. Nodes go into `made` as they are created,
    since nothing is left of them where tracing fails."""
    chatter = [logging.getLogger(name) for name in CHATTER]
    levels = [logger.level for logger in chatter]
    for logger in chatter:
        logger.setLevel(logging.CRITICAL)  # they print every failed call; ours become one sentence
    silent = getattr(fx_config, NO_STACK_TRACES, None)
    if silent is not None:
        setattr(fx_config, NO_STACK_TRACES, True)
    asserts = Distribution._validate_args  # on values
    Distribution.set_default_validate_args(False)
    create = TracerBase.create_node

    def recorded(*args: Any, **kwargs: Any) -> Node:
        node = create(*args, **kwargs)
        line = users_line(sys._getframe(1)) if node.op == "call_function" else None
        if line is not None:
            node.stack_trace = 'File "{}", line {}'.format(*line)
        _note(made, node)
        return node

    TracerBase.create_node = recorded  # type: ignore[method-assign]
    try:
        with plain_attention(), warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            # export prints failed graphs
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(chatter, levels, strict=True):
            logger.setLevel(level)
        if silent is not None:
            setattr(fx_config, NO_STACK_TRACES, silent)
        Distribution.set_default_validate_args(asserts)
        TracerBase.create_node = create  # type: ignore[method-assign]


def _untraceable(error: Exception, made: tuple[Node, ...], copy: nn.Module) -> TraceError:
    if isinstance(error, InputError):
        return TraceError(str(error), (), made)
    frames = traceback.extract_tb(error.__traceback__)
    outside = outside_torch(frames)
    lines = tuple(f"{frame.filename}:{frame.lineno}" for frame in outside)
    at = f" at {Path(outside[-1].filename).name}:{outside[-1].lineno} (`{outside[-1].line}`)" if outside else ""
    return TraceError(
        f"This network cannot be traced{at}: {type(error).__name__}: {first_line(error, 300)}. Its forward must not "
        "depend on the values of the data: change that part, or remove channels from a submodule without it.",
        lines,
        made,
        None if made and made[-1].meta.get("val") is None else _stop(error, copy),
    )


def _stop(error: Exception, copy: nn.Module) -> Stop | None:
    """The innermost method of a module that an error came through, outside torch."""
    names = {id(module): path for path, module in copy.named_modules()}
    found = None
    frames = list(traceback.walk_tb(error.__traceback__))
    raised = bool(frames) and not frames[-1][0].f_code.co_filename.startswith(TORCH_FOLDER)
    for frame, number in frames:
        code, file = frame.f_code, frame.f_code.co_filename
        path = names.get(id(frame.f_locals.get(code.co_varnames[0]))) if code.co_argcount else None
        if path is not None and not file.startswith(TORCH_FOLDER):
            text = linecache.getline(file, number).strip()
            found = Stop(module=path, line=f"{file}:{number}", text=text, raised=raised)
    return found


def argument(node: Node, index: int, default: Any = None) -> Any:
    """A call's argument by its place."""
    return node.args[index] if len(node.args) > index else default


def by_name(target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments of a call by name, those that were left out with their defaults."""
    schema = getattr(target, "_schema", None)
    if schema is None:
        return {str(i): argument for i, argument in enumerate(args)}
    arguments = {}
    for i, parameter in enumerate(schema.arguments):
        if i < len(args):
            arguments[parameter.name] = args[i]
        else:
            arguments[parameter.name] = kwargs.get(parameter.name, parameter.default_value)
    return arguments


def op_of(node: Node) -> str:
    """Short name of a call without overload, and without ATen's namespace: 'conv2d', 'torchvision.nms'."""
    return op_name(node.target)


@lru_cache(maxsize=4096)
def op_name(target: Any) -> str:
    """The same for what a call calls."""
    if isinstance(target, torch._ops.OpOverload):
        return target._schema.name.replace("::", ".").removeprefix("aten.")
    return "getitem" if target is operator.getitem else str(target).split(".")[0]


def module_path(node: Node) -> str:
    """Dotted name of the innermost module whose forward made this call; '' is the model itself."""
    stack = node.meta.get("nn_module_stack") or {}
    return str(next(reversed(stack.values()))[0]).partition("@")[0] if stack else ""


@lru_cache(maxsize=65536)
def _last_line(stack_trace: str) -> str:
    lines = re.findall(r'File "([^"]+)", line (\d+)', stack_trace)
    outside = [(file, line) for file, line in lines if not file.startswith(TORCH_FOLDER) and not file.startswith("<")]
    return f"{outside[-1][0]}:{outside[-1][1]}" if outside else ""


def line_of(node: Node) -> str:
    """'file:line' of the last frame outside torch that a call came from; '' where unknown."""
    return _last_line(node.meta.get("stack_trace") or "")


PARAMETRIZATIONS = "parametrizations"
"""Where a module keeps the modules that compute its parameters (`torch.nn.utils.parametrize`)."""


def place(node: Node) -> str:
    """Where a call stands, in words: op, module, and the last source line outside torch."""
    line = line_of(node)
    source = f", {Path(line).name}" if line else ""
    module = f".{module_path(node)}".partition(f".{PARAMETRIZATIONS}.")[0].removeprefix(".")
    return f"{op_of(node)} in {module or 'the model itself'}{source}"


def shape_of(node: Node) -> tuple[int, ...]:
    """Shape of a node's value."""
    return tuple(int(size) for size in node.meta["val"].shape)


def positions(shape: tuple[int, ...], channel_dim: int, batch: int) -> int:
    """Output positions of one sample: how often each weight of a layer is used."""
    return math.prod(size for dim, size in enumerate(shape) if dim != channel_dim) // batch
