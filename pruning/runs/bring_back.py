"""Weights that were trained on elsewhere, back as a run: the bundle says what network they are of, and all that the run
states is measured anew.

    folder/brought/   the network with these weights, which the run begins with and removes nothing of
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor, nn

from pruning.base.errors import InputError, PruningError, StorageError, excerpt, first_line
from pruning.catalog.openers import check_reference, is_on_this_machine_alone, open_bare
from pruning.catalog.weights.contents import Contents, read_contents
from pruning.catalog.weights.loading import find_weights, load_weights, own_tensors
from pruning.catalog.weights.masks import unmasked
from pruning.data.preprocess import Preprocess
from pruning.data.readers import find_reader
from pruning.fitting import at_shape
from pruning.removal.apply import shrink
from pruning.runs.bundled import Bundled
from pruning.runs.files import default_runs_dir
from pruning.runs.order import read_order
from pruning.runs.recipe import Recipe
from pruning.runs.resolve import located
from pruning.runs.run import Run
from pruning.runs.saved_model import Structure, read_structure, save_model
from pruning.runs.store import create_run, read_run
from pruning.spec import RUN

BROUGHT = "brought"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody says beside the weights; None for what the bundle's run had."""

    dense: str | None = None
    """Reference of the unpruned network."""
    data: str | None = None
    """Reference of the images."""
    data_dir: str | None = None
    preprocess: Preprocess | None = None


def bring_back(bundle: Bundled, weights: Path, asked: Asked, out: Path | None = None) -> tuple[Path, tuple[str, ...]]:
    """Make the run that measures a bundle's network with other weights, still to be carried out: its folder, and what
    is to be said of the weights, each a whole sentence.

    `out`: a new or empty folder; None for one among the runs.

    Raises:
        InputError: the weights are not that network's, or it is not known where the unpruned one or the images are.
        StorageError: the run cannot be written.
    """
    origin = _run_here(bundle)
    structure = replace(bundle.structure, root=_root(bundle, origin, asked.dense))
    model = _network(structure, bundle)
    remarks, held = _filled(model, bundle, weights)
    structure, more = _zeros(structure, model, bundle)
    structure = replace(structure, held_zero=tuple(sorted({*structure.held_zero, *held})))
    remarks += more
    recipe, data_dir = _recipe(bundle, origin, asked)
    path = out or default_runs_dir() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-brought-{uuid.uuid4().hex[:12]}"
    path = create_run(recipe.replace(model=f"run:{path.absolute() / BROUGHT}"), data_dir=data_dir, path=path)
    try:
        (path / BROUGHT).mkdir()
        save_model(path / BROUGHT, model, structure)
    except OSError as error:
        raise StorageError(f"The weights cannot be written to {path} ({error.strerror or error}).") from error
    return path, tuple(remarks)


def _run_here(bundle: Bundled) -> Run | None:
    """The run that the bundle was made of, where it is among the runs of this machine."""
    try:
        run = read_run(located(bundle.name))
        same = read_structure(run.path).shrinkage == bundle.structure.shrinkage
    except PruningError:
        return None
    return run if same else None


def _root(bundle: Bundled, origin: Run | None, dense: str | None) -> str:
    """Reference of the unpruned network, which the accuracy is compared with."""
    if dense is not None:
        check_reference(dense)
        return dense
    if origin is not None:
        return read_structure(origin.path).root
    root = bundle.structure.root
    if is_on_this_machine_alone(root):
        raise InputError(
            f"The unpruned network, {excerpt(root)}, is not among what this machine knows: name it with --dense, such "
            "as file:PATH.py:FACTORY?weights=FILE."
        )
    return root


def _network(structure: Structure, bundle: Bundled) -> nn.Module:
    """The pruned network, with whatever weights."""
    root = open_bare(structure.root)
    try:
        root = at_shape(root, structure.shape) if structure.shape else root
        return shrink(root.model, structure.shrinkage).eval()
    except Exception as error:  # indices and sizes that are none raise nearly anything on their way through torch
        raise InputError(
            f"The bundle {excerpt(bundle.folder.name)} is not one of {excerpt(structure.root)} ({first_line(error)})."
        ) from error


def _filled(model: nn.Module, bundle: Bundled, weights: Path) -> tuple[list[str], tuple[str, ...]]:
    """Fill the network; what of the file was guessed, converted or left out, and whose zeros its masks hold."""
    contents = unmasked(read_contents(weights), own_tensors(model))
    fit = find_weights(model, _with_shared(contents, bundle))
    words = load_weights(model, fit)
    return [f"Of {weights.name}: {words}."] if words else [], fit.held_zero


def _with_shared(contents: Contents, bundle: Bundled) -> Contents:
    """The same file, with what is shared under each of its names: safetensors keeps it once, under any of them."""
    tensors: dict[str, Tensor] = dict(contents.tensors)
    for first, other, transposed in bundle.shared:
        for one, two in ((first, other), (other, first)):
            if one in tensors and two not in tensors:
                tensors[two] = tensors[one].t() if transposed else tensors[one]
    return replace(contents, tensors=tensors)


def _zeros(structure: Structure, model: nn.Module, bundle: Bundled) -> tuple[Structure, list[str]]:
    """What stays of the zeros that were pruned: training lets them go unless somebody holds them."""
    if not structure.held_zero:
        return structure, []
    before, now = bundle.tensors(), model.state_dict()
    gone = [
        name
        for name in structure.held_zero
        if name in before and bool(torch.any((before[name] == 0) & (now[name].detach() != 0)))
    ]
    kept = tuple(name for name in structure.held_zero if name not in gone)
    if not gone:
        return structure, []
    said = (
        f"Zeros that were pruned have other values now in {len(gone):,} of {len(structure.held_zero):,} tensors, such "
        f"as {gone[0]}: they count as weights again. Set them to zero after each step of training to keep them."
    )
    return replace(structure, held_zero=kept), [said]


def _recipe(bundle: Bundled, origin: Run | None, asked: Asked) -> tuple[Recipe, str | None]:
    """A recipe that removes nothing and trains nothing, and where its images are."""
    known = bundle.recipe if origin is None else origin.recipe
    data_dir = asked.data_dir
    if data_dir is None and asked.data is None and origin is not None:
        data_dir = read_order(origin.path).data_dir
    if asked.data is None and origin is None and bundle.result.data is not None and find_reader(known.data).is_path:
        raise InputError(
            f"The images of the bundle's run, {excerpt(known.data)}, are not among what this machine knows: name them "
            "with --data."
        )
    recipe = Recipe(
        model=known.model,
        data=asked.data or known.data,
        preprocess=asked.preprocess or (known.preprocess if asked.data is None else None),
        prune=RUN.replace(granularity=known.prune.granularity, sparsity=0.0, seed=known.prune.seed),
        repair="none",
    )
    return recipe, data_dir
