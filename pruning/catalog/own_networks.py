"""A network from somebody's Python file: made, asked what it takes, and filled with weights where a file is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from pruning.base.errors import InputError
from pruning.base.files import given_path
from pruning.catalog.building import random_images, seeded
from pruning.catalog.class_names import Classes, as_classes, named_in
from pruning.catalog.first_layer import example_for
from pruning.catalog.guests import guest
from pruning.catalog.model_files import call_factory, on_cpu
from pruning.catalog.network import SEED, Network
from pruning.catalog.preparation import of_module
from pruning.catalog.references import Reference
from pruning.catalog.weights.contents import read_contents
from pruning.catalog.weights.loading import Fit, find_weights, load_weights, other_classes
from pruning.catalog.weights.misfit import few
from pruning.data.preprocess import Preprocess

NAMES = ("class_names", "classes", "categories", "labels", "id2label")
"""Attributes of a module that may hold the names of its classes."""


def open_own(reference: Reference) -> Network:
    """Open `file:PATH.py:FACTORY`.

    Raises:
        InputError: no such file or function, an error in it, a network that cannot be called, or weights that do not
            fit.
    """
    path = given_path(reference.name)
    classes = reference.classes
    model, example, changed = _made(reference, path, classes)
    preprocess = of_module(model, reference.size)
    fit: Fit | None = None
    weights = "; ".join(part for part in (f"as {reference.factory}() makes them, seed {SEED}", changed) if part)
    any_size = example is None and reference.size is None and preprocess is None
    if example is None:
        example = _example(reference, path, model, preprocess)
    if reference.weights is not None:
        file = given_path(reference.weights)
        fit = find_weights(model, read_contents(file), reference.key)
        if fit.classes is not None:
            model, example, classes = _for_classes(reference, path, fit)
            fit = find_weights(model, fit.contents, reference.key)
        words = load_weights(model, fit)
        read = f"{classes:,} classes, as its last layer has" if classes != reference.classes else ""
        weights = "; ".join(part for part in (f"from {file}", read, words, changed) if part)
    text = reference.text
    if classes != reference.classes:
        text = reference.spelled(name=reference.name, weights=reference.weights, classes=classes)
    return Network(
        ref=text,
        title=f"{reference.factory} of {path.name}",
        model=model.eval(),
        example_inputs=example,
        weights=weights,
        preprocess=preprocess,
        any_size=any_size,
        classes=(named_in(fit.values, None) if fit is not None else ()) or _names(model),
    )


def _made(reference: Reference, path: Path, classes: int | None) -> tuple[nn.Module, Any, str]:
    with seeded():
        model, example = call_factory(path, reference.factory, classes=classes)
    if example is not None and reference.size is not None:
        raise InputError(f"{reference.factory}() in {path.name} gives its own example inputs: leave out size=.")
    model, changed = on_cpu(model, f"{reference.factory}() in {path.name}")
    return model, example, changed


def _example(reference: Reference, path: Path, model: nn.Module, preprocess: Preprocess | None) -> Any:
    """Inputs of the size that was asked for, that the network says, or that it takes."""
    size = reference.size or (preprocess.size[0] if preprocess is not None else None)
    with guest(path, None):
        return example_for(model, size, random_images, f"{reference.factory}() in {path.name}")


def _for_classes(reference: Reference, path: Path, fit: Fit) -> tuple[nn.Module, Any, int]:
    """The network for as many classes as the weights have, where its factory can be asked for it."""
    assert fit.classes is not None
    own, there = fit.classes
    if reference.classes is not None:
        raise other_classes(fit, reference.classes)
    try:
        model, example, _ = _made(reference, path, there)
    except InputError as error:
        raise InputError(
            f"The weights in {fit.contents.said} are for {there:,} classes ({few(fit.head)}), and "
            f"{reference.factory}() in {path.name} makes a network for {own:,}: change that, or give the "
            "function an argument classes."
        ) from error
    if example is None:
        example = _example(reference, path, model, of_module(model, reference.size))
    return model, example, there


def _names(model: nn.Module) -> Classes:
    found = (as_classes(getattr(model, name, None), None) for name in NAMES)
    return next((names for names in found if names), ())
