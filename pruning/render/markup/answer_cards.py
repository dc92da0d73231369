"""Pictures with what they show and what each of two networks answers, as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import percent
from pruning.render.markup.pixels import SMALL, photo

if TYPE_CHECKING:
    from pruning.compare.casualties import Case
    from pruning.data.protocol import Data


def html(cases: Sequence[Case], data: Data, named: Callable[[int], str]) -> str:
    """A card an image of the test role: its true class, where that is known, and both answers, each with its
    confidence. `named`: what an output stands for."""
    return f"<style>{STYLE}</style><ul class='px-cards'>{''.join(_card(case, data, named) for case in cases)}</ul>"


def _card(case: Case, data: Data, named: Callable[[int], str]) -> str:
    if case.label is None:
        title = f"both say {named(case.before)}" if case.before == case.after else "they differ"
        shows, heading = title, escape(title)
    else:
        truth = data.info.classes[case.label]
        shows, heading = f"showing {truth}", escape(truth)
    answers = (("before", case.before, case.before_confidence), ("after", case.after, case.after_confidence))
    image = data.image("test", case.index)
    smooth = ' class="px-smooth"' if max(image.shape[-2:]) > SMALL // 2 else ""
    return (
        f'<li><img{smooth} src="{photo(image, SMALL)}" alt="Test image {case.index}, {escape(shows)}">'
        f"<div><strong>{heading}</strong>{''.join(_answer(case, named, *answer) for answer in answers)}</div></li>"
    )


def _answer(case: Case, named: Callable[[int], str], when: str, output: int, confidence: float) -> str:
    sure = f"{percent(confidence, 0)} sure"
    if case.label is None and case.before == case.after:  # what it is stands above
        return f'<span class="px-alike"><small>{when}</small><small>{sure}</small></span>'
    mark = "said" if case.label is None else "right" if output == case.label else "wrong"
    return f'<span class="px-{mark}"><small>{when}</small><b>{escape(named(output))}</b><small>{sure}</small></span>'


STYLE = """
.px-cards{list-style:none;margin:.2rem 0 0!important;padding:0!important;display:grid;gap:.6rem;
 grid-template-columns:repeat(auto-fill,minmax(262px,1fr));font-variant-numeric:tabular-nums}
.px-cards li{display:flex;gap:.7rem;margin:0!important;padding:.5rem;border-radius:var(--corner-panel);
 background:color-mix(in srgb,currentColor 5%,transparent)}
.px-cards img{width:84px;height:84px;image-rendering:pixelated;border-radius:var(--corner);flex:none;align-self:center;
 object-fit:contain}
.px-cards .px-smooth{image-rendering:auto}
.px-cards strong{display:block;font-size:1.05rem;line-height:1.2;margin-bottom:.15rem}
.px-cards span{display:grid;grid-template-columns:2.9em auto;column-gap:.3em;line-height:1.25;align-items:baseline}
.px-cards span b{font-weight:var(--bold);overflow-wrap:anywhere}
.px-cards small{font-size:.82rem;opacity:.8}
.px-cards span small:last-child{grid-column:2}
.px-cards .px-wrong b::before{content:"✗ "}.px-cards .px-right b::before{content:"✓ "}
@media (max-width:500px){.px-cards{grid-template-columns:1fr 1fr}.px-cards li{flex-direction:column}}
"""
