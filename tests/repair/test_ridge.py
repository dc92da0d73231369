"""A layer's weights from sums alone: what they should be, what stays as it was, and what stays zero."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pruning.repair import ridge
from pruning.repair.ridge import Sums, fit, mean_missing

COLUMNS, OUTPUTS = 12, 5


@pytest.fixture
def draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def rows(draw: torch.Generator, count: int, weight: Tensor, intercept: Tensor, noise: float = 0.0) -> Sums:
    x = torch.randn(count, COLUMNS, generator=draw) + 3
    y = x @ weight.T + intercept + noise * torch.randn(count, OUTPUTS, generator=draw)
    return Sums.of(x[None], y[None])


def test_it_finds_the_weights_that_made_the_rows(draw: torch.Generator) -> None:
    wanted, shift = torch.randn(OUTPUTS, COLUMNS, generator=draw), torch.randn(OUTPUTS, generator=draw)
    parts = [rows(draw, 200, wanted, shift) for _ in range(3)]
    found = fit(parts[0] + parts[1], parts[2], torch.zeros(1, OUTPUTS, COLUMNS))
    assert torch.allclose(found.weight[0].float(), wanted, atol=1e-2)
    assert torch.allclose(found.intercept[0].float(), shift, atol=5e-2)
    assert found.error < 1e-5 < 0.5 < found.error_before


def test_it_is_what_solving_the_rows_themselves_gives(draw: torch.Generator) -> None:
    wanted = torch.randn(OUTPUTS, COLUMNS, generator=draw)
    x = torch.randn(100, COLUMNS, generator=draw)
    y = x @ wanted.T + 0.5 * torch.randn(100, OUTPUTS, generator=draw)
    before = torch.randn(OUTPUTS, COLUMNS, generator=draw)
    found = fit(Sums.of(x[None, :60], y[None, :60]), Sums.of(x[None, 60:], y[None, 60:]), before[None])
    wide = x.double() - x.double().mean(0)
    strength = found.strength * float(wide.square().sum(0).mean())
    left = torch.linalg.inv(wide.T @ wide + strength * torch.eye(COLUMNS, dtype=torch.float64))
    target = y.double() - y.double().mean(0)
    plain = before.double() + (left @ wide.T @ (target - wide @ before.double().T)).T
    assert torch.allclose(found.weight[0], plain, atol=1e-4)


def test_where_nothing_is_better_on_rows_held_back_the_weights_stay(draw: torch.Generator) -> None:
    wanted, shift = torch.randn(OUTPUTS, COLUMNS, generator=draw), torch.zeros(OUTPUTS)
    few = rows(draw, COLUMNS + 1, wanted, shift, noise=50.0)
    found = fit(few, rows(draw, 500, wanted, shift), wanted[None])
    assert torch.equal(found.weight[0].float(), wanted) and found.strength == 0
    assert found.error == found.error_before < 1e-5


@pytest.mark.parametrize("survivors", [0, 512])
def test_what_is_masked_stays_zero_and_the_rest_is_the_best_without_it(
    draw: torch.Generator, monkeypatch: pytest.MonkeyPatch, survivors: int
) -> None:
    monkeypatch.setattr(ridge, "SURVIVORS", survivors)
    wanted = torch.randn(OUTPUTS, COLUMNS, generator=draw)
    mask = torch.rand(OUTPUTS, COLUMNS, generator=draw) < 0.5
    mask[:, 0] = True
    mask[1] = False
    x = torch.randn(2000, COLUMNS, generator=draw) @ torch.randn(COLUMNS, COLUMNS, generator=draw)
    fitted, held = (Sums.of(part[None], (part @ wanted.T)[None]) for part in x.split(1000))
    found = fit(fitted, held, (wanted * mask)[None], mask[None])
    assert bool((found.weight[0][~mask] == 0).all())
    centred = (x - x.mean(0)).double()
    for row in range(OUTPUTS):
        own = centred[:, mask[row]]
        strength = found.strength * float(centred.square().sum(0).mean())
        target = centred @ wanted[row].double() - own @ wanted[row, mask[row]].double()
        change = torch.linalg.solve(
            own.T @ own + strength * torch.eye(own.shape[1], dtype=torch.float64), own.T @ target
        )
        assert torch.allclose(found.weight[0, row, mask[row]], wanted[row, mask[row]].double() + change, atol=1e-3)


def test_columns_that_are_all_alike_leave_everything_as_it_was() -> None:
    x, weight = torch.ones(1, 50, COLUMNS), torch.ones(1, OUTPUTS, COLUMNS)
    found = fit(Sums.of(x, torch.zeros(1, 50, OUTPUTS)), Sums.of(x, torch.zeros(1, 50, OUTPUTS)), weight)
    assert torch.equal(found.weight, weight.double())
    assert torch.allclose(found.intercept, torch.full((1, OUTPUTS), -float(COLUMNS), dtype=torch.float64))


def test_without_a_place_for_an_intercept_the_weights_alone_come_as_close_as_they_can(draw: torch.Generator) -> None:
    x = torch.randn(1, 400, COLUMNS, generator=draw) + 1
    y = x @ torch.randn(COLUMNS, OUTPUTS, generator=draw) + 5
    fitted, held = Sums.of(x[:, :300], y[:, :300]), Sums.of(x[:, 300:], y[:, 300:])
    found = fit(fitted, held, torch.zeros(1, OUTPUTS, COLUMNS), strengths=(1e-9,), intercept=False)
    best = torch.linalg.lstsq(x[0].double(), y[0].double()).solution.T
    assert torch.allclose(found.weight[0], best, atol=1e-4)
    assert not found.intercept.any()


def test_groups_are_fitted_each_by_itself(draw: torch.Generator) -> None:
    x = torch.randn(3, 200, COLUMNS, generator=draw)
    y = x @ torch.randn(3, COLUMNS, OUTPUTS, generator=draw) + 0.1 * torch.randn(3, 200, OUTPUTS, generator=draw)
    before = torch.zeros(3, OUTPUTS, COLUMNS)
    found = fit(Sums.of(x[:, :150], y[:, :150]), Sums.of(x[:, 150:], y[:, 150:]), before, strengths=(1e-2,))
    for group in range(3):
        some = slice(group, group + 1)
        alone = fit(
            Sums.of(x[some, :150], y[some, :150]), Sums.of(x[some, 150:], y[some, 150:]), before[some],
            strengths=(1e-2,),
        )  # fmt: skip
        assert torch.allclose(found.weight[some], alone.weight) and torch.allclose(
            found.intercept[some], alone.intercept
        )


def test_what_lacks_on_the_mean(draw: torch.Generator) -> None:
    x, weight = torch.randn(2, 90, COLUMNS, generator=draw), torch.randn(2, OUTPUTS, COLUMNS, generator=draw)
    y = x @ weight.mT + torch.tensor([1.0, -2.0])[:, None, None]
    lacking = mean_missing(((x[:, :40], y[:, :40]), (x[:, 40:], y[:, 40:])), weight)
    assert torch.allclose(lacking, torch.tensor([[1.0], [-2.0]], dtype=torch.float64).expand(2, OUTPUTS), atol=1e-5)
