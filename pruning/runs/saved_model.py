"""The model in a run's folder: how it is written, and `run:DIR`, which opens it again.

Importing this module adds `run:` to the openers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pruning.base import safe_json
from pruning.base.errors import InputError, StorageError, first_line
from pruning.base.fields import Fields, shown
from pruning.base.remembered import Remembered
from pruning.catalog.references import Reference
from pruning.opening.models import OPENERS, OpenModel, opened_model
from pruning.removal.apply import shrink
from pruning.removal.build import build_graph
from pruning.removal.shrinkage import Shrinkage
from pruning.runs.files import MODEL, STRUCTURE
from sample_models import SAMPLES, Sample

STRUCTURE_VERSION = 1
AGAIN = "Run its recipe again."


@dataclass(frozen=True, kw_only=True)
class Structure:
    """How a saved model differs from the sample network it came from."""

    sample: Sample
    shrinkage: Shrinkage
    held_zero: tuple[str, ...]
    """Weights whose zeros were pruned and stay zero when it is trained on."""


def save_model(folder: Path, root: OpenModel, model: nn.Module, structure: Shrinkage, held_zero: list[str]) -> None:
    """Write a pruned model so that `run:DIR` opens it: weights, and how it differs from its sample network."""
    assert root.sample is not None, "only sample networks have images to run on"
    tensors: dict[str, Tensor] = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / MODEL)
    description = {
        "version": STRUCTURE_VERSION,
        "sample": root.sample.name,
        "kept": {name: {str(dim): index for dim, index in dims.items()} for name, dims in structure.kept.items()},
        "sizes": [[*place, *amounts] for place, amounts in structure.sizes.items()],
        "pads": {name: list(amounts) for name, amounts in structure.pads.items()},
        "held_zero": held_zero,
    }
    (folder / STRUCTURE).write_text(json.dumps(description))


def read_structure(folder: Path) -> Structure:
    """How the model in a run's folder differs from its sample network.

    Raises:
        StorageError: the file is absent, damaged, or of a later version of the explorer.
    """
    fields = _read_fields(folder / STRUCTURE)
    version = fields.whole("version", 1) if "version" in fields else 1
    if version > STRUCTURE_VERSION:
        raise StorageError(
            f"The model in {folder} was written by a later version of the explorer ({fields.where} has version "
            f"{version}, and this explorer reads up to {STRUCTURE_VERSION}): open it with that one."
        )
    sizes = dict(fields.items()).get("sizes", [])  # absent in the first files
    try:
        return Structure(
            sample=SAMPLES[fields.text("sample")],
            shrinkage=Shrinkage(
                kept={
                    name: {int(dim): [_whole(i) for i in index] for dim, index in dims.items()}
                    for name, dims in fields.part("kept").items()
                },
                sizes={
                    (str(s[0]), str(s[1]), None if s[2] is None else _whole(s[2])): (_whole(s[3]), _whole(s[4]))
                    for s in sizes
                },
                pads={name: (_whole(a[0]), _whole(a[1]), _whole(a[2])) for name, a in fields.part("pads").items()},
            ),
            held_zero=fields.texts("held_zero"),
        )
    except (StorageError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise StorageError(f"The model in {folder} is damaged ({first_line(error)}). {AGAIN}") from error


def read_origin(folder: Path) -> str:
    """Name of the sample network that the model in a run's folder came from. Read again only where the file changed.

    Raises:
        StorageError: the file is absent or damaged.
    """
    return _ORIGINS(folder / STRUCTURE)


def model_stamp(folder: Path) -> tuple[int, ...]:
    """When the model's files were written, and their sizes: one made anew under its old name is another network."""
    found = []
    for name in (MODEL, STRUCTURE):
        try:
            status = (folder / name).stat()
        except (OSError, ValueError):
            continue
        found += [status.st_mtime_ns, status.st_size]
    return tuple(found)


def open_run(reference: Reference) -> OpenModel:
    """Open the model that a finished run led to.

    Raises:
        InputError: the folder holds no finished run.
        StorageError: its files are damaged.
    """
    folder = Path(reference.name)
    if not (folder / MODEL).is_file() or not (folder / STRUCTURE).is_file():
        raise InputError(f"{folder} holds no finished run: it has no {MODEL}. Name the folder of a finished run.")
    structure = read_structure(folder)
    sample = structure.sample
    try:
        model = shrink(sample.build(), structure.shrinkage)
        model.load_state_dict(load_file(folder / MODEL))
        graph = build_graph(model.eval(), sample.input_shape)
    except Exception as error:  # sizes and indices that are none raise nearly anything on their way through torch
        raise StorageError(f"The model in {folder} is damaged ({first_line(error)}). {AGAIN}") from error
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise StorageError(f"The model in {folder} is damaged ({name} holds NaN or infinity). {AGAIN}")
    return opened_model(
        reference.text,
        f"{sample.title} · {folder.name}",
        model,
        graph,
        sample,
        "of the run",
        structure.shrinkage,
        structure.held_zero,
    )


def _read_fields(path: Path) -> Fields:
    values = safe_json.read_object(path)
    if values is None:
        raise StorageError(f"The model in {path.parent} is damaged (it has no {path.name}). {AGAIN}")
    return Fields(values, path.name)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{shown(value)} stands where a whole number should")
    return value


_ORIGINS = Remembered(lambda path: _read_fields(path).text("sample"), most=5000)
OPENERS["run"] = open_run
