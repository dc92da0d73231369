"""A network from somebody's Python file: made, asked what it takes, and filled with weights where a file is named."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.base.files import given_path
from pruning.catalog.building import random_images
from pruning.catalog.class_names import Classes, as_classes, named_in
from pruning.catalog.drawn import drawn_buffers, drawn_parameters, other_lots
from pruning.catalog.first_layer import called, example_for, first_output
from pruning.catalog.guests import guest
from pruning.catalog.model_files import call_factory, on_cpu
from pruning.catalog.network import SEED, Network
from pruning.catalog.preparation import of_checkpoint, of_module
from pruning.catalog.references import Reference
from pruning.catalog.weights.contents import read_contents
from pruning.catalog.weights.loading import Fit, find_weights, load_weights, other_classes, unloaded_buffers
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
    model, example, changed = _made(reference, path, reference.classes)
    preprocess = of_module(model, reference.size)
    any_size = example is None and reference.size is None and preprocess is None
    if example is None:
        example = _example(reference, path, model, preprocess)
    network = Network(
        ref=reference.text,
        title=f"{reference.factory} of {path.name}",
        model=model.eval(),
        example_inputs=example,
        weights="; ".join(part for part in (f"as {reference.factory}() makes them, seed {SEED}", changed) if part),
        preprocess=preprocess,
        any_size=any_size,
        classes=_names(model),
    )
    if reference.weights is not None:
        network = _filled(network, reference, path, changed)
    else:
        network = _told_untrained(network, reference, path)
    return replace(network, classes=_fitting(network))


def _filled(network: Network, reference: Reference, path: Path, changed: str) -> Network:
    """The network with the weights of a file, made anew where those are for another number of classes."""
    file = given_path(str(reference.weights))
    fit = find_weights(network.model, read_contents(file), reference.key)
    text, read, classes = reference.text, "", reference.classes
    if fit.classes is not None:
        model, example, classes = _for_classes(reference, path, fit)
        network = replace(network, model=model.eval(), example_inputs=example)
        fit = find_weights(model, fit.contents, reference.key)
        text = reference.spelled(name=reference.name, weights=reference.weights, classes=classes)
        read = f"{classes:,} classes, as its last layer has"
    words = load_weights(network.model, fit)
    network = replace(
        network,
        ref=text,
        weights="; ".join(part for part in (f"from {file}", read, words, changed) if part),
        preprocess=network.preprocess or of_checkpoint(fit.values, reference.size),
        classes=named_in(fit.values, None) or network.classes,
        held_zero=fit.held_zero,
    )
    missing = unloaded_buffers(network.model, fit)
    return _told_incomplete(network, reference, path, missing, classes) if missing else network


def _told_untrained(network: Network, reference: Reference, path: Path) -> Network:
    """The network, and what of it is drawn at random, whether it may be trained or is a fixed part: its factory is
    called once more, with other lots, to see that."""
    drawn = _drawn(reference, path, network, reference.classes)
    if drawn is None:
        return replace(network, remarks=(*network.remarks, _untold(reference, path)))
    matrices = {name for name, tensor in network.model.named_parameters() if tensor.dim() > 1}  # biases may begin as 0
    some = f"; {few(drawn)} at random" if drawn and matrices - set(drawn) else ""
    return replace(network, weights=network.weights + some, untrained=bool(drawn))


def _told_incomplete(
    network: Network, reference: Reference, path: Path, missing: set[str], classes: int | None
) -> Network:
    """The network with weights of a file, and whether buffers that the file lacks are drawn at random."""
    drawn = _drawn(reference, path, network, classes, missing)
    if drawn is None:
        return replace(network, remarks=(*network.remarks, _untold(reference, path)))
    random = [name for name in drawn if name in missing]
    some = f"; {few(random)}, which the file lacks, at random" if random else ""
    return replace(network, weights=network.weights + some, untrained=bool(random))


def _untold(reference: Reference, path: Path) -> str:
    return (
        f"Whether {reference.factory}() in {path.name} draws weights at random could not be seen, because it fails "
        "when it is called once more: an accuracy means something only if it loads all of them."
    )


def _fitting(network: Network) -> Classes:
    """Names of classes, where the network has as many outputs."""
    if not network.classes or not isinstance(network.example_inputs, torch.Tensor):
        return network.classes
    try:
        with torch.no_grad():
            outputs = first_output(network.model(network.example_inputs))
    except Exception:  # somebody's code; who traces it says what is wrong
        return network.classes
    fits = isinstance(outputs, torch.Tensor) and outputs.dim() == 2 and outputs.shape[1] == len(network.classes)
    return network.classes if fits else ()


def _made(reference: Reference, path: Path, classes: int | None, seed: int = SEED) -> tuple[nn.Module, Any, str]:
    model, example = call_factory(path, reference.factory, classes=classes, size=reference.size, seed=seed)
    if example is not None and reference.size is not None:
        raise InputError(f"{reference.factory}() in {path.name} gives its own example inputs: leave out size=.")
    model, changed = on_cpu(model, f"{reference.factory}() in {path.name}")
    return model, example, changed


def _drawn(
    reference: Reference, path: Path, network: Network, classes: int | None, buffers: set[str] | None = None
) -> list[str] | None:
    """Parameters, and buffers that matter, that are others when the factory is called with other lots: nobody has
    trained them. None where it fails. `buffers`: the only ones that count."""
    model = network.model

    def answer(module: nn.Module) -> Any:
        with guest(path, None):
            return called(module, network.example_inputs)

    for lots in (other_lots(), contextlib.nullcontext()):
        try:
            with lots:
                twin, example, _ = _made(reference, path, classes, SEED + 1)
            if example is None:
                _example(reference, path, twin, None, SEED + 1)  # some layers take their shapes from the first input
        except InputError:
            continue
        return [*drawn_parameters(model, twin), *drawn_buffers(model, twin, answer, buffers)]
    return None


def _example(
    reference: Reference, path: Path, model: nn.Module, preprocess: Preprocess | None, seed: int = SEED
) -> Any:
    """Inputs of the size that was asked for, that the network says, or that it takes."""
    size = reference.size or (preprocess.size[0] if preprocess is not None else None)
    with guest(path, None, seed):
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
