"""Ridge regression on sums of products, so that no row is kept: how a layer's weights are fitted anew.

    W = argmin ‖X̃Wᵀ − Y‖² + λ‖W − W₀‖²

He 2017 (arXiv 1707.06168) fits so what a layer reads after pruning to what it gave before; the pull towards the weights
as they were (W₀), in place of towards zero, is that of GRAIL (arXiv 2602.23795).

All tensors begin with the layer's groups, each fitted by itself: one for most, one for each channel of a depthwise
convolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""λ, each relative to the mean of the diagonal of X̃ᵀX̃: the best of them on rows held back is taken."""
SURVIVORS = 512
"""Weights of one output up to which those that survive are solved for directly, not by conjugate gradients."""
AT_ONCE = 2**23
"""Numbers in all systems that are solved side by side."""
ALIKE = 0.85
"""Of the largest among them, the size that the others have at least."""
STEPS = 100
"""Of conjugate gradients, at most."""
CLOSE = 1e-4
"""Of the first residual, at which they end."""


@dataclass
class Sums:
    """Sums over rows of what a layer reads (X, rows × columns) and is to give (Y, rows × outputs), in float64."""

    rows: int
    x: Tensor
    """groups × columns"""
    y: Tensor
    """groups × outputs"""
    xx: Tensor
    """groups × columns × columns"""
    xy: Tensor
    """groups × columns × outputs"""
    yy: Tensor
    """groups × outputs: of squares"""

    @staticmethod
    def of(x: Tensor, y: Tensor) -> Sums:
        """Of some rows, float32, groups × rows × columns or outputs. Products are taken in float32 and added up in
        float64: add few thousand rows at once."""
        turned = x.mT
        wide = [one.double() for one in (x.sum(1), y.sum(1), turned @ x, turned @ y, y.square().sum(1))]
        return Sums(x.shape[1], *wide)

    def __add__(self, other: Sums) -> Sums:
        mine, theirs = (vars(one).values() for one in (self, other))
        return Sums(*(a + b for a, b in zip(mine, theirs, strict=True)))

    def aimed_at(self, rows: Iterable[tuple[Tensor, Tensor]]) -> Sums:
        """The same rows with other targets; what is read is as it was."""
        parts = [(y.sum(1).double(), (x.mT @ y).double(), y.square().sum(1).double()) for x, y in rows]
        y, xy, yy = (sum(some[1:], some[0]) for some in zip(*parts, strict=True))
        return replace(self, y=y, xy=xy, yy=yy)

    def missing(self, weight: Tensor) -> Tensor:
        """What the results of weights (groups × outputs × columns) lack on the mean: groups × outputs."""
        return (self.y - (weight @ self.x.unsqueeze(2)).squeeze(2)) / self.rows

    def centred(self) -> Sums:
        """The same of rows from which their mean was taken."""
        mean = (self.x / self.rows).unsqueeze(2)
        return Sums(
            self.rows,
            torch.zeros_like(self.x),
            torch.zeros_like(self.y),
            self.xx - mean * self.x.unsqueeze(1),
            self.xy - mean * self.y.unsqueeze(1),
            self.yy - self.y.square() / self.rows,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A layer's weights fitted anew."""

    weight: Tensor
    """groups × outputs × columns"""
    intercept: Tensor
    """groups × outputs: what is to be added"""
    strength: float
    """λ, relative to the mean of the diagonal; 0: the weights are as they were."""
    error: float
    """On rows held back: what is left of the outputs' spread around their mean, from 0 to 1 or more."""
    error_before: float
    """The same with the weights as they were, and their best intercept where there is one."""


@dataclass
class Factors:
    """Cholesky factors that hold as long as what is read does, by strength."""

    some: dict[float, Tensor] = field(default_factory=dict)
    """Of the rows that are not held back."""
    all: dict[float, Tensor] = field(default_factory=dict)
    """Of all rows."""


def fit(
    fitted: Sums,
    held: Sums,
    weight: Tensor,
    mask: Tensor | None = None,
    *,
    strengths: Sequence[float] = STRENGTHS,
    intercept: bool = True,
    factors: Factors | None = None,
) -> Fit:
    """Weights (groups × outputs × columns) that give what they should from what is read.

    `held`: rows of other images, by which the strength is chosen; the weights then rest on all rows. `weight`: as they
    were. `mask`: bool of the same shape; where False the weight is and stays zero. `strengths`: to choose from,
    ascending. `intercept`: whether there is a place for one; without, the rows are not centred. `factors`: of an
    earlier fit of the same rows to other targets.

    What no strength makes better on rows held back stays as it was, but for the intercept.
    """
    before = weight.double()
    everything = fitted + held
    inside, outside, whole = (one.centred() if intercept else one for one in (fitted, held, everything))
    spread = float(outside.yy.sum().clamp(min=torch.finfo(torch.float64).tiny))
    error_before = _error(outside, before)
    factors = Factors() if factors is None else factors

    def error(strength: float) -> float:
        change = _change(inside, before, strength, mask, factors.some)
        return math.inf if change is None else _error(outside, before + change)

    strength, least = best_strength(strengths, error)
    factors.some = {kept: factor for kept, factor in factors.some.items() if kept == strength}
    last = _change(whole, before, strength, mask, factors.all) if least < error_before else None
    best = before if last is None else before + last
    return Fit(
        weight=best,
        intercept=everything.missing(best) if intercept else torch.zeros_like(everything.y),
        strength=0.0 if last is None else strength,
        error=(error_before if last is None else least) / spread,
        error_before=error_before / spread,
    )


def mean_missing(rows: Iterable[tuple[Tensor, Tensor]], weight: Tensor) -> Tensor:
    """What weights (groups × outputs × columns) as they are lack on the mean over rows, as of `Sums.of`, one of which
    there must be: groups × outputs, float64."""
    lacking, count = torch.zeros(weight.shape[:2], dtype=torch.float64), 0
    for x, y in rows:
        lacking += y.sum(1, dtype=torch.float64) - (weight.double() @ x.sum(1, dtype=torch.float64)[..., None])[..., 0]
        count += x.shape[1]
    return lacking / count


def best_strength(strengths: Sequence[float], error: Callable[[float], float]) -> tuple[float, float]:
    """The strength of least error, and that: from the middle on, as long as it falls, since each costs a solution."""
    at = len(strengths) // 2
    least = error(strengths[at])
    for step in (1, -1):
        start = at
        while 0 <= at + step < len(strengths):
            following = error(strengths[at + step])
            if following >= least:
                break
            at, least = at + step, following
        if at != start:
            break
    return strengths[at], least


def _error(sums: Sums, weight: Tensor) -> float:
    """‖XWᵀ − Y‖² over rows that are centred, of all groups together."""
    explained = (weight @ sums.xx * weight).sum() - 2 * (weight * sums.xy.mT).sum()
    return float(explained + sums.yy.sum())


def _change(
    rows: Sums, before: Tensor, relative: float, mask: Tensor | None, factors: dict[float, Tensor]
) -> Tensor | None:
    """What is to be added to the weights, by rows that are centred; None where that cannot be told."""
    unit = rows.xx.diagonal(dim1=1, dim2=2).mean(1)
    if not bool((unit > 0).any()):
        return None
    unit = unit.clamp(min=float(unit.max()) * torch.finfo(torch.float64).eps)  # groups that read nothing but zeros
    strength, missing = relative * unit, rows.xy.mT - before @ rows.xx
    if mask is not None:
        few = int(mask.sum(2).max()) <= SURVIVORS
        return (_by_survivors if few else _by_gradients)(rows.xx, strength, missing, mask)
    if relative not in factors:
        system = rows.xx.clone()
        system.diagonal(dim1=1, dim2=2).add_(strength[:, None])
        lower, failed = torch.linalg.cholesky_ex(system)
        if bool(failed.any()):
            return None
        factors[relative] = lower
    return torch.cholesky_solve(missing.mT, factors[relative]).mT


def _by_survivors(xx: Tensor, strength: Tensor, missing: Tensor, mask: Tensor) -> Tensor:
    """The same for each output's own surviving weights: a small system each, those of similar size side by side."""
    solved = torch.zeros_like(missing)
    group, output = (one.flatten() for one in torch.meshgrid(*map(torch.arange, mask.shape[:2]), indexing="ij"))
    count = mask.sum(2).flatten()
    order = count.argsort()
    order = order[count[order] > 0]
    while len(order):
        most = int(count[order[-1]])
        alike = int((count[order] >= ALIKE * most).sum())
        some, order = _last(order, max(1, min(alike, AT_ONCE // most**2)))
        of, row = group[some], output[some]
        places = (~mask[of, row]).to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
        there = torch.arange(most) < count[some, None]
        system = xx[of[:, None, None], places[:, :, None], places[:, None, :]]
        system *= there[:, :, None] & there[:, None, :]
        system.diagonal(dim1=1, dim2=2).add_(torch.where(there, strength[of, None], 1.0))
        wanted = missing[of, row].gather(1, places) * there
        lower, failed = torch.linalg.cholesky_ex(system)
        if bool(failed.any()):
            return _by_gradients(xx, strength, missing, mask)
        found = torch.cholesky_solve(wanted[:, :, None], lower).squeeze(2)
        solved[of, row] = torch.zeros_like(missing[of, row]).scatter(1, places, found * there)
    return solved


def _last(order: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """So many from the end, and the others."""
    return order[-count:], order[:-count]


def _by_gradients(xx: Tensor, strength: Tensor, missing: Tensor, mask: Tensor) -> Tensor:
    """The same by conjugate gradients of all outputs side by side on the shared sums, preconditioned by their diagonal
    (Shewchuk 1994)."""
    keep = mask.to(xx.dtype)
    tiny = torch.finfo(xx.dtype).tiny
    pull = strength[:, None, None]
    scale = (1 / (xx.diagonal(dim1=1, dim2=2) + strength[:, None])).unsqueeze(1)
    solved = torch.zeros_like(missing)
    residual = missing * keep
    direction = residual * scale
    product = (residual * direction).sum(2, keepdim=True)
    enough = CLOSE**2 * product
    for _ in range(STEPS):
        if bool((product <= enough).all()):
            break
        along = (direction @ xx + pull * direction) * keep
        length = product / (direction * along).sum(2, keepdim=True).clamp(min=tiny)
        solved += length * direction
        residual -= length * along
        scaled = residual * scale
        following = (residual * scaled).sum(2, keepdim=True)
        direction = scaled + following / product.clamp(min=tiny) * direction
        product = following
    return solved
