"""What a model reference says: `KIND:NAME`, with options such as `?size=224&weights=default`."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import Literal, get_args

from pruning.base.errors import InputError
from sample_models import SAMPLES

Kind = Literal["sample", "run", "torchvision", "timm", "file"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FORMS = "sample:NAME, run:DIR, torchvision:NAME, timm:NAME or file:PATH.py:FACTORY"
WITH_OPTIONS: tuple[Kind, ...] = ("torchvision", "timm", "file")
OPTIONS = ("weights", "size")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A model reference in parts."""

    text: str
    kind: Kind
    name: str
    """Name of the network; for a run its folder, for a file its path."""
    factory: str = ""
    """Only for a file: the function that makes the model; '' where none is named."""
    weights: str | None = None
    """'default', or a file with a state dict; None: none were asked for."""
    size: int | None = None
    """Height and width of the example images, in pixels; None: the network's own."""


def parse_reference(text: str) -> Reference:
    """Split a reference into its parts, without looking whether the model exists.

    >>> parse_reference("torchvision:vit_b_16?size=224&weights=default").size
    224

    Raises:
        InputError: no such kind of reference, or an option that is not allowed.
    """
    kind, _, rest = text.partition(":")
    known = next((known for known in KINDS if known == kind), None)
    if known is None or not rest:
        raise InputError(f"There is no model '{text}'.{_hint(text)} Use {FORMS}.")
    if known == "run":  # a folder may have any name
        return Reference(text=text, kind=known, name=rest)
    name, _, given = rest.partition("?")
    options = _options(text, given)
    if options and known not in WITH_OPTIONS:
        raise InputError(f"A {known} model has its own weights and image size: leave out '?{given}' of '{text}'.")
    factory = ""
    if known == "file" and not name.endswith(".py"):
        name, _, factory = name.rpartition(":")
        if not name.endswith(".py"):
            raise InputError(f"'{text}' names no Python file: write file:PATH.py:FACTORY, such as file:net.py:build.")
    return Reference(
        text=text,
        kind=known,
        name=name,
        factory=factory,
        weights=options.get("weights"),
        size=_size(text, options["size"]) if "size" in options else None,
    )


def _options(text: str, given: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in given.split("&") if given else ():
        option, _, value = part.partition("=")
        if option not in OPTIONS or not value:
            near = difflib.get_close_matches(option, OPTIONS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near and near[0] != option else ""
            raise InputError(
                f"'{part}' of '{text}' is no option.{hint} There are size=PIXELS, weights=default and weights=FILE."
            )
        if option in options:
            raise InputError(f"'{text}' gives {option} twice: give it once.")
        options[option] = value
    return options


def _size(text: str, value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 8192:
        raise InputError(f"The size in '{text}' is a whole number of pixels from 1 to 8192, not '{value}'.")
    return int(value)


def _hint(text: str) -> str:
    """A mistyped kind mended, or the kind that a bare name lacks."""
    kind, colon, name = text.partition(":")
    if colon:
        near = [f"{known}:{name or '...'}" for known in difflib.get_close_matches(kind, KINDS, n=1) if known != kind]
    else:
        library = importlib.import_module("torchvision.models").list_models()
        names = {name: f"torchvision:{name}" for name in library} | {name: f"sample:{name}" for name in SAMPLES}
        near = [names[name] for name in difflib.get_close_matches(kind, names, n=1)]
    return f" Did you mean '{near[0]}'?" if near else ""
