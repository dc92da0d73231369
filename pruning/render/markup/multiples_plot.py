"""One curve of sensitivity as a picture with measured points on it: shared axes, band, limit, and what goes.

Lines and band are an SVG picture (`st.html` takes SVG elements out); the points are elements of their own that tell
their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from pruning.base.words import percent
from pruning.graph.names import label

if TYPE_CHECKING:
    from pruning.render.figures.style import Palette
    from pruning.sensitivity import Curve, FigureName, Point, Sensitivity
    from pruning.tasks.metric import Metric

Scale = Callable[[float], float]
"""From a value to its place in the picture."""
HEIGHT = 92
"""Of a chart's plot, in pixels."""
TICKS = {"channel": (0.0, 0.5, 1.0), "weight": (0.0, 0.5, 0.9, 0.99)}


@dataclass(frozen=True, kw_only=True)
class CurveView:
    """How the curves are looked at."""

    figure: FigureName
    lose: float
    """The limit: how much of the metric one group may lose."""
    share: float = 1.0
    """How much is taken of what it lets go."""
    sort: str = "network"
    close_up: bool = False
    """Show only values near the limit."""
    stage: str = ""
    """Title of the part of a deep network that is shown alone; '' for all of it."""

    def gone(self, curve: Curve) -> float:
        """Share of a target that goes."""
        from pruning.sensitivity import Limits
        from pruning.sensitivity.limits import kept_of_curve

        limits = Limits(figure=self.figure, lose=self.lose, share=self.share)
        return 1 - kept_of_curve(curve, limits) / curve.units


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


def loses(point: Point, view: CurveView) -> str:
    """What a point loses or gains against the dense network, with its interval: 'loses 2.0 (1.2 to 2.8)'."""
    from pruning.sensitivity.words import lost_words

    return " ".join(lost_words(point.figure(view.figure)))


def plot(curve: Curve, scan: Sensitivity, view: CurveView, gone: float, colours: Palette) -> str:
    """A curve as HTML. `gone`: the share that goes, tinted."""
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
        dense, start = scan.dense.as_cut.value, scan.start(view.figure)
        shapes.append(_line(0, y(dense), 100, y(dense), colours.dense, 1.2, "2 3"))
        if gone:
            shapes.append(
                f'<rect x="0" y="0" width="{x(gone):.2f}" height="{HEIGHT}" fill="{colours.removed}" opacity=".1"/>'
            )
            shapes.append(_line(x(gone), 0, x(gone), HEIGHT, colours.removed, 1.6))
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


def _range(scan: Sensitivity, view: CurveView) -> tuple[float, float]:
    """Values that all charts show."""
    metric = scan.metric
    if not view.close_up or scan.dense is None:
        return _all_of_them(scan, view)
    step = max(view.lose, 0.5 / metric.scale)
    start = scan.start(view.figure).value
    worse, better = start - metric.gain(5 * step), start + metric.gain(step)
    least, most = metric.bounds
    return max(least, min(worse, better)), min(most, max(worse, better))


def _all_of_them(scan: Sensitivity, view: CurveView) -> tuple[float, float]:
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


def _dot(point: Point, curve: Curve, view: CurveView, x: Scale, y: Scale) -> str:
    figure = point.figure(view.figure)
    top = y(figure.value)
    if not -1 <= top <= HEIGHT + 1:
        return ""
    metric = figure.metric
    say = (
        f"{percent(point.achieved, 0)} removed, {point.kept:,} of {curve.units:,} stay: {metric.words(figure.value)} "
        f"({metric.bare_span(figure.interval)}); {f'{loses(point, view)} {metric.unit_of_change}'.rstrip()}. Measured."
    )
    return f'<i style="left:{x(point.achieved):.2f}%;top:{top:.1f}px" title="{escape(say, quote=True)}"></i>'


def _summary(curve: Curve, view: CurveView) -> str:
    figures = [(point, point.figure(view.figure)) for point in curve.points]
    shown = [f"{percent(point.achieved, 0)}: {figure.metric.words(figure.value)}" for point, figure in figures]
    title = figures[0][1].metric.title.capitalize() if figures else "The metric"
    return f"{title} of {label(curve.name)} by share removed. {', '.join(shown) or 'Not measured yet.'}"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{colour}" stroke-width="{width}"'
        f'{dashed} vector-effect="non-scaling-stroke"/>'
    )
