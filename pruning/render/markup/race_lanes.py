"""A race of two networks as HTML: the lanes while it runs, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pruning.render.markup import badges
from pruning.render.markup.pixels import photo

if TYPE_CHECKING:
    from pruning.compare.race import Standing
    from pruning.data.protocol import Data
    from pruning.render.figures.style import Palette


def lanes(
    names: tuple[str, str], standing: Standing | None, data: Data, sample: Sequence[int], colours: Palette
) -> str:
    """Both lanes. `standing`: None before the start. `sample`: numbers of the select images they run over."""
    rows = []
    for number, (name, colour) in enumerate(zip(names, (colours.dense, colours.kept), strict=True)):
        level = standing.level[number] if standing else 0.0
        speed = f"{standing.rates[number]:,.0f} a second{badges.badge('measured')}" if standing else "ready"
        picture = photo(data.image("select", int(sample[round(level) % len(sample)])))
        rows.append(_lane(name, speed, level, standing.goal if standing else 0, picture, colour))
    finish = f"finish: {standing.goal:,} images" if standing and standing.goal else "finish"
    return (
        f"<style>{badges.STYLE}{_style(colours)}</style>"
        f'<div class="rc-race">{"".join(rows)}<div class="rc-goal">{finish}</div></div>'
    )


def ending(ended: Standing, names: tuple[str, str]) -> str:
    """How it ended, claiming no more than the interval shows."""
    from pruning.compare.race import ending_words

    head, rest = ending_words(ended, names)
    return (
        f"<style>{badges.STYLE}</style>"
        "<div role='status' style='font-size:1.3rem;font-weight:var(--heavy);line-height:1.4'>"
        f"{escape(head)}{badges.badge('measured') if ended.quiet else ''}</div><div>{escape(rest)}</div>"
    )


def _lane(name: str, speed_html: str, level: float, goal: int, picture: str, colour: str) -> str:
    count, share = round(level), 100 * level / goal if goal else 0.0
    return (
        f'<div class="rc-lane"><div class="rc-who"><b>{escape(name)}</b><span>{speed_html}</span></div>'
        f'<div class="rc-track" role="progressbar" aria-label="{escape(name)}" aria-valuemin="0" '
        f'aria-valuemax="{goal or 1}" aria-valuenow="{count}">'
        f'<i style="width:{share:.2f}%;background:{colour}"></i>'
        f'<img alt="" src="{picture}" style="left:{share:.2f}%;border-color:{colour}"></div>'
        f'<div class="rc-count">{count:,}</div></div>'
    )


def _style(colours: Palette) -> str:
    return f"""
.rc-race{{font-variant-numeric:tabular-nums;color:{colours.ink};padding:.2rem 0 0}}
.rc-lane{{display:grid;grid-template-columns:8.5rem 1fr 5.2rem;gap:1rem;align-items:center;margin:.35rem 0}}
.rc-who b{{display:block;font-size:1.1rem;line-height:1.3}}
.rc-who span{{font-size:var(--text-small);color:{colours.soft}}}
.rc-track{{position:relative;height:46px;border-radius:var(--corner-control);background:{colours.panel};
 border:1px solid {colours.line};border-right:4px double {colours.ink};margin-right:1.6rem}}
.rc-track i{{position:absolute;left:0;top:0;bottom:0;border-radius:.4rem 0 0 .4rem;opacity:.85}}
.rc-track img{{position:absolute;top:4px;width:36px;height:36px;margin-left:-18px;border:2px solid;
 border-radius:var(--corner);
 image-rendering:pixelated;max-width:none}}
.rc-count{{font-size:1.5rem;font-weight:var(--heavy);text-align:right}}
.rc-goal{{text-align:right;font-size:var(--text-small);color:{colours.soft};margin-right:5.6rem}}
@media (max-width:640px){{.rc-lane{{grid-template-columns:1fr auto;gap:.2rem .6rem}}
 .rc-who{{grid-column:1/-1;display:flex;gap:.8rem;align-items:baseline}}.rc-count{{font-size:1.2rem}}
 .rc-goal{{margin-right:4.5rem}}}}
@media (prefers-reduced-motion:reduce){{.rc-track img{{display:none}}}}
"""
