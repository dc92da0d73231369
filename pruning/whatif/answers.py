"""Answers collected batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pruning.data.info import Role
from pruning.data.protocol import Data
from pruning.training.evaluate import Evaluation


class Answers:
    """What a network answers on more and more images of a role."""

    def __init__(self, data: Data, role: Role) -> None:
        labels = data.labels(role)
        assert labels is not None
        self._labels, self._role = labels, role
        self._right: list[Tensor] = []
        self._index: list[Tensor] = []
        self._loss = 0.0
        self.images = 0
        self.batches = 0

    def add(self, logits: Tensor, index: Tensor) -> None:
        """Outputs (N × classes) for the images at `index`; outputs that are NaN count as wrong."""
        labels = self._labels[index]
        self._right.append((logits.argmax(1) == labels) & ~logits.isnan().any(1))
        self._index.append(index)
        self._loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
        self.images += len(index)
        self.batches += 1

    def evaluation(self) -> Evaluation:
        """Accuracy so far; answers stand in the data set's order."""
        order = torch.cat(self._index).argsort()
        return Evaluation(role=self._role, right=torch.cat(self._right)[order], loss=self._loss / self.images)
