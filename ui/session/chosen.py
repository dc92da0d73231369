"""What the visitor works on: a network and its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.kit import loaders

if TYPE_CHECKING:
    from pruning.data.datasets import Dataset
    from pruning.opening.models import OpenModel
    from pruning.spec import PruneSpec

WITHOUT_IMAGES = "this network comes without images here"
ABSENT = "the images are not on this machine"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the user works on."""

    opened: OpenModel
    data_name: str
    """'' where the network comes without images."""
    data_dir: str | None
    missing: str | None
    """Why there can be no accuracy, in words that go on 'accuracy is absent: …'; None where there are images."""

    @property
    def has_images(self) -> bool:
        """Whether the data set can be loaded; weights, costs and times can be shown without."""
        return self.missing is None

    def images_for(self, spec: PruneSpec) -> Dataset | None:
        """The images, where a spec's criterion needs them and there are any."""
        return self.data() if spec.needs_images and self.has_images else None

    def data(self) -> Dataset:
        """The images. Only where `has_images`."""
        assert self.has_images, self.missing
        return loaders.load_data(self.data_name, self.data_dir)
