"""One small weight matrix cell by cell, with its smallest entries zeroed, or its weakest columns taken out: HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.render.markup import badges, grids

if TYPE_CHECKING:
    from torch import Tensor


def zeroed_matrix(weight: Tensor, zero: Tensor, *, words: str) -> str:
    """The full matrix; the entries marked in `zero` are zeros that keep their place.

    `weight`: (outputs, inputs), `zero`: bool of the same shape. `words`: the line below, read by screen readers as
    well.
    """
    strength, (height, width) = _strength(weight), weight.shape
    rows = [
        [*(grids.ZERO if zero[i, j] else grids.cell(strength[i][j]) for j in range(width)), grids.SPACE]
        for i in range(height)
    ]
    return _framed(rows, f"repeat({width},minmax(0,1fr)) {_GAP}", words)


def narrowed_matrix(weight: Tensor, stays: Sequence[int], *, words: str) -> str:
    """The columns that stay, and apart from them empty places for those that went. For the rest see `zeroed_matrix`."""
    strength, (height, width) = _strength(weight), weight.shape
    gone = width - len(stays)
    rows = [[*(grids.cell(strength[i][j]) for j in stays), grids.SPACE, *[grids.GONE] * gone] for i in range(height)]
    removed = f"repeat({gone},minmax(0,1fr))" if gone else ""  # repeat(0, …) is no CSS
    return _framed(rows, f"repeat({len(stays)},minmax(0,1fr)) {_GAP} {removed}", words)


_GAP = ".8fr"
"""Between what stays and what went. It is there in both drawings, so that cells stay where they are."""


def _strength(weight: Tensor) -> list[list[float]]:
    found: list[list[float]] = (weight.abs() / weight.abs().max()).tolist()
    return found


def _framed(rows: list[list[str]], widths: str, words: str) -> str:
    labels = [str(i) for i in range(len(rows))]
    drawing = grids.grid(rows, alt=words, labels=labels, widths=widths)
    return (
        f"<style>{grids.STYLE}</style>{drawing}<style>{badges.STYLE}</style>"
        f'<p style="margin:.5rem 0 0">{escape(words)}{badges.badge("measured")}</p>'
    )
