"""Why a model or its inputs cannot be worked on: what, where, and what to do, in words."""

from __future__ import annotations

import sysconfig
import traceback
import warnings
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from torch import SymInt, Tensor, nn
from torch.nn.parameter import is_lazy

from pruning.base.clone import clone
from pruning.base.errors import InputError, first_line
from pruning.graph.hooked import hook_advice
from pruning.graph.inputs import Inputs
from pruning.graph.memory import check_memory, label_bytes
from pruning.graph.outputs import returned
from pruning.graph.source import MODULE_FILE, OWN_FOLDER, TORCH_FOLDER
from pruning.graph.trace import Trace, TraceError, place
from pruning.graph.written import written_from_data

WRAPPERS = ("DataParallel", "DistributedDataParallel", "FullyShardedDataParallel")
QUANTIZED = (
    "torch.ao.nn.quantized",
    "torch.ao.nn.intrinsic.quantized",
    "torch.ao.nn.qat",
    "torch.ao.nn.intrinsic.qat",
    "torch.ao.quantization.fake_quantize",
    "torch.ao.quantization.observer",
    "torch.nn.quantized",
    "torch.nn.intrinsic.quantized",
    "torchao.",
    "bitsandbytes.",
)
"""Beginnings of the modules whose layers and tensors hold quantized weights, or prepare for them."""
BRANCHES = frozenset(
    "GuardOnDataDependentSymNode PendingUnbackedSymbolNotFound DataDependentOutputException "
    "DynamicOutputShapeException DataDependentOutputError".split()
)
"""What torch raises where the code asks for a value of the data."""
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
TRUNKS = ("backbone", "encoder", "feature_encoder", "features", "body")
NUMPY_FOLDER = str(Path(np.__file__).parent) + "/"
STDLIB_FOLDER = sysconfig.get_paths()["stdlib"] + "/"


def check_model(model: object) -> None:
    """Raise InputError unless this is a plain nn.Module with its weights in memory."""
    if isinstance(model, torch.jit.ScriptFunction | torch.jit.ScriptModule):
        raise InputError(
            "This model is scripted or traced (torch.jit), which hides its code: pass the nn.Module it was made from."
        )
    if isinstance(model, torch.export.ExportedProgram):
        raise InputError("This is an exported program: pass the nn.Module it was made from.")
    if isinstance(model, type):
        raise InputError(f"This is the class {model.__name__}, not a network: make one, {model.__name__}(...).")
    if not isinstance(model, nn.Module):
        hint = "load it into its network first" if isinstance(model, dict) else "pass the network itself"
        raise InputError(f"Channels are removed from an nn.Module, not from a {type(model).__name__}: {hint}.")
    try:
        parts = dict(model.named_modules())
    except AttributeError as error:
        raise InputError(
            f"A part of this network was made without super().__init__() ({first_line(error)}): call it first in its "
            "__init__."
        ) from error
    for path, module in parts.items():
        _check_module(path, module)
    if type(model).forward is nn.Module.forward and "forward" not in vars(model):
        raise InputError(
            f"This {type(model).__name__} has no forward, so nothing says how its layers are connected: pass the "
            "network that uses it."
        )
    if next(model.parameters(), None) is None:
        raise InputError("This network has no parameters, so there is nothing to remove.")
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        _check_tensor(name, tensor)


def _check_module(path: str, module: nn.Module) -> None:
    what = f"Part '{path}' of this model" if path else "This model"
    kinds = {(kind.__module__, kind.__name__) for kind in type(module).__mro__}
    if any(name == "OptimizedModule" and home.startswith("torch._dynamo") for home, name in kinds):
        inner = f"model.{path}._orig_mod in its place" if path else "model._orig_mod"
        raise InputError(f"{what} is compiled (torch.compile), which hides its code: pass {inner}, and compile after.")
    if isinstance(module, torch.jit.ScriptModule):
        raise InputError(f"{what} is scripted or traced (torch.jit), which hides its code: use the nn.Module it was.")
    if getattr(vars(module).get("train"), "__module__", "").startswith("torch.export"):
        raise InputError(f"{what} was made by torch.export: pass the nn.Module it was made from.")
    wrapper = next((name for home, name in kinds if name in WRAPPERS and home.startswith("torch.")), None)
    if wrapper:
        inner = f"model.{path}.module in its place" if path else "model.module"
        raise InputError(f"{what} is wrapped in {wrapper}: pass {inner}, and wrap it again after.")
    if any(home.startswith(QUANTIZED) and "FloatFunctional" not in name for home, name in kinds):
        raise InputError(
            f"{what} is quantized, or prepared for it ({type(module).__name__}): remove channels first, then quantize."
        )


def _check_tensor(name: str, tensor: Tensor) -> None:
    if is_lazy(tensor):
        raise InputError(
            f"{name} has no size yet (a lazy layer): run the network once on its inputs, so that it gets one."
        )
    if tensor.is_quantized or type(tensor).__module__.startswith(QUANTIZED):
        raise InputError(f"{name} is quantized: remove channels first, then quantize.")
    if tensor.is_meta:
        raise InputError(f"{name} has no values (it is on the meta device): load its weights first.")
    if tensor.device.type != "cpu":
        raise InputError(f"{name} is on {tensor.device}: removal works on the CPU, so pass model.cpu().")
    if tensor.layout != torch.strided:
        raise InputError(f"{name} is a sparse tensor: make it dense first (to_dense()).")
    numbers = tensor.dtype in FLOATS or tensor.is_complex()
    if not isinstance(tensor, nn.Parameter) and numbers and bool(tensor.isnan().any()):
        raise InputError(f"{name} holds NaN: the network is damaged, so load it again from a good copy.")
    if tensor.is_inference():
        raise InputError(
            f"{name} was made under torch.inference_mode, so it can be neither trained nor traced: make the network "
            "outside of it."
        )


