"""Counts and names inside the sentences that are said of images."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.base.errors import excerpt


def images_of(count: int) -> str:
    """'1 image', '1,234 images'."""
    return f"{count:,} image{'' if count == 1 else 's'}"


def printable(name: str) -> str:
    """A name of somebody's data with '?' for what cannot be printed, so that it can be shown anywhere.

    >>> printable("cat\x1b[31m")
    'cat?[31m'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first few names, and how many more there are.

    >>> listed(["a", "b"]), listed(list("abcde"))
    ('a, b', 'a, b, c and 2 more')
    """
    shown = ", ".join(excerpt(name, 60) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
