"""The pruned network of this folder as a module of torch: `from load import load; model = load()`.

Needs torch, safetensors, and the library that config.json names under "architecture". The unpruned network is built
without weights, brought to the shapes of the pruned one, and filled. Run by itself this file says what it loaded.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.prune import BasePruningMethod, custom_from_mask
from torch.nn.utils.prune import remove as take_mask
from torch.nn.utils.weight_norm import WeightNorm

HERE = Path(os.path.abspath(__file__)).parent
"""Not resolved: a hub's cache holds links to files that lie apart."""
FORMAT, VERSION = "pruning-explorer-bundle", 1


class BundleError(RuntimeError):
    """Why the network cannot be loaded, in one sentence."""


def load(network: nn.Module | None = None, *, masks: bool = False) -> nn.Module:
    """The pruned network with its weights, in eval mode and ready for `train()`.

    `network`: the unpruned network as its own code builds it, whatever its weights; needed only where that code is not
    in this folder. It is changed and given back. `masks`: zeros that were pruned stay zero when it is trained, by
    masks of `torch.nn.utils.prune` (`torch.nn.utils.prune.remove` takes one off again).

    Raises:
        BundleError: a file is missing, is another bundle's, or does not fit what the library builds.
    """
    config = read_config()
    tensors = _tensors(config["weights"])
    model = build(config["architecture"]) if network is None else network
    try:
        model = fill(model, config, tensors).eval()
        if masks:
            args, kwargs = example(config)
            hold_zeros(model, config["held_zero"], lambda: model(*args, **kwargs))
        return model
    except (KeyError, AttributeError, TypeError, ValueError, IndexError) as error:
        raise BundleError(
            f"What builds the unpruned network here is not what config.json was written for ({_about(config)}): "
            f"{type(error).__name__}: {error}."
        ) from error


