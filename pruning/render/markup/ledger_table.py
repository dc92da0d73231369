"""The truth ledger as an HTML table: every currency, dense beside pruned, with a badge on every number.

Where two currencies disagree a sentence stands below the line in question. No Streamlit here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import factor, milliseconds, size
from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.cost.devices import Budget
    from pruning.cost.ledger import Clock, Ledger


def html(ledger: Ledger, *, head: Sequence[str] = (), pruned: str = "pruned", budget: Budget | None = None) -> str:
    """The whole table. `head`: rows to stand on top, made by `row`; `pruned`: title of the second column."""
    heads = "".join(f'<th scope="col">{escape(title)}</th>' for title in ("dense", pruned, "change"))
    return (
        f'{STYLE}<table class="px-ledger"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{''.join((*head, *_lines(ledger), *_budget(ledger, budget)))}</tbody></table>"
    )


def row(title: str, *cells: str) -> str:
    """One line; the cells are HTML already."""
    return f"<tr><th>{escape(title)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _lines(ledger: Ledger) -> list[str]:
    dense, pruned = ledger.dense, ledger.pruned
    notes = _notes(ledger)
    deflate: badges.Kind = "estimated" if ledger.deflate_estimated else "measured"
    return [
        _counts("Zeros among the parameters", dense.params - dense.nonzero, pruned.params - pruned.nonzero, False),
        *notes["zeros"],
        _counts("Parameters", dense.params, pruned.params),
        _counts("Parameters that are not zero", dense.nonzero, pruned.nonzero),
        _sizes("Bytes, raw", dense.raw, pruned.raw),
        _sizes("Bytes, compressed (deflate)", dense.deflate, pruned.deflate, deflate),
        _sizes("Bytes, bitmap and non-zeros", dense.sparse, pruned.sparse),
        *notes["file"],
        _counts("MACs of one image", dense.macs, pruned.macs),
        *notes["layers"],
        _sizes("Activation memory of one image, at most", dense.activation, pruned.activation, "estimated"),
        *notes["memory"],
        *([_time(clock) for clock in ledger.clocks] or [row("Time of one image", "–", "–", escape(ledger.untimed))]),
        *notes["time"],
    ]


def _notes(ledger: Ledger) -> dict[str, list[str]]:
    """The sentences as lines of their own, by what they are about."""
    from pruning.cost.ledger import remarks

    found: dict[str, list[str]] = {about: [] for about in ("zeros", "file", "layers", "memory", "time")}
    for remark in remarks(ledger):
        found[remark.about].append(f'<tr class="px-note"><td colspan="4">{escape(remark.text)}</td></tr>')
    return found


def _budget(ledger: Ledger, budget: Budget | None) -> list[str]:
    if budget is None:
        return []
    from pruning.cost.devices import NOTE, fits

    sides = [fits(budget, raw=side.raw, activation=side.activation) for side in (ledger.dense, ledger.pruned)]
    kinds: tuple[badges.Kind, badges.Kind] = ("measured", "estimated")
    return [
        *(
            row(dense.title, *(_marked(escape(fit.text), kind) for fit in (dense, pruned)), "")
            for dense, pruned, kind in zip(*sides, kinds, strict=True)
        ),
        f'<tr class="px-note"><td colspan="4">{escape(NOTE)}</td></tr>',
    ]


def _counts(title: str, dense: int, pruned: int, compare: bool = True) -> str:
    texts = (f"{dense:,}", f"{pruned:,}", _ratio(dense, pruned) if compare else "")
    return row(title, *(_marked(text, "measured") if text else "" for text in texts))


def _sizes(title: str, dense: int, pruned: int, badge: badges.Kind = "measured") -> str:
    return row(title, *(_marked(text, badge) for text in (size(dense), size(pruned), _ratio(dense, pruned))))


def _ratio(dense: int, pruned: int) -> str:
    return "same" if dense == pruned else factor(dense, pruned)


def _time(clock: Clock) -> str:
    from pruning.latency.clock import verdict

    title = f"Time of a batch of {clock.batch}" if clock.batch > 1 else "Time of one image"
    kind: badges.Kind = "estimated" if clock.estimated else "measured"
    low, middle, high = clock.speedup
    change = f"≈ {middle:.2f}× ({low:.2f}–{high:.2f})" if clock.estimated else verdict(clock.speedup)
    return row(title, *(_span(times, kind) for times in (clock.dense, clock.pruned)), _marked(escape(change), kind))


def _span(times: tuple[float, float, float], kind: badges.Kind) -> str:
    low, median, high = times
    if low == high:
        return _marked(milliseconds(median), kind)
    span = f"<small>({milliseconds(low)[:-3]}–{milliseconds(high)[:-3]})</small>"
    return f"{milliseconds(median)} {_marked(span, kind)}"


def _marked(html: str, kind: badges.Kind) -> str:
    """A number with its badge; on a narrow screen the badge must not stand alone in the next line."""
    head, _, last = html.rpartition(" ")
    return f'{head} <span class="px-unbroken">{last}{badges.badge(kind)}</span>'.lstrip()


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
