"""Networks of torchvision and timm by name: how each library is asked to build one, and what it says of it."""

from __future__ import annotations

import importlib
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, excerpt
from pruning.base.extras import need
from pruning.catalog.building import Blueprint, random_images
from pruning.catalog.class_names import Classes, imagenet, of_timm
from pruning.catalog.names import unknown_name
from pruning.catalog.offline import check_connection
from pruning.catalog.preparation import of_timm as prepared_by_timm
from pruning.catalog.preparation import of_torchvision as prepared_by_torchvision
from pruning.catalog.references import Reference

FRAMES = 16
"""Of an example video, where the network does not say how many it needs."""
IMAGENET_CLASSES = 1000


def default_weights_are_here(reference: Reference) -> bool:
    """Whether the library's default weights need no fetching."""
    if reference.kind == "timm":
        return _timm_weights_are_here(reference)
    entry = _default_entry(reference)
    if entry is None:
        return False
    file = Path(urllib.parse.urlparse(entry.url).path).name
    return (Path(torch.hub.get_dir()) / "checkpoints" / file).is_file()


def has_default_weights(reference: Reference) -> bool:
    """Whether the library has weights of its own for a network, here or to be fetched."""
    if reference.kind == "timm":
        config = _timm_config(_timm(reference), reference.name)
        return bool(getattr(config, "hf_hub_id", None) or getattr(config, "url", None))
    return _default_entry(reference) is not None


def known_parameters(reference: Reference) -> int:
    """Number of parameters that the library states for a network without building it; 0 where it states none."""
    entry = _default_entry(reference)
    return 0 if entry is None else int(entry.meta["num_params"])


def _default_entry(reference: Reference) -> Any:
    """torchvision's entry for a network's default weights, or None."""
    if reference.kind != "torchvision":
        return None
    models = importlib.import_module("torchvision.models")
    if reference.name not in models.list_models():
        return None
    entries = models.get_model_weights(reference.name)
    return entries.DEFAULT if len(list(entries)) else None


def plan_torchvision(reference: Reference) -> Blueprint:
    """How torchvision builds a network.

    Raises:
        InputError: no such network, none that takes images, or no weights.
    """
    models = importlib.import_module("torchvision.models")
    name = _known(reference, models.list_models(), reference.name)
    builder = models.get_model_builder(name)
    family = builder.__module__.removeprefix("torchvision.models.").partition(".")[0]
    if family in ("detection", "optical_flow"):
        takes = "a list of images" if family == "detection" else "two images"
        raise InputError(
            f"torchvision:{name} takes {takes}, so removal cannot follow it as a whole: use file:PATH.py:FACTORY with "
            "a function that returns (model, example_inputs), for a detector its backbone."
        )
    entry = _default_entry(reference)
    if reference.weights == "default" and entry is None:
        raise InputError(f"torchvision has no trained weights for {name}: leave out weights=default.")
    options: dict[str, Any] = {}
    if family == "segmentation":
        options["weights_backbone"] = None  # else those would be downloaded
    shape = _shape_of_images(entry, family, reference.size)
    if family == "vision_transformer":
        options["image_size"] = shape[-1]
    if reference.size is not None and family == "maxvit":
        options["input_size"] = (reference.size, reference.size)

    def build(classes: int | None, trained: bool) -> nn.Module:
        many = {} if classes is None else {"num_classes": classes}
        built: nn.Module = builder(weights=entry if trained else None, progress=True, **options, **many)
        return built

    transforms = entry.transforms() if entry is not None else None
    categories = entry.meta.get("categories") if entry is not None else None
    own = len(categories) if categories else 0

    def classes(model: nn.Module) -> Classes:
        if reference.classes not in (None, own) or not categories or _outputs(model) != own:
            return ()
        if own == IMAGENET_CLASSES and tuple(categories) == tuple(words for _, words in imagenet()):
            return imagenet()
        return tuple((str(name),) for name in categories)

    return Blueprint(
        reference=reference,
        title=f"{name} (torchvision)",
        build=build,
        example=lambda _: random_images(*shape),
        arguments=options,
        origin=f"torchvision's default, {entry.name}" if entry is not None else "",
        stated=_stated(entry),
        preprocess=prepared_by_torchvision(transforms, reference.size),
        classes=classes,
    )


def _stated(entry: Any) -> float | None:
    """Top-1 accuracy that torchvision states for weights, as a fraction."""
    of_sets = entry.meta.get("_metrics", {}) if entry is not None else {}
    found = next((of.get("acc@1") for of in of_sets.values() if isinstance(of, dict)), None)
    return None if found is None else float(found) / 100


