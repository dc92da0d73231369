"""What goes from one small weight matrix: its smallest entries, or its weakest columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def zeroed_entries(weight: Tensor, sparsity: float) -> Tensor:
    """Which entries of a matrix are set to zero: the smallest, a bool tensor of the matrix's shape.

    `weight`: (outputs, inputs). `sparsity`: 0 to 1, of all entries.
    """
    from pruning.planning.allocation import kept_units
    from pruning.planning.plan import lowest

    count = weight.numel() - kept_units(weight.numel(), sparsity)
    return lowest(weight.abs().reshape(-1), count).view(weight.shape)


def kept_columns(weight: Tensor, sparsity: float) -> list[int]:
    """The columns of a matrix that stay, ascending: those of the largest L2 norm.

    `weight`: (outputs, inputs). `sparsity`: 0 to 1, of the columns.
    """
    from pruning.planning.allocation import kept_units

    width = weight.shape[1]
    order: list[int] = weight.norm(dim=0).argsort(stable=True).tolist()
    return sorted(order[width - kept_units(width, sparsity) :])
