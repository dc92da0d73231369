"""Where there are fewer rows than columns: the same weights as by sums over columns."""

from __future__ import annotations

import pytest
import torch

from pruning.repair.dual import Dual
from pruning.repair.ridge import STRENGTHS, Sums, fit

ROWS, COLUMNS, OUTPUTS = 40, 90, 7


@pytest.mark.parametrize("intercept", [True, False])
def test_it_gives_what_sums_over_columns_give(intercept: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(ROWS, COLUMNS, generator=draw, dtype=torch.float64) + 3
    wanted, before = (torch.randn(OUTPUTS, COLUMNS, generator=draw).double() for _ in range(2))
    y = x @ wanted.T + 0.5 * torch.randn(ROWS, OUTPUTS, generator=draw)
    held = torch.arange(ROWS) % 5 == 1
    dual = Dual(x, held, before, intercept=intercept)
    fitted, apart = (Sums.of(x[None, part], y[None, part]) for part in (~held, held))
    for strengths in [STRENGTHS, *((strength,) for strength in STRENGTHS)]:
        plain = fit(fitted, apart, before[None], strengths=strengths, intercept=intercept)
        found = dual.fit(y, strengths)
        assert found.strength == plain.strength > 0
        assert torch.allclose(found.weight, plain.weight, atol=1e-8)
        assert torch.allclose(found.intercept, plain.intercept, atol=1e-8)
        assert found.error == pytest.approx(plain.error, rel=1e-8)
        assert found.error_before == pytest.approx(plain.error_before, rel=1e-8)
    assert torch.equal(dual.fit(x @ before.T, STRENGTHS).weight[0], before), "nothing is better than what is right"


def test_it_stays_as_it_was_where_nothing_is_read() -> None:
    before = torch.randn(OUTPUTS, COLUMNS, generator=torch.Generator().manual_seed(0))
    held = torch.arange(ROWS) % 5 == 1
    found = Dual(torch.ones(ROWS, COLUMNS), held, before, intercept=True).fit(torch.randn(ROWS, OUTPUTS), STRENGTHS)
    assert found.strength == 0
    assert torch.equal(found.weight[0], before)
