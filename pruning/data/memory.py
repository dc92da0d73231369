"""A data set whose images lie in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from pruning.data.info import DataInfo, Role
from pruning.data.protocol import Data


@dataclass(frozen=True, kw_only=True, eq=False)
class MemoryData(Data):
    """Images in memory, apart by role."""

    info: DataInfo
    pixels: Mapping[Role, Tensor] = field(repr=False)
    """uint8, N × C × H × W."""
    truth: Mapping[Role, Tensor] = field(repr=False)
    """int64, N: labels of the roles that have any."""
    digest: str
    source: str

    def __post_init__(self) -> None:
        for role, images in self.pixels.items():
            assert len(images) == self.info.sizes[role], f"{len(images)} {role} images, not {self.info.sizes[role]}"
            assert len(self.truth.get(role, images)) == len(images), f"{role}: as many labels as images"

    def labels(self, role: Role) -> Tensor | None:
        return self.truth.get(role)

    def images(self, role: Role, index: Tensor) -> Tensor:
        return self.pixels[role][index]

    def in_turn(self, role: Role, parts: Iterable[Tensor]) -> Iterator[Tensor]:
        """As it says; nothing needs to be read ahead."""
        return (self.images(role, index) for index in parts)
