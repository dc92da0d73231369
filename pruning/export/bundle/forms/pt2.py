"""The network as a program of torch.export, with any batch size: runs with torch alone, and is not for training."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.utils import _pytree as pytree

from pruning.base.clone import twin
from pruning.base.errors import InputError, first_line
from pruning.export.bundle.forms.record import Form, Made, Values, call_text
from pruning.export.bundle.material import Material
from pruning.graph.inputs import Inputs
from pruning.graph.source import outside_torch
from pruning.graph.trace import ALONE, CHATTER, op_name

FILE = "model.pt2"


def write(material: Material, model: nn.Module, folder: Path, with_code: bool) -> Made:
    """Export the network and save the program."""
    program = _exported(model, material.inputs)
    libraries = sorted({_library(node.target) for node in program.graph.nodes if node.op == "call_function"} - {""})
    program.example_inputs = None  # they may be somebody's data
    for graph in _graphs(program):
        for node in graph.nodes:
            node.meta.pop("stack_trace", None)  # it names folders of this machine
    with _quiet():
        torch.export.save(program, folder / FILE)
    return Made(files=(FILE,), config={"program": {"file": FILE, "imports": libraries}})


def _exported(model: nn.Module, inputs: Inputs) -> ExportedProgram:
    inputs = inputs.resized(max(2, inputs.batch)) if inputs.has_batch else inputs
    copy = twin(model)  # tracing may leave something in its attributes
    try:
        with ALONE, _quiet(), torch.no_grad():
            return torch.export.export(
                copy, inputs.args, dict(inputs.kwargs or {}), dynamic_shapes=_dynamic(copy, inputs), strict=False
            )
    except Exception as error:  # torch.export and the network's own code raise anything
        raise InputError(f"torch.export cannot follow the network{_place(error)}: {first_line(error, 300)}") from error


def _dynamic(model: nn.Module, inputs: Inputs) -> dict[str, Any] | None:
    """Which dimensions may have any length, by the names of arguments; None for none."""
    if not inputs.has_batch:
        return None
    dims = iter(inputs.dims)

    def of(value: object) -> object:
        dim = next(dims) if isinstance(value, torch.Tensor) else None
        return None if dim is None else {dim: Dim.DYNAMIC}

    args, kwargs = pytree.tree_map(of, (inputs.args, dict(inputs.kwargs or {})))
    return dict(inspect.signature(model.forward).bind(*args, **kwargs).arguments)


def _place(error: BaseException) -> str:
    """' at net.py:12 (`code`)' for the innermost line of the network's own code that an error came through."""
    frames = outside_torch(traceback.extract_tb(error.__traceback__))
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} (`{frames[-1].line}`)" if frames else ""


def _graphs(program: ExportedProgram) -> Iterator[torch.fx.Graph]:
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            yield module.graph


def _library(target: object) -> str:
    """The package that brings an operation, where it is not torch itself."""
    name = op_name(target) if isinstance(target, torch._ops.OpOverload) else ""
    first, dot, _ = name.partition(".")
    return first if dot and first in ("torchvision", "torchaudio") else ""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what torch says of its own affairs."""
    chatter = [logging.getLogger(name) for name in CHATTER]
    levels = [logger.level for logger in chatter]
    for logger in chatter:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(chatter, levels, strict=True):
            logger.setLevel(level)


def _usage(config: Values) -> str:
    imports = "".join(f"import {name}\n" for name in ("torch", *config["program"]["imports"]))
    return f'{imports}\nmodel = torch.export.load("{FILE}").module()\nanswer = model({call_text(config)})'


PT2 = Form(
    name="pt2",
    title="torch.export",
    write=write,
    opening="""
import importlib, json, torch
for name in json.loads((folder / "config.json").read_text(encoding="utf-8"))["program"]["imports"]:
    importlib.import_module(name)
model = torch.export.load(str(file)).module()
def answer(arrays):
    return call(model, arrays)
""",
    usage=_usage,
)
