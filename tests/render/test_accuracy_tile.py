"""The tile of the metric: which figure stands out, which is dim, and what each rests on."""

from __future__ import annotations

import torch

from pruning.render.markup.accuracy_tile import AccuracyTile, html, similar_html
from pruning.tasks.alike import AGREEMENT
from pruning.tasks.classification import ACCURACY
from pruning.training.evaluate import Evaluation


def evaluation(right: int, images: int) -> Evaluation:
    return Evaluation(metric=ACCURACY, role="select", scores=torch.arange(images) < right, loss=1.0)


def test_the_tile_says_how_many_images_a_figure_rests_on() -> None:
    shown = AccuracyTile(dense=evaluation(95, 100), as_cut=evaluation(80, 100), images=1000, tuned="", rev=7)
    text = html(shown)
    assert "Accuracy on 100 of 1,000 select images" in text and "dense 95.0 %" in text
    assert "80.0 %" in text and "as cut · 71.1–86.7 %" in text, "Wilson's interval"
    assert "recalibrated: measuring" in text and 'data-rev="7"' in text
    done = html(AccuracyTile(as_cut=evaluation(800, 1000), images=1000, waits=False))
    assert "Accuracy on 1,000 select images" in done and "no batch norm to recalibrate" in done
    assert 'class="px-main"><b>80.0 %' in done, "where nothing is recalibrated, as cut is the figure to look at"


def test_the_tile_shows_an_old_figure_only_dim() -> None:
    old = html(AccuracyTile(as_cut=evaluation(80, 100), recalibrated=evaluation(90, 100), images=100, waits=True))
    assert 'class="px-main px-dim"><b>90.0 %</b><small>recalibrated · measuring' in old


def test_the_tile_escapes_why_there_is_no_accuracy() -> None:
    assert "<script>" not in html(AccuracyTile(missing="<script>alert(1)</script>"))


def test_without_similar_runs_the_tile_says_not_yet() -> None:
    assert "fine-tuned: not yet" in similar_html([], ACCURACY)


def test_agreement_of_the_uncut_network_with_itself_is_left_out() -> None:
    itself = Evaluation(metric=AGREEMENT, role="select", scores=torch.ones(100, dtype=torch.bool), loss=0.0)
    cut = Evaluation(metric=AGREEMENT, role="select", scores=torch.arange(100) < 60, loss=1.0)
    title = AGREEMENT.title
    text = html(AccuracyTile(metric=title, dense=itself, as_cut=cut, images=100))
    assert "Agreement with the unpruned network on 100 select images" in text and "dense" not in text
    pruned_before = html(AccuracyTile(metric=title, dense=cut, as_cut=cut, images=100))
    assert "dense 60.0 %" in pruned_before
