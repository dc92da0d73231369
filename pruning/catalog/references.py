"""What a model reference says: `KIND:NAME`, with options such as `?size=224&weights=default`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from pruning.base.errors import InputError, excerpt

OPTIONS = ("weights", "size")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A model reference in parts."""

    text: str
    kind: str
    """Of the opener that it is for."""
    name: str
    """Name of the network; for a run its folder, for a file its path."""
    factory: str = ""
    """Only for a file: the function that makes the model; '' where none is named."""
    weights: str | None = None
    """'default', or a file with a state dict; None: none were asked for."""
    size: int | None = None
    """Height and width of the example images, in pixels; None: the network's own."""

    @property
    def bare(self) -> Reference:
        """The same network without the weights it asks for: what its shapes are, and nothing else."""
        return replace(self, weights=None)

    def spelled(self, *, name: str, weights: str | None) -> str:
        """The reference as a text, with another name and other weights."""
        factory = f":{self.factory}" if self.factory else ""
        size = str(self.size) if self.size is not None else None
        options = [f"{key}={value}" for key, value in (("weights", weights), ("size", size)) if value is not None]
        return f"{self.kind}:{name}{factory}{'?' + '&'.join(options) if options else ''}"


def short_title(text: str) -> str:
    """A library's network as a list shows it.

    >>> short_title("torchvision:resnet50?size=64"), short_title("timm:vit_tiny")
    ('resnet50 (torchvision, size=64)', 'vit_tiny (timm)')
    """
    library, _, rest = text.partition(":")
    name, _, options = rest.partition("?")
    return f"{name} ({', '.join([library, *options.split('&')] if options else [library])})"


def read_name(text: str, rest: str) -> Reference:
    """`KIND:NAME` of a network that has its own weights and image size.

    Raises:
        InputError: an option is given.
    """
    name, mark, given = rest.partition("?")
    kind = text.partition(":")[0]
    if mark:
        raise InputError(
            f"A {kind} model has its own weights and image size: leave out '?{excerpt(given)}' of '{excerpt(text)}'."
        )
    return Reference(text=text, kind=kind, name=name)


def read_options(text: str, rest: str) -> Reference:
    """`KIND:NAME?size=PIXELS&weights=FILE`, options in any order.

    Raises:
        InputError: an option that there is not, or a value that is not allowed.
    """
    name, _, given = rest.partition("?")
    options = _options(text, given)
    return Reference(
        text=text,
        kind=text.partition(":")[0],
        name=name,
        weights=options.get("weights"),
        size=_size(text, options["size"]) if "size" in options else None,
    )


def read_file(text: str, rest: str) -> Reference:
    """`file:PATH.py:FACTORY`, with options.

    Raises:
        InputError: as `read_options`, or no Python file is named.
    """
    found = read_options(text, rest)
    if found.name.endswith(".py"):
        return found
    name, _, factory = found.name.rpartition(":")
    if not name.endswith(".py"):
        raise InputError(
            f"'{excerpt(text)}' names no Python file: write file:PATH.py:FACTORY, such as file:net.py:build."
        )
    return replace(found, name=name, factory=factory)


def _options(text: str, given: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in given.split("&") if given else ():
        option, _, value = part.partition("=")
        if option not in OPTIONS or not value:
            near = difflib.get_close_matches(option, OPTIONS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near and near[0] != option else ""
            raise InputError(
                f"'{excerpt(part)}' of '{excerpt(text)}' is no option.{hint} There are size=PIXELS, weights=default "
                "and weights=FILE."
            )
        if option in options:
            raise InputError(f"'{excerpt(text)}' gives {option} twice: give it once.")
        options[option] = value
    return options


def _size(text: str, value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 8192:
        raise InputError(
            f"The size in '{excerpt(text)}' is a whole number of pixels from 1 to 8192, not '{excerpt(value)}'."
        )
    return int(value)
