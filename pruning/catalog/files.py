"""A network from a function in a Python file of the user's own: the row of an opener."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.catalog.opener import Opener
from pruning.catalog.references import Reference, read_file

if TYPE_CHECKING:
    from pruning.catalog.network import Network


def _open(reference: Reference) -> Network:
    import torch

    from pruning.catalog.libraries import finished, random_images, seeded
    from pruning.catalog.model_files import call_factory
    from pruning.catalog.network import SEED

    path = given_path(reference.name)
    if reference.weights == "default":
        raise InputError(
            f"{excerpt(reference.text)} has no default weights: load them in {excerpt(reference.factory)}(), or name a "
            "file."
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


def _refuse_visitor(reference: Reference) -> None:
    raise InputError(
        "A Python file cannot be opened in the browser, because its code would run on the server: "
        "use 'python -m pruning inspect' or 'verify' with it on the command line."
    )


FILE = Opener(
    kind="file",
    form="file:PATH.py:FACTORY",
    read=read_file,
    open=_open,
    check_visitor=_refuse_visitor,
    is_path=True,
)
