"""Pieces of a report's page. What comes in as text is escaped here; what is HTML already says so in its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from pruning.render.markup.badges import Kind, badge
from pruning.tasks.metric import Metric

JOINED = "\u2060–\u2060"
"""The dash of an interval that does not end a line."""


def section(name: str, title: str, *parts: str, lead: str = "") -> str:
    """A part of the report with its heading; `parts` are HTML, `lead` is a sentence for those who read only that."""
    first = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{escape(title)}</h2>{first}'
        f"{''.join(parts)}</section>"
    )


def paragraphs(text: str) -> str:
    """Plain text of a person as paragraphs; single line breaks stay."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))]
    return "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in parts if part)


def metric_title(metric: Metric) -> str:
    """A metric as the heading of a figure: 'Right answers', 'Mean error'."""
    return "Right answers" if metric.counts_right else metric.title.capitalize()


def tile(title: str, value: str, kind: Kind | None, *lines: str) -> str:
    """One figure: what it is, the value with its badge (None: there is no value), and lines below it."""
    below = "".join(f"<span>{escape(line).replace('–', JOINED)}</span>" for line in lines)
    size = ' class="long"' if len(value) > 8 else ""
    mark = "" if kind is None else badge(kind)
    return f'<div class="tile"><h3>{escape(title)}</h3><b{size}>{escape(value)}{mark}</b>{below}</div>'


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    label: str,
    kinds: str = "",
    html: bool = False,
    marked: int | None = None,
) -> str:
    """A table that scrolls inside itself where it is too wide; the first cell of a row is its heading.

    `kinds`: a letter a column, 'n' for numbers. `html`: heads and cells are HTML already. `marked`: a row in bold.
    """
    kinds = kinds or "t" + "n" * (len(heads) - 1)
    of = [f' class="{kind}"' for kind in kinds]
    heads = heads if html else [escape(head) for head in heads]
    top = "".join(f'<th scope="col"{of[i]}>{head}</th>' for i, head in enumerate(heads))
    lines = []
    for number, row in enumerate(rows):
        cells = [cell if html else escape(cell) for cell in row]
        rest = "".join(f"<td{of[i]}>{cell}</td>" for i, cell in enumerate(cells) if i)
        strong = ' class="marked"' if number == marked else ""
        lines.append(f'<tr{strong}><th scope="row"{of[0]}>{cells[0]}</th>{rest}</tr>')
    return scroller(
        f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>",
        label,
    )


def scroller(html: str, label: str) -> str:
    """A place that scrolls sideways by itself, also by keyboard."""
    return f'<div class="wide" role="region" aria-label="{escape(label)}" tabindex="0">{html}</div>'


def chart(name: str, svg: str, caption_html: str) -> str:
    """A drawing, and an empty place over it that the script fills with a figure that answers to the mouse."""
    return (
        f'<figure class="chart"><div class="plot" id="{name}" aria-hidden="true"></div><div class="static">{svg}</div>'
        f"<figcaption>{caption_html}</figcaption></figure>"
    )


def folded(title: str, html: str, *, open_first: bool = True) -> str:
    """Something to open; open where no script closes it, and in print."""
    return f"<details{' open' if open_first else ''}><summary>{escape(title)}</summary>{html}</details>"


def key(mark: str, text: str) -> str:
    """An entry of a chart's key; `mark`: dense, kept, other, band, removed or line."""
    return f'<span class="key"><i class="mark {mark}"></i>{escape(text)}</span>'
