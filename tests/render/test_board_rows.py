"""What the board is given of its rows: exact, or worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from pruning.planning.ranking import Ranking
from pruning.planning.rows import all_rows
from pruning.render.board_rows import DECADES, channel_rows, coupled, rows_and_costs, score_histogram, zeros_lost
from pruning.spec import PruneSpec
from pruning.subject import open_subject


def test_histogram_stands_in_the_order_in_which_scores_go() -> None:
    scores = torch.tensor([0.0, 0.0, 0.0123, 0.123, 0.123, 1.0])
    found = score_histogram(scores)
    assert found["axis"] == pytest.approx([-DECADES, 0.0])
    assert found["zeros"] == 2 and sum(found["bins"]) == 4
    places = [math.floor(len(found["bins"]) * (math.log10(value) + 3) / 3) for value in (0.0123, 0.123)]
    assert [found["bins"][place] for place in places] == [1, 2] and found["bins"][-1] == 1


def test_where_the_largest_go_first_zeros_go_last() -> None:
    scores = -torch.tensor([0.0, 0.0, 0.01, 0.1, 0.1, 1.0])
    found = score_histogram(scores)
    assert found["axis"] == pytest.approx([0.0, DECADES])
    assert found["zeros"] == 0 and found["bins"][0] == 1 and found["bins"][-1] == 2


def test_weights_that_are_zero_already_are_not_lost_again() -> None:
    weight = torch.tensor([0.0, 5.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0])
    lost = zeros_lost(weight, weight.abs())
    assert [lost[number] for number in (0, 99, 100, 200, 300, 999)] == [0, 0, 1, 2, 2, 2]
    assert zeros_lost(weight, -weight.abs())[799:801] == [0, 0], "the largest first: zeros come last"


def test_rows_stand_in_network_order_and_know_who_reads_them() -> None:
    subject = open_subject("sample:resnet20")
    ranking = Ranking(subject.model, subject.graph, PruneSpec())
    rows = {row["name"]: row for row in channel_rows(subject, all_rows(subject.graph, "channel"), ranking)}
    firsts = [row["layers"][0] for row in rows.values()]
    order = list(dict.fromkeys(site.layer for site in subject.graph.contractions))
    assert firsts == sorted(firsts, key=order.index)
    assert rows["layer1.0.conv1"]["readers"] == ["layer1.0.conv2"]
    assert "conv1" in rows["layer1.0.conv1"]["reading"]
    assert rows["fc"]["locked"] and "scores" not in rows["fc"]
    assert "10 layers add into the same channels" in rows["conv1"]["words"]


def test_rows_of_weights_come_with_the_costs_of_dense() -> None:
    subject = open_subject("sample:lenet300")
    found = rows_and_costs(subject, PruneSpec(granularity="weight"), None)
    assert [row["label"] for row in found["rows"]] == ["fc1", "fc2", "fc3"]
    assert [row["macs"] for row in found["rows"]] == [784 * 300, 300 * 100, 100 * 10]
    assert all(sum(row["bins"]) + row["zeros"] == row["total"] for row in found["rows"])
    params = 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10
    assert found["dense"]["params"] == params >= found["dense"]["nonzero"] > 0.9 * params


def test_rows_say_how_many_have_to_stay_and_what_heads_are() -> None:
    subject = open_subject("sample:lenet300")
    row = all_rows(subject.graph, "channel")[0]
    assert row.target.group is not None
    held = replace(row.target.group, least=8, why_least="net.py:3: the code asks for more than 7")
    words = coupled(replace(row, target=replace(row.target, group=held)))
    assert words.endswith("At least 8 units have to stay: net.py:3: the code asks for more than 7.")
    heads = coupled(replace(row, target=replace(row.target, group=held, heads=True)))
    assert heads.startswith("Attention heads: fc1 makes query, key and value") and "At least 8 heads" in heads
    assert "have to stay" not in coupled(row)


def test_rows_of_a_deep_network_come_in_stages_with_short_names() -> None:
    found = rows_and_costs(open_subject("sample:resnet20"), PruneSpec(), None)
    assert len(found["stages"]) == 1 and all(row["short"] == row["label"] for row in found["rows"])
