"""Open any network by reference, with example inputs and a word on where its weights come from."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruning.catalog.model_files import call_factory
from pruning.catalog.models import open_model
from pruning.catalog.references import Reference, parse_reference
from pruning.catalog.state_files import load_state_file
from pruning.errors import InputError, first_line

SEED = 0
RANDOM = f"random, seed {SEED}"
FRAMES = 16
"""Of an example video, where the network does not say how many it needs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A network to remove channels from."""

    ref: str
    title: str
    model: nn.Module
    """In eval mode."""
    example_inputs: Any
    """A tensor, a tuple of arguments or a dict of keyword arguments."""
    weights: str
    """Where they come from, such as 'random, seed 0'."""


def open_network(ref: str) -> Network:
    """Open a `sample:`, `run:`, `torchvision:`, `timm:` or `file:` reference (see `pruning.catalog.references`).

    Weights are random unless the reference says otherwise; what it asks for is never replaced by something else.

    Raises:
        InputError: no such model, file or option, weights that do not fit or cannot be fetched, timm is missing.
        StorageError: a run is unfinished or damaged.
    """
    reference = parse_reference(ref)
    return OPENERS[reference.kind](reference)


def _trained(reference: Reference) -> Network:
    opened = open_model(reference.text)
    run = reference.kind == "run"
    return Network(
        ref=reference.text,
        title=opened.title,
        model=opened.model,
        example_inputs=_random(*opened.sample.input_shape),
        weights="of the run" if run else f"trained on {opened.sample.trained_on}",
    )


def _torchvision(reference: Reference) -> Network:
    models = importlib.import_module("torchvision.models")
    name = _known(reference, models.list_models())
    builder = models.get_model_builder(name)
    family = builder.__module__.removeprefix("torchvision.models.").partition(".")[0]
    if family in ("detection", "optical_flow"):
        takes = "a list of images" if family == "detection" else "two images"
        raise InputError(
            f"torchvision:{name} takes {takes}, so removal cannot follow it as a whole: use file:PATH.py:FACTORY with "
            "a function that returns (model, example_inputs), for a detector its backbone."
        )
    entries = list(models.get_model_weights(name))
    if reference.weights == "default" and not entries:
        raise InputError(f"torchvision has no trained weights for {name}: leave out weights=default.")
    entry = models.get_model_weights(name).DEFAULT if entries else None
    options: dict[str, Any] = {"weights": entry if reference.weights == "default" else None, "progress": False}
    if family == "segmentation":
        options["weights_backbone"] = None  # else those would be downloaded
    if reference.size is not None and family == "vision_transformer":
        options["image_size"] = reference.size
    if reference.size is not None and family == "maxvit":
        options["input_size"] = (reference.size, reference.size)
    shape = _shape_of_images(entry, family, reference.size)
    origin = f"torchvision's default, {entry.name}" if entry is not None else ""
    return _built(reference, name, lambda: builder(**options), lambda _: _random(*shape), origin)


def _shape_of_images(entry: Any, family: str, size: int | None) -> tuple[int, ...]:
    """Shape of an image or video that a torchvision network was trained for, from the transforms of its weights."""
    settings = getattr(entry.transforms, "keywords", {}) if entry is not None else {}
    own = settings.get("crop_size") or settings.get("resize_size") or 224
    sides = (own, own) if isinstance(own, int) else tuple(own) if len(own) == 2 else (own[0], own[0])
    sides = sides if size is None else (size, size)
    frames = max(FRAMES, entry.meta.get("min_temporal_size", 0)) if entry is not None else FRAMES
    return (3, frames, *sides) if family == "video" else (3, *sides)


def _timm(reference: Reference) -> Network:
    try:
        timm = importlib.import_module("timm")
    except ImportError as error:
        raise InputError(
            f"{reference.text} needs timm, which cannot be imported ({error}): pip install timm."
        ) from error
    base, _, tag = reference.name.partition(".")
    name = _known(reference, timm.list_models(), base) + (f".{tag}" if tag else "")
    try:
        config = timm.models.get_pretrained_cfg(name)
    except RuntimeError as error:
        raise InputError(f"timm knows no weights '{tag}' of {base}: leave out '.{tag}', or name others.") from error
    options: dict[str, Any] = {"pretrained": reference.weights == "default"}
    if reference.size is not None and config is not None and config.fixed_input_size:
        options["img_size"] = reference.size

    def example(model: Any) -> Tensor:
        channels, height, width = model.default_cfg["input_size"]
        return _random(channels, reference.size or height, reference.size or width)

    return _built(reference, name, lambda: timm.create_model(name, **options), example, "timm's default")


def _file(reference: Reference) -> Network:
    path = Path(reference.name).expanduser()
    if reference.weights == "default":
        raise InputError(
            f"{reference.text} has no default weights: load them in {reference.factory}(), or name a file."
        )
    with _seeded():
        model, example = call_factory(path, reference.factory)
    if example is not None and reference.size is not None:
        raise InputError(f"{reference.factory}() in {path.name} gives its own example inputs: leave out size=.")
    if example is None:
        dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
        example = _random(3, reference.size or 224, reference.size or 224).to(dtype)
    weights = f"as {reference.factory}() makes them, seed {SEED}"
    return _finished(reference, f"{reference.factory} of {path.name}", model, example, weights)


def _built(
    reference: Reference,
    name: str,
    build: Callable[[], nn.Module],
    example: Callable[[nn.Module], Tensor],
    origin: str,
) -> Network:
    """A network of a library; `origin` says what its default weights are."""
    trained = reference.weights == "default"
    try:
        with _seeded():
            model = build()
    except Exception as error:  # a library's own errors, and those of whatever it downloads with
        if trained:
            raise InputError(
                f"The default weights of {reference.kind}:{name} could not be fetched ({first_line(error)}): check the "
                "connection, give weights=FILE, or leave weights= out for random ones."
            ) from error
        size = f" with images of {reference.size} pixels" if reference.size else ""
        raise InputError(f"{reference.kind} cannot build {name}{size} ({first_line(error)}).") from error
    title = f"{name} ({reference.kind})"
    return _finished(reference, title, model, example(model), origin if trained else RANDOM)


def _finished(reference: Reference, title: str, model: nn.Module, example: Any, weights: str) -> Network:
    if reference.weights not in (None, "default"):
        path = Path(reference.weights).expanduser()
        load_state_file(model, path)
        weights = f"from {path}"
    return Network(ref=reference.text, title=title, model=model.eval(), example_inputs=example, weights=weights)


def _known(reference: Reference, names: Sequence[str], name: str | None = None) -> str:
    name = name or reference.name
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    raise InputError(
        f"{reference.kind} has no model '{name}'. Did you mean '{reference.kind}:{near[0]}'? "
        f'All {len(names)} names: python -c "import {reference.kind}; print({_LISTS[reference.kind]})".'
    )


_LISTS = {"torchvision": "torchvision.models.list_models()", "timm": "timm.list_models()"}


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
    """The same random weights each time, without touching the caller's random state; no warnings."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(SEED)
        yield


def _random(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(SEED))


OPENERS: dict[str, Callable[[Reference], Network]] = {
    "sample": _trained,
    "run": _trained,
    "torchvision": _torchvision,
    "timm": _timm,
    "file": _file,
}
