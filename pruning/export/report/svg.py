"""A small drawing board for charts that need no script: axes, points, lines and bands as inline SVG.

Colours are CSS variables of the report's page (`--kept`, `--removed`, ...), so both themes and print share a drawing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

LETTER = 6.6
"""Width of a letter of the axes, about."""


@dataclass(kw_only=True)
class Board:
    """A chart in the making; coordinates are those of the data."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_title: str
    y_title: str
    alt: str
    """What the chart shows, for those who do not see it."""
    x_text: Callable[[float], str] = "{:g}".format
    y_text: Callable[[float], str] = "{:g}".format
    width: int = 720
    height: int = 330
    _marks: list[str] = field(default_factory=list)

    LEFT, RIGHT, TOP, BOTTOM = 58, 14, 10, 46

    def x(self, value: float) -> float:
        """Pixels from the left."""
        low, high = self.x_range
        return round(self.LEFT + (value - low) / (high - low) * (self.width - self.LEFT - self.RIGHT), 1)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        low, high = self.y_range
        return round(self.height - self.BOTTOM - (value - low) / (high - low) * self._tall, 1)

    def line(self, points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False) -> None:
        """A line through points."""
        path = " ".join(f"{self.x(x)},{self.y(y)}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._marks.append(f'<polyline points="{path}" fill="none" stroke="var(--{colour})" stroke-width="2"{dash}/>')

    def band(self, spans: Sequence[tuple[float, float, float]], colour: str) -> None:
        """The area between the lower and the upper end at each x."""
        there = [f"{self.x(x)},{self.y(high)}" for x, _, high in spans]
        back = [f"{self.x(x)},{self.y(low)}" for x, low, _ in reversed(spans)]
        self._marks.append(f'<polygon points="{" ".join(there + back)}" fill="var(--{colour})" fill-opacity=".16"/>')

    def box(self, x: tuple[float, float], y: tuple[float, float], colour: str) -> None:
        """A rounded area with room for the points on its edges."""
        left, right, top, bottom = self.x(x[0]) - 11, self.x(x[1]) + 11, self.y(y[1]) - 9, self.y(y[0]) + 9
        self._marks.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" rx="9" '
            f'fill="var(--{colour})" fill-opacity=".16"/>'
        )

    def interval(self, x: float, low: float, high: float, colour: str) -> None:
        """A thin vertical line from end to end."""
        at, top, bottom = self.x(x), self.y(high), self.y(low)
        ends = "".join(f"M{at - 4:.1f} {end}h8" for end in (top, bottom))
        self._marks.append(f'<path d="M{at} {top}V{bottom}{ends}" stroke="var(--{colour})" stroke-width="1.3"/>')

    def point(self, x: float, y: float, colour: str, *, shape: str = "circle", size: float = 6, text: str = "") -> None:
        """A mark: circle, square, diamond, cross, or ring. `text` is shown for a mouse that rests on it."""
        at, height = self.x(x), self.y(y)
        title = f"<title>{escape(text)}</title>" if text else ""
        look = f'fill="var(--{colour})" stroke="var(--paper)" stroke-width="1.5"'
        if shape == "diamond":
            reach = size * 1.35
            body = (
                f'<path d="M{at} {height - reach:.1f}l{reach:.1f} {reach:.1f}l{-reach:.1f} {reach:.1f}'
                f'l{-reach:.1f} {-reach:.1f}z" {look}>{title}</path>'
            )
        elif shape == "square":
            body = (
                f'<rect x="{at - size:.1f}" y="{height - size:.1f}" width="{2 * size}" height="{2 * size}" {look}>'
                f"{title}</rect>"
            )
        elif shape == "cross":
            body = (
                f'<path d="M{at - size} {height - size}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}" '
                f'stroke="var(--{colour})" stroke-width="3.5">{title}</path>'
            )
        elif shape == "ring":
            body = (
                f'<circle cx="{at}" cy="{height}" r="{size}" fill="none" stroke="var(--{colour})" '
                f'stroke-width="2.4">{title}</circle>'
            )
        else:
            body = f'<circle cx="{at}" cy="{height}" r="{size}" {look}>{title}</circle>'
        self._marks.append(body)

    def note(self, x: float, y: float, text: str, *, above: bool = True) -> None:
        """A few words at a point, on the side where there is room."""
        at, height = self.x(x), self.y(y)
        right = at + 14 + LETTER * len(text) < self.width
        place = f'x="{at + 14:.1f}"' if right else f'x="{at - 14:.1f}" text-anchor="end"'
        self._marks.append(
            f'<text {place} y="{height + (-10 if above else 18):.1f}" class="note">{escape(text)}</text>'
        )

    def html(self) -> str:
        """The drawing."""
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(self.alt)}">'
            f"{''.join(self._axes())}{''.join(self._marks)}</svg>"
        )

    @property
    def _tall(self) -> int:
        return self.height - self.TOP - self.BOTTOM

    def _axes(self) -> list[str]:
        floor = self.height - self.BOTTOM
        drawn = []
        for value in ticks(*self.y_range, 5):
            drawn.append(f'<path d="M{self.LEFT} {self.y(value)}H{self.width - self.RIGHT}" stroke="var(--line)"/>')
            text = escape(self.y_text(value))
            drawn.append(f'<text x="{self.LEFT - 8}" y="{self.y(value) + 4:.1f}" text-anchor="end">{text}</text>')
        for value in ticks(*self.x_range, 7):
            text = escape(self.x_text(value))
            drawn.append(f'<text x="{self.x(value)}" y="{floor + 19}" text-anchor="middle">{text}</text>')
        middle = (self.LEFT + self.width - self.RIGHT) / 2
        drawn.append(
            f'<text x="{middle}" y="{self.height - 6}" text-anchor="middle">{escape(self.x_title)}</text>'
            f'<text transform="translate(13 {self.TOP + self._tall / 2}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y_title)}</text>"
        )
        return drawn


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers within a range, some `about` of them.

    >>> ticks(0, 100, 5), ticks(98.4, 100.1, 4)
    ([0.0, 20.0, 40.0, 60.0, 80.0, 100.0], [98.5, 99.0, 99.5, 100.0])
    """
    rough = (high - low) / about
    power = 10 ** math.floor(math.log10(rough))
    step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda each: abs(math.log(each / rough)))
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]
