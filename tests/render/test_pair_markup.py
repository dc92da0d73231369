"""Two networks beside each other as HTML: tiles, tables, slides and lanes say what was measured, with its badge."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pruning.compare.classes import ClassChange
from pruning.compare.networks import compare_layers
from pruning.compare.race import Standing
from pruning.compare.sides import Pair
from pruning.data.readers import open_data
from pruning.render.figures.style import palette
from pruning.render.markup import badges, class_table, pair_tiles, race_lanes, verdict
from pruning.render.markup.slides import slides
from pruning.tasks.metric import Difference


@pytest.fixture
def tuned(pair: Pair) -> Pair:
    """A fine-tuned run before, one that was not after; timed on different clocks."""
    run = pair.after.run
    assert run is not None and run.result is not None
    other = replace(run, result=replace(run.result, threads=4))
    return replace(pair, before=replace(pair.before, kind="run", run=other, tuned=True))


def test_each_accuracy_has_its_own_badge(tuned: Pair) -> None:
    row = ClassChange(
        name="1", images=100, before=98, after=98,
        difference=Difference(value=0.0, interval=(-0.02, 0.02), newly_wrong=0, newly_right=0),
    )  # fmt: skip
    before, after, change = kinds = tuple(badges.of_metric(one) for one in (True, False, tuned.tuned))
    assert kinds == ("tuned", "measured", "tuned"), "a change is one after fine-tuning where either side is"
    html = class_table.html([row], before=before, after=after, change=change)
    assert re.findall(r'class="px-badge px-(\w+)"', html) == list(kinds)
    metric = pair_tiles.tiles_of(tuned)[0]
    assert [number.badge for number in metric.numbers[:2]] == ["tuned", "measured"]
    assert 'px-badge px-tuned"' in verdict.html(tuned).partition("</h2>")[2], "what became of the answers"


def test_slides_say_nothing_that_is_not_known(tuned: Pair) -> None:
    shown = slides(tuned, compare_layers(tuned.before.subject, tuned.after.subject))
    first, *_, last = re.findall(r"<div><b>(.*?)</b>", shown[0].partition('class="numbers"')[2])
    assert re.sub(r"<[^>]+>", "", first) == "98.0◆ → 98.0 %●"
    assert last == "–", "what is not known has no badge"
    assert len(shown) == 2, "no answers were kept, and there is no common clock"


def test_tiles_count_what_changed(pair: Pair) -> None:
    metric, size, macs, speed = pair_tiles.tiles_of(pair)
    assert metric.title == "Accuracy on 1,000 test images" and metric.numbers[2].small == "points · −70.0 to +30.0"
    assert size.title == "Size · 80.0 kB → 30.0 kB" and size.numbers[0].small == "20.0 K → 20.0 K parameters"
    assert (size.numbers[0].big, macs.numbers[0].big, macs.numbers[0].small) == ("same", "same", "3.00 M, as before")
    assert speed.title == "Speed, on the clock, 2 threads"
    assert [(number.big, number.small) for number in speed.numbers] == [
        ("2.00×", "one image · 1.25–4.00×"), ("same", "32 at a time · 0.90–1.30×"),
    ]  # fmt: skip


def test_more_weights_than_before_are_a_multiple(pair: Pair) -> None:
    sparse = replace(pair.before, figures=replace(pair.before.figures, nonzero=4_000))
    for both, big, small in (
        (replace(pair, before=sparse, after=pair.before), "× 5.00", "4.00 K → 20.0 K"),
        (replace(pair, after=sparse), "÷ 5.00", "20.0 K → 4.00 K"),
    ):
        tile = pair_tiles.tiles_of(both)[1]
        assert (tile.title, tile.numbers[0].big, tile.numbers[0].small) == ("Not zero · still 80.0 kB", big, small)


def test_lanes_are_as_long_as_the_counts() -> None:
    standing = Standing(goal=1000, batch=1, images=(250, 500), seconds=(1.0, 1.0))
    html = race_lanes.lanes(("dense", "pruned"), standing, open_data("mnist5k"), range(1000), palette(True))
    assert re.findall(r'<i style="width:([\d.]+)%', html) == ["25.00", "50.00"]
    assert 'aria-valuenow="250"' in html and "finish: 1,000 images" in html
    before = race_lanes.lanes(("dense", "pruned"), None, open_data("mnist5k"), range(1000), palette(True))
    assert before.count("ready") == 2 and "px-badge px-" not in before, "nothing was measured yet"
