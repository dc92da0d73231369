"""What a model reference says: `KIND:NAME`, with options such as `?size=224&weights=default`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from pruning.base.errors import InputError, excerpt

OPTIONS = ("weights", "size", "classes", "key")
MOST_CLASSES = 1_000_000


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
    classes: int | None = None
    """Outputs of the last layer; None: as many as the weights have, else as the library builds it."""
    key: str | None = None
    """Where several sets of weights lie in the file, what stands before the names of the one to take; None: its main
    one."""

    @property
    def bare(self) -> Reference:
        """The same network without the weights it asks for: what its shapes are, and nothing else."""
        return replace(self, weights=None, key=None)

    def spelled(self, *, name: str, weights: str | None, classes: int | None) -> str:
        """The reference as a text, with another name, other weights and another number of classes."""
        factory = f":{self.factory}" if self.factory else ""
        given = {"weights": weights, "size": self.size, "classes": classes, "key": self.key}
        options = [f"{option}={value}" for option, value in given.items() if value is not None]
        return f"{self.kind}:{name}{factory}{'?' + '&'.join(options) if options else ''}"


def short_title(text: str) -> str:
    """A network as a list shows it: files without their folders.

    >>> short_title("torchvision:resnet50?size=64"), short_title("timm:vit_tiny")
    ('resnet50 (torchvision, size=64)', 'vit_tiny (timm)')
    >>> short_title("file:/nets/net.py:build?weights=/nets/net.pt&classes=4")
    'net.py:build (weights=net.pt, classes=4)'
    """
    kind, _, rest = text.partition(":")
    name, _, options = rest.partition("?")
    said = [] if kind == "file" else [kind]
    for option in options.split("&") if options else ():
        key, _, value = option.partition("=")
        said.append(f"{key}={last_part(value)}")
    return f"{last_part(name)} ({', '.join(said)})" if said else last_part(name)


def last_part(path: str) -> str:
    """The name of a file without its folder.

    >>> last_part("/nets/net.py:build"), last_part("resnet50")
    ('net.py:build', 'resnet50')
    """
    return path.rpartition("/")[2]


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
    """`KIND:NAME?size=PIXELS&classes=N&weights=FILE&key=NAME`, options in any order.

    Raises:
        InputError: an option that there is not, or a value that is not allowed.
    """
    name, _, given = rest.partition("?")
    options = _options(text, given)
    weights = options.get("weights")
    if "key" in options and weights in (None, "default"):
        raise InputError(
            f"key= of '{excerpt(text)}' says which of several sets of weights in a file to take: name the file with "
            "weights=FILE, or leave key= out."
        )
    return Reference(
        text=text,
        kind=text.partition(":")[0],
        name=name,
        weights=weights,
        size=_whole(text, "size", options, "pixels", 8192),
        classes=_whole(text, "classes", options, "classes", MOST_CLASSES),
        key=options.get("key"),
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
                f"'{excerpt(part)}' of '{excerpt(text)}' is no option.{hint} There are size=PIXELS, classes=N, "
                "weights=default, weights=FILE, and key=NAME for one of several sets of weights in the file."
            )
        if option in options:
            raise InputError(f"'{excerpt(text)}' gives {option} twice: give it once.")
        options[option] = value
    return options


def _whole(text: str, option: str, options: dict[str, str], unit: str, most: int) -> int | None:
    value = options.get(option)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 9 and 1 <= int(value) <= most):
        raise InputError(
            f"{option}= in '{excerpt(text)}' is a whole number of {unit} from 1 to {most}, not '{excerpt(value)}'."
        )
    return int(value)
