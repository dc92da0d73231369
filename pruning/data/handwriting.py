"""A digit drawn by hand, made into an image as those of MNIST were made from the digits that NIST had collected.

"The original black and white (bilevel) images from NIST were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio. The resulting images contain grey levels as a result of the anti-aliasing technique used
by the normalization algorithm. The images were centered in a 28x28 image by computing the center of mass of the pixels,
and translating the image so as to position this point at the center of the 28x28 field." (Y. LeCun, C. Cortes and
C. J. C. Burges: The MNIST database of handwritten digits.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pruning.base.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

FIELD, BOX = 28, 20
"""Pixels each way of an image, and of the box that a digit is made to fit."""
CANVAS = 280
"""Pixels each way of the sheet on which strokes are drawn before they are scaled."""
PEN = 22
"""Width of a stroke on it: about two pixels of an image where a digit fills most of the sheet."""
MOST = 5000
"""Points of a drawing."""

Stroke = Sequence[tuple[float, float]]
"""Points that a pen went through without being lifted: across and down, as shares of the sheet."""


def read_strokes(sent: object) -> tuple[Stroke, ...]:
    """Strokes as a browser sends them, lists of [across, down]; points outside the sheet are moved to its edge.

    Raises:
        InputError: it is something else, or more than anybody draws.
    """
    if not isinstance(sent, list) or not all(isinstance(stroke, list) for stroke in sent):
        raise InputError("A drawing is a list of strokes, each a list of points: draw again.")
    if sum(map(len, sent)) > MOST or len(sent) > MOST:
        raise InputError(f"A drawing has at most {MOST:,} points: clear it and draw again.")
    return tuple(tuple(_point(point) for point in stroke) for stroke in sent if stroke)


def drawn_image(strokes: Sequence[Stroke]) -> Tensor:
    """Strokes as an image of MNIST: uint8, 1 × 28 × 28, light on black. At least one stroke has a point."""
    import torch

    return torch.from_numpy(as_mnist(_ink(strokes)))[None]


def as_mnist(ink: np.ndarray) -> np.ndarray:
    """Ink (uint8, height × width, not all zero) scaled to fit a box of 20 × 20 and centred by its mass: uint8, 28 × 28.

    Raises:
        InputError: there is no ink.
    """
    from PIL import Image

    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        raise InputError("Nothing is drawn: draw a digit first.")
    part = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tall, wide = part.shape
    scale = BOX / max(tall, wide)
    size = (max(1, round(wide * scale)), max(1, round(tall * scale)))
    small = np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BOX))
    field = np.zeros((FIELD, FIELD), dtype=np.uint8)
    top, left = (_start(small.sum(axis=axis, dtype=np.float64)) for axis in (1, 0))
    field[top : top + small.shape[0], left : left + small.shape[1]] = small
    return field


def _start(mass: np.ndarray) -> int:
    """The pixel at which something with so much ink in each row must begin for its mass to be in the field's middle."""
    middle = float((mass * np.arange(len(mass))).sum() / mass.sum())
    return int(np.clip(round(FIELD / 2 - middle), 0, FIELD - len(mass)))


def _point(sent: object) -> tuple[float, float]:
    match sent:
        case [int() | float() as across, int() | float() as down] if across == across and down == down:  # no NaN
            return float(min(1, max(0, across))), float(min(1, max(0, down)))
    raise InputError("A point of a drawing is two numbers from 0 to 1: draw again.")


def _ink(strokes: Sequence[Stroke]) -> np.ndarray:
    """The sheet: uint8, 255 where a round pen went."""
    from PIL import Image, ImageDraw

    sheet = Image.new("L", (CANVAS, CANVAS))
    pen, half = ImageDraw.Draw(sheet), PEN / 2
    for stroke in strokes:
        points = [(CANVAS * across, CANVAS * down) for across, down in stroke]
        if len(points) > 1:
            pen.line(points, fill=255, width=PEN, joint="curve")
        for across, down in (points[0], points[-1]):
            pen.ellipse((across - half, down - half, across + half, down + half), fill=255)
    return np.asarray(sheet)
