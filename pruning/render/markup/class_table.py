"""Every class with both accuracies and the change, as an HTML table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import percent
from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.compare.classes import ClassChange

HEADS = ("class", "test images", "before", "after", "change, points", "newly wrong", "newly right")


def html(found: Sequence[ClassChange], *, before: badges.Kind, after: badges.Kind, change: badges.Kind) -> str:
    """A line a class, in the order given; the badges of its two accuracies and of their change."""
    from pruning.tasks.classification import ACCURACY

    rows = "".join(
        f"<tr><th scope='row'>{escape(one.name)}</th><td>{one.images:,}</td>"
        f"<td>{percent(one.before_accuracy)}{badges.badge(before)}</td>"
        f"<td>{percent(one.after_accuracy)}{badges.badge(after)}</td>"
        f"<td>{ACCURACY.signed(one.difference.value)} <small>({ACCURACY.signed_span(one.difference.interval)})</small>"
        f"{badges.badge(change)}</td>"
        f"<td>{one.difference.newly_wrong}</td><td>{one.difference.newly_right}</td></tr>"
        for one in found
    )
    return table(HEADS, rows, "Accuracy by class")


def table(heads: Sequence[str], rows: str, label: str) -> str:
    """A table of classes that scrolls inside itself; `heads` and `rows` are HTML."""
    return (
        f"<style>{badges.STYLE}{STYLE}</style><div class='px-scroll' tabindex='0' role='region' "
        f"aria-label='{escape(label)}'><table class='px-classes'>"
        f"<thead><tr>{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


STYLE = """
.px-scroll{overflow-x:auto}
.px-classes{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:var(--text-note)}
.px-classes th,.px-classes td{text-align:right;padding:.3rem .6rem;border:0;font-weight:400;white-space:nowrap;
 border-top:1px solid color-mix(in srgb,currentColor 15%,transparent)}
.px-classes thead th{border-top:0;font-size:var(--text-small);opacity:.8}
.px-classes th:first-child{text-align:left;padding-left:0}
.px-classes tbody th{font-weight:var(--bold)}
.px-classes small{opacity:.8}
"""
