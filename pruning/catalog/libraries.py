"""Networks of torchvision and timm by name, with random weights or the library's own, and example inputs."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import urllib.parse
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, excerpt, first_line
from pruning.base.extras import need
from pruning.base.files import given_path
from pruning.catalog.network import RANDOM, SEED, Network
from pruning.catalog.references import Reference
from pruning.catalog.state_files import load_state_file

FRAMES = 16
"""Of an example video, where the network does not say how many it needs."""


def finished(
    reference: Reference, title: str, model: nn.Module, example: Any, weights: str, untrained: bool = False
) -> Network:
    """A built model as a network: with the weights of a file, where the reference names one, and in eval mode."""
    if reference.weights not in (None, "default"):
        path = given_path(reference.weights)
        load_state_file(model, path)
        weights, untrained = f"from {path}", False
    return Network(
        ref=reference.text,
        title=title,
        model=model.eval(),
        example_inputs=example,
        weights=weights,
        untrained=untrained,
    )


@contextlib.contextmanager
def seeded() -> Iterator[None]:
    """The same random weights each time, without touching the caller's random state; no warnings."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(SEED)
        yield


def random_images(*shape: int) -> Tensor:
    """A batch of two samples of that shape, the same each time."""
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(SEED))


def default_weights_are_here(reference: Reference) -> bool:
    """Whether the library's default weights need no fetching; False for timm, which keeps them in places of its own."""
    entry = _default_entry(reference)
    if entry is None:
        return False
    file = Path(urllib.parse.urlparse(entry.url).path).name
    return (Path(torch.hub.get_dir()) / "checkpoints" / file).is_file()


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


def build_torchvision(reference: Reference) -> Network:
    """Build a network of torchvision.

    Raises:
        InputError: no such network, a size it cannot have, or weights that cannot be fetched.
    """
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
    entry = _default_entry(reference)
    if reference.weights == "default" and entry is None:
        raise InputError(f"torchvision has no trained weights for {name}: leave out weights=default.")
    options: dict[str, Any] = {"weights": entry if reference.weights == "default" else None, "progress": False}
    if family == "segmentation":
        options["weights_backbone"] = None  # else those would be downloaded
    if reference.size is not None and family == "vision_transformer":
        options["image_size"] = reference.size
    if reference.size is not None and family == "maxvit":
        options["input_size"] = (reference.size, reference.size)
    shape = _shape_of_images(entry, family, reference.size)
    origin = f"torchvision's default, {entry.name}" if entry is not None else ""
    return _built(reference, name, lambda: builder(**options), lambda _: random_images(*shape), origin)


def _shape_of_images(entry: Any, family: str, size: int | None) -> tuple[int, ...]:
    """Shape of an image or video that a torchvision network was trained for, from the transforms of its weights."""
    settings = getattr(entry.transforms, "keywords", {}) if entry is not None else {}
    own = settings.get("crop_size") or settings.get("resize_size") or 224
    sides = (own, own) if isinstance(own, int) else tuple(own) if len(own) == 2 else (own[0], own[0])
    sides = sides if size is None else (size, size)
    frames = max(FRAMES, entry.meta.get("min_temporal_size", 0)) if entry is not None else FRAMES
    return (3, frames, *sides) if family == "video" else (3, *sides)


def build_timm(reference: Reference) -> Network:
    """Build a network of timm.

    Raises:
        InputError: no such network, a size it cannot have, weights that cannot be fetched, or timm is missing.
    """
    need("timm", excerpt(reference.text))
    try:
        timm = importlib.import_module("timm")
    except ImportError as error:
        raise InputError(f"{excerpt(reference.text)} needs timm, which cannot be imported ({error}).") from error
    base, _, tag = reference.name.partition(".")
    name = _known(reference, timm.list_models(), base) + (f".{tag}" if tag else "")
    try:
        config = timm.models.get_pretrained_cfg(name)
    except RuntimeError as error:
        raise InputError(
            f"timm knows no weights '{excerpt(tag)}' of {base}: leave out '.{excerpt(tag)}', or name others."
        ) from error
    options: dict[str, Any] = {"pretrained": reference.weights == "default"}
    if reference.size is not None and config is not None and config.fixed_input_size:
        options["img_size"] = reference.size

    def example(model: Any) -> Tensor:
        channels, height, width = model.default_cfg["input_size"]
        return random_images(channels, reference.size or height, reference.size or width)

    return _built(reference, name, lambda: timm.create_model(name, **options), example, "timm's default")


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
        with seeded():
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
    return finished(reference, title, model, example(model), origin if trained else RANDOM, untrained=not trained)


def _known(reference: Reference, names: Sequence[str], name: str | None = None) -> str:
    name = name or reference.name
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    raise InputError(
        f"{reference.kind} has no model '{excerpt(name)}'. Did you mean '{reference.kind}:{near[0]}'? "
        f'All {len(names)} names: python -c "import {reference.kind}; print({_LISTS[reference.kind]})".'
    )


_LISTS = {"torchvision": "torchvision.models.list_models()", "timm": "timm.list_models()"}
