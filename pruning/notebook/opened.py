"""The network that a notebook is about, and the images it is measured on."""

from __future__ import annotations

from dataclasses import dataclass

from pruning.cost.counts import count_macs, count_parameters
from pruning.data.protocol import Data
from pruning.subject import Subject


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Opened:
    """A subject, as a notebook speaks of it."""

    subject: Subject

    @property
    def title(self) -> str:
        return self.subject.title

    @property
    def params(self) -> int:
        """Number of parameters."""
        return count_parameters(self.subject.graph, self.subject.graph.shapes)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image."""
        return count_macs(self.subject.graph, self.subject.graph.shapes)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was guessed, left out or noticed of network and images, and what of a run's files has changed since it
        was made: each a whole sentence."""
        return self.subject.remarks

    @property
    def images(self) -> Data:
        """The images to measure on, loaded at first use.

        Raises:
            InputError: the network comes without images.
            DataError: they are absent.
        """
        return self.subject.data