def _shape_of_images(entry: Any, family: str, size: int | None) -> tuple[int, ...]:
    """Shape of an image or video that a torchvision network was trained for, from the transforms of its weights."""
    settings = getattr(entry.transforms, "keywords", {}) if entry is not None else {}
    own = settings.get("crop_size") or settings.get("resize_size") or 224
    sides = (own, own) if isinstance(own, int) else tuple(own) if len(own) == 2 else (own[0], own[0])
    sides = sides if size is None else (size, size)
    frames = max(FRAMES, entry.meta.get("min_temporal_size", 0)) if entry is not None else FRAMES
    return (3, frames, *sides) if family == "video" else (3, *sides)


def plan_timm(reference: Reference) -> Blueprint:
    """How timm builds a network.

    Raises:
        InputError: no such network or weights, or timm is missing.
    """
    timm = _timm(reference)
    base, _, tag = reference.name.partition(".")
    name = _known(reference, timm.list_models(), base) + (f".{tag}" if tag else "")
    config = _timm_config(timm, name)
    options: dict[str, Any] = {}
    if reference.size is not None and config is not None and config.fixed_input_size:
        options["img_size"] = reference.size

    def build(classes: int | None, trained: bool) -> nn.Module:
        if trained and getattr(config, "hf_hub_id", None) and not _timm_weights_are_here(reference):
            check_connection(importlib.import_module("huggingface_hub.constants").ENDPOINT)
        many = {} if classes is None else {"num_classes": classes}
        built: nn.Module = timm.create_model(name, pretrained=trained, **options, **many)
        return built

    def example(model: Any) -> Tensor:
        channels, height, width = model.default_cfg["input_size"]
        return random_images(channels, reference.size or height, reference.size or width)

    values = config.to_dict() if hasattr(config, "to_dict") else {}

    def classes(model: nn.Module) -> Classes:
        outputs = getattr(model, "num_classes", None)
        if not outputs or outputs != values.get("num_classes"):
            return ()
        return imagenet() if outputs == IMAGENET_CLASSES else of_timm(_subset(outputs))

    return Blueprint(
        reference=reference,
        title=f"{name} (timm)",
        build=build,
        example=example,
        arguments=options,
        origin=f"timm's default, {getattr(config, 'tag', None)}" if getattr(config, "tag", None) else "timm's default",
        preprocess=prepared_by_timm(values, reference.size),
        convert=_converted_by_timm,
        classes=classes,
    )


def _converted_by_timm(model: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Tensors by the names of other code as timm renames them for its own."""
    module = importlib.import_module(type(model).__module__)
    found: Mapping[str, Tensor] = module.checkpoint_filter_fn(dict(tensors), model)
    return {name: tensor for name, tensor in found.items() if isinstance(tensor, Tensor)}


def _timm(reference: Reference) -> Any:
    need("timm", excerpt(reference.text))
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise InputError(f"{excerpt(reference.text)} needs timm, which cannot be imported ({error}).") from error


def _timm_config(timm: Any, name: str) -> Any:
    base, _, tag = name.partition(".")
    try:
        return timm.models.get_pretrained_cfg(name)
    except RuntimeError as error:
        raise InputError(
            f"timm knows no weights '{excerpt(tag)}' of {base}: leave out '.{excerpt(tag)}', or name others."
        ) from error


def _timm_weights_are_here(reference: Reference) -> bool:
    """Whether the hub's cache has what timm would fetch."""
    hub, names_of = importlib.import_module("huggingface_hub"), importlib.import_module("huggingface_hub.constants")
    config = _timm_config(_timm(reference), reference.name)
    place = getattr(config, "hf_hub_id", None)
    if not place:
        return False
    names = (
        (config.hf_hub_filename,)
        if config.hf_hub_filename
        else (names_of.SAFETENSORS_SINGLE_FILE, names_of.PYTORCH_WEIGHTS_NAME)
    )
    return any(isinstance(hub.try_to_load_from_cache(place, name), str) for name in names)


def _subset(outputs: int) -> str:
    """Which ImageNet has so many classes, as timm calls it."""
    return {
        11221: "imagenet-21k-miil",
        11821: "imagenet-12k",
        21841: "imagenet-22k",
        21842: "imagenet-22k-ms",
        21843: "imagenet-21k-goog",
    }.get(outputs, "none")


def _outputs(model: nn.Module) -> int:
    """Outputs of the last layer of a torchvision classifier: the last parameter has one number for each."""
    return list(model.parameters())[-1].shape[0]


def _known(reference: Reference, names: Sequence[str], name: str) -> str:
    if name in names:
        return name
    raise unknown_name(reference.kind, name, list(names))
