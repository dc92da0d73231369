"""The network that a notebook is about, and the images it is measured on."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from pruning.base.errors import InputError
from pruning.cost.counts import count_macs, count_parameters
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.opening.models import OpenModel


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Subject:
    """An opened network with the name of its images."""

    opened: OpenModel
    data_name: str
    """Data set that it is measured on; '' for a network that comes without images."""
    data_dir: str | None = None

    @property
    def title(self) -> str:
        return self.opened.title

    @property
    def params(self) -> int:
        """Number of parameters."""
        return count_parameters(self.opened.graph, self.opened.graph.shapes)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image."""
        return count_macs(self.opened.graph, self.opened.graph.shapes)

    @functools.cached_property
    def images(self) -> Data:
        """The images to measure on, loaded at first use.

        Raises:
            InputError: the network comes without images.
            DataError: they are absent.
        """
        if not self.data_name:
            raise InputError(f"{self.title} comes without images to measure it on: open a sample network or a run.")
        return open_data(self.data_name, self.data_dir)
