"""What a bundle keeps so that the explorer opens it again as a run: `run.json`, beside the weights.

    config.json          names the weights' file, and which of them are shared
    run.json             how the network differs from the unpruned one, and the result of its run
    model.safetensors    the weights, what is shared once

Only these are read: no code of a bundle is run, and no program of it is opened. A bundle may come from anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pruning.base import safe_json
from pruning.base.errors import InputError, StorageError, excerpt, first_line
from pruning.base.fields import Fields
from pruning.data.readers import without_path
from pruning.runs.recipe import Recipe
from pruning.runs.result import Result
from pruning.runs.result_json import from_values, to_values
from pruning.runs.run import Run
from pruning.runs.saved_model import Structure, read_structure, structure_of, structure_values

FORMAT = "pruning-explorer-bundle"
VERSION = 1
CONFIG, RUN = "config.json", "run.json"
LARGEST_CONFIG, LARGEST_RUN = 64_000_000, 80_000_000
"""Bytes."""


@dataclass(frozen=True, kw_only=True)
class Bundled:
    """A bundle of a run."""

    folder: Path
    name: str
    """Of the run that it was made of."""
    created: str
    """When that was, as ISO 8601 has it."""
    structure: Structure
    """Its root is named without folders: a Python file stands for one of that name."""
    result: Result
    weights: Path
    shared: tuple[tuple[str, str, bool], ...]
    """(name of a tensor in the file, name of another that is the same, whether that is its transpose)."""

    @property
    def recipe(self) -> Recipe:
        """That of its run, without folders."""
        return self.result.recipe

    def tensors(self) -> dict[str, Tensor]:
        """All its weights by name, what is shared under each of its names.

        Raises:
            StorageError: the file is damaged.
        """
        try:
            found = load_file(self.weights)
        except (SafetensorError, OSError, ValueError) as error:
            raise StorageError(f"{self.weights.name} of the bundle is damaged ({first_line(error)}).") from error
        for first, other, transposed in self.shared:
            if first in found and other not in found:
                found[other] = found[first].t() if transposed else found[first]
        return found


def run_values(run: Run, model_name: Mapping[str, str]) -> dict[str, Any]:
    """What `run.json` of a finished run's bundle says, without folders of this machine.

    `model_name`: each reference of a network in it → the same without a folder.

    Raises:
        StorageError: its files are damaged.
    """
    result = run.result
    assert result is not None, f"{run.name} is not finished"
    structure = read_structure(run.path)
    data = result.data
    shared = replace(
        result,
        recipe=replace(result.recipe, model=model_name[result.recipe.model], data=without_path(result.recipe.data)),
        model=model_name[result.model],
        data=None if data is None else replace(data, name=without_path(data.name), source=_without_folder(data.source)),
    )
    portable = replace(
        structure, root=model_name[structure.root], data=tuple(without_path(name) for name in structure.data)
    )
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": run.name,
        "created": run.created.isoformat(),
        "structure": structure_values(portable),
        "result": to_values(shared),
    }


def _without_folder(source: str) -> str:
    return Path(source).name if Path(source).is_absolute() else source


def references_of(run: Run) -> tuple[str, ...]:
    """All references of networks that `run_values` names."""
    result = run.result
    assert result is not None, f"{run.name} is not finished"
    return result.recipe.model, result.model, read_structure(run.path).root


def read_bundled(folder: Path) -> Bundled:
    """What a folder that was unpacked from a bundle holds.

    Raises:
        InputError: it is no bundle, or none of a run.
        StorageError: it is damaged, or of a later version of the explorer.
    """
    config = safe_json.read_object(folder / CONFIG, most_bytes=LARGEST_CONFIG)
    if config is None or config.get("format") != FORMAT:
        raise InputError(f"{excerpt(folder.name)} is no bundle: it has no {CONFIG} of one.")
    record = safe_json.read_object(folder / RUN, most_bytes=LARGEST_RUN)
    if record is None:
        raise InputError(
            f"{excerpt(folder.name)} is no bundle of a run: it has no {RUN}, as those of networks that live in a "
            "process alone."
        )
    fields = Fields(record, RUN)
    for where, values in ((CONFIG, Fields(config, CONFIG)), (RUN, fields)):
        if values.whole("version", 1) > VERSION:
            raise StorageError(f"{where} of the bundle is of a later version of the explorer: open it with that one.")
    weights = Fields(config, CONFIG).text("weights") if "weights" in config else ""
    if not weights or Path(weights).name != weights or not (folder / weights).is_file():
        raise InputError("The bundle holds no weights: it was made without that form, or its files were torn apart.")
    return Bundled(
        folder=folder,
        name=fields.text("name"),
        created=fields.moment("created").isoformat(),
        structure=structure_of(fields.part("structure"), "The bundle"),
        result=from_values(dict(fields.part("result").items()), RUN),
        weights=folder / weights,
        shared=tuple(_shared(Fields(config, CONFIG))),
    )


def _shared(fields: Fields) -> Iterator[tuple[str, str, bool]]:
    difference = fields.part("difference")
    known = dict(difference.items())
    try:
        for first, *others in known.get("tied", []):
            yield from ((str(first), str(other), False) for other in others)
        for first, other, transposed in known.get("same_memory", []):
            yield str(first), str(other), bool(transposed)
    except (TypeError, ValueError) as error:
        raise StorageError(f"{CONFIG} of the bundle is damaged: which weights are shared cannot be read.") from error
