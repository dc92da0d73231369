"""How much the loss would change, to first order: what hardly changes it may go.

Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning", arXiv 1906.10771, equation 8: for a set of
weights that go together (Σ g·w)², taken for each batch and averaged over the batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.criteria.record import BATCHES, Criterion, Evidence

if TYPE_CHECKING:
    from torch import Tensor


def taylor(evidence: Evidence) -> Tensor:
    """Square of the summed products of a unit's weights and their gradients, for one batch.

    >>> import torch
    >>> weights, gradients = torch.tensor([[3.0, -4.0], [1.0, 2.0]]), torch.tensor([[1.0, 2.0], [0.5, 1.0]])
    >>> taylor(Evidence(given={"weights": weights, "gradients": gradients}))
    tensor([25.0000,  6.2500])
    """
    return (evidence.weights * evidence.gradients).sum(1).square()


TAYLOR = Criterion(
    name="taylor",
    title="Taylor, first order",
    explanation="Remove what would change the loss least, by its gradients on train images.",
    score=taylor,
    needs=frozenset({"weights", "gradients"}),
    parameters=(BATCHES,),
    draws=True,
)
