"""Ridge regression where there are fewer rows than columns: the same solution as `pruning.repair.ridge`, by products of
rows with rows.

    W = W₀ + (Y − X̃W₀ᵀ)ᵀ (X̃X̃ᵀ + λ)⁻¹ X̃

(the dual form, Saunders et al. 1998). Its system is as large as there are rows, so that a layer of 25,000 columns, read
by 1,000 images, takes what one of 1,000 columns takes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pruning.repair.ridge import Fit, best_strength


class Dual:
    """What one layer reads, in some rows, to be fitted to one target after the other."""

    def __init__(self, x: Tensor, held: Tensor, before: Tensor, *, intercept: bool) -> None:
        """`x`: rows × columns, float32. `held`: bool, which rows are held back. `before`: the weights as they were,
        outputs × columns. `intercept`: whether there is a place for one; without, nothing is centred."""
        self.held, self.before, self.intercept = held, before, intercept
        self.mean = x.mean(0) if intercept else torch.zeros_like(x[0])
        self.x = x - self.mean
        self.given = (x @ before.mT).double()
        self.products = (self.x @ self.x.mT).double()
        self._factors: dict[tuple[bool, float], Tensor | None] = {}

    def fit(self, y: Tensor, strengths: Sequence[float]) -> Fit:
        """Weights that give `y` (rows × outputs), as of `pruning.repair.ridge.fit` of one group."""
        lacking = y.double() - self.given
        inside, outside = self._centred(lacking[~self.held]), self._centred(lacking[self.held])
        spread = float(self._centred(y[self.held].double()).square().sum().clamp(min=torch.finfo(torch.float64).tiny))
        error_before = float(outside.square().sum())
        across = self._centred(self._centred(self.products[self.held][:, ~self.held]).mT).mT

        def error(strength: float) -> float:
            share = self._solved(inside, strength, everything=False)
            return math.inf if share is None else float((outside - across @ share).square().sum())

        strength, least = best_strength(strengths, error)
        share = self._solved(self._centred(lacking), strength, everything=True) if least < error_before else None
        change = torch.zeros_like(self.before) if share is None else share.to(self.x.dtype).mT @ self.x
        missing = lacking.mean(0) - (change @ self.mean).double()
        return Fit(
            weight=(self.before + change)[None],
            intercept=(missing if self.intercept else torch.zeros_like(missing))[None],
            strength=0.0 if share is None else strength,
            error=(error_before if share is None else least) / spread,
            error_before=error_before / spread,
        )

    def _centred(self, rows: Tensor) -> Tensor:
        return rows - rows.mean(0) if self.intercept else rows

    def _solved(self, lacking: Tensor, strength: float, *, everything: bool) -> Tensor | None:
        """Rows × outputs: how much of each row goes into the weights; None where that cannot be told."""
        key = (everything, strength)
        if key not in self._factors:
            chosen = self.products if everything else self.products[~self.held][:, ~self.held]
            system = self._centred(self._centred(chosen).mT).clone()
            unit = float(system.diagonal().sum()) / self.x.shape[1]
            system.diagonal().add_(strength * unit)
            lower, failed = torch.linalg.cholesky_ex(system)
            self._factors[key] = None if unit <= 0 or bool(failed.any()) else lower
        factor = self._factors[key]
        return None if factor is None else torch.cholesky_solve(lacking, factor)
