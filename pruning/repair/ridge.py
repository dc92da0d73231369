"""Ridge regression on sums of products, so that no row is kept: how a layer's weights are fitted anew.

    W = argmin ‖X̃Wᵀ − Y‖² + λ‖W − W₀‖²

He 2017 (arXiv 1707.06168) fits so what a layer reads after pruning to what it gave before; the pull towards the weights
as they were (W₀), in place of towards zero, is that of GRAIL (arXiv 2602.23795).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""λ, each relative to the mean of the diagonal of X̃ᵀX̃: the best of them on rows held back is taken."""
STEPS = 200
"""Of conjugate gradients, at most."""
CLOSE = 1e-6
"""Of the first residual, at which they end."""


@dataclass
class Sums:
    """Sums over rows of what a layer reads (X, rows × columns) and is to give (Y, rows × outputs), in float64."""

    rows: int
    x: Tensor
    """columns"""
    y: Tensor
    """outputs"""
    xx: Tensor
    """columns × columns"""
    xy: Tensor
    """columns × outputs"""
    yy: Tensor
    """outputs: of squares"""

    @staticmethod
    def of(x: Tensor, y: Tensor) -> Sums:
        """Of some rows, float32. Products are taken in float32 and added up in float64: add few thousand at once."""
        wide = [one.double() for one in (x.sum(0), y.sum(0), x.T @ x, x.T @ y, y.square().sum(0))]
        return Sums(len(x), *wide)

    def __add__(self, other: Sums) -> Sums:
        mine, theirs = (vars(one).values() for one in (self, other))
        return Sums(*(a + b for a, b in zip(mine, theirs, strict=True)))

    def centred(self) -> Sums:
        """The same of rows from which their mean was taken."""
        mean = self.x / self.rows
        return Sums(
            self.rows,
            torch.zeros_like(self.x),
            torch.zeros_like(self.y),
            self.xx - torch.outer(mean, self.x),
            self.xy - torch.outer(mean, self.y),
            self.yy - self.y.square() / self.rows,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A layer's weights fitted anew."""

    weight: Tensor
    """outputs × columns, float64"""
    intercept: Tensor
    """outputs: what is to be added"""
    strength: float
    """λ, relative to the mean of the diagonal."""
    error: float
    """On rows held back: what is left of the outputs' spread around their mean, from 0 to 1 or more."""
    error_before: float
    """The same with the weights as they were, and their best intercept."""


def fit(
    fitted: Sums, held: Sums, weight: Tensor, mask: Tensor | None = None, strengths: Sequence[float] = STRENGTHS
) -> Fit:
    """Weights (outputs × columns) that give what they should from what is read.

    `held`: rows of other images, by which the strength is chosen; the weights then rest on all rows. `weight`: as they
    were. `mask`: bool of the same shape; where False the weight is and stays zero. `strengths`: to choose from; without
    any the intercept alone is fitted.

    What no strength makes better on rows held back stays as it was, but for the intercept.
    """
    before = weight.double()
    inside, outside, everything = fitted.centred(), held.centred(), fitted + held
    spread = float(outside.yy.sum().clamp(min=torch.finfo(torch.float64).tiny))
    strength, least = 0.0, _error(outside, before)
    error_before = least / spread
    for relative in strengths:
        change = _change(inside, before, relative, mask)
        error = math.inf if change is None else _error(outside, before + change)
        if error < least:
            strength, least = relative, error
    last = _change(everything.centred(), before, strength, mask) if strength else None
    best = before if last is None else before + last
    return Fit(
        weight=best,
        intercept=(everything.y - best @ everything.x) / everything.rows,
        strength=strength,
        error=least / spread,
        error_before=error_before,
    )


def _error(sums: Sums, weight: Tensor) -> float:
    """‖XWᵀ − Y‖² over rows that are centred."""
    explained = (weight @ sums.xx * weight).sum() - 2 * (weight * sums.xy.T).sum()
    return float(explained + sums.yy.sum())


def _change(rows: Sums, before: Tensor, relative: float, mask: Tensor | None) -> Tensor | None:
    """What is to be added to the weights, by rows that are centred; None where that cannot be told."""
    unit = float(rows.xx.diagonal().mean())
    return _solved(rows.xx, relative * unit, rows.xy.T - before @ rows.xx, mask) if unit > 0 else None


def _solved(xx: Tensor, strength: float, missing: Tensor, mask: Tensor | None) -> Tensor | None:
    """D with D (X̃ᵀX̃ + λ) = missing, outputs × columns; None where that has no solution in float64. `mask`: D is zero
    where it is False."""
    if mask is not None:
        return _by_gradients(xx, strength, missing, mask)
    lower, failed = torch.linalg.cholesky_ex(xx + strength * torch.eye(len(xx), dtype=xx.dtype))
    return None if int(failed) else torch.cholesky_solve(missing.T, lower).T


def _by_gradients(xx: Tensor, strength: float, missing: Tensor, mask: Tensor) -> Tensor:
    """The same for each row's own surviving weights, by conjugate gradients of all rows side by side on the shared
    sums, preconditioned by their diagonal (Shewchuk 1994)."""
    keep = mask.to(xx.dtype)
    scale = 1 / (xx.diagonal() + strength)
    solved = torch.zeros_like(missing)
    residual = missing * keep
    direction = residual * scale
    product = (residual * direction).sum(1)
    enough = CLOSE**2 * product
    for _ in range(STEPS):
        if bool((product <= enough).all()):
            break
        along = (direction @ xx + strength * direction) * keep
        length = product / (direction * along).sum(1).clamp(min=torch.finfo(xx.dtype).tiny)
        solved += length[:, None] * direction
        residual -= length[:, None] * along
        scaled = residual * scale
        following = (residual * scaled).sum(1)
        direction = scaled + (following / product.clamp(min=torch.finfo(xx.dtype).tiny))[:, None] * direction
        product = following
    return solved
