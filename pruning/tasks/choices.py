"""Which class a network answers, image by image, and how sure it is: what class-wise views are made of."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Choices:
    """Answers of a network that chooses one class an image."""

    labels: Tensor
    """int64 (images): the true classes."""
    predicted: Tensor
    """int64 (images): the class with the largest output; -1 where an output is NaN, which counts as wrong."""
    confidence: Tensor
    """float32 (images): softmax probability of the class answered."""
    truth: Tensor
    """float32 (images): softmax probability of the true class."""

    @property
    def right(self) -> Tensor:
        """bool (images)."""
        return self.predicted == self.labels
