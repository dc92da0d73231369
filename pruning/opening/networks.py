"""Open any network by reference, with example inputs and a word on where its weights come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from pruning.base.errors import InputError
from pruning.catalog.libraries import SEED, Network, build_library, finished, random_images, seeded
from pruning.catalog.model_files import call_factory
from pruning.catalog.references import Reference, parse_reference
from pruning.opening.models import open_model


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
    return Network(
        ref=reference.text,
        title=opened.title,
        model=opened.model,
        example_inputs=random_images(*opened.graph.example_shape),
        weights=opened.weights,
    )


def _file(reference: Reference) -> Network:
    path = Path(reference.name).expanduser()
    if reference.weights == "default":
        raise InputError(
            f"{reference.text} has no default weights: load them in {reference.factory}(), or name a file."
        )
    with seeded():
        model, example = call_factory(path, reference.factory)
    if example is not None and reference.size is not None:
        raise InputError(f"{reference.factory}() in {path.name} gives its own example inputs: leave out size=.")
    if example is None:
        dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
        example = random_images(3, reference.size or 224, reference.size or 224).to(dtype)
    weights = f"as {reference.factory}() makes them, seed {SEED}"
    return finished(reference, f"{reference.factory} of {path.name}", model, example, weights)


OPENERS: dict[str, Callable[[Reference], Network]] = {
    "sample": _trained,
    "run": _trained,
    "torchvision": build_library,
    "timm": build_library,
    "file": _file,
}
