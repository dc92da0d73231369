"""What an opener is: one record a kind of reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.base.errors import PruningError
from pruning.base.files import given_path
from pruning.catalog.references import Reference

if TYPE_CHECKING:
    from pruning.catalog.architecture import Architecture
    from pruning.catalog.network import Network


def anything(reference: Reference) -> None:
    """Refuses nothing."""


def unchanging(reference: Reference) -> tuple[int, ...]:
    """The same network each time."""
    return ()


def nothing() -> Mapping[str, str]:
    """No references to choose from."""
    return {}


def not_known(reference: Reference) -> None:
    """Nothing is known of how it is built."""


def stamp_of_files(reference: Reference) -> tuple[int, ...]:
    """Time, size and place of the code and the weights that a reference names; what is absent has none."""
    named = [reference.name] if reference.kind == "file" else []
    if reference.weights not in (None, "default"):
        named.append(str(reference.weights))
    found: list[int] = []
    for path in named:
        with suppress(OSError, ValueError, PruningError):
            status = given_path(path).stat()
            found += (status.st_mtime_ns, status.st_size, status.st_ino)
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Opener:
    """One kind of network. A row in `pruning.catalog.openers.OPENERS` is all that app, commands and recipes need.

    Nothing heavy is imported to make one, so that a reference can be refused before torch is there.
    """

    kind: str
    """What stands before the colon."""
    form: str
    """How a reference to it is written, to be named in a sentence: 'sample:NAME'."""
    read: Callable[[str, str], Reference]
    """The whole text, and what stands behind the kind → the reference in parts. Raises InputError."""
    check: Callable[[Reference], None] = anything
    """Raises InputError where it can be told without opening it that there is no such network."""
    open: Callable[[Reference], Network]
    """Opens it. Raises InputError where there is no such network, StorageError where its files are damaged."""
    check_visitor: Callable[[Reference], None] = anything
    """Raises InputError where a visitor of the web pages may not open it."""
    architecture: Callable[[Reference], Architecture | None] = not_known
    """How the network is built without its weights; None where it takes more than a library or a Python file. Raises
    InputError where there is no such network."""
    is_path: bool = False
    """Whether what it names is a file or folder, which only this machine has."""
    large: bool = False
    """Whether its networks may take seconds to build, and hundreds of megabytes."""
    sizes: bool = False
    """Whether `size=` in its references builds a network for images of that size, whichever it is trained for."""
    stamp: Callable[[Reference], tuple[int, ...]] = unchanging
    """Numbers that change where what stands behind the reference has changed."""
    brings_data: bool = False
    """Whether its networks know data sets that they answer to, so that none has to be named."""
    choices: Callable[[], Mapping[str, str]] = nothing
    """References that everybody can choose from, with titles."""
    suggestions: Callable[[], Mapping[str, str]] = nothing
    """Bare names that people type → the references that they mean. May take seconds."""
