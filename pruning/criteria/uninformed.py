"""Controls: what a criterion has to beat (Blalock et al. 2020, "What is the State of Neural Network Pruning?",
arXiv 2003.03033, asks for such baselines)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.criteria.norms import l2
from pruning.criteria.record import Criterion, Evidence

if TYPE_CHECKING:
    from torch import Tensor


def random(evidence: Evidence) -> Tensor:
    """A uniform random score for each unit.

    >>> import torch
    >>> lots = torch.Generator().manual_seed(0)
    >>> random(Evidence(given={"weights": torch.ones(2, 9)}, generator=lots))
    tensor([0.4963, 0.7682])
    >>> torch.rand(2, generator=lots.manual_seed(0))
    tensor([0.4963, 0.7682])
    """
    return evidence.weights.new_empty(len(evidence.weights)).uniform_(generator=evidence.generator)


def largest(evidence: Evidence) -> Tensor:
    """Minus the L2 norm of a unit's weights: the largest goes first.

    >>> import torch
    >>> largest(Evidence(given={"weights": torch.tensor([[3.0, -4.0], [1.0, 0.0]])}))
    tensor([-5., -1.])
    """
    return -l2(evidence)


RANDOM = Criterion(
    name="random",
    title="random",
    explanation="Remove by lot: what any criterion must beat.",
    score=random,
    draws=True,
    control=True,
)
LARGEST = Criterion(
    name="largest",
    title="largest first",
    explanation="Remove the largest: a control that should fail.",
    score=largest,
    control=True,
)
