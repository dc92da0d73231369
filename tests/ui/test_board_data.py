"""What the board is given, and the numbers at which its rows stand: exact, or worked out by hand."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("streamlit")

import torch

from pruning.graph.groups import ChannelGroup
from pruning.graph.targets import Target
from pruning.planning.allocation import kept_units
from pruning.planning.ranking import Ranking
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import Evaluation
from ui.prune import live
from ui.prune.board import data
from ui.session.cuts import Row


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
    assert row.most == 999 and target(20).most == 19


def test_histogram_stands_in_the_order_in_which_scores_go() -> None:
    scores = torch.tensor([0.0, 0.0, 0.0123, 0.123, 0.123, 1.0])
    found = data._histogram(scores)
    assert found["axis"] == pytest.approx([-data.DECADES, 0.0])
    assert found["zeros"] == 2 and sum(found["bins"]) == 4
    places = [math.floor(len(found["bins"]) * (math.log10(value) + 3) / 3) for value in (0.0123, 0.123)]
    assert [found["bins"][place] for place in places] == [1, 2] and found["bins"][-1] == 1


def test_where_the_largest_go_first_zeros_go_last() -> None:
    scores = -torch.tensor([0.0, 0.0, 0.01, 0.1, 0.1, 1.0])
    found = data._histogram(scores)
    assert found["axis"] == pytest.approx([0.0, data.DECADES])
    assert found["zeros"] == 0 and found["bins"][0] == 1 and found["bins"][-1] == 2


def test_weights_that_are_zero_already_are_not_lost_again() -> None:
    weight = torch.tensor([0.0, 5.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0])
    lost = data._zeros_lost(weight, weight.abs())
    assert [lost[number] for number in (0, 99, 100, 200, 300, 999)] == [0, 0, 1, 2, 2, 2]
    assert data._zeros_lost(weight, -weight.abs())[799:801] == [0, 0], "the largest first: zeros come last"


def test_rows_stand_in_network_order_and_know_who_reads_them() -> None:
    from ui.session import cuts

    subject = open_subject("sample:resnet20")
    ranking = Ranking(subject.model, subject.graph, PruneSpec())
    rows = {row["name"]: row for row in data._channel_rows(subject, cuts.all_rows(subject, "channel"), ranking)}
    firsts = [row["layers"][0] for row in rows.values()]
    order = list(dict.fromkeys(site.layer for site in subject.graph.contractions))
    assert firsts == sorted(firsts, key=order.index)
    assert rows["layer1.0.conv1"]["readers"] == ["layer1.0.conv2"]
    assert "conv1" in rows["layer1.0.conv1"]["reading"]
    assert rows["fc"]["locked"] and "scores" not in rows["fc"]
    assert "10 layers add into the same channels" in rows["conv1"]["words"]


def evaluation(right: int, images: int) -> Evaluation:
    return Evaluation(metric=ACCURACY, role="select", scores=torch.arange(images) < right, loss=1.0)


def test_the_tile_says_how_many_images_a_figure_rests_on() -> None:
    shown = live.Shown(dense=evaluation(95, 100), as_cut=evaluation(80, 100), images=1000, tuned="", rev=7)
    text = live.html(shown)
    assert "Accuracy on 100 of 1,000 select images" in text and "dense 95.0 %" in text
    assert "80.0 %" in text and "as cut · 71.1–86.7 %" in text, "Wilson's interval"
    assert "recalibrated: measuring" in text and 'data-rev="7"' in text
    done = live.html(live.Shown(as_cut=evaluation(800, 1000), images=1000, waits=False))
    assert "Accuracy on 1,000 select images" in done and "recalibrated: nothing to do" in done
    assert 'class="px-main"><b>80.0 %' in done, "where nothing is recalibrated, as cut is the figure to look at"


def test_the_tile_shows_an_old_figure_only_dim() -> None:
    old = live.html(live.Shown(as_cut=evaluation(80, 100), recalibrated=evaluation(90, 100), images=100, waits=True))
    assert 'class="px-main px-dim"><b>90.0 %</b><small>recalibrated · measuring' in old


def test_the_tile_escapes_why_there_is_no_accuracy() -> None:
    assert "<script>" not in live.html(live.Shown(missing="<script>alert(1)</script>"))
