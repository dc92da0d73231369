"""`run:RUN`, the network that a finished run led to: the row of an opener. Importing this adds it to the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pruning.catalog.opener import Opener
from pruning.catalog.openers import check_visitor, register
from pruning.catalog.references import Reference

if TYPE_CHECKING:
    from pruning.catalog.network import Network


def _read(text: str, rest: str) -> Reference:
    from pruning.runs.resolve import located

    return Reference(text=text, kind="run", name=str(located(rest)))  # it may have any name, also one with options


def _check(reference: Reference) -> None:
    """Refuse at once, with runs of nearly that name, where there is no such folder."""
    from pruning.runs.resolve import find_run_folder

    find_run_folder(reference.name)


def _open(reference: Reference) -> Network:
    from pruning.runs.saved_model import open_run

    return open_run(reference)


def _check_visitor(reference: Reference) -> None:
    """A run of a network that a visitor may not open is no way round that."""
    from pruning.base.errors import StorageError
    from pruning.runs.saved_model import read_origin

    try:
        origin = read_origin(Path(reference.name))
    except StorageError:
        return  # it cannot be opened either, which says why
    check_visitor(origin)


def _stamp(reference: Reference) -> tuple[int, ...]:
    from pruning.runs.saved_model import model_stamp

    return model_stamp(Path(reference.name))


RUN = Opener(
    kind="run",
    form="run:RUN",
    read=_read,
    check=_check,
    open=_open,
    check_visitor=_check_visitor,
    is_path=True,
    stamp=_stamp,
    brings_data=True,
)
register(RUN)
