"""Weight matrices as drawings, cell by cell, in the colours of every figure: HTML, since `st.html` drops SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

GONE = '<i class="px-gone"></i>'
"""A weight that has been removed, and its place with it."""
ZERO = '<i class="px-zero">0</i>'
"""A weight that is set to zero and keeps its place."""
SPACE = "<i></i>"


def cell(strength: float) -> str:
    """A weight that stays: the stronger, the bluer. `strength`: 0 to 1."""
    return f'<i style="--s:{12 + 88 * min(1.0, max(0.0, strength)):.0f}%"></i>'


def grid(rows: Sequence[Sequence[str]], *, alt: str, labels: Sequence[str] = (), widths: str = "") -> str:
    """Cells in rows, as HTML that needs `STYLE` once.

    `labels`: one before each row. `widths`: CSS of the columns, if they are not all equal.
    """
    columns = widths or f"repeat({len(rows[0])},minmax(0,1fr))"
    cells = "".join(
        (f"<b>{escape(labels[i])}</b>" if labels else "") + "".join(row) for i, row in enumerate(rows)
    )  # fmt: skip
    first = "1.3rem " if labels else ""
    return (
        f'<div class="px-matrix" role="img" aria-label="{escape(alt)}" '
        f'style="grid-template-columns:{first}{columns}">{cells}</div>'
    )


STYLE = """
.px-matrix{display:grid;gap:2px;max-width:720px}
.px-matrix i{aspect-ratio:1;border-radius:2px;font-style:normal;display:grid;place-items:center;min-width:0;
 background:color-mix(in srgb,var(--kept) var(--s,0%),var(--paper))}
.px-matrix .px-zero{border:1px solid var(--removed);color:var(--removed);background:none;font-size:.72rem;line-height:1}
.px-matrix .px-gone{border:1px dashed color-mix(in srgb,var(--removed) 55%,transparent);background:none}
.px-matrix b{font-weight:500;font-size:var(--text-tiny);color:var(--soft);align-self:center;text-align:center}
@media (max-width:640px){.px-matrix{gap:1px}.px-matrix .px-zero{font-size:0}
 .px-matrix b{font-size:.6rem;line-height:1}}
"""
