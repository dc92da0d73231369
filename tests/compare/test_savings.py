"""What is saved, by hand: hours, money and bytes from the reader's own numbers."""

from __future__ import annotations

import math

import pytest

from pruning.base.errors import InputError
from pruning.compare.savings import Sent, Usage, bytes_sent, files_to_send, hours, machine_time, money, price_of
from pruning.compare.sides import Clock
from pruning.cost.counts import Bytes


def test_savings_by_hand() -> None:
    usage = Usage(requests_a_day=36_000, days_a_year=100, price_an_hour=0.5)
    found = machine_time(usage, 10.0, 1, (1.25, 2.0, 4.0))
    assert found.before == pytest.approx(10.0), "36,000 × 100 × 0.01 s"
    assert found.after == pytest.approx(5.0)
    assert found.saved == pytest.approx((2.0, 5.0, 7.5)) and found.money == pytest.approx((1.0, 2.5, 3.75))
    assert machine_time(usage, 320.0, 32, (1.25, 2.0, 4.0)).before == pytest.approx(10.0), "32 in each batch"
    assert bytes_sent(5000, 80_000, 30_000) == (4e8, 1.5e8)


def test_nothing_is_saved_that_the_clock_does_not_show() -> None:
    usage = Usage(requests_a_day=1e6, price_an_hour=1.0)
    unclear = machine_time(usage, 1.0, 1, (0.95, 1.3, 1.8))
    assert unclear.saved is None and unclear.money is None
    slower = machine_time(usage, 1.0, 1, (0.5, 0.8, 0.9))
    assert slower.saved is not None and all(value < 0 for value in slower.saved), "it costs more"
    assert machine_time(Usage(requests_a_day=10), 1.0, 1, (2, 3, 4)).money is None, "no price, no money"


@pytest.mark.parametrize(
    "values",
    [{"requests_a_day": -1}, {"requests_a_day": math.nan}, {"requests_a_day": math.inf},
     {"requests_a_day": 1, "days_a_year": 400}, {"requests_a_day": 1, "price_an_hour": -0.1}],
)  # fmt: skip
def test_impossible_numbers_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Usage(**values)


@pytest.mark.parametrize(("value", "text"), [(0.001, "3.6 seconds"), (0.5, "30 minutes"), (12_345.6, "12,346 hours")])
def test_hours_in_the_unit_that_fits(value: float, text: str) -> None:
    assert hours(value) == text


def test_money_and_its_price_in_words() -> None:
    assert money(2.5, "EUR") == "2.50 EUR" and money(12_345.6, "") == "12,346"
    assert price_of(None) == price_of(Clock(cpu="", threads=1)) == "Price of an hour of one such core"
    assert price_of(Clock(cpu="", threads=2)).endswith("2 such cores")


def test_a_file_without_zeros_is_sent_where_it_is_smaller() -> None:
    plain = Bytes(raw=80, sparse=84, deflate=70)
    assert [file.title for file in files_to_send(plain, plain)] == ["To send, as it is"]
    _, packed = files_to_send(plain, Bytes(raw=80, sparse=20, deflate=24))
    assert packed == Sent(title="To send, without its zeros", before=80, after=20), "dense is sent as it is"
