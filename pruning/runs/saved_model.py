"""The model in a run's folder: how it is written, and how `pruning.runs.opener` opens it again.

It is the network that the run began with, by reference, and what became of its shapes: so the code that builds it need
not be kept.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from pruning.base import safe_json
from pruning.base.clone import apart
from pruning.base.errors import InputError, PruningError, StorageError, excerpt, first_line
from pruning.base.fields import Fields, shown
from pruning.base.held import Place
from pruning.base.remembered import Remembered
from pruning.catalog.network import Network
from pruning.catalog.openers import open_bare, parse_reference
from pruning.catalog.references import Reference
from pruning.catalog.shrinkage import Shrinkage
from pruning.data.preprocess import Preprocess
from pruning.fitting import at_shape
from pruning.graph.inputs import Inputs
from pruning.removal.apply import shrink
from pruning.runs.files import MODEL, STRUCTURE
from pruning.runs.held import changed, changed_network

STRUCTURE_VERSION = 2
"""1 named a sample network where 2 has the reference of any network. What only runs with
one's own images have may be absent."""
AGAIN = "Run its recipe again."


@dataclass(frozen=True, kw_only=True)
class Structure:
    """How a saved model differs from the network that it came from."""

    root: str
    """Reference of that network."""
    data: tuple[str, ...] = ()
    """References of the data sets that it is known to answer to: that of its own run first."""
    preprocess: Preprocess | None = None
    """How the images of its own run were prepared; None where they are as they are."""
    classes: tuple[tuple[str, ...], ...] = ()
    """Of each output the names of its class; empty where they are those of the data set, or not known."""
    shape: tuple[int, ...] = ()
    """Of one image, where the root does not say which it takes; empty where it does."""
    untrained: bool = False
    """Whether its weights are as random as its root's."""
    shrinkage: Shrinkage
    held_zero: tuple[str, ...]
    """Weights whose zeros were pruned and stay zero when it is trained on."""


def save_model(folder: Path, model: nn.Module, structure: Structure) -> None:
    """Write a pruned model so that `run:RUN` opens it: weights, and how it differs from its root."""
    save_file(apart(model.state_dict()), folder / MODEL)
    (folder / STRUCTURE).write_text(json.dumps(structure_values(structure)))


def structure_values(structure: Structure) -> dict[str, Any]:
    """JSON-ready."""
    what = structure.shrinkage
    return {
        "version": STRUCTURE_VERSION,
        "root": structure.root,
        "data": list(structure.data),
        "untrained": structure.untrained,
        **({} if structure.preprocess is None else {"preprocess": structure.preprocess.to_values()}),
        **({"classes": [list(names) for names in structure.classes]} if structure.classes else {}),
        **({"shape": list(structure.shape)} if structure.shape else {}),
        "kept": {name: {str(dim): index for dim, index in dims.items()} for name, dims in what.kept.items()},
        "sizes": [[*place, *amounts] for place, amounts in what.sizes.items()],
        "pads": {name: list(amounts) for name, amounts in what.pads.items()},
        "held_zero": list(structure.held_zero),
    }


def read_structure(folder: Path) -> Structure:
    """How the model in a run's folder differs from its root.

    Raises:
        StorageError: the file is absent, damaged, or of a later version of the explorer.
    """
    return structure_of(_read_fields(folder / STRUCTURE), f"The model in {folder}")


