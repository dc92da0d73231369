"""95 % intervals of shares, and of differences of shares on the same images."""

from __future__ import annotations

import math

from pruning.base.errors import InputError

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson_interval(correct: int, images: int) -> tuple[float, float]:
    """95 % interval of an accuracy measured on `images` images (Wilson 1927), as fractions."""
    if images <= 0:
        raise InputError("An accuracy needs at least one image.")
    share = correct / images
    spread = Z95**2 / images
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 * math.sqrt(share * (1 - share) / images + spread / (4 * images)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def paired_interval(newly_wrong: int, newly_right: int, images: int) -> tuple[float, float]:
    """95 % interval of a paired difference, from the images that are answered otherwise: Wald's with one half added to
    each of the four counts, sound for few disagreements too (Agresti and Min 2005, "Simple improved confidence
    intervals for comparing matched proportions")."""
    wrong, right, count = newly_wrong + 0.5, newly_right + 0.5, images + 2
    centre = (right - wrong) / count
    half = Z95 * math.sqrt(right + wrong - (right - wrong) ** 2 / count) / count
    return max(-1.0, centre - half), min(1.0, centre + half)
