"""The tile of the metric: which figure stands out, which is dim, and what each rests on."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from pruning.render.markup.accuracy_tile import (
    AccuracyTile,
    RepairState,
    Shown,
    html,
    similar_html,
    tuned_html,
    with_coarse_repair,
)
from pruning.tasks.alike import AGREEMENT
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import Evaluation
from pruning.whatif import Measured


def evaluation(right: int, images: int) -> Evaluation:
    return Evaluation(metric=ACCURACY, role="select", scores=torch.arange(images) < right, loss=1.0)


def said(tile: AccuracyTile) -> str:
    """What stands in a tile, without its markup."""
    return re.sub(r"<style>.*?</style>|<[^>]+>", "", html(tile), flags=re.S)


def big(tile: AccuracyTile) -> list[str]:
    """The figures that stand out, as text."""
    found = re.findall(r'<div class="px-main[^"]*"[^>]*>(.*?)</div>', html(tile))
    return [re.sub(r"<span class=\"px-badge.*?</i></span>|<[^>]+>", " ", one) for one in found]


def test_the_tile_says_how_many_images_a_figure_rests_on() -> None:
    shown = AccuracyTile(dense=evaluation(95, 100), as_cut=evaluation(80, 100), images=1000, tuned="", rev=7)
    text = said(shown)
    assert "Accuracy on 100 of 1,000 select images" in text and "dense 95.0 %" in text
    assert "80.0 %" in text and "as cut · 71.1–86.7 %" in text, "Wilson's interval"
    assert "recalibrated · measuring" in text and 'data-rev="7"' in html(shown)
    done = AccuracyTile(as_cut=evaluation(800, 1000), images=1000, waits=False)
    assert "Accuracy on 1,000 select images" in said(done) and "recalibrated · no batch norm" in said(done)
    assert 'class="px-main"><b>80.0 %' in html(done), "where nothing is recalibrated, as cut is the figure to look at"


def test_where_nothing_is_removed_nothing_is_missing() -> None:
    tile = AccuracyTile(as_cut=evaluation(95, 100), images=100, waits=False, removes=False, repair="nothing to do")
    text = said(tile)
    assert "recalibrated · nothing removed" in text and "repaired · nothing removed" in text
    assert "no batch norm" not in text


def test_the_tile_shows_an_old_figure_only_dim() -> None:
    old = html(AccuracyTile(as_cut=evaluation(80, 100), recalibrated=evaluation(90, 100), images=100, waits=True))
    assert 'class="px-main px-dim"><b>90.0 %</b><small>recalibrated<i> · </i><span>measuring' in old
    repaired = AccuracyTile(
        as_cut=evaluation(30, 100), recalibrated=evaluation(60, 100), waits=False, repaired=evaluation(90, 100)
    )
    assert "repaired · measuring" in said(repaired), "of the plan before"
    assert len(big(repaired)) == 1 and big(repaired)[0].startswith(" 60.0 %"), "the furthest of this very plan"


SPAN = (0.85, 0.95)


@pytest.mark.parametrize(
    ("state", "figure", "words"),
    [
        ("coarse", evaluation(90, 100), "repaired, coarse · 82.6–94.5 %"),
        ("of a run", Shown(metric=ACCURACY, value=0.9, interval=SPAN), "repaired · 85.0–95.0 %"),
        ("on request", None, "repaired · on request"),
        ("waits", None, "repaired · comes next"),
        ("under way", None, "repaired, coarse · measuring"),
        ("impossible", None, "repaired · not possible"),
    ],
)
def test_the_furthest_figure_of_this_cut_is_the_big_one(
    state: RepairState, figure: Evaluation | Shown | None, words: str
) -> None:
    tile = AccuracyTile(
        as_cut=evaluation(30, 100), recalibrated=evaluation(60, 100), waits=False, repaired=figure, repair=state,
        tuned=tuned_html(None),
    )  # fmt: skip
    assert words in said(tile) and "fine-tuned · not yet" in said(tile)
    assert len(big(tile)) == 1 and ("90.0 %" in big(tile)[0]) == (figure is not None)


@pytest.mark.parametrize(
    ("right", "complete", "shown", "by"),
    [
        (90, True, "90.0 %", "a refit"),
        (50, True, "60.0 %", "recalibration"),
        (50, False, "50.0 %", "a refit"),  # of some images only: they cannot be compared yet
    ],
)
def test_the_repaired_figure_is_no_worse_than_what_needs_no_refit(
    right: int, complete: bool, shown: str, by: str
) -> None:
    tile = AccuracyTile(as_cut=evaluation(30, 100), recalibrated=evaluation(60, 100), waits=False)
    refit = Measured(as_cut=None, recalibrated=None, complete=complete, repaired=evaluation(right, 100))
    found = with_coarse_repair(tile, refit)
    assert found.repair == "coarse" and found.by.startswith(by) and shown in big(found)[0]
    without_norms = with_coarse_repair(replace(tile, as_cut=evaluation(99, 100), recalibrated=None), refit)
    assert without_norms.by.startswith("as cut" if complete else "a refit")


def test_why_a_network_cannot_be_refitted_stands_behind_it() -> None:
    text = html(AccuracyTile(as_cut=evaluation(3, 9), repair="impossible", by="It has <two> inputs"))
    assert 'title="It has &lt;two&gt; inputs"' in text


def test_the_tile_escapes_why_there_is_no_accuracy() -> None:
    assert "<script>" not in html(AccuracyTile(missing="<script>alert(1)</script>"))


def test_without_similar_runs_the_tile_says_not_yet() -> None:
    assert "not yet" in similar_html([], ACCURACY)


def test_agreement_of_the_dense_network_with_itself_is_left_out() -> None:
    itself = Evaluation(metric=AGREEMENT, role="select", scores=torch.ones(100, dtype=torch.bool), loss=0.0)
    cut = Evaluation(metric=AGREEMENT, role="select", scores=torch.arange(100) < 60, loss=1.0)
    title = AGREEMENT.title
    text = html(AccuracyTile(metric=title, dense=itself, as_cut=cut, images=100))
    assert "Agreement with the unpruned network on 100 select images" in text and "dense" not in text
    pruned_before = html(AccuracyTile(metric=title, dense=cut, as_cut=cut, images=100))
    assert "dense 60.0 %" in pruned_before
