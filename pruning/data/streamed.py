"""A data set that is larger than memory may hold: images are read when somebody asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pruning.data.info import DataInfo, Role
from pruning.data.memory import MemoryData
from pruning.data.protocol import Data

READ_AT_ONCE = 500
"""Images that are read together where all are wanted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamedData(Data):
    """Images that stay where they are; only labels are held."""

    info: DataInfo
    read: Callable[[Role, Tensor], Tensor] = field(repr=False)
    """Gives the images of a role at these places: uint8, N × C × H × W; the same each time."""
    truth: Mapping[Role, Tensor] = field(repr=False)
    """int64, N: labels of the roles that have any."""
    digest: str
    source: str
    keeps: bool = False
    """Whether `read` itself keeps what it has read, so that nothing is gained by reading all of it ahead of use."""

    def labels(self, role: Role) -> Tensor | None:
        return self.truth.get(role)

    def images(self, role: Role, index: Tensor) -> Tensor:
        return self.read(role, index)

    @property
    def bytes(self) -> int:
        """Memory that all images would take."""
        return sum(self.info.sizes.values()) * math.prod(self.info.shape)

    def in_memory(self) -> MemoryData:
        """The same data set with all its images read."""
        parts = {role: torch.arange(count).split(READ_AT_ONCE) for role, count in self.info.sizes.items()}
        pixels = {
            role: torch.cat([self.read(role, index) for index in some])
            if self.info.sizes[role]
            else torch.empty(0, *self.info.shape, dtype=torch.uint8)
            for role, some in parts.items()
        }
        return MemoryData(info=self.info, pixels=pixels, truth=self.truth, digest=self.digest, source=self.source)
