"""Magnitude criteria: small weights are assumed to matter little.

L1 for filters: Li et al. 2016, "Pruning Filters for Efficient ConvNets", arXiv 1608.08710. L2: He et al. 2018,
"Soft Filter Pruning", arXiv 1808.06866. For single weights both are the magnitude: Han et al. 2015, arXiv 1506.02626.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.criteria.record import Criterion, Evidence

if TYPE_CHECKING:
    from torch import Tensor


def l1(evidence: Evidence) -> Tensor:
    """Sum of the magnitudes of a unit's weights.

    >>> import torch
    >>> l1(Evidence(given={"weights": torch.tensor([[3.0, -4.0], [1.0, 1.0]])}))
    tensor([7., 2.])
    """
    return evidence.weights.abs().sum(1)


def l2(evidence: Evidence) -> Tensor:
    """Root of the summed squares of a unit's weights.

    >>> import torch
    >>> l2(Evidence(given={"weights": torch.tensor([[3.0, -4.0], [1.0, 0.0]])}))
    tensor([5., 1.])
    """
    return evidence.weights.norm(dim=1)


L1 = Criterion(
    name="l1",
    title="L1 norm",
    explanation="Remove what has the smallest sum of magnitudes.",
    score=l1,
)
L2 = Criterion(
    name="l2",
    title="L2 norm",
    explanation="Remove what has the smallest root of summed squares.",
    score=l2,
)
