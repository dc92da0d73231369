"""Sensitivity as small multiples: one chart a group on shared axes, beside it what its layers cost.

Drawn as HTML, so that 60 of them are quick. All names come from files: escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from pruning.base.words import amount, percent
from pruning.graph.stages import Stage, short_labels, stages
from pruning.render.markup import badges
from pruning.render.markup.multiples_plot import HEIGHT, CurveView, is_logarithmic, loses, plot

if TYPE_CHECKING:
    from pruning.render.figures.style import Palette
    from pruning.sensitivity import Curve, FigureName, Sensitivity

SORTS = {"network": "in network order", "robust": "most robust first", "macs": "most MACs first"}
"""Orders that `CurveView.sort` may name, in words."""


LARGE = 5
"""Charts of a stage that has a head of its own: they fill a row."""


def html(scan: Sensitivity, view: CurveView, colours: Palette) -> str:
    """All charts."""
    curves = ordered(scan, view)
    parts = parts_of(scan)
    if view.sort != "network" or len(parts) == 1:
        titles = short_labels([_layer(curve.name) for curve in curves])
        shown = _grid(list(zip(curves, titles, strict=True)), scan, view, colours)
    else:
        shown = _parts(parts, curves, scan, view, colours)
    return f"<style>{badges.STYLE}{_style(colours)}</style>{shown}"


def parts_of(scan: Sensitivity) -> tuple[Stage, ...]:
    """The stages of the network that was scanned, by the names of its groups or layers; one where there are few."""
    return stages([_layer(curve.name) for curve in scan.curves])


def _parts(
    parts: Sequence[Stage], curves: Sequence[Curve], scan: Sensitivity, view: CurveView, colours: Palette
) -> str:
    """Large stages with a head each; small ones that follow each other stand in one grid, without."""
    known = {_layer(curve.name): curve for curve in curves}
    titles = dict(zip(known, short_labels(list(known)), strict=True))
    shown, together = "", []
    for part in parts:
        if view.stage not in ("", part.title):
            continue
        if len(part.members) < LARGE and not view.stage:
            together += [(known[name], titles[name]) for name in part.members]
            continue
        shown += _grid(together, scan, view, colours) if together else ""
        shown += _part(part, [(known[name], part.short(name)) for name in part.members], scan, view, colours)
        together = []
    return shown + (_grid(together, scan, view, colours) if together else "")


def _layer(name: str) -> str:
    return name.removesuffix(".weight")


def _grid(curves: Sequence[tuple[Curve, str]], scan: Sensitivity, view: CurveView, colours: Palette) -> str:
    cards = "".join(_card(curve, title, scan, view, colours) for curve, title in curves)
    return f'<div class="sx-grid">{cards}</div>'


def _part(
    part: Stage, curves: Sequence[tuple[Curve, str]], scan: Sensitivity, view: CurveView, colours: Palette
) -> str:
    """The charts of a stage, which folds."""
    locked = sum(curve.locked is not None for curve, _ in curves)
    what = ("group" if scan.spec.info.shrinks else "layer") + ("s" if len(curves) > 1 else "")
    said = f"{len(curves)} {what}{f', {locked} locked' if locked else ''}"
    return (
        f'<details class="sx-part" open><summary><b>{escape(part.title)}</b> <span>{said}</span></summary>'
        f"{_grid(curves, scan, view, colours)}</details>"
    )


def ordered(scan: Sensitivity, view: CurveView) -> list[Curve]:
    """Curves in the chosen order; what is locked is ranked by nothing, for it cannot be pruned: that is not robust."""
    from pruning.sensitivity import largest_within

    def robust(curve: Curve) -> tuple[float, float]:
        best = largest_within(curve, view.figure, view.lose)
        gains = [scan.metric.gain(point.figure(view.figure).value) for point in curve.points]
        mean = sum(gains) / max(1, len(gains))
        return (best.achieved if best else 0.0, mean)

    if view.sort == "network":
        return list(scan.curves)
    free = [curve for curve in scan.curves if curve.locked is None]
    if view.sort == "robust":
        free.sort(key=robust, reverse=True)
    else:
        free.sort(key=lambda curve: curve.macs, reverse=True)
    return [*free, *(curve for curve in scan.curves if curve.locked is not None)]


def caption(scan: Sensitivity, name: FigureName, share: float = 1.0) -> str:
    """How to read the charts, below all of them, with the figures of the dense network, which is measured."""
    from pruning.sensitivity import FIGURES

    assert scan.dense is not None, "there is nothing to read yet"
    metric, dense, again = scan.metric, scan.dense.as_cut, ""
    if name == "recalibrated" and scan.dense.recalibrated is not None:
        again = f"; the dense network recalibrated {metric.words(scan.dense.recalibrated.value)} ●, where curves begin"
    if name == "repaired":
        again = ", where curves begin; repaired without training or labels, from few images: a run takes more"
    goes = "the largest measured sparsity within it"
    if share < 1:
        goes = f"{percent(share, 0)} of {goes}"
    axis = " The axis is logarithmic in what is left." if is_logarithmic(scan.spec.granularity) else ""
    return (
        f"Across: share removed, %. Up: {metric.axis}, {FIGURES[name]}, on {scan.images:,} select images, with "
        f"its 95 % interval; every dot is measured ● in {scan.precision}. Dotted: dense, "
        f"{metric.words(dense.value)} ({metric.span(dense.interval)}) ●{again}. Dashed: the limit. "
        f"The tinted part goes: {goes}.{axis} "
        "Params and MACs: of the layers that the group runs through, counted ●."
    )


def _card(curve: Curve, title: str, scan: Sensitivity, view: CurveView, colours: Palette) -> str:
    tied = f'<span class="sx-tied" title="{escape(_tied(curve), quote=True)}">+{len(curve.layers) - 1}</span>'
    head = (
        f'<header><b title="{escape(curve.name, quote=True)}"><bdi>{escape(title)}</bdi></b>'
        f"{tied if len(curve.layers) > 1 else ''}</header>"
    )
    if curve.locked is not None:
        return (
            f'<section class="sx-card sx-locked">{head}<p class="sx-said">{_lock(colours)}locked</p>'
            f'<p class="sx-why">{escape(curve.locked)}</p>{_costs(curve, scan)}</section>'
        )
    part = " sx-share" if view.share < 1 else ""
    return (
        f'<section class="sx-card">{head}<p class="sx-said{part}">{_said(curve, view)}</p>'
        f"{plot(curve, scan, view, view.gone(curve), colours)}{_costs(curve, scan)}</section>"
    )


def _said(curve: Curve, view: CurveView) -> str:
    """How much goes within the limit, in words, and what the measured point loses that says so."""
    from pruning.sensitivity import largest_within

    if not curve.points:
        return '<i class="sx-soft">not measured yet</i>'
    best = largest_within(curve, view.figure, view.lose)
    shown = best or curve.points[0]
    loss = f"{loses(shown, view)}{badges.badge('measured')}"
    if best is None:
        return f"<strong>0 %</strong><small>{percent(shown.achieved, 0)} {loss}</small>"
    of = f"<small>of {percent(best.achieved, 0)}, which</small>" if view.share < 1 else ""
    return f"<strong>{percent(view.gone(curve), 0)}</strong>{of}<small>{loss}</small>"


def _costs(curve: Curve, scan: Sensitivity) -> str:
    rows = (
        (scan.spec.info.title, curve.units, [c.units for c in scan.curves]),
        ("params", curve.params, [c.params for c in scan.curves]),
        ("MACs", curve.macs, [c.macs for c in scan.curves]),
    )
    shown = rows if scan.spec.info.shrinks else rows[:1] + rows[2:]  # a tensor's weights are its parameters
    bars = "".join(
        f'<span>{title}</span><span class="sx-bar"><i style="width:{100 * value / max(1, *all_of):.1f}%"></i></span>'
        f"<span>{amount(value)}</span>"
        for title, value, all_of in shown
    )
    return f'<div class="sx-costs">{bars}</div>'


def _tied(curve: Curve) -> str:
    return f"{len(curve.layers)} layers lose the same channels: {', '.join(curve.layers)}"


def _lock(colours: Palette) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="none" stroke="{colours.soft}" '
        f'stroke-width="1.6" d="M5 7V5a3 3 0 0 1 6 0v2"/><rect x="3" y="7" width="10" height="7" rx="1.5" '
        f'fill="{colours.soft}"/></svg>'
    )
    return f'<img class="sx-lock" alt="" src="data:image/svg+xml,{quote(svg)}">'


def _style(colours: Palette) -> str:
    return f"""
