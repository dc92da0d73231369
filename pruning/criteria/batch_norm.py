"""Scales of batch normalisation: a channel that is scaled to little is assumed to matter little.

Network slimming: Liu et al. 2017, "Learning Efficient Convolutional Networks through Network Slimming", arXiv
1708.06519. There the network is trained with an L1 penalty on the scales first; without it they tell less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.criteria.record import Criterion, Evidence

if TYPE_CHECKING:
    from torch import Tensor


def bn_scale(evidence: Evidence) -> Tensor:
    """Sum of the magnitudes of a channel's scales, over all batch norms that it runs through.

    >>> import torch
    >>> bn_scale(Evidence(given={"batch_norm": torch.tensor([[0.5, -1.0], [0.25, 0.0]])}))
    tensor([1.5000, 0.2500])
    """
    return evidence.batch_norm.abs().sum(1)


BN_SCALE = Criterion(
    name="bn_scale",
    title="BN scale",
    explanation="Remove the channels that batch normalisation scales to the least (network slimming).",
    score=bn_scale,
    needs=frozenset({"batch_norm"}),
    granularities=("channel",),
)
