"""The truth ledger as an HTML table: every currency, dense beside pruned, with a badge on every number.

Where two currencies disagree a sentence stands below the line in question. No Streamlit here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.render import ledger_lines
from pruning.render.ledger_lines import HEADS, Cell, Line
from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.cost.devices import Budget
    from pruning.cost.ledger import Ledger


def html(ledger: Ledger, *, head: Sequence[Line] = (), pruned: str = "pruned", budget: Budget | None = None) -> str:
    """The whole table. `head`: lines to stand on top; `pruned`: title of the second column."""
    heads = "".join(f'<th scope="col">{escape(pruned if title == "pruned" else title)}</th>' for title in HEADS)
    return (
        f'{STYLE}<table class="px-ledger"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join(map(_row, (*head, *ledger_lines.lines(ledger, budget))))}</tbody></table>"
    )


def _row(line: Line) -> str:
    if not line.cells:
        return f'<tr class="px-note"><td colspan="4">{escape(line.title)}</td></tr>'
    return f"<tr><th>{escape(line.title)}</th>{''.join(f'<td>{_cell(cell)}</td>' for cell in line.cells)}</tr>"


def _cell(cell: Cell) -> str:
    """A number with its badge; on a narrow screen the badge must not stand alone in the next line."""
    text, small = escape(cell.text), f"<small>{escape(cell.small)}</small>" if cell.small else ""
    if cell.kind is None:
        return f"{text} {small}".rstrip()
    head, last = (text, small) if small else text.rpartition(" ")[::2]
    return f'{head} <span class="px-unbroken">{last}{badges.badge(cell.kind)}</span>'.lstrip()


STYLE = f"""<style>{badges.STYLE}
.px-ledger{{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:var(--text-note)}}
.px-ledger th,.px-ledger td{{text-align:right;padding:.28rem .6rem;border:0;
 border-top:1px solid color-mix(in srgb,currentColor 15%,transparent);font-weight:400}}
.px-ledger thead td{{border-top:0}}
.px-ledger thead th{{border-top:0;opacity:var(--faint);font-size:var(--text-small)}}
.px-ledger tbody th{{text-align:left;padding-left:0}}
.px-ledger small{{opacity:var(--faint)}}
.px-ledger small,.px-ledger .px-unbroken{{white-space:nowrap}}
.px-ledger .px-note td{{border-top:0;text-align:left;padding:0 0 .45rem 1rem;font-size:var(--text-small);opacity:.8;
 max-width:60rem;overflow-wrap:anywhere}}
@media (max-width:640px){{.px-ledger{{font-size:.85rem}}.px-ledger th,.px-ledger td{{padding:.28rem .25rem}}}}
</style>"""