def read_config() -> dict[str, Any]:
    """What config.json says.

    Raises:
        BundleError: it is missing, or is not that of a bundle with weights.
    """
    try:
        config = json.loads(_beside("config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"config.json beside load.py cannot be read ({error}).") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise BundleError("config.json beside load.py is not that of a bundle: keep the bundle's files together.")
    if config.get("version") != VERSION:
        raise BundleError(f"config.json has version {config.get('version')}, and this load.py reads {VERSION}.")
    if any(name not in config for name in ("architecture", "weights", "tensors", "difference")):
        raise BundleError("config.json beside load.py describes no weights: this bundle was made without them.")
    return config


def example(config: Mapping[str, Any], batch: int = 2) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of a call, by place and by name, with random numbers in batches of so many samples."""
    made = []
    for tensor in config["inputs"]:
        shape = [batch if size is None else size for size in tensor["shape"]]
        dtype = getattr(torch, tensor["dtype"])
        made.append(torch.randn(shape).to(dtype) if dtype.is_floating_point else torch.zeros(shape, dtype=dtype))
    filled = _decoded(config["call"], {str(place): tensor for place, tensor in enumerate(made)})
    return tuple(filled["args"]), filled["kwargs"]


def build(architecture: Mapping[str, Any], folder: Path = HERE) -> nn.Module:
    """The unpruned network with weights drawn at random. `folder`: holds its code, where it is no library's.

    Raises:
        BundleError: the library or the code is missing, or fails.
    """
    kind, name = architecture["kind"], architecture["name"]
    given = {
        key: tuple(value) if isinstance(value, list) else value for key, value in architecture["arguments"].items()
    }
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if kind == "torchvision":
                return _library("torchvision.models").get_model_builder(name)(weights=None, **given)
            if kind == "timm":
                return _library("timm").create_model(name, pretrained=False, **given)
            if kind == "file":
                return _unwrapped(_called(architecture, given, folder))
        except BundleError:
            raise
        except Exception as error:
            raise BundleError(f"{name} of {kind} cannot be built ({type(error).__name__}: {error}).") from error
    raise BundleError(f"config.json names the architecture's library '{kind}', which this load.py does not know.")


@torch.no_grad()
def fill(model: nn.Module, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    """Bring the unpruned network to the pruned one's shapes and give it these weights; the same module.

    Raises:
        BundleError: the weights are not the pruned network's.
        KeyError, AttributeError, TypeError, ValueError, IndexError: the network is another one.
    """
    difference = config["difference"]
    _check_shapes(config, tensors)
    if any(is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
        args, kwargs = example(config)
        model.eval()(*args, **kwargs)  # lazy layers become what they are at their first call
    others = _tensors(difference["others"]) if difference["others"] else {}
    modules = dict(model.named_modules(remove_duplicate=False))
    for path, (file, name) in difference["classes"].items():
        modules[path].__class__ = getattr(_module(file), name)
    for path, values in difference["attributes"].items():
        for name, value in values.items():
            setattr(modules[path], name, _decoded(value, others))
    for path, name, place, number in difference["numbers"]:
        _module("held.py").put_number(modules[path], name, tuple(place), number)
    for name, tensor in tensors.items():
        _put(modules, name, tensor, name in difference["buffers"])
    for name in difference["unsaved"]:
        _put(modules, name, others[name], True)
    for first, *names in difference["tied"]:
        for name in names:
            _tie(modules, first, name)
    named = dict(model.named_parameters(remove_duplicate=False))
    for first, name, transposed in difference["same_memory"]:
        named[name].data = named[first].data.t() if transposed else named[first].data
    frozen = set(difference["frozen"])
    for name, parameter in named.items():
        parameter.requires_grad_(name not in frozen)
    for module in model.modules():
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm | BasePruningMethod):
                hook(module, ())  # what it computes lies about in its old shape
    return model


@torch.no_grad()
def hold_zeros(model: nn.Module, names: Iterable[str], call: Callable[[], object]) -> list[str]:
    """Put masks of `torch.nn.utils.prune` on these tensors where they are zero, under each of their names; the names of
    those that get none, with a warning: their module is not called by itself, and masks work when it is.

    `call`: calls the model once.
    """
    tensors = dict(model.named_parameters(remove_duplicate=False))
    modules = dict(model.named_modules(remove_duplicate=False))
    kept = {id(tensors[name]): tensors[name] != 0 for name in names if name in tensors}
    put: dict[tuple[int, str], tuple[str, nn.Module]] = {}
    for name, tensor in tensors.items():
        path, _, local = name.rpartition(".")
        if id(tensor) in kept and (id(modules[path]), local) not in put:
            custom_from_mask(modules[path], local, kept[id(tensor)])
            put[id(modules[path]), local] = name, modules[path]
    called: set[int] = set()
    notes = [module.register_forward_pre_hook(lambda own, _: called.add(id(own))) for _, module in put.values()]
    try:
        call()
    finally:
        for note in notes:
            note.remove()
    left = [(name, module) for name, module in put.values() if id(module) not in called]
    for name, module in left:
        take_mask(module, name.rpartition(".")[2])
    if left:
        warnings.warn(
            f"No mask holds the zeros of {left[0][0]}{' and others' if len(left) > 1 else ''}: its module is not "
            "called by itself. Set them to zero after each step.",
            stacklevel=2,
        )
    return [name for name, _ in left]


def _check_shapes(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    wanted = {name: tuple(shape) for name, shape in config["tensors"].items()}
    wrong = sorted(wanted.keys() ^ tensors.keys()) or [n for n in wanted if wanted[n] != tuple(tensors[n].shape)]
    if wrong:
        raise BundleError(
            f"{config['weights']} does not hold the weights that config.json describes ({wrong[0]} is missing, is not "
            "wanted or has another shape): keep the bundle's files together."
        )


def _put(modules: Mapping[str, nn.Module], name: str, tensor: Tensor, is_buffer: bool) -> None:
    """Give a parameter or buffer these values; where there is one it stays the same object, so that what is shared
    stays shared."""
    path, _, local = name.rpartition(".")
    table: Any = modules[path]._buffers if is_buffer else modules[path]._parameters
    if table.get(local) is not None:
        table[local].data = tensor
    elif is_buffer:
        modules[path].register_buffer(local, tensor)
    else:
        modules[path].register_parameter(local, nn.Parameter(tensor, requires_grad=tensor.is_floating_point()))


def _tie(modules: Mapping[str, nn.Module], first: str, other: str) -> None:
    (source, _, one), (path, _, local) = first.rpartition("."), other.rpartition(".")
    tables = (modules[source]._parameters, modules[path]._parameters)
    if one not in tables[0]:
        tables = (modules[source]._buffers, modules[path]._buffers)  # type: ignore[assignment]
    tables[1][local] = tables[0][one]


def _decoded(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """A value that JSON has no form of stands under the name of its kind."""
    if isinstance(value, list):
        return [_decoded(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "dict":
        return {key: _decoded(item, tensors) for key, item in inner.items()}
    if kind == "tuple":
        return tuple(_decoded(item, tensors) for item in inner)
    makers = {"size": torch.Size, "float": float, "dtype": lambda name: getattr(torch, name), "tensor": tensors.get}
    return makers[kind](inner)  # type: ignore[operator]


def _called(architecture: Mapping[str, Any], given: Mapping[str, Any], folder: Path) -> Any:
    """What the function in the network's own code gives."""
    code = folder / architecture["file"]
    if not code.is_file():
        raise BundleError(
            f"The code of the unpruned network is not in this bundle: call load(network) with what "
            f"{architecture['name']}() of {code.name} gives."
        )
    guest = _module("guest_imports.py", folder)
    with _inside(code.parent), contextlib.redirect_stdout(sys.stderr):
        return getattr(guest.run_guest(code), architecture["name"])(**given)


def _unwrapped(made: Any) -> nn.Module:
    """The network alone, in the CPU's memory: without example inputs, and what training in parallel wraps around it."""
    model = made[0] if isinstance(made, tuple | list) else made
    while isinstance(model, nn.DataParallel) or hasattr(model, "_orig_mod"):
        model = model.module if isinstance(model, nn.DataParallel) else model._orig_mod
    assert isinstance(model, nn.Module), f"it gives a {type(model).__name__}"
    return model.cpu()


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """While this holds, the folder is the current one."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BundleError(
            f"{name.partition('.')[0]} is needed to build this network, and is missing: {error}."
        ) from error


def _module(file: str, folder: Path = HERE) -> ModuleType:
    """A file of the bundle as a module, under a name that no other module has."""
    path = _beside(file, folder)
    name = f"_bundle_{abs(hash(str(path))):x}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None, path
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def _tensors(file: str) -> dict[str, Tensor]:
    path = _beside(file)
    try:
        return load_file(path)
    except Exception as error:  # whatever safetensors finds wrong
        raise BundleError(f"{file} beside load.py is damaged, or is no file of safetensors ({error}).") from error


def _beside(file: str, folder: Path = HERE) -> Path:
    path = folder / file
    if not path.is_file():
        raise BundleError(f"{file} is missing beside load.py: keep the bundle's files together.")
    return path


def _about(config: Mapping[str, Any]) -> str:
    versions = config.get("made_with", {})
    return ", ".join((config["architecture"]["name"], *(f"{name} {version}" for name, version in versions.items())))


if __name__ == "__main__":
    try:
        loaded, about = load(), read_config()
    except BundleError as error:
        sys.exit(f"Error: {error}")
    count = sum(parameter.numel() for parameter in loaded.parameters())
    shapes = " and ".join("×".join("N" if n is None else str(n) for n in given["shape"]) for given in about["inputs"])
    print(f"{about['title']}: {count:,} parameters, loaded from {about['weights']}. It takes {shapes}.")
