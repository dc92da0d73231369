"""Images apart by role, wherever they lie: what everything that looks at images works on."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from pruning.data.info import DataInfo, Role

AT_ONCE = 10_000_000
"""Pixels times channels of a batch, at most: 66 images of 224 pixels, which take some gigabytes in a deep network."""
BATCH = 250
"""Images shown to a network together where they are small: for maps of more, each batch takes new memory of the system,
and a pass over 1,000 digits a third longer."""


class Data(ABC):
    """A data set that is open. A reader gives its images and labels; how they are sampled and normalised stands here,
    so that images in memory and images read from disk give the very same batches.
    """

    info: DataInfo
    digest: str
    """SHA-256 over all pixels, labels and roles, or over what tells them: a result names what it was measured on."""
    source: str
    """Where the images come from, in words."""

    @abstractmethod
    def labels(self, role: Role) -> Tensor | None:
        """int64, one entry an image: the place of its class in `info.classes`; None where there are no labels."""

    @abstractmethod
    def images(self, role: Role, index: Tensor) -> Tensor:
        """The images of a role at `index` (int64, N): uint8, N × C × H × W.

        Raises:
            DataError: an image cannot be read any more.
        """

    def in_turn(self, role: Role, parts: Iterable[Tensor]) -> Iterator[Tensor]:
        """The images of a role at each of several `parts` (int64, N each), one after the other, as `images` gives them:
        while somebody works on some, those after them are read.

        Raises:
            DataError: as `images`.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="ahead") as ahead:
            waiting: Future[Tensor] | None = None
            for index in parts:
                reading = ahead.submit(self.images, role, index)
                if waiting is not None:
                    yield waiting.result()
                waiting = reading
            if waiting is not None:
                yield waiting.result()

    def length(self, role: Role) -> int:
        """Images of a role."""
        return self.info.sizes[role]

    def image(self, role: Role, number: int) -> Tensor:
        """One image: uint8, C × H × W."""
        return self.images(role, torch.tensor([number]))[0]

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 images, N × C × H × W, to float32 with the data set's mean 0 and deviation 1."""
        mean = torch.tensor(self.info.mean).view(1, -1, 1, 1) * 255
        std = torch.tensor(self.info.std).view(1, -1, 1, 1) * 255
        return images.to(torch.float32, copy=True).sub_(mean).div_(std)

    def at_once(self, most: int = BATCH) -> int:
        """Images that are shown to a network together: fewer than `most` where they are large."""
        return max(1, min(most, AT_ONCE // math.prod(self.info.shape)))

    def batches(self, role: Role, size: int = BATCH, limit: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised images of one role and their places in it (int64), in order, `size` at a time or fewer where they
        are large; at most `limit` images, a fixed balanced sample."""
        parts = self.subset(role, limit).split(self.at_once(size))
        for images, index in zip(self.in_turn(role, parts), parts, strict=True):
            yield self.normalise(images), index

    def subset(self, role: Role, limit: int | None = None) -> Tensor:
        """Indices of at most `limit` images of a role, ascending: a fixed sample with as many images of each class as
        the role's own balance allows."""
        count = self.length(role)
        return torch.arange(count) if limit is None or limit >= count else self.balanced(role)[:limit].sort().values

    def balanced(self, role: Role, seed: int | None = None) -> Tensor:
        """All indices of a role in an order of which every beginning holds the classes in equal parts, so that few
        images are already a fair sample. `seed` draws another order; without it the images stand as stored, shuffled.
        Without labels there are no classes to balance.
        """
        count, labels = self.length(role), self.labels(role)
        drawn = None if seed is None else torch.Generator().manual_seed(seed)
        order = torch.arange(count) if drawn is None else torch.randperm(count, generator=drawn)
        if labels is None:
            return order
        by_class = labels[order].argsort(stable=True)
        sizes = labels.bincount()
        rank = torch.arange(count) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        return order[by_class][rank.argsort(stable=True)]
