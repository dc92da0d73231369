"""Magnitude criteria: small weights are assumed to matter little.

L1 for filters: Li et al. 2016, "Pruning Filters for Efficient ConvNets", arXiv 1608.08710. L2: He et al. 2018,
"Soft Filter Pruning", arXiv 1808.06866. For single weights both are the magnitude: Han et al. 2015, arXiv 1506.02626.
"""

from torch import Generator, Tensor


def l1(weights: Tensor, generator: Generator) -> Tensor:
    """Sum of magnitudes of each row.

    >>> import torch
    >>> l1(torch.tensor([[3.0, -4.0], [1.0, 1.0]]), torch.Generator())
    tensor([7., 2.])
    """
    return weights.abs().sum(1)


def l2(weights: Tensor, generator: Generator) -> Tensor:
    """Root of the summed squares of each row.

    >>> import torch
    >>> l2(torch.tensor([[3.0, -4.0], [1.0, 0.0]]), torch.Generator())
    tensor([5., 1.])
    """
    return weights.norm(dim=1)
