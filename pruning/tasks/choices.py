"""Which class a network answers, image by image, and how sure it is: what class-wise views are made of."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Choices:
    """Answers of a network that chooses one class an image."""

    predicted: Tensor
    """int64 (images): the class with the largest output; -1 where an output is NaN, which counts as no answer."""
    confidence: Tensor
    """float32 (images): softmax probability of the class answered."""
    labels: Tensor | None = None
    """int64 (images): the true classes; None where they are not known."""
    truth: Tensor | None = None
    """float32 (images): softmax probability of the true class, where it is known."""

    @property
    def right(self) -> Tensor:
        """bool (images). Only where labels are known."""
        assert self.labels is not None, "without labels nothing is right or wrong"
        return self.predicted == self.labels