def structure_of(fields: Fields, whose: str) -> Structure:
    """The inverse of `structure_values`. `whose`: how a sentence calls what holds it.

    Raises:
        StorageError: it is damaged.
    """
    sizes = dict(fields.items()).get("sizes", [])  # absent in the first files
    try:
        return Structure(
            root=_root(fields),
            data=fields.texts("data") if "data" in fields else (),
            untrained=fields.truth("untrained") if "untrained" in fields else False,
            preprocess=_preprocess(fields),
            classes=_classes(fields),
            shape=fields.wholes("shape", 1) if "shape" in fields else (),
            shrinkage=Shrinkage(
                kept={
                    name: {int(dim): [_whole(i) for i in index] for dim, index in dims.items()}
                    for name, dims in fields.part("kept").items()
                },
                sizes={(str(s[0]), str(s[1]), _place(s[2])): (_whole(s[3]), _whole(s[4])) for s in sizes},
                pads={name: (_whole(a[0]), _whole(a[1]), _whole(a[2])) for name, a in fields.part("pads").items()},
            ),
            held_zero=fields.texts("held_zero"),
        )
    except (StorageError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise StorageError(f"{whose} is damaged ({first_line(error)}). {AGAIN}") from error


def read_origin(folder: Path) -> str:
    """Reference of the network that the model in a run's folder came from. Read again only where the file changed.

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


def model_bytes(folder: Path) -> int:
    """Size of the model's weights in a run's folder; 0 where there are none."""
    try:
        return (folder / MODEL).stat().st_size
    except (OSError, ValueError):
        return 0


def open_run(reference: Reference) -> Network:
    """Open the model that a finished run led to.

    Raises:
        InputError: the folder holds no finished run.
        StorageError: its files are damaged, or the network that it came from cannot be opened any more.
    """
    folder = Path(reference.name)
    if not all(os.path.isfile(folder / name) for name in (MODEL, STRUCTURE)):  # false for what is no path at all
        raise InputError(
            f"{excerpt(str(folder), 200)} holds no finished run: it has no {MODEL}. Name the folder of a finished run."
        )
    structure = read_structure(folder)
    try:
        if parse_reference(structure.root).kind == reference.kind:
            raise StorageError(f"The model in {folder} is damaged (it came from {excerpt(structure.root)}). {AGAIN}")
        root = open_bare(structure.root)
        root = at_shape(root, structure.shape) if structure.shape else root
    except PruningError as error:
        raise StorageError(
            f"The model in {folder} is damaged, or the network it came from is gone ({excerpt(structure.root)}): "
            f"{error}"
        ) from error
    try:
        model = shrink(root.model, structure.shrinkage)
        model.load_state_dict(load_file(folder / MODEL))
        with torch.no_grad():
            Inputs.of(root.example_inputs).call(model.eval())
    except Exception as error:  # sizes and indices that are none raise nearly anything on their way through torch
        said = changed_network(folder)
        if said:
            raise StorageError(f"The model in {folder} cannot be built any more: {said[0]}") from error
        raise StorageError(f"The model in {folder} is damaged ({first_line(error)}). {AGAIN}") from error
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise StorageError(f"The model in {folder} is damaged ({name} holds NaN or infinity). {AGAIN}")
    return Network(
        ref=reference.text,
        title=f"{root.title} · {folder.name}",
        model=model.eval(),
        example_inputs=root.example_inputs,
        weights="of the run",
        untrained=structure.untrained,
        data=tuple(dict.fromkeys((*structure.data, *root.data))),
        preprocess=structure.preprocess or root.preprocess,
        classes=root.classes or structure.classes,
        any_size=root.any_size and not structure.shape,
        remarks=changed(folder),
        root=structure.root,
        structure=structure.shrinkage,
        held_zero=structure.held_zero,
        story=root.story,
        provenance=root.provenance,
    )


def _read_fields(path: Path) -> Fields:
    values = safe_json.read_object(path)
    if values is None:
        raise StorageError(f"The model in {path.parent} is damaged (it has no {path.name}). {AGAIN}")
    fields = Fields(values, path.name)
    version = fields.whole("version", 1) if "version" in fields else 1
    if version > STRUCTURE_VERSION:
        raise StorageError(
            f"The model in {path.parent} was written by a later version of the explorer ({path.name} has version "
            f"{version}, and this explorer reads up to {STRUCTURE_VERSION}): open it with that one."
        )
    return fields


def _preprocess(fields: Fields) -> Preprocess | None:
    if "preprocess" not in fields:
        return None
    return Preprocess.from_values(dict(fields.part("preprocess").items()), fields.where)


def _classes(fields: Fields) -> tuple[tuple[str, ...], ...]:
    if "classes" not in fields:
        return ()
    named = dict(fields.items())["classes"]
    return tuple(tuple(str(name) for name in names) for names in named)


def _root(fields: Fields) -> str:
    return fields.text("root") if "root" in fields else f"sample:{fields.text('sample')}"


def _place(value: object) -> Place:
    """Where in an attribute a number stands; the first files have one number or nothing."""
    steps = [] if value is None else value if isinstance(value, list) else [value]
    return tuple(step if isinstance(step, str) else _whole(step) for step in steps)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{shown(value)} stands where a whole number should")
    return value


_ORIGINS = Remembered(lambda path: _root(_read_fields(path)), most=5000)
