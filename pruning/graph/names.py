"""How parts of a network are called."""

from __future__ import annotations


def label(name: str) -> str:
    """A target's name or key for people.

    >>> label("layer2.0.conv2/own"), label("qkv#2"), label("fc.weight")
    ('layer2.0.conv2 · own', 'qkv (2)', 'fc')
    """
    first, _, number = name.removesuffix(".weight").replace("/own", " · own").partition("#")
    return f"{first} ({number})" if number else first
