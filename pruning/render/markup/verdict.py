"""The verdict on two networks as HTML, a badge behind each half."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.compare.casualties import Changes
    from pruning.compare.sides import Pair


def html(pair: Pair) -> str:
    """Size and speed as a heading; below it what became of the answers, and what that shows."""
    from pruning.compare.verdict import facts_of, verdict

    found = verdict(facts_of(pair))
    speedup = pair.speedup(pair.batches[0]) if pair.batches else None
    first = badges.badge(badges.of_clock(speedup is not None and speedup.estimated))
    second = badges.badge(badges.of_metric(pair.tuned))
    return (
        f"<style>{badges.STYLE}{STYLE}</style>"
        f'<div class="px-verdict"><h2>{unbroken(found.headline)}{first}</h2><p>{escape(found.rest)}{second}</p></div>'
    )


def answers_html(counted: Changes, pair: Pair) -> str:
    """What became of the answers, as a line of its own."""
    from pruning.compare.verdict import answers_sentence

    said, badge = answers_sentence(counted, pair), badges.badge(badges.of_metric(pair.tuned))
    return f"<style>{badges.STYLE}</style><p style='font-size:1.1rem;margin:0'><b>{escape(said)}</b>{badge}</p>"


def unbroken(text: str) -> str:
    """Escaped; 'speed-up' is not broken at its hyphen, as large letters would be."""
    return escape(text).replace("speed-up", '<span style="white-space:nowrap">speed-up</span>')


STYLE = """
.px-verdict{padding:.7rem 0 .3rem}
.px-verdict h2{margin:0!important;padding:0!important;font-size:1.85rem!important;font-weight:700!important;
 line-height:1.2!important;letter-spacing:-.01em!important}
.px-verdict p{margin:.25rem 0 0!important;font-size:1.15rem;line-height:1.4}
.px-verdict .px-badge{vertical-align:.12em}
@media (max-width:640px){.px-verdict h2{font-size:1.45rem!important}.px-verdict p{font-size:1rem}}
"""
