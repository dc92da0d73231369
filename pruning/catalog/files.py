"""A network from a function in a Python file of the user's own: the row of an opener."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.catalog.opener import Opener, stamp_of_files
from pruning.catalog.references import Reference, read_file
from pruning.catalog.weights.kinds import kind_of

if TYPE_CHECKING:
    from pruning.catalog.architecture import Architecture
    from pruning.catalog.network import Network


def _check(reference: Reference) -> None:
    """What can be told without running it."""
    path = given_path(reference.name)
    if reference.weights == "default":
        raise InputError(
            f"{excerpt(reference.text)} has no default weights: load them in {excerpt(reference.factory)}(), or name a "
            "file."
        )
    if not path.is_file():
        raise InputError(f"There is no file {excerpt(str(path), 200)} with a model: check the path.")
    if reference.weights is not None:
        kind_of(reference.weights)


def _open(reference: Reference) -> Network:
    from pruning.catalog.own_networks import open_own

    return open_own(reference)


def _architecture(reference: Reference) -> Architecture:
    from pruning.catalog.architecture import Architecture

    given = {"classes": reference.classes, "size": reference.size}
    return Architecture(
        kind="file",
        name=reference.factory,
        arguments={name: value for name, value in given.items() if value is not None},
        file=given_path(reference.name).resolve(),
        is_private=True,
    )


def _refuse_visitor(reference: Reference) -> None:
    raise InputError(
        "A Python file cannot be opened in the browser, because its code would run on the server: "
        "use 'python -m pruning inspect' or 'verify' with it on the command line."
    )


FILE = Opener(
    kind="file",
    form="file:PATH.py:FACTORY",
    read=read_file,
    check=_check,
    open=_open,
    architecture=_architecture,
    check_visitor=_refuse_visitor,
    stamp=stamp_of_files,
    is_path=True,
)
