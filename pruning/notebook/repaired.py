"""A cut repaired without training, in a notebook: what helped, how good it is, and the network itself."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from torch import nn

from pruning.base.clone import clone
from pruning.data.info import Role
from pruning.notebook.accuracy import Accuracy, accuracy_of
from pruning.notebook.opened import Opened
from pruning.removal.verify import Check
from pruning.runs.repair_words import repair_words
from pruning.runs.result import RepairNote


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Repaired:
    """What a repair without training or labels came to."""

    network: Opened
    how: RepairNote
    """What was tried, and what was taken."""
    check: Check
    """That the repaired network equals the masked one with the same weights."""
    made: nn.Module

    def model(self) -> nn.Module:
        """The smaller network, repaired, in eval mode: a copy."""
        return clone(self.made)

    def accuracy(self, *, role: Role = "select", images: int | None = None) -> Accuracy:
        """Accuracy before any fine-tuning; arguments and errors as of `Cut.accuracy`."""
        return accuracy_of(self.made, self.network, role, images, "repaired")

    def __repr__(self) -> str:
        return f"{self.network.title}: {repair_words(self.how)}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"
