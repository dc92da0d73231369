"""Numbers at which the rows of the board stand: exact, or worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.graph.groups import ChannelGroup
from pruning.graph.model_graph import ModelGraph
from pruning.graph.names import label
from pruning.graph.targets import Target
from pruning.planning.allocation import kept_units
from pruning.planning.rows import Positions, Row, free_rows, sparsities_of
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec


def target(total: int, granularity: str = "channel") -> Row:
    group = (
        None if granularity == "weight" else ChannelGroup(name="fc1", units=total, slots=(), components=(), locked=None)
    )
    made = Target(key="fc1", name="fc1", units=total, layers=("fc1",), locked=None, group=group)
    return Row(target=made, parts=1000 if granularity == "weight" else total)


def test_every_width_can_be_reached_and_comes_back() -> None:
    for total in (1, 2, 3, 7, 10, 28, 49, 64, 100, 511, 2048):
        row = target(total)
        for removed in range(total):
            sparsity = row.sparsity(removed)
            assert kept_units(total, sparsity) == total - removed
            assert row.at(sparsity) == removed


def test_per_mille_of_weights_come_back() -> None:
    row = target(7056, "weight")
    assert [row.at(row.sparsity(number)) for number in range(1000)] == list(range(1000))
    assert row.highest == 999 and target(20).highest == 19


@pytest.fixture(scope="module")
def graph() -> ModelGraph:
    """Groups 0 (10 units) and 2 (20 units); the five answers stay."""
    model = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5)).eval()
    return build_graph(model, (torch.zeros(2, 4),))


def said(**changes: Any) -> dict[str, Any]:
    """What the board sends, with changes."""
    return {"removed": {}, "share": 0.0, "pinned": [], "mode": "uniform"} | changes


def test_rows_that_stand_elsewhere_have_a_sparsity_of_their_own(graph: ModelGraph) -> None:
    rows, ranking = free_rows(graph, "channel"), PruneSpec(criterion="l1")
    assert [row.name for row in rows] == ["0", "2"]
    spec = Positions(numbers={"0": 5, "2": 3}, share=0.5).spec(rows, ranking)
    assert spec == PruneSpec(criterion="l1", sparsity=0.5, layers=(("2", 0.15),)), "0 stands where 50 % puts it"


def test_a_row_asks_for_what_a_recipe_asked_until_it_moves(graph: ModelGraph) -> None:
    rows, ranking = free_rows(graph, "channel"), PruneSpec()
    stand = Positions().moved_to(rows, {"0": 0.33, "2": 0.2, "nowhere": 0.5}, share=0.2)
    assert stand.numbers == {"0": 3, "2": 4} and stand.asked == {"0": 0.33}
    assert stand.spec(rows, ranking) == PruneSpec(sparsity=0.2, layers=(("0", 0.33),))
    moved = stand.following(rows, said(removed={"0": 4, "2": 4}, share=0.2))
    assert moved.asked == {} and moved.spec(rows, ranking) == PruneSpec(sparsity=0.2, layers=(("0", 0.4),))


def test_what_the_board_says_stays_within_what_rows_allow(graph: ModelGraph) -> None:
    rows = free_rows(graph, "channel")
    sent = said(removed={"0": 99, "2": 0, "4": 1}, share=7, pinned=["2", "4"], mode="anything")
    stand = Positions().following(rows, sent)
    assert stand.numbers == {"0": 9}, "one unit stays, and only rows that are free count"
    assert (stand.share, list(stand.pinned), stand.mode) == (0.999, ["2"], "uniform")


def test_rows_stand_where_a_spec_puts_them(graph: ModelGraph) -> None:
    assert sparsities_of(graph, PruneSpec(sparsity=0.25, layers=(("0", 0.5),))) == {"0": 0.5, "2": 0.25}
    assert sparsities_of(graph, PruneSpec(sparsity=0.25, round_to=8)) == pytest.approx({"0": 0.2, "2": 0.2})
    with pytest.raises(InputError):
        sparsities_of(graph, PruneSpec(layers=(("conv9", 0.5),)))


@pytest.mark.parametrize(
    ("name", "shown"),
    [("layer2.0.conv2/own", "layer2.0.conv2 · own"), ("qkv#2", "qkv (2)"), ("fc.weight", "fc"), ("fc", "fc")],
)
def test_names_for_people(name: str, shown: str) -> None:
    assert label(name) == shown
