"""A layer's weights from sums alone: what they should be, what stays as it was, and what stays zero."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pruning.repair.ridge import Sums, fit

COLUMNS, OUTPUTS = 12, 5


@pytest.fixture
def draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def rows(draw: torch.Generator, count: int, weight: Tensor, intercept: Tensor, noise: float = 0.0) -> Sums:
    x = torch.randn(count, COLUMNS, generator=draw) + 3
    y = x @ weight.T + intercept + noise * torch.randn(count, OUTPUTS, generator=draw)
    return Sums.of(x, y)


def test_it_finds_the_weights_that_made_the_rows(draw: torch.Generator) -> None:
    wanted, shift = torch.randn(OUTPUTS, COLUMNS, generator=draw), torch.randn(OUTPUTS, generator=draw)
    parts = [rows(draw, 200, wanted, shift) for _ in range(3)]
    found = fit(parts[0] + parts[1], parts[2], torch.zeros(OUTPUTS, COLUMNS))
    assert torch.allclose(found.weight.float(), wanted, atol=1e-2)
    assert torch.allclose(found.intercept.float(), shift, atol=5e-2)
    assert found.error < 1e-5 < 0.5 < found.error_before


def test_it_is_what_solving_the_rows_themselves_gives(draw: torch.Generator) -> None:
    wanted = torch.randn(OUTPUTS, COLUMNS, generator=draw)
    x = torch.randn(100, COLUMNS, generator=draw)
    y = x @ wanted.T + 0.5 * torch.randn(100, OUTPUTS, generator=draw)
    before = torch.randn(OUTPUTS, COLUMNS, generator=draw)
    found = fit(Sums.of(x[:60], y[:60]), Sums.of(x[60:], y[60:]), before)
    wide = x.double() - x.double().mean(0)
    strength = found.strength * float(wide.square().sum(0).mean())
    left = torch.linalg.inv(wide.T @ wide + strength * torch.eye(COLUMNS, dtype=torch.float64))
    target = y.double() - y.double().mean(0)
    plain = before.double() + (left @ wide.T @ (target - wide @ before.double().T)).T
    assert torch.allclose(found.weight, plain, atol=1e-4)


def test_where_nothing_is_better_on_rows_held_back_the_weights_stay(draw: torch.Generator) -> None:
    wanted, shift = torch.randn(OUTPUTS, COLUMNS, generator=draw), torch.zeros(OUTPUTS)
    few = rows(draw, COLUMNS + 1, wanted, shift, noise=50.0)
    found = fit(few, rows(draw, 500, wanted, shift), wanted)
    assert torch.equal(found.weight.float(), wanted) and found.strength == 0
    assert found.error == found.error_before < 1e-5


def test_what_is_masked_stays_zero_and_the_rest_is_the_best_without_it(draw: torch.Generator) -> None:
    wanted = torch.randn(OUTPUTS, COLUMNS, generator=draw)
    mask = torch.rand(OUTPUTS, COLUMNS, generator=draw) < 0.5
    mask[:, 0] = True
    x = torch.randn(2000, COLUMNS, generator=draw) @ torch.randn(COLUMNS, COLUMNS, generator=draw)
    fitted, held = (Sums.of(part, part @ wanted.T) for part in x.split(1000))
    found = fit(fitted, held, wanted * mask, mask)
    assert bool((found.weight[~mask] == 0).all())
    centred = (x - x.mean(0)).double()
    for row in range(OUTPUTS):
        own = centred[:, mask[row]]
        strength = found.strength * float(centred.square().sum(0).mean())
        target = centred @ wanted[row].double() - own @ wanted[row, mask[row]].double()
        change = torch.linalg.solve(
            own.T @ own + strength * torch.eye(own.shape[1], dtype=torch.float64), own.T @ target
        )
        assert torch.allclose(found.weight[row, mask[row]], wanted[row, mask[row]].double() + change, atol=1e-3)


def test_columns_that_are_all_alike_leave_everything_as_it_was() -> None:
    x, weight = torch.ones(50, COLUMNS), torch.ones(OUTPUTS, COLUMNS)
    found = fit(Sums.of(x, torch.zeros(50, OUTPUTS)), Sums.of(x, torch.zeros(50, OUTPUTS)), weight)
    assert torch.equal(found.weight, weight.double())
    assert torch.allclose(found.intercept, torch.full((OUTPUTS,), -float(COLUMNS), dtype=torch.float64))
