"""Which image has which role, in the built-in data sets and in a user's own.

It never depends on the order of files on disk, nor on the run: within each class the images stand in the data set's
own order (file number, or index), and fixed random ranks are drawn from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pruning.base.errors import DataError
from pruning.data.info import ROLES, DataInfo, Role

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.data.memory import MemoryData

Part = tuple[np.ndarray, np.ndarray]
"""Images (uint8, N × C × H × W) and labels (int64, N)."""


def of_parts(info: DataInfo, parts: Mapping[Role, Part], source: str) -> MemoryData:
    """A data set from the images of each role, each role shuffled in one fixed way.

    Raises:
        DataError: a role has another number of images than the data set.
    """
    import torch  # slow to import, and not needed to draw

    from pruning.data.memory import MemoryData

    for role, (_, labels) in parts.items():
        if len(labels) != info.sizes[role]:
            raise DataError(
                f"{source} gives {len(labels):,} {role} images of {info.name}, but there should be "
                f"{info.sizes[role]:,}: the files are incomplete or another data set. Fetch them again."
            )
    sha = hashlib.sha256()
    pixels: dict[Role, Tensor] = {}
    truth: dict[Role, Tensor] = {}
    for role in ROLES:
        images, labels = parts[role]
        order = np.random.default_rng(20).permutation(len(labels))
        images, labels = np.ascontiguousarray(images[order]), labels[order].astype(np.int64)
        sha.update(role.encode())
        sha.update(images.data)
        sha.update(labels.data)
        pixels[role], truth[role] = torch.from_numpy(images), torch.from_numpy(labels)
    return MemoryData(info=info, pixels=pixels, truth=truth, digest=sha.hexdigest(), source=source)


def drawn_by_class(labels: np.ndarray, classes: int, counts: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Places of as many parts as there are `counts`: of each class so many images go into each part, by fixed random
    ranks. Every class has as many images as the counts add up to."""
    parts: list[list[np.ndarray]] = [[] for _ in counts]
    for number in range(classes):
        shuffled = np.random.default_rng(number).permutation(np.flatnonzero(labels == number))
        for part, chunk in zip(parts, np.split(shuffled, np.cumsum(counts)[:-1]), strict=True):
            part.append(chunk)
    return tuple(np.concatenate(part) for part in parts)


def drawn_by_share(labels: np.ndarray, shares: tuple[float, ...], *, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Places of as many parts as there are `shares` (positive, together 1), by random ranks that `seed` fixes.

    Classes may be of any size. Each part gets its share of every class, rounded down, or one image more: what rounding
    leaves over goes, class by class, to the parts that have come off worst so far, so that whole parts keep to their
    shares as well.

    >>> labels = np.array([3, 3, 3, 3, 3, 7, 7, 7, 7, 7, 7])
    >>> [np.bincount(labels[part], minlength=8)[[3, 7]].tolist() for part in drawn_by_share(labels, (0.6, 0.2, 0.2))]
    [[3, 4], [1, 1], [1, 1]]
    """
    assert min(shares) > 0 and abs(sum(shares) - 1) < 1e-9, f"{shares} are no shares"
    parts: list[list[np.ndarray]] = [[] for _ in shares]
    owed = np.zeros(len(shares))
    for number in np.unique(labels):
        places = np.flatnonzero(labels == number)
        fair = len(places) * np.array(shares)
        counts = np.floor(fair + 1e-9).astype(int)
        owed += fair - counts
        worst_off = np.argsort(-owed, kind="stable")[: len(places) - counts.sum()]
        counts[worst_off] += 1
        owed[worst_off] -= 1
        shuffled = np.random.default_rng([seed, int(number)]).permutation(places)
        for part, chunk in zip(parts, np.split(shuffled, np.cumsum(counts)[:-1]), strict=True):
            part.append(chunk)
    return tuple(np.concatenate(part) for part in parts)


def kept_for_choosing(info: DataInfo, labels: np.ndarray, first: np.ndarray) -> np.ndarray:
    """bool, one entry a train image: those kept for choosing, of each class as many, by fixed random ranks.

    `first`: bool, images that are among them in any case.

    Raises:
        DataError: a class has too few images.
    """
    chosen = first.copy()
    for number, name in enumerate(info.classes):
        of_class = np.flatnonzero(labels == number)
        free = of_class[~chosen[of_class]]
        wanted = info.sizes["select"] // len(info.classes) - int(chosen[of_class].sum())
        if wanted > len(free):
            raise DataError(
                f"Class '{name}' of {info.name} has only {len(of_class):,} training images: the files are incomplete. "
                "Fetch them again."
            )
        chosen[np.random.default_rng(number).permutation(free)[:wanted]] = True
    return chosen