def check_inputs(inputs: Inputs) -> None:
    """Raise InputError where an example input is not in the CPU's memory, or holds no usable numbers."""
    for tensor in inputs.tensors:
        if tensor.device.type != "cpu":
            raise InputError(
                f"The example inputs are on {tensor.device}: removal works on the CPU, so move them there."
            )
        check_memory(2 * tensor.nbytes, "A copy of the example inputs")
        if tensor.is_floating_point() and (bool(tensor.isnan().any()) or not bool(tensor.isfinite().any())):
            raise InputError("The example inputs hold NaN, or nothing finite, which proves nothing: give real samples.")


def check_trace(trace: Trace, model: nn.Module) -> None:
    """Raise InputError where a trace shows that its network cannot be worked on: what it returns holds no tensor, it
    sets its parameters by the data, a size depends on values, or memory would not do."""
    if not any(isinstance(node.meta.get("val"), Tensor) for node in returned(trace.nodes[-1])):
        raise InputError(NO_TENSOR)
    written = written_from_data(trace, dict(model.named_parameters()))
    if written is not None:
        raise InputError(
            f"forward writes to its parameter {written[0]} what it finds in its data ({place(written[1])}), in eval "
            "mode, too: if it does so at its first call, run the network once on its inputs."
        )
    for node in trace.nodes:
        value = node.meta.get("val")
        if isinstance(value, Tensor) and any(isinstance(size, SymInt) for size in value.shape):
            raise InputError(
                f"The size of a result depends on the values of the data ({place(node)}), so that no one data flow "
                "holds for all inputs: use a fixed number of them, or torch.where; for counts (bincount), index_add "
                "into zeros of a length that is known."
            )
        if "functorch" in str(getattr(node.target, "__module__", "")):
            raise InputError(
                "This network uses torch.vmap or another transform of torch.func, which removal cannot follow: write "
                "it for whole batches, or remove channels from a submodule without it."
            )
    check_memory(label_bytes(trace), "Finding what can be removed from this network")


NO_TENSOR = (
    "The network returns no tensor that can be seen, so nothing tells whether removal changes it: let forward return "
    "its result as a tensor, or as tensors in tuples, lists, dicts or attributes."
)


def explained(error: TraceError, model: nn.Module, inputs: Inputs) -> InputError:
    """Why torch.export failed on the whole model, in the user's terms: the forward is tried as it is, too."""
    cause = error.__cause__
    if cause is None or isinstance(cause, TraceError):
        return error
    if isinstance(cause, InputError):
        return TraceError(str(cause), error.lines)
    copy = clone(model)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            copy.eval()
            inputs.call(copy)
    except Exception as failure:
        return TraceError(
            f"The network's own forward fails on these example inputs{_at(failure.__traceback__)}: "
            f"{type(failure).__name__}: {first_line(failure)}. Give inputs that it accepts.",
            error.lines,
        )
    where, text = _at(cause.__traceback__), str(cause)
    if "Unsupported input type" in text:
        message = (
            f"torch.export cannot see which tensors the example inputs hold ({first_line(cause).split('. ')[0]}): give "
            "tensors, or tuples, lists or dicts of them."
        )
    elif type(cause).__name__ in BRANCHES or "data-dependent" in text.lower():
        message = (
            f"What this network does depends on the values of its data{where}, so that no one data flow holds for all "
            "inputs: take that branch out (assertions on values, too), write it with torch.where, or remove channels "
            f"from a part without it{_part(model)}."
        )
    elif ".numpy()" in text:
        message = (
            f"This network leaves torch{where} (a tensor is made a NumPy array), where its data cannot be followed: "
            "use torch's own operations there."
        )
    else:
        message = (
            f"torch.export cannot follow this network{where}: {type(cause).__name__}: {first_line(cause)}. Write that "
            f"code in another way, or remove channels from a part without it{_part(model)}."
        )
    return TraceError(message + hook_advice(cause.__traceback__, model), error.lines)


def _part(model: nn.Module) -> str:
    """', such as model.backbone' where a network has a part that usually does most of the work."""
    name = next((name for name in TRUNKS if isinstance(getattr(model, name, None), nn.Module)), None)
    return f", such as model.{name}" if name else ""


def _at(trace: TracebackType | None) -> str:
    """', at net.py:12 (`code`)' for the innermost line of the model's own code."""
    frames = traceback.extract_tb(trace)
    entered = next((i for i, frame in enumerate(frames) if frame.filename == MODULE_FILE), len(frames))
    own = [frame for frame in frames[entered:] if not _of_a_library(frame.filename)]
    if not own:
        return ""
    frame = own[-1]
    return f", at {Path(frame.filename).name}:{frame.lineno}{f' (`{frame.line}`)' if frame.line else ''}"


def _of_a_library(file: str) -> bool:
    """Whether a file belongs to torch, numpy, Python or this engine, not to the model."""
    if file.startswith(STDLIB_FOLDER):
        return "/site-packages/" not in file
    return file.startswith((TORCH_FOLDER, OWN_FOLDER, NUMPY_FOLDER, "<"))