.sx-grid{{display:grid;grid-template-columns:repeat(auto-fill,minmax(218px,1fr));gap:.7rem;
 font-variant-numeric:tabular-nums;color:{colours.ink}}}
.sx-card{{border:1px solid {colours.line};border-radius:var(--corner-panel);padding:.5rem .7rem .55rem;min-width:0;
 font-size:.84rem}}
.sx-card header{{display:flex;align-items:baseline;gap:.4rem;line-height:1.3;height:1.35rem}}
.sx-card header b{{font-weight:var(--bold);white-space:nowrap;overflow:hidden;text-overflow:ellipsis;min-width:0;
 direction:rtl;text-align:left}}
.sx-part{{margin-bottom:.8rem}}
.sx-grid+.sx-part{{margin-top:.8rem}}
.sx-part summary{{cursor:pointer;padding:.35rem 0;font-size:.95rem}}
.sx-part summary span{{color:{colours.soft};font-size:.84rem}}
.sx-tied{{border:1px solid {colours.line};border-radius:.7rem;padding:0 .35rem;color:{colours.soft};
 font-size:var(--text-tiny)}}
.sx-card p{{margin:0!important;font-size:.84rem!important}}
.sx-said{{display:flex;align-items:baseline;gap:.45rem;min-height:1.75rem;white-space:nowrap}}
.sx-said strong{{font-size:1.1rem;font-weight:var(--heavy)}}
.sx-said small{{color:{colours.soft};font-size:var(--text-tiny);overflow:hidden;text-overflow:ellipsis}}
.sx-share{{flex-wrap:wrap;column-gap:.45rem;row-gap:0}}
.sx-share small:last-child{{flex-basis:100%}}
.sx-soft{{color:{colours.soft};font-style:normal}}
.sx-plot{{display:grid;grid-template-columns:2.1rem 1fr;grid-template-rows:{HEIGHT}px 1.1rem;margin:.35rem 0 .25rem}}
.sx-area{{position:relative;overflow:visible}}
.sx-area img{{position:absolute;inset:0;width:100%;height:100%;max-width:none;overflow:hidden}}
.sx-area i{{position:absolute;width:7px;height:7px;margin:-3.5px 0 0 -3.5px;border-radius:50%;
 background:{colours.kept};box-shadow:0 0 0 4px transparent}}
.sx-area i:hover{{box-shadow:0 0 0 3px color-mix(in srgb,{colours.kept} 35%,transparent)}}
.sx-y,.sx-x{{position:relative;color:{colours.soft};font-size:.74rem;line-height:1}}
.sx-y span{{position:absolute;right:.4rem;transform:translateY(-50%)}}
.sx-x{{grid-column:2;margin-top:.3rem}}
.sx-x span{{position:absolute;transform:translateX(-50%)}}
.sx-costs{{display:grid;grid-template-columns:auto 1fr 3.4em;gap:.05rem .5rem;align-items:center;font-size:.78rem;
 color:{colours.soft}}}
.sx-costs span:nth-child(3n){{text-align:right}}
.sx-bar{{height:6px;border-radius:3px;background:{colours.line};overflow:hidden}}
.sx-bar i{{display:block;height:100%;background:{colours.dense}}}
.sx-locked{{background:{colours.panel};display:flex;flex-direction:column}}
.sx-locked .sx-said,.sx-why{{color:{colours.soft}}}
.sx-locked .sx-said{{align-items:center}}
.sx-locked .sx-why{{flex:1;overflow-wrap:anywhere;line-height:1.35}}
.sx-lock{{width:.95rem;height:.95rem}}
"""
