"""Images without labels that a repair rests on: drawn once, made ready where they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pruning.calls.passes import Images
from pruning.data.protocol import Data
from pruning.repair.recalibrate import recalibration_images

IMAGES = 1250
"""`train` images of a repair: four fifths to fit, one to judge by."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Unlabelled:
    """So many images; `take(start, stop)` gives some of them normalised, float32, N × C × H × W."""

    count: int
    take: Callable[[int, int], Tensor]

    def batches(self, size: int) -> tuple[Images, ...]:
        """All of them, so many at a time."""
        starts = range(0, self.count, size)
        ends = [min(start + size, self.count) for start in starts]
        return tuple(
            Images(count=end - start, normalised=partial(self.take, start, end))
            for start, end in zip(starts, ends, strict=True)
        )

    def apart(self, share: float) -> tuple[Unlabelled, Unlabelled]:
        """The first ones, and the last `share` of them, at least one of each."""
        last = min(self.count - 1, max(1, round(share * self.count)))
        first = self.count - last
        return (
            Unlabelled(count=first, take=self.take),
            Unlabelled(count=last, take=lambda start, stop: self.take(first + start, first + stop)),
        )


def of_data(data: Data, images: int = IMAGES, seed: int = 0) -> Unlabelled:
    """`train` images, those on which statistics are recalibrated: never select or test images."""
    pictures = torch.cat(recalibration_images(data, images, seed))
    return Unlabelled(count=len(pictures), take=lambda start, stop: data.normalise(pictures[start:stop]))


def of_tensors(batches: Iterable[Tensor]) -> Unlabelled:
    """Of normalised batches that somebody has."""
    pictures = torch.cat([batch.detach() for batch in batches])
    return Unlabelled(count=len(pictures), take=lambda start, stop: pictures[start:stop])
