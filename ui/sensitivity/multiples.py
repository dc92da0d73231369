"""Sensitivity as small multiples: one chart a group on shared axes, beside it what its layers cost.

Drawn as HTML, so that 60 of them are quick: lines and band are an SVG picture (`st.html` takes SVG elements out), the
measured points are elements of their own that tell their numbers. All names come from files: escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from pruning.base.words import amount
from pruning.render.markup import badges

if TYPE_CHECKING:
    from pruning.render.figures.style import Palette
    from pruning.sensitivity import Curve, FigureName, Point, Sensitivity
    from pruning.tasks.metric import Metric

SORTS = {"network": "in network order", "robust": "most robust first", "macs": "most MACs first"}
HEIGHT = 92
"""Of a chart's plot, in pixels."""
TICKS = {"channel": (0.0, 0.5, 1.0), "weight": (0.0, 0.5, 0.9, 0.99)}


@dataclass(frozen=True, kw_only=True)
class View:
    """How the curves are looked at."""

    figure: FigureName
    lose: float
    """The limit: how much of the metric one group may lose."""
    sort: str = "network"
    close: bool = False
    """Show only values near the limit."""


def html(scan: Sensitivity, view: View, colours: Palette) -> str:
    """All charts."""
    cards = "".join(_card(curve, scan, view, colours) for curve in ordered(scan, view))
    return f'<style>{badges.STYLE}{_style(colours)}</style><div class="sx-grid">{cards}</div>'


def ordered(scan: Sensitivity, view: View) -> list[Curve]:
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


def is_logarithmic(granularity: str) -> bool:
    """Whether the axis of what is removed is logarithmic in what is left."""
    return granularity == "weight"


def position(sparsity: float, granularity: str) -> float:
    """Where a sparsity stands on the axis, 0 to 1. For weights the axis is logarithmic in what is left, down to 1 %:
    most of what happens, happens beyond 90 %.

    >>> position(0.5, "channel"), round(position(0.9, "weight"), 3)
    (0.5, 0.5)
    """
    if not is_logarithmic(granularity):
        return sparsity
    return min(1.0, -math.log10(max(0.01, 1 - sparsity)) / 2)


def label(name: str) -> str:
    """A target as it is called on the Prune page: 'layer2.0.conv2/own' → 'layer2.0.conv2 · own'."""
    first, _, number = name.removesuffix(".weight").replace("/own", " · own").partition("#")
    return f"{first} ({number})" if number else first


def _card(curve: Curve, scan: Sensitivity, view: View, colours: Palette) -> str:
    tied = f'<span class="sx-tied" title="{escape(_tied(curve), quote=True)}">+{len(curve.layers) - 1}</span>'
    head = (
        f'<header><b title="{escape(curve.name, quote=True)}">{escape(label(curve.name))}</b>'
        f"{tied if len(curve.layers) > 1 else ''}</header>"
    )
    if curve.locked is not None:
        return (
            f'<section class="sx-card sx-locked">{head}<p class="sx-said">{_lock(colours)}locked</p>'
            f'<p class="sx-why">{escape(curve.locked)}</p>{_costs(curve, scan)}</section>'
        )
    said, best = _said(curve, view)
    return (
        f'<section class="sx-card">{head}<p class="sx-said">{said}</p>'
        f"{_plot(curve, scan, view, best, colours)}{_costs(curve, scan)}</section>"
    )


def _said(curve: Curve, view: View) -> tuple[str, Point | None]:
    """The largest sparsity within the limit, in words, and its point."""
    from pruning.sensitivity import largest_within

    if not curve.points:
        return '<i class="sx-soft">not measured yet</i>', None
    best = largest_within(curve, view.figure, view.lose)
    if best is None:
        first = curve.points[0]
        return (
            f"<strong>0 %</strong><small>{_percent(first.achieved)} {_loses(first, view)}"
            f"{badges.badge('measured')}</small>",
            None,
        )
    return (
        f"<strong>{_percent(best.achieved)}</strong><small>{_loses(best, view)}{badges.badge('measured')}</small>",
        best,
    )


def _loses(point: Point, view: View) -> str:
    figure = point.figure(view.figure)
    metric = figure.metric
    lost, *ends = (-metric.gain(change) for change in (figure.change, figure.change_low, figure.change_high))
    span = " to ".join(f"{metric.scale * end:.{metric.digits}f}".replace("-", "−") for end in sorted(ends))
    return f"{'loses' if lost >= 0 else 'gains'} {metric.size(lost)} ({span})"


