"""The weights with a load.py that builds the module for them: the form that can be trained on."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.parameter import is_lazy

from pruning.base.clone import apart
from pruning.base.errors import InputError
from pruning.catalog import guest_imports
from pruning.catalog.architecture import Architecture
from pruning.catalog.model_files import call_factory, factory_arguments, on_cpu
from pruning.export.bundle.difference import difference
from pruning.export.bundle.forms.record import Form, Made, Values, call_text
from pruning.export.bundle.material import Material
from pruning.export.bundle.own_code import OwnCode, own_code, versions_of
from pruning.export.bundle.shipped import load as loader

WEIGHTS, OTHERS = (f"{name}.safetensors" for name in ("model", "others"))
OTHER_LOTS = 7919
"""A seed that nothing else here has: what it draws is other than what is in the network."""
CODE = "code"
"""Folder of the network's own code."""


def write(material: Material, model: nn.Module, folder: Path, with_code: bool) -> Made:
    """Write weights, load.py, and what that needs."""
    built_by = material.architecture
    if built_by is None:
        raise InputError(material.unknown or "What builds the unpruned network is not known.")
    code = _code(built_by)
    goes_along = code is not None and (with_code or not built_by.is_private)
    found = difference(_bare(built_by, material), model)
    save_file(apart(found.tensors), folder / WEIGHTS, {"format": "pt"})
    if found.others:
        save_file(apart(found.others), folder / OTHERS, {"format": "pt"})
    sources = [Path(loader.__file__), *found.files]
    guests = [Path(guest_imports.__file__)] if code is not None else []
    along = {file.name: file for file in (*sources, *(guests if goes_along else ()))}
    handed: dict[str, Path] = {}
    if code is not None:
        placed = {f"{CODE}/{place}": file for place, file in code.files.items()}
        if goes_along:
            along |= placed
        else:
            handed = {**placed, guests[0].name: guests[0]}
    for place, file in along.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / place)
    return Made(
        files=(WEIGHTS, *((OTHERS,) if found.others else ()), *along),
        config={
            "architecture": _values(built_by, code),
            "weights": WEIGHTS,
            "tensors": {name: list(tensor.shape) for name, tensor in found.tensors.items()},
            "difference": {**found.values, "others": OTHERS if found.others else None},
        },
        remarks=_remarks(built_by, code, goes_along),
        apart=handed,
        originals=() if code is None else (*code.files.values(), *code.outside),
    )


def _bare(built_by: Architecture, material: Material) -> nn.Module:
    """The unpruned network as load.py builds it, with other lots than ours ever have."""
    if built_by.file is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(OTHER_LOTS)
            try:
                model = loader.build(_values(built_by, None))
            except loader.BundleError as error:
                raise InputError(str(error)) from error
    else:
        model, _ = call_factory(built_by.file, built_by.name, **built_by.arguments, seed=OTHER_LOTS)
        model, _ = on_cpu(model, built_by.words)
    if any(is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
        material.inputs.call(model.eval())
    return model


def _code(built_by: Architecture) -> OwnCode | None:
    """The files of a network that no library builds. Those of sample networks stand by themselves."""
    file = built_by.file
    if file is None or not built_by.is_private:
        return None if file is None else OwnCode(main=file.name, files={file.name: file}, needs=())
    return own_code(file, lambda: call_factory(file, built_by.name, **built_by.arguments))


def _values(built_by: Architecture, code: OwnCode | None) -> Values:
    """As load.py reads it."""
    values: Values = {"kind": built_by.kind, "name": built_by.name}
    if code is None or built_by.file is None:
        return {**values, "arguments": {name: _listed(value) for name, value in built_by.arguments.items()}}
    given = factory_arguments(built_by.file, built_by.name, **built_by.arguments)
    return {**values, "file": f"{CODE}/{code.main}", "arguments": given, "needs": versions_of(code.needs)}


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _remarks(built_by: Architecture, code: OwnCode | None, goes_along: bool) -> tuple[str, ...]:
    if code is None or not built_by.is_private:
        return ()
    if not goes_along:
        return (
            f"The network's own code ({code.main}) was left out: `load(network)` takes the unpruned network as "
            f"`{built_by.name}()` there builds it.",
        )
    others = f", with {', '.join(code.others)}" if code.others else ""
    said = [f"The network's own code goes along in `{CODE}`: {code.main}{others}."]
    if code.outside:
        names = ", ".join(file.name for file in code.outside)
        said.append(f"That code also reads {names}, which lies elsewhere and does not go along.")
    return tuple(said)


def _usage(config: Values) -> str:
    return (
        "import torch\nfrom load import load\n\n"
        "model = load()  # in eval mode; model.train() to go on training\n"
        f"with torch.no_grad():\n    answer = model({call_text(config)})"
    )


WEIGHTS_FORM = Form(
    name="weights",
    title="PyTorch",
    write=write,
    opening="""
import sys
sys.path.insert(0, str(folder))
from load import build, load, read_config
model = load(build(read_config()["architecture"], apart)) if apart else load()
def answer(arrays):
    return call(model, arrays)
""",
    usage=_usage,
    trains=True,
)
