"""Open a traced model by reference: a sample network, the result of a finished run, or a library's network."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from pruning.base.digests import weights_digest
from pruning.base.errors import InputError
from pruning.catalog.libraries import build_library
from pruning.catalog.references import Kind, Reference, parse_reference
from pruning.graph.model_graph import ModelGraph
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import Shrinkage
from sample_models import SAMPLES, Sample


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenModel:
    """A model and what is known about it. `model` is shared: copy it before changing anything."""

    ref: str
    title: str
    model: nn.Module
    """In eval mode, float32."""
    graph: ModelGraph
    weights: str
    """Where they come from, such as 'trained on mnist' or 'random, seed 0'."""
    sample: Sample | None
    """The sample network it is, or came from; None for a library's network, which has no images to be measured on."""
    data: tuple[str, ...]
    """Data sets it can be measured on, the default first; empty for a library's network."""
    digest: str
    """SHA-256 of all weights."""
    structure: Shrinkage
    """How it is smaller than its sample network; empty for a sample itself."""
    held_zero: tuple[str, ...]
    """Weights whose zeros were pruned and stay zero when it is trained on."""


def open_model(ref: str) -> OpenModel:
    """Open a `sample:`, `run:`, `torchvision:` or `timm:` reference, and find its channel groups.

    Raises:
        InputError: no such model, a library's network that cannot be built or traced, or a Python file (for that
            there is `pruning.opening.networks.open_network`).
        StorageError: the run is unfinished or its files are damaged.
    """
    reference = parse_reference(ref)
    opener = OPENERS.get(reference.kind)
    if opener is None:
        raise InputError(_NOT_HERE[reference.kind].format(ref=ref))
    return opener(reference)


def _open_sample(reference: Reference) -> OpenModel:
    if reference.name not in SAMPLES:
        known = [f"sample:{name}" for name in SAMPLES]
        near = difflib.get_close_matches(reference.text, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(
            f"There is no model '{reference.text}'.{hint} Use one of {', '.join(known)}, or run:DIR for a finished run."
        )
    sample = SAMPLES[reference.name]
    model = sample.load()
    weights = f"trained on {sample.trained_on}"
    return opened_model(reference.text, sample.title, model, build_graph(model, sample.input_shape), sample, weights)


def _open_library(reference: Reference) -> OpenModel:
    network = build_library(reference)
    graph = build_graph(network.model, network.example_inputs)
    return opened_model(reference.text, network.title, network.model, graph, None, network.weights)


OPENERS: dict[Kind, Callable[[Reference], OpenModel]] = {
    "sample": _open_sample,
    "torchvision": _open_library,
    "timm": _open_library,
}
"""Kind of reference → what opens it. `pruning.runs` adds `run`."""
_NOT_HERE: dict[Kind, str] = {
    "file": "'{ref}' is a Python file, which only inspect and verify take: name another kind of model.",
    "run": "'{ref}' is the model of a run, which only pruning.runs opens: import it first.",
}


def opened_model(
    ref: str,
    title: str,
    model: nn.Module,
    graph: ModelGraph,
    sample: Sample | None,
    weights: str,
    structure: Shrinkage | None = None,
    held_zero: tuple[str, ...] = (),
) -> OpenModel:
    """What an opener gives: the model with its digest and the data sets it can be measured on."""
    return OpenModel(
        ref=ref,
        title=title,
        model=model,
        graph=graph,
        weights=weights,
        sample=sample,
        data=_data_for(sample),
        digest=weights_digest(model),
        structure=structure or Shrinkage(),
        held_zero=held_zero,
    )


def _data_for(sample: Sample | None) -> tuple[str, ...]:
    if sample is None:
        return ()
    return ("mnist5k", "mnist") if sample.trained_on == "mnist" else (sample.trained_on,)