def _plot(curve: Curve, scan: Sensitivity, view: View, best: Point | None, colours: Palette) -> str:
    low, high = _range(scan, view)
    metric = scan.metric

    def x(sparsity: float) -> float:
        return 100 * position(sparsity, scan.spec.granularity)

    def y(value: float) -> float:
        return HEIGHT * (high - value) / (high - low)

    shapes, dots = [], []
    for level in (low, (low + high) / 2, high):
        shapes.append(_line(0, y(level), 100, y(level), colours.line, 1))
    if scan.dense is not None:
        dense, start = scan.dense.as_cut.value, scan.dense.figure(view.figure)
        shapes.append(_line(0, y(dense), 100, y(dense), colours.dense, 1.2, "2 3"))
        if best is not None:
            shapes.append(
                f'<rect x="0" y="0" width="{x(best.achieved):.2f}" height="{HEIGHT}" fill="{colours.removed}" '
                'opacity=".1"/>'
            )
            shapes.append(_line(x(best.achieved), 0, x(best.achieved), HEIGHT, colours.removed, 1.6))
        limit = start.value - metric.gain(view.lose)
        shapes.append(_line(0, y(limit), 100, y(limit), colours.ink, 1, "5 3"))
        knots = [(0.0, start), *((point.achieved, point.figure(view.figure)) for point in curve.points)]
        up = [(x(share), y(figure.interval[1])) for share, figure in knots]
        down = [(x(share), y(figure.interval[0])) for share, figure in reversed(knots)]
        middle = [(x(share), y(figure.value)) for share, figure in knots]
        shapes.append(f'<polygon points="{_path([*up, *down])}" fill="{colours.kept}" opacity=".2"/>')
        shapes.append(
            f'<polyline points="{_path(middle)}" fill="none" stroke="{colours.kept}" stroke-width="1.8" '
            'vector-effect="non-scaling-stroke"/>'
        )
        dots = [_dot(point, curve, view, x, y) for point in curve.points]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 {HEIGHT}" preserveAspectRatio="none">'
        f"{''.join(shapes)}</svg>"
    )
    levels = "".join(
        f'<span style="top:{y(level):.0f}px">{_level(metric, level, high - low)}</span>'
        for level in (low, (low + high) / 2, high)
    )
    ticks = "".join(
        f'<span style="left:{x(tick):.1f}%">{100 * tick:.0f}</span>' for tick in TICKS[scan.spec.granularity]
    )
    return (
        f'<div class="sx-plot"><div class="sx-y">{levels}</div><div class="sx-area">'
        f'<img alt="{escape(_summary(curve, view), quote=True)}" src="data:image/svg+xml,{quote(svg)}">{"".join(dots)}'
        f'</div><div class="sx-x">{ticks}</div></div>'
    )


def _range(scan: Sensitivity, view: View) -> tuple[float, float]:
    """Values that all charts show."""
    metric = scan.metric
    if not view.close or scan.dense is None:
        return _all_of_them(scan, view)
    step = max(view.lose, 0.5 / metric.scale)
    start = scan.dense.figure(view.figure).value
    worse, better = start - metric.gain(5 * step), start + metric.gain(step)
    least, most = metric.bounds
    return max(least, min(worse, better)), min(most, max(worse, better))


def _all_of_them(scan: Sensitivity, view: View) -> tuple[float, float]:
    """All values that there can be; where there is no least or most, all that were measured."""
    if scan.metric.scaled_bounds is not None:
        return scan.metric.bounds
    figures = [point.figure(view.figure) for curve in scan.curves for point in curve.points]
    ends = [
        end for figure in (*figures, *([] if scan.dense is None else [scan.dense.as_cut])) for end in figure.interval
    ]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    return low, high if high > low else low + 1


def _level(metric: Metric, value: float, reach: float) -> str:
    """A value at the axis: with as few decimals as tell its marks apart."""
    shown = metric.scale * value
    return f"{shown:.{metric.digits if metric.scale * reach <= 20 else 0}f}"


def _dot(point: Point, curve: Curve, view: View, x: object, y: object) -> str:
    figure = point.figure(view.figure)
    assert callable(x) and callable(y)
    top = y(figure.value)
    if not -1 <= top <= HEIGHT + 1:
        return ""
    metric = figure.metric
    say = (
        f"{_percent(point.achieved)} removed, {point.kept:,} of {curve.units:,} stay: {metric.words(figure.value)} "
        f"({metric.bare_span(figure.interval)}); {f'{_loses(point, view)} {metric.unit_of_change}'.rstrip()}. Measured."
    )
    return f'<i style="left:{x(point.achieved):.2f}%;top:{top:.1f}px" title="{escape(say, quote=True)}"></i>'


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


def _summary(curve: Curve, view: View) -> str:
    figures = [(point, point.figure(view.figure)) for point in curve.points]
    shown = [f"{_percent(point.achieved)}: {figure.metric.words(figure.value)}" for point, figure in figures]
    title = figures[0][1].metric.title.capitalize() if figures else "The metric"
    return f"{title} of {label(curve.name)} by share removed. {', '.join(shown) or 'Not measured yet.'}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{colour}" stroke-width="{width}"'
        f'{dashed} vector-effect="non-scaling-stroke"/>'
    )


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
.sx-card{{border:1px solid {colours.line};border-radius:.6rem;padding:.5rem .7rem .55rem;min-width:0;font-size:.84rem}}
.sx-card header{{display:flex;align-items:baseline;gap:.4rem;line-height:1.3;height:1.35rem}}
.sx-card header b{{font-weight:600;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;min-width:0}}
.sx-tied{{border:1px solid {colours.line};border-radius:.7rem;padding:0 .35rem;color:{colours.soft};font-size:.8rem}}
.sx-card p{{margin:0!important;font-size:.84rem!important}}
.sx-said{{display:flex;align-items:baseline;gap:.45rem;min-height:1.75rem;white-space:nowrap}}
.sx-said strong{{font-size:1.1rem;font-weight:650}}
.sx-said small{{color:{colours.soft};font-size:.8rem;overflow:hidden;text-overflow:ellipsis}}
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
