"""Each disagreement between currencies gets its sentence, worked out by hand, and agreement gets none."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from pruning.cost.bytes_left import bytes_left
from pruning.cost.counts import Bytes, model_cost
from pruning.cost.devices import BUDGETS, KB, Budget, fits
from pruning.cost.ledger import Clock, Ledger, Side, count_starved, remarks
from pruning.latency.clock import Comparison, Timing
from pruning.planning.plan import LayerPlan, make_plan
from pruning.removal.apply import pruned_model
from pruning.removal.build import build_graph
from pruning.render.preview import ledger_of
from pruning.runs.ledger import ledger_of_result
from pruning.runs.result import Result, Speedup
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject

DENSE = Side(
    params=1000, nonzero=1000, macs=100_000, raw=4000, deflate=3000, sparse=4125, activation=8000, activation_place="a"
)
HALF = replace(DENSE, params=500, nonzero=500, macs=50_000, raw=2000, deflate=1500, sparse=1800, activation=4000)
"""Half of everything, in a file that compresses well: no currency disagrees."""


def clock(low: float, middle: float, high: float, batch: int = 1) -> Clock:
    return Clock(batch=batch, dense=(3.9, 4.0, 4.1), pruned=(1.9, 2.0, 2.1), speedup=(low, middle, high))


def said(ledger: Ledger) -> dict[str, str]:
    found = remarks(ledger)
    assert len({remark.text for remark in found}) == len(found)
    return {remark.about: remark.text for remark in found}


def test_where_all_currencies_fall_alike_nothing_is_said() -> None:
    assert said(Ledger(dense=DENSE, pruned=HALF)) == {}
    assert said(Ledger(dense=DENSE, pruned=HALF, clocks=(clock(1.9, 2.0, 2.1),))) == {}


def test_where_nothing_goes_nothing_is_said() -> None:
    poor = replace(DENSE, deflate=3990)
    assert said(Ledger(dense=poor, pruned=poor, clocks=(clock(0.9, 1.0, 1.1),))) == {}


def test_zeros_leave_macs_bytes_memory_and_time() -> None:
    sparse = replace(DENSE, nonzero=500, deflate=1800, sparse=2100)
    text = said(Ledger(dense=DENSE, pruned=sparse))["zeros"]
    assert "50 % of the parameters are zero" in text
    assert "MACs, raw bytes and activation memory are unchanged" in text
    assert "multiply a zero like any other number" in text and "time will not change either" in text
    clocks = (clock(0.97, 1.0, 1.03), clock(0.95, 0.99, 1.02, batch=32))
    text = said(Ledger(dense=DENSE, pruned=sparse, clocks=clocks))["zeros"]
    assert "no measurable speed-up (0.97–1.03×, batch 1 and 0.95–1.02×, batch 32)" in text
    text = said(Ledger(dense=DENSE, pruned=sparse, clocks=(clock(1.02, 1.05, 1.08),)))["zeros"]
    assert "(1.02–1.08×, batch 1) does not come from the zeros" in text


def test_zeros_that_the_dense_network_had_are_not_news() -> None:
    dense = replace(DENSE, nonzero=500)
    assert said(Ledger(dense=dense, pruned=replace(HALF, nonzero=250))) == {}


def test_a_bitmap_file_may_be_larger_than_the_plain_one() -> None:
    """1,000 weights: 125 bytes of bitmap; 20 zeros save 80."""
    pruned = replace(DENSE, nonzero=980, sparse=125 + 4 * 980)
    text = said(Ledger(dense=DENSE, pruned=pruned))["file"]
    assert "4.04 kB against 4.00 kB" in text and "more than 1 weight in 32" in text and "here 2.0 %" in text
    pays = replace(DENSE, nonzero=960, sparse=125 + 4 * 960)
    assert "file" not in said(Ledger(dense=DENSE, pruned=pays)), "40 zeros save 160"


def test_a_bitmap_file_does_not_fall_as_the_non_zeros_do() -> None:
    """100 non-zeros: ÷10; 125 + 400 bytes of 4,000: ÷7.6."""
    pruned = replace(DENSE, nonzero=100, deflate=700, sparse=525)
    text = said(Ledger(dense=DENSE, pruned=pruned))["file"]
    assert "fell ÷10.0" in text and "only 7.6 times smaller" in text


def test_compression_gains_little_on_weights() -> None:
    text = said(Ledger(dense=DENSE, pruned=replace(HALF, deflate=1860)))["file"]
    assert "takes off only 7.0 %" in text


def test_macs_and_parameters_in_different_layers() -> None:
    late = replace(HALF, params=250, nonzero=250, macs=90_000)
    assert "Parameters fell ÷4.00 but MACs only ÷1.11" in said(Ledger(dense=DENSE, pruned=late))["layers"]
    early = replace(HALF, params=950, nonzero=950, raw=3800, macs=50_000)
    assert "MACs fell ÷2.00 but parameters only ÷1.05" in said(Ledger(dense=DENSE, pruned=early))["layers"]


@pytest.mark.parametrize(
    ("speedup", "words"),
    [
        ((0.97, 1.01, 1.05), "there is no measurable speed-up (0.97–1.05×, batch 1)"),
        ((0.7, 0.8, 0.9), "it became slower, 0.80× (0.70–0.90×, batch 1)"),
        ((1.2, 1.3, 1.4), "time fell only ÷1.30 (1.20–1.40×, batch 1)"),
        ((2.8, 3.0, 3.2), "time fell even more, ÷3.00 (2.80–3.20×, batch 1)"),
        ((1.5, 1.6, 1.7), None),  # within 25 % of the MACs
        ((1.0, 1.5, 2.2), "no measurable speed-up"),  # the interval decides, not the estimate
    ],
)
def test_macs_fall_but_time_does_not(speedup: tuple[float, float, float], words: str | None) -> None:
    text = said(Ledger(dense=DENSE, pruned=HALF, clocks=(clock(*speedup),))).get("time")
    if words is None:
        assert text is None
        return
    assert text is not None and text.startswith("MACs fell ÷2.00, but") and words in text
    assert ("takes time to start" in text) == (speedup[0] <= 2)


def test_two_clocks_that_say_the_same_share_a_sentence() -> None:
    text = said(Ledger(dense=DENSE, pruned=HALF, clocks=(clock(1.1, 1.2, 1.3), clock(1.2, 1.3, 1.4, batch=32))))["time"]
    assert "but time fell only ÷1.20 (1.10–1.30×, batch 1) and ÷1.30 (1.20–1.40×, batch 32):" in text


def test_the_reasons_name_odd_widths_and_layers_that_wait_for_memory() -> None:
    ledger = Ledger(
        dense=DENSE, pruned=HALF, clocks=(clock(0.97, 1.0, 1.03), clock(1.9, 2.0, 2.1, batch=32)),
        widths=(("conv1", 16), ("conv2", 13), ("fc", 7)), starved=(2, 5),
    )  # fmt: skip
    text = said(ledger)["time"]
    assert "2 of 3 cut layers have a width that is no multiple of 8 (such as 13 in conv2)" in text
    assert "2 of 5 layers do so little" in text
    assert "batch 32" not in text, "there MACs and time agree"
    even = replace(ledger, widths=(("conv1", 16),), starved=(0, 5))
    assert "multiple" not in said(even)["time"] and "of 5 layers" not in said(even)["time"]


def test_layers_that_wait_for_memory() -> None:
    linear, convolution = (300 * 100, 4 * 300 * 100), (64 * 64 * 9 * 256, 4 * (64 * 64 * 9 + 64 * 256))
    assert count_starved([linear, convolution]) == (1, 2)


def test_activation_memory_may_not_follow() -> None:
    same = replace(HALF, activation=8000, activation_place="stem")
    text = said(Ledger(dense=DENSE, pruned=same))["memory"]
    assert "is unchanged: the most is alive while stem runs" in text and "not among what was cut" in text
    quarter = replace(HALF, params=250, nonzero=250, raw=1000, deflate=750, sparse=900, macs=25_000)
    assert "fell only ÷2.00" in said(Ledger(dense=DENSE, pruned=quarter))["memory"]


def test_budgets_say_fits_or_by_how_much_not() -> None:
    flash, ram = fits(Budget(flash=256 * KB, ram=64 * KB), raw=200 * KB, activation=96 * KB)
    assert (flash.title, ram.title) == ("Flash, 256 KB", "RAM, 64 KB")
    assert flash.fits and flash.text == "200 KB: fits, 56 KB to spare"
    assert not ram.fits and ram.text == "96 KB: does not fit, 32 KB too much"
    assert fits(Budget(flash=10, ram=10), raw=10, activation=11)[0].fits, "exactly full still fits"
    assert len({budget.title for budget in BUDGETS}) == len(BUDGETS) >= 3


@pytest.fixture(scope="module")
def subject() -> Subject:
    return open_subject("sample:mini_resnet")


@pytest.mark.parametrize("granularity", ["channel", "weight"])
def test_the_ledger_of_a_plan_equals_the_pruned_network(subject: Subject, granularity: str) -> None:
    plan = make_plan(
        subject.model, subject.graph, PruneSpec(granularity=granularity, sparsity=0.4, layers=(("conv1", 0.1),))
    )
    timing = Timing(median=2.0, low=1.9, high=2.1)
    measured = Comparison(batch=1, dense=timing, pruned=timing, speedup=(0.9, 1.0, 1.1), pairs=30, threads=1)
    found = ledger_of(subject, plan, measured)
    small = pruned_model(subject.model, subject.graph, plan)
    real = model_cost(small, build_graph(small, subject.graph.example_shape))
    said = found.pruned
    assert (said.params, said.nonzero, said.macs) == (real.params, real.nonzero, real.macs)
    assert (said.raw, said.deflate, said.sparse) == (real.bytes.raw, real.bytes.deflate, real.bytes.sparse)
    assert (said.activation, said.activation_place) == (real.activation_bytes, real.activation_place)
    assert found.dense == ledger_of(subject, make_plan(subject.model, subject.graph, PruneSpec())).pruned
    assert not found.deflate_estimated
    assert found.clocks == (Clock(batch=1, dense=(1.9, 2, 2.1), pruned=(1.9, 2, 2.1), speedup=(0.9, 1.0, 1.1)),)
    channels = {name: module.out_channels for name, module in small.named_modules() if hasattr(module, "out_channels")}
    if granularity == "channel":
        assert found.widths and all(channels[name] == width for name, width in found.widths)
    else:
        assert found.widths == ()


@pytest.mark.parametrize(("granularity", "sparsity"), [("channel", 0.5), ("weight", 0.0), ("weight", 0.9)])
def test_compressed_bytes_of_a_large_network_are_estimated_from_blocks(granularity: str, sparsity: float) -> None:
    lenet = open_subject("sample:lenet5")
    plan = make_plan(lenet.model, lenet.graph, PruneSpec(granularity=granularity, sparsity=sparsity))
    exact, guessed = bytes_left(lenet.model, lenet.graph, plan)
    about, estimated = bytes_left(lenet.model, lenet.graph, plan, sample=2**18)
    assert (guessed, estimated) == (False, True)
    assert (about.raw, about.sparse) == (exact.raw, exact.sparse)
    assert about.deflate == pytest.approx(exact.deflate, rel=0.08)


def test_a_result_becomes_a_ledger(make_result: Callable[..., Result]) -> None:
    side = replace(
        make_result().dense, params=10, nonzero=9, macs=8, bytes=Bytes(raw=7, deflate=6, sparse=5), activation_bytes=4,
        activation_place="", latency={1: Timing(low=1.0, median=2.0, high=3.0)},
    )  # fmt: skip
    layers = tuple(
        LayerPlan(name=name, group=None, requested=0.5, achieved=0.5, kept=kept, total=total)
        for name, kept, total in (("a", 3, 4), ("a", 4, 4), ("b", 2, 2))
    )
    result = make_result(dense=side, pruned=replace(side, activation_place="x"), layers=layers,
                         speedups=(Speedup(batch=1, low=0.9, middle=1.0, high=1.1),))  # fmt: skip
    found = ledger_of_result(result)
    assert found.widths == (("a", 7),), "a has channels of two groups; b lost none"
    assert found.clocks == (Clock(batch=1, dense=(1, 2, 3), pruned=(1, 2, 3), speedup=(0.9, 1.0, 1.1)),)
    assert found.dense == Side(params=10, nonzero=9, macs=8, raw=7, deflate=6, sparse=5, activation=4)
    assert found.pruned.activation_place == "x"


def test_a_plan_changes_nothing_of_the_model(subject: Subject) -> None:
    before = {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}
    for granularity in ("channel", "weight"):
        ledger_of(subject, make_plan(subject.model, subject.graph, PruneSpec(granularity=granularity, sparsity=0.5)))
    assert all(torch.equal(before[name], tensor) for name, tensor in subject.model.state_dict().items())
