"""95 % intervals of shares and of differences of shares on the same images, and what of these is beyond chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pruning.base.errors import InputError

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""
LARGEST_COUNTED = 2000
"""Changed images up to which a chance is summed up exactly."""


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


def sign_test(newly_wrong: int, newly_right: int) -> float:
    """How likely so lopsided a change is, or a more lopsided one, if each of the images that are answered otherwise
    were equally likely newly wrong and newly right: exact, two-sided (McNemar 1947).

    >>> sign_test(0, 1), sign_test(1, 9), sign_test(5, 5)
    (1.0, 0.021484375, 1.0)
    """
    changed, fewer = newly_wrong + newly_right, min(newly_wrong, newly_right)
    if changed > LARGEST_COUNTED:  # the sum would be slow, and the normal distribution is the same to three digits
        return math.erfc(max(0.0, (changed / 2 - fewer - 0.5) / math.sqrt(changed / 4)) / math.sqrt(2))
    return min(1.0, 2 * (sum(math.comb(changed, count) for count in range(fewer + 1)) / 2**changed))


def beyond_chance(chances: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which of several findings stand, given how likely each is by chance, so that by chance alone even one of them
    stands in at most a share `level` of cases (Holm 1979, "A simple sequentially rejective multiple test procedure").

    >>> beyond_chance([0.001, 0.04, 0.02])
    [True, True, True]
    >>> beyond_chance([0.001, 0.04, 0.03])
    [True, False, False]
    """
    stands = [False] * len(chances)
    for place, number in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        if chances[number] > level / (len(chances) - place):
            break
        stands[number] = True
    return stands
