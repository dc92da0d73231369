"""A bundle from modules of this process: `export_bundle(removal, inputs, out="folder")`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pruning.base.clone import clone
from pruning.base.digests import weights_digest
from pruning.base.errors import InputError, PruningError
from pruning.base.files import given_path
from pruning.catalog.architecture import Architecture
from pruning.catalog.openers import architecture_of
from pruning.data.preprocess import Preprocess
from pruning.export.bundle.built_by import built_by
from pruning.export.bundle.card_ledger import ledger_of_modules
from pruning.export.bundle.material import Material, Samples
from pruning.export.bundle.write import write_bundle
from pruning.export.bundle.written import Bundle
from pruning.graph.inputs import Inputs
from pruning.removal.remove import Removal


def export_bundle(
    removal: Removal,
    inputs: Any,
    out: str | Path,
    *,
    model: nn.Module | None = None,
    architecture: str | None = None,
    classes: Sequence[str] = (),
    preprocess: Preprocess | None = None,
    samples: Tensor | None = None,
    formats: Sequence[str] | None = None,
    code: bool = True,
    title: str | None = None,
    licence: str = "",
) -> Bundle:
    """Write a pruned module as a bundle that proves itself (`docs/bundle.md`); nothing that is given is changed.

    `removal`: of `remove_channels`. `inputs`: example inputs as there. `out`: a new or empty folder, or a file that
    ends in .zip. `model`: the removal's module with other weights, such as refitted ones; None: as it was removed.
    `architecture`: reference of what builds the unpruned network without weights ('torchvision:resnet18?classes=10',
    'file:net.py:build'); None: found where the library or the class tells. `classes`: names of the outputs. `samples`:
    inputs that go along with the network's answers to them; without them nothing of your data does. `formats`: names of
    `pruning.export.bundle.forms.FORMS`; None: all. `code`: whether your own Python files go along. `licence`: of the
    weights that it began with.

    Raises:
        InputError: an argument is not allowed, or no form can be handed out.
        StorageError: the bundle cannot be written.
    """
    pruned = clone(removal.model if model is None else model).eval()
    _check_same(removal.model, pruned)
    dense = removal.dense
    found, unknown = _architecture(dense, architecture)
    graph = removal.source.graph
    name = title or type(dense).__name__
    return write_bundle(
        Material(
            name=name,
            title=name,
            model=pruned,
            dense=lambda: clone(dense).eval(),
            inputs=Inputs.of(inputs).along(graph.inputs.dims) if _alike(inputs, graph.inputs) else Inputs.of(inputs),
            architecture=found,
            unknown=unknown,
            classes=tuple(" ".join(each.split()) for each in classes),
            preprocess=preprocess,
            origin={
                "network": {
                    "reference": "" if found is None else found.words,
                    "weights_before_sha256": weights_digest(dense),
                    "weights_sha256": weights_digest(pruned),
                },
                "proof_of_removal": None
                if removal.check is None
                else {"status": removal.check.status, "max_error": removal.check.max_error},
            },
            licence=licence,
            ledger=ledger_of_modules(dense, pruned, graph),
            samples=None if samples is None else Samples(inputs=samples.detach(), source="samples that were given"),
        ),
        given_path(out),
        forms=formats,
        with_code=code,
    )


def _alike(inputs: Any, known: Inputs) -> bool:
    """Whether inputs hold as many tensors as those that the network was traced with, whose batch is known."""
    return len(Inputs.of(inputs).tensors) == len(known.dims)


def _check_same(removed: nn.Module, given: nn.Module) -> None:
    """Raise InputError where a module is not the removal's with other weights."""
    mine, theirs = ({n: tuple(p.shape) for n, p in m.named_parameters()} for m in (removed, given))
    if mine != theirs:
        name = next(name for name in (*mine, *theirs) if mine.get(name) != theirs.get(name))
        raise InputError(
            f"model is not the removal's network with other weights: {name} has another shape, or is absent."
        )


def _architecture(dense: nn.Module, reference: str | None) -> tuple[Architecture | None, str]:
    """What builds the network, and why that is not known where it is not."""
    if reference is not None:
        found = architecture_of(reference)
        if found is None:
            raise InputError(f"architecture='{reference}' cannot be built from a library or a Python file alone.")
        return found, ""
    try:
        found = built_by(dense)
    except PruningError as error:
        return None, str(error)
    if found is not None:
        return found, ""
    where = inspect.getmodule(type(dense))
    home = "a notebook or a script" if where is None or where.__name__ == "__main__" else where.__name__
    return None, (
        f"It is not known what builds this {type(dense).__name__} (of {home}): name it with architecture=, such as "
        "'file:net.py:build' or 'torchvision:resnet18?classes=10'."
    )
