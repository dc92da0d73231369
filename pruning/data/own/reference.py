"""What a reference to images of one's own says: `KIND:PATH?split=40/40/20&order=numbers`, and
`file:PATH.py:FUNCTION`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.data.orders import ORDERS, ClassOrder, find_order

OPTIONS = ("split", "order")
Split = tuple[int, int, int]
"""Per cent of the images for train, select and test; together 100."""
SPLIT: Split = (40, 40, 20)
"""Where nothing says which image is for what."""
_OPTIONS = re.compile(r"\?([a-z_]+=[^?]*)$")
_FUNCTION = re.compile(r"(?<=\.py):([^/\\:]*)$")


@dataclass(frozen=True, kw_only=True)
class OwnReference:
    """A reference in parts.

    >>> read_reference("zip:mine/photos.zip?split=60/20/20").split
    (60, 20, 20)
    >>> read_reference("file:data.py:build").function
    'build'
    """

    text: str
    kind: str
    path: str
    function: str = ""
    """Only for Python files: what gives the images."""
    split: Split | None = None
    """None: as `SPLIT` says, where the images do not say it themselves."""
    order: ClassOrder | None = None
    """In which the network numbers the classes, where it does not name them; None: as the images do."""

    @property
    def place(self) -> Path:
        """The path from any folder.

        Raises:
            InputError: no file can have such a path.
        """
        return given_path(self.path).resolve()


def with_option(text: str, name: str, value: str | None) -> str:
    """The same reference with another value of an option; None: without it.

    >>> with_option("folder:mine?split=40/40/20", "order", "numbers")
    'folder:mine?split=40/40/20&order=numbers'
    >>> with_option("file:data.py:build?order=text", "order", None)
    'file:data.py:build'
    """
    kind, path, rest = take_apart(text)
    function, _, options = rest.partition("?")
    given = dict(option.split("=", 1) for option in options.split("&") if "=" in option)
    given = {**given, name: value} if value is not None else {key: own for key, own in given.items() if key != name}
    said = "&".join(f"{key}={own}" for key, own in given.items())
    return f"{kind}:{path}{function}{'?' if said else ''}{said}"


def take_apart(reference: str) -> tuple[str, str, str]:
    """Kind, path, and what follows it: a function and options, with their ':' and '?'; each may be empty.

    >>> take_apart("file:net/data.py:build?split=80/10/10")
    ('file', 'net/data.py', ':build?split=80/10/10')
    """
    kind, _, place = reference.partition(":")
    options = _OPTIONS.search(place)
    end = options.start() if options else len(place)
    function = _FUNCTION.search(place[:end])
    start = function.start() if function else end
    return kind, place[:start], place[start:]


def read_reference(text: str) -> OwnReference:
    """The parts of a reference.

    Raises:
        InputError: no path is named, an option that there is not, or a value that is not allowed.
    """
    kind, path, rest = take_apart(text)
    function, _, options = rest.partition("?")
    if not path:
        raise InputError(f"'{excerpt(text)}' names no path: write {kind}:PATH.")
    split, order = None, None
    for option in options.split("&") if options else ():
        name, _, value = option.partition("=")
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(
                f"'{excerpt(option)}' of '{excerpt(text)}' is no option of images.{hint} There is split=40/40/20, and "
                f"order= with one of {', '.join(ORDERS)}."
            )
        if name == "split":
            split = read_split(value)
        else:
            order = find_order(value)
    return OwnReference(text=text, kind=kind, path=path, function=function[1:], split=split, order=order)


def read_split(text: str) -> Split:
    """Three shares in per cent.

    >>> read_split("60/20/20")
    (60, 20, 20)

    Raises:
        InputError: not three whole numbers from 1 that add up to 100.
    """
    parts = text.split("/")
    if len(parts) == 3 and all(re.fullmatch("[0-9]{1,2}", part) for part in parts):
        train, select, test = (int(part) for part in parts)
        if min(train, select, test) > 0 and train + select + test == 100:
            return train, select, test
    raise InputError(
        f"Images are split into three shares in per cent for train, select and test, each at least 1 and together "
        f"100, such as 40/40/20, not '{excerpt(text)}'."
    )
