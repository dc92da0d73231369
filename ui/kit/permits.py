"""Which files of the server a visitor may open: those that they sent, those that they chose where the owner lets them,
and those of runs. What a visitor only names is refused as ever (`pruning.catalog.openers.check_visitor`).

They are kept with the visitor, or with the browser where the app serves this machine alone (`ui.kit.visitor`), so that
F5 loses nothing; a link leads nobody else to them.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import visitor

if TYPE_CHECKING:
    from pruning.data.preprocess import Preprocess

PARAMETER = "own"
"""In the address: which of a browser's own networks and images are on show; means nothing elsewhere."""
_MOST = 1000
"""Visitors that are remembered."""


@dataclass
class Permits:
    """What one visitor may open."""

    titles: dict[str, str] = field(default_factory=dict)
    """Reference of a network or of images → what it is called on their pages."""
    prepared: dict[tuple[str, str], Preprocess] = field(default_factory=dict)
    """(network, images) → how images of one's own are prepared for it, where the visitor or a recipe said so."""
    expected: set[tuple[str, ...]] = field(default_factory=set)
    """Networks and images of which the visitor said that the figure is as expected."""


def allow(reference: str, title: str = "") -> None:
    """Let this visitor open a reference; `title`: what it is called on their pages, '' for its own."""
    _made().titles[reference] = title


def holds(reference: str) -> bool:
    """Whether this visitor may open it."""
    found = _mine()
    return found is not None and reference in found.titles


def holds_images(reference: str) -> bool:
    """Whether this visitor may open images, as they are or split and numbered otherwise."""
    from pruning.data.readers import is_on_this_machine_alone, take_apart

    found = _mine()
    if found is None or not is_on_this_machine_alone(reference):
        return False
    kind, path, _ = take_apart(reference)
    return any(held.startswith(f"{kind}:{path}") and take_apart(held)[:2] == (kind, path) for held in found.titles)


def title(reference: str) -> str | None:
    """What it is called on this visitor's pages, where that was said."""
    found = _mine()
    return (found.titles.get(reference) or None) if found is not None else None


def prepare(model: str, data: str, how: Preprocess) -> None:
    """Prepare this visitor's images for a network in this way from now on."""
    _made().prepared[model, data] = how


def prepared(model: str, data: str) -> Preprocess | None:
    """How they are prepared, where somebody said so."""
    found = _mine()
    return None if found is None else found.prepared.get((model, data))


def follow(model: str, old: str, new: str) -> None:
    """Let a reference stand for the same images as another one, under its title and prepared alike."""
    allow(new, title(old) or "")
    how = prepared(model, old)
    if how is not None:
        prepare(model, new, how)


def expect(key: tuple[str, ...]) -> None:
    """Note that a figure is as this visitor expects it."""
    _made().expected.add(key)


def doubt(key: tuple[str, ...]) -> None:
    """Note that it is not."""
    _made().expected.discard(key)


def expects(key: tuple[str, ...]) -> bool:
    """Whether that was noted."""
    found = _mine()
    return found is not None and key in found.expected


def mine() -> tuple[str, ...]:
    """All that this visitor may open, oldest first."""
    found = _mine()
    return () if found is None else tuple(found.titles)


def digest(model: str, data: str) -> str:
    """Names a network and images in an address without telling what they are."""
    return hashlib.sha256(f"{model}\n{data}".encode()).hexdigest()[:12]


def _mine() -> Permits | None:
    return _known().get(visitor.current() or visitor.browser())


def _made() -> Permits:
    """Of this visitor, from now on where there was none."""
    found = _mine()
    if found is None:
        known, found = _known(), Permits()
        known[visitor.current() or visitor.browser()] = found
        while len(known) > _MOST:
            known.popitem(last=False)
    return found


@st.cache_resource(show_spinner=False)
def _known() -> OrderedDict[str, Permits]:
    return OrderedDict()
