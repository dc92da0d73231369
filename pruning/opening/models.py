"""Open a traced model by reference: a sample network, the result of a finished run, or a library's network."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pruning.base.digests import weights_digest
from pruning.base.errors import InputError, StorageError
from pruning.catalog.libraries import build_library
from pruning.catalog.references import parse_reference
from pruning.graph.model_graph import ModelGraph
from pruning.removal.apply import shrink
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import Shrinkage
from sample_models import SAMPLES, Sample

MODEL_FILE = "model.safetensors"
STRUCTURE_FILE = "model.json"
STRUCTURE_VERSION = 1


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
    if reference.kind == "run":
        return _open_run(ref, Path(reference.name))
    if reference.kind in ("torchvision", "timm"):
        network = build_library(reference)
        graph = build_graph(network.model, network.example_inputs)
        return _opened(ref, network.title, network.model, graph, None, network.weights)
    if reference.kind == "sample" and reference.name in SAMPLES:
        sample = SAMPLES[reference.name]
        model = sample.load()
        weights = f"trained on {sample.trained_on}"
        return _opened(ref, sample.title, model, build_graph(model, sample.input_shape), sample, weights)
    if reference.kind == "file":
        raise InputError(f"'{ref}' is a Python file, which only inspect and verify take: name another kind of model.")
    known = [f"sample:{name}" for name in SAMPLES]
    near = difflib.get_close_matches(ref, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise InputError(f"There is no model '{ref}'.{hint} Use one of {', '.join(known)}, or run:DIR for a finished run.")


def save_model(folder: Path, root: OpenModel, model: nn.Module, structure: Shrinkage, held_zero: list[str]) -> None:
    """Write a pruned model so that `run:DIR` opens it: weights, and how it differs from its sample network."""
    assert root.sample is not None, "only sample networks have images to run on"
    tensors: dict[str, Tensor] = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / MODEL_FILE)
    description = {
        "version": STRUCTURE_VERSION,
        "sample": root.sample.name,
        "kept": {name: {str(dim): index for dim, index in dims.items()} for name, dims in structure.kept.items()},
        "sizes": [[*place, *amounts] for place, amounts in structure.sizes.items()],
        "pads": {name: list(amounts) for name, amounts in structure.pads.items()},
        "held_zero": held_zero,
    }
    (folder / STRUCTURE_FILE).write_text(json.dumps(description))


def _open_run(ref: str, folder: Path) -> OpenModel:
    if not (folder / MODEL_FILE).is_file() or not (folder / STRUCTURE_FILE).is_file():
        raise InputError(f"{folder} holds no finished run: it has no {MODEL_FILE}. Name the folder of a finished run.")
    try:
        description: dict[str, Any] = json.loads((folder / STRUCTURE_FILE).read_text())
        sample = SAMPLES[description["sample"]]
        structure = Shrinkage(
            kept={
                str(name): {int(dim): [int(i) for i in index] for dim, index in dims.items()}
                for name, dims in description["kept"].items()
            },
            sizes={(str(s[0]), str(s[1]), s[2]): (int(s[3]), int(s[4])) for s in description.get("sizes", [])},
            pads={str(name): (int(a[0]), int(a[1]), int(a[2])) for name, a in description["pads"].items()},
        )
        model = shrink(sample.build(), structure)
        model.load_state_dict(load_file(folder / MODEL_FILE))
        held_zero = tuple(str(name) for name in description["held_zero"])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise StorageError(f"The model in {folder} is damaged ({error}). Run its recipe.yaml again.") from error
    model = model.eval()
    graph = build_graph(model, sample.input_shape)
    title = f"{sample.title} · {folder.name}"
    return _opened(ref, title, model, graph, sample, "of the run", structure, held_zero)


def _opened(
    ref: str,
    title: str,
    model: nn.Module,
    graph: ModelGraph,
    sample: Sample | None,
    weights: str,
    structure: Shrinkage | None = None,
    held_zero: tuple[str, ...] = (),
) -> OpenModel:
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
