"""What builds a module that somebody has in memory: a network of a library whose tensors are the same, or its class."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pruning.catalog.architecture import Architecture
from pruning.export.bundle.own_code import is_installed


def built_by(model: nn.Module) -> Architecture | None:
    """What builds this network without weights; None where nothing tells.

    Of a library: the network by whose name the library makes tensors of the same names and shapes. Else its class,
    where that stands in a file and takes no arguments.
    """
    home = type(model).__module__
    if home.startswith("torchvision.models."):
        return next(_of_torchvision(model, home), None)
    if home.startswith("timm."):
        return next(_of_timm(model), None)
    return _of_class(model)


def _of_torchvision(model: nn.Module, home: str) -> Iterator[Architecture]:
    models = importlib.import_module("torchvision.models")
    classes = _outputs(model)
    for name in models.list_models():
        builder = models.get_model_builder(name)
        if builder.__module__ != home:
            continue
        options: dict[str, Any] = {"weights_backbone": None} if ".segmentation" in home else {}
        if hasattr(model, "image_size"):
            options["image_size"] = model.image_size
        for many in ({}, {"num_classes": classes}):
            given = {**options, **many}
            if _fits(model, partial(builder, weights=None, **given)):
                yield Architecture(kind="torchvision", name=name, arguments=given)


def _of_timm(model: nn.Module) -> Iterator[Architecture]:
    timm = importlib.import_module("timm")
    config = getattr(model, "pretrained_cfg", None) or {}
    name = config.get("architecture")
    if not name:
        return
    tag = config.get("tag")
    full = f"{name}.{tag}" if tag and f"{name}.{tag}" in timm.list_pretrained(f"{name}.*") else name
    for given in ({}, {"num_classes": getattr(model, "num_classes", 0)}):
        if _fits(model, partial(timm.create_model, full, pretrained=False, **given)):
            yield Architecture(kind="timm", name=full, arguments=given)


def _of_class(model: nn.Module) -> Architecture | None:
    """Its class, where nobody has to know with which arguments it was called."""
    kind = type(model)
    try:
        file = inspect.getsourcefile(kind)
        needed = [
            p
            for p in inspect.signature(kind).parameters.values()
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
    except (TypeError, ValueError, OSError):
        return None
    if file is None or needed or not Path(file).is_file() or "." in kind.__qualname__ or is_installed(Path(file)):
        return None
    if not _fits(model, kind):
        return None
    return Architecture(kind="file", name=kind.__qualname__, file=Path(file).resolve(), is_private=True)


def _fits(model: nn.Module, build: Callable[[], nn.Module]) -> bool:
    """Whether what is built has tensors of the same names and, where they have any yet, shapes."""
    try:
        with torch.device("meta"):
            built = _tensors(build())
        own = _tensors(model)
        return built.keys() == own.keys() and all(is_lazy(t) or t.shape == own[n].shape for n, t in built.items())
    except Exception:  # not every builder takes every argument, nor the meta device
        return False


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def _outputs(model: nn.Module) -> int:
    """Of the last layer: the last parameter has one number for each."""
    return list(model.parameters())[-1].shape[0]
