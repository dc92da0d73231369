"""What networks answer to one image, beside the image as they see it, as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.base.words import percent
from pruning.render.markup import badges
from pruning.render.markup.pixels import photo

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.training.one_image import Said


def html(image: Tensor, answers: Sequence[tuple[str, str, Said]], named: Callable[[int], str], words: str) -> str:
    """The image, the answer of each network with a bar for every class, and `words` below.

    `image`: uint8, C × H × W. `answers`: a network's name, the token of its colour ('dense', 'kept') and what it says.
    `named`: what an output stands for.
    """
    size = " × ".join(map(str, image.shape[-2:]))
    seen = (
        f'<figure><img src="{photo(image)}" alt="The image as the networks see it">'
        f"<figcaption>{size} pixels</figcaption></figure>"
    )
    cards = "".join(_card(*answer, named) for answer in answers)
    return (
        f"<style>{badges.STYLE}{STYLE}</style>"
        f'<div class="px-spoken" aria-live="polite">{seen}{cards}<p>{escape(words)}</p></div>'
    )


def agreement(answers: Sequence[Said], named: Callable[[int], str], truth: int | None) -> str:
    """Whether two networks say the same, and whether that is right where it is known, in a sentence."""
    first, second = (said.output for said in answers)
    if first != second:
        said = f"They disagree: {named(first)} before pruning, {named(second)} after."
    elif first < 0:
        said = "Neither has an answer."
    else:
        said = f"Both say {named(first)}."
    if truth is None or (first == second == truth):
        return said
    return f"{said} It is labelled {named(truth)}."


def _card(name: str, colour: str, said: Said, named: Callable[[int], str]) -> str:
    sure = f"{_rounded(said.confidence)} sure" if said.output >= 0 else "its outputs are no numbers"
    bars = "".join(_bar(number, share, number == said.output, named) for number, share in enumerate(said.shares))
    return (
        f'<section style="--px-colour:var(--{colour})"><h2>{escape(name)}</h2>'
        f"<b>{escape(named(said.output))}</b><small>{sure}{badges.badge('measured')}</small><ol>{bars}</ol></section>"
    )


def _rounded(confidence: float) -> str:
    """No network is sure beyond doubt, so none is rounded up to that."""
    return "over 99 %" if confidence > 0.99 else percent(confidence, 0)


def _bar(number: int, share: float, chosen: bool, named: Callable[[int], str]) -> str:
    kind = ' class="px-chosen"' if chosen else ""
    tall = max(0.0, 100 * share) if share == share else 0.0
    title = f"{named(number)}: {percent(share)}" if share == share else named(number)
    return (
        f'<li{kind} title="{escape(title)}"><i style="height:{tall:.1f}%"></i><span>{escape(named(number))}</span></li>'
    )


STYLE = """
.px-spoken{display:grid;grid-template-columns:84px minmax(0,1fr) minmax(0,1fr);gap:.75rem;
 font-variant-numeric:tabular-nums;max-width:46rem}
.px-spoken figure{margin:0}
.px-spoken img{width:84px;height:84px;image-rendering:pixelated;border-radius:var(--corner);display:block}
.px-spoken figcaption,.px-spoken small{font-size:var(--text-small);opacity:var(--faint)}
.px-spoken section{background:color-mix(in srgb,currentColor 5%,transparent);border-radius:var(--corner-panel);
 padding:.55rem .9rem .6rem}
.px-spoken h2{margin:0!important;padding:0!important;font-size:var(--text-small)!important;font-weight:500!important;
 line-height:1.4!important;letter-spacing:0!important;opacity:var(--faint)}
.px-spoken section>b{font-size:1.9rem;font-weight:var(--heavy);line-height:1.2;margin-right:.6rem}
.px-spoken ol{list-style:none;display:flex;gap:2px;margin:.4rem 0 0!important;padding:0!important}
.px-spoken li{flex:1;margin:0!important;display:flex;flex-direction:column;justify-content:flex-end;height:4.4rem;
 text-align:center;font-size:var(--text-tiny);line-height:1.3}
.px-spoken li i{display:block;min-height:1px;background:var(--px-colour);border-radius:2px 2px 0 0}
.px-spoken li span{flex:none;opacity:var(--faint)}
.px-spoken .px-chosen span{font-weight:var(--heavy);opacity:1}
.px-spoken p{grid-column:1/-1;margin:0!important}
@media (max-width:600px){.px-spoken{grid-template-columns:1fr 1fr}.px-spoken figure{grid-column:1/-1;display:flex;
 gap:.6rem;align-items:end}}
"""
