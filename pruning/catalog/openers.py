"""The table of openers, and networks by reference: `parse_reference`, `open_network`.

`pruning.runs` adds `run:` when it is imported. Another kind of network is another row.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.catalog.by_name import TIMM, TORCHVISION
from pruning.catalog.files import FILE
from pruning.catalog.opener import Opener
from pruning.catalog.references import Reference
from pruning.catalog.samples import SAMPLE

if TYPE_CHECKING:
    from pruning.catalog.architecture import Architecture
    from pruning.catalog.network import Network

WEIGHTS = (".pt", ".pth", ".safetensors", ".ckpt", ".bin")
OPENERS: dict[str, Opener] = {opener.kind: opener for opener in (SAMPLE, TORCHVISION, TIMM, FILE)}


def register(opener: Opener) -> None:
    """Add a kind of network, or put another opener in the place of one."""
    OPENERS[opener.kind] = opener


def parse_reference(text: str) -> Reference:
    """Split a reference into its parts; whether the network exists is not looked at.

    >>> parse_reference("torchvision:vit_b_16?size=224&weights=default").size
    224

    Raises:
        InputError: no such kind of reference, or an option that is not allowed.
    """
    kind, _, rest = text.partition(":")
    opener = OPENERS.get(kind)
    if opener is None or not rest:
        raise InputError(f"There is no model '{excerpt(text)}'.{_hint(text)} Use {forms()}.")
    return opener.read(text, rest)


def check_reference(text: str) -> Reference:
    """`parse_reference`, and refuse at once what can be told not to exist without opening it.

    Raises:
        InputError: as `parse_reference`, or there is no such network.
    """
    reference = parse_reference(text)
    OPENERS[reference.kind].check(reference)
    return reference


def open_network(text: str) -> Network:
    """Open a reference of any kind.

    Weights are random unless the reference says otherwise; what it asks for is never replaced by something else.

    Raises:
        InputError: no such model, file or option, weights that do not fit or cannot be fetched, timm is missing.
        StorageError: a run is unfinished or damaged.
    """
    reference = check_reference(text)
    return OPENERS[reference.kind].open(reference)


def open_bare(text: str) -> Network:
    """Open a network for its shapes alone: weights that the reference asks for are left out.

    Raises:
        InputError, StorageError: as `open_network`.
    """
    reference = parse_reference(text).bare
    OPENERS[reference.kind].check(reference)
    return OPENERS[reference.kind].open(reference)


def architecture_of(text: str) -> Architecture | None:
    """How the network that a reference names is built without its weights; None where that takes more than a library
    or a Python file.

    Raises:
        InputError: there is no such network.
    """
    reference = check_reference(text)
    return OPENERS[reference.kind].architecture(reference)


def check_visitor(text: str) -> Reference:
    """Let a reference pass that a visitor of the web pages may open.

    Raises:
        InputError: there is no such kind, or it would run code or read a file on the server, fetch weights, or fill its
            memory.
    """
    reference = parse_reference(text)
    OPENERS[reference.kind].check_visitor(reference)
    return reference


def is_on_this_machine_alone(text: str) -> bool:
    """Whether a reference names a file or folder, so that it means nothing elsewhere.

    Raises:
        InputError: as `parse_reference`.
    """
    reference = parse_reference(text)
    return OPENERS[reference.kind].is_path or reference.weights not in (None, "default")


def at_size(text: str, size: tuple[int, int]) -> str:
    """The reference that opens a network by name for images of another height and width; the same where that is not
    possible, as for a network of one's own.

    >>> at_size("torchvision:resnet18?weights=default&size=224", (160, 160))
    'torchvision:resnet18?weights=default&size=160'
    """
    reference = parse_reference(text)
    if not OPENERS[reference.kind].sizes or size[0] != size[1]:
        return text
    other = replace(reference, size=size[0])
    return other.spelled(name=other.name, weights=other.weights, classes=other.classes)


def absolute(text: str) -> str:
    """The same reference, with paths that hold from any folder.

    Raises:
        InputError: as `parse_reference`.
    """
    if not is_on_this_machine_alone(text):
        return text
    reference = parse_reference(text)
    opener = OPENERS[reference.kind]
    return reference.spelled(
        name=_resolved(reference.name) if opener.is_path else reference.name,
        weights=reference.weights if reference.weights in (None, "default") else _resolved(str(reference.weights)),
        classes=reference.classes,
    )


def _resolved(path: str) -> str:
    return str(given_path(path).resolve())


def forms() -> str:
    """How references are written: 'sample:NAME, run:RUN or file:PATH.py:FACTORY'."""
    *first, last = [opener.form for opener in OPENERS.values()]
    return f"{', '.join(first)} or {last}" if first else last


def _hint(text: str) -> str:
    """A mistyped kind mended, or the kind that a bare name lacks."""
    kind, colon, name = text.partition(":")
    if kind.endswith(".py"):
        return f" Did you mean 'file:{excerpt(text) if name else f'{excerpt(kind)}:FACTORY'}'?"
    if kind.endswith(WEIGHTS):
        return " Weights alone are no network: name what they are for, with ?weights=FILE behind it."
    if colon:
        near = [known for known in difflib.get_close_matches(kind, OPENERS, n=1) if known != kind]
        return f" Did you mean '{near[0]}:{excerpt(name) or '...'}'?" if near else ""
    names: dict[str, str] = {}
    for opener in OPENERS.values():
        names = {**opener.suggestions(), **names}
        if kind in names:
            break  # a library's own names take seconds
    return next((f" Did you mean '{names[near]}'?" for near in difflib.get_close_matches(kind, names, n=1)), "")
