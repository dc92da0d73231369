"""What a network answers to a single image, and how sure it says it is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.data.protocol import Data


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer of a classifier."""

    shares: tuple[float, ...]
    """Softmax of its outputs: one for each class, together 1. What it says of itself, no chance of being right."""

    @property
    def output(self) -> int:
        """The class that is answered: −1 where an output is no number."""
        return -1 if any(share != share for share in self.shares) else self.shares.index(max(self.shares))

    @property
    def confidence(self) -> float:
        """The share of the answer; 0 where there is none."""
        return 0.0 if self.output < 0 else self.shares[self.output]


def ask(model: nn.Module, data: Data, image: Tensor) -> Said:
    """Show a classifier in eval mode one image (uint8, C × H × W), normalised as its data set's."""
    assert not model.training, "a network is asked in eval mode"
    with torch.no_grad():
        outputs = model(data.normalise(image[None]))
    return Said(shares=tuple(outputs[0].double().softmax(0).tolist()))
