"""Horizontal bars with their intervals: shares of a whole, or accuracies, each with its badge and its numbers.

    bars_html([Bar(label="as cut", share=0.34, badge="measured", low=0.31, high=0.37)], reference=0.994)

All text is escaped; sizes and colours are the tokens of the page (`pruning.render.tokens`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from pruning.base.words import interval, percent
from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.training.evaluate import Evaluation


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a list."""

    label: str
    share: float | None
    """0 to 1; None: not known yet."""
    badge: badges.Kind = "measured"
    low: float | None = None
    high: float | None = None
    """The 95 % interval, where it is a sample."""
    note: str = ""
    """Small print at its end."""
    colour: Literal["kept", "removed", "dense"] = "kept"


def accuracy_bar(label: str, evaluation: Evaluation | None, *, note: str = "", **options: object) -> Bar:
    """The bar of an accuracy; '…' where there is none yet."""
    if evaluation is None:
        return Bar(label=label, share=None, note=note)
    low, high = evaluation.interval
    return Bar(label=label, share=evaluation.value, low=low, high=high, note=note, **options)  # type: ignore[arg-type]


def bars_html(bars: Sequence[Bar], *, reference: float | None = None, name: str = "") -> str:
    """The bars as HTML. `reference`: a share that a line marks in all of them. `name`: what they show, for screen
    readers."""
    rows = "".join(_row(bar, reference) for bar in bars)
    return f'<style>{badges.STYLE}{STYLE}</style><ul class="px-bars" aria-label="{escape(name)}">{rows}</ul>'


def _row(bar: Bar, reference: float | None) -> str:
    label = f'<span class="px-l">{escape(bar.label)}</span>'
    if bar.share is None:
        return f'<li>{label}<span class="px-t"></span><b>…</b><small>{escape(bar.note)}</small></li>'
    inside = f'<i class="px-b" style="width:{_at(bar.share)};background:var(--{bar.colour})"></i>'
    notes = [bar.note] if bar.note else []
    if bar.low is not None and bar.high is not None:
        low, high = min(1.0, bar.low), min(1.0, bar.high)  # a ratio's interval may reach beyond the whole
        inside += f'<i class="px-w" style="left:{_at(low)};width:{_at(high - low)}"></i>'
        notes.insert(0, interval((bar.low, bar.high)))
    if reference is not None:
        inside += f'<i class="px-r" style="left:{_at(reference)}"></i>'
    value = f"<b>{percent(bar.share)}{badges.badge(bar.badge)}</b><small>{escape(' · '.join(notes))}</small>"
    return f'<li>{label}<span class="px-t">{inside}</span>{value}</li>'


def _at(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.2f}%"


STYLE = """
.px-bars{list-style:none;margin:0!important;padding:0!important;display:grid;gap:.5rem .9rem;
 grid-template-columns:minmax(5rem,max-content) minmax(6rem,1fr) max-content max-content;
 font-variant-numeric:tabular-nums}
.px-bars li{display:grid;grid-template-columns:subgrid;grid-column:1/-1;align-items:center;
 margin:0!important;padding:0!important;font-size:1rem;line-height:1.3}
.px-bars .px-t{position:relative;height:1.25rem;background:var(--line);border-radius:var(--corner)}
.px-bars .px-b{position:absolute;inset:0 auto 0 0;border-radius:var(--corner);transition:width .25s}
.px-bars .px-w{position:absolute;top:50%;height:.6rem;margin-top:-.3rem;border:solid currentColor;border-width:0 2px;
 background:linear-gradient(currentColor,currentColor) center/100% 2px no-repeat;min-width:2px}
.px-bars .px-r{position:absolute;top:-.25rem;bottom:-.25rem;border-left:2px dashed var(--soft)}
.px-bars li>b{white-space:nowrap;font-weight:var(--bold)}
.px-bars li>small{font-size:var(--text-small);color:var(--soft);white-space:nowrap}
@media (max-width:860px){
 .px-bars{grid-template-columns:1fr max-content}
 .px-bars .px-t{grid-row:2;grid-column:1/-1;height:.8rem}
 .px-bars li>small{grid-row:3;grid-column:1/-1}
}
@media (prefers-reduced-motion:reduce){.px-bars .px-b{transition:none}}
"""
