"""Controls: what a criterion has to beat (Blalock et al. 2020, "What is the State of Neural Network Pruning?",
arXiv 2003.03033, asks for such baselines)."""

import torch
from torch import Generator, Tensor

from pruning.criteria.norms import l2


def random(weights: Tensor, generator: Generator) -> Tensor:
    """A uniform random score for each row."""
    return torch.rand(len(weights), generator=generator)


def largest(weights: Tensor, generator: Generator) -> Tensor:
    """Minus the L2 norm of each row: the largest goes first."""
    return -l2(weights, generator)
