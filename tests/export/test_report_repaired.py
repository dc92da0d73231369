"""The part of a report on what repair gave: its figures are those of the run, and other runs have no such part."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from pruning.base.words import percent
from pruning.compare.repaired_words import OLDER, headline, who_gained, who_still_loses
from pruning.export.report import Contents, Options, gather, plans
from pruning.export.report import repaired as part
from pruning.export.report.page import html_page
from pruning.export.report.repair_drawing import LEFT, RIGHT, WIDTH, drawing
from pruning.export.report.slider import slider_entries
from pruning.planning.plan import make_plan
from pruning.runs import Run, read_run
from pruning.runs.repair_words import in_short
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.whatif import WhatIf

HOSTILE = "<img src=x onerror='alert(1)'>"


@pytest.fixture(scope="module")
def contents(repaired_run: Run) -> Contents:
    return gather(repaired_run, [repaired_run.summary], Options(), sparsities=(0.0, 0.5, 0.8))


def test_the_part_says_what_the_run_kept(contents: Contents, repaired_run: Run) -> None:
    assert contents.repair is not None and repaired_run.result is not None
    html = html_page(contents)
    section = html[html.index('<section id="repair"') : html.index('<section id="slider"')]
    for sentence in (in_short(contents.repair.note), headline(contents.repair)):
        assert escape(sentence) in section
    for sentence in (who_gained(contents.repair), who_still_loses(contents.repair)):
        assert sentence and escape(sentence) in section
    assert '<a href="#repair">Repair</a>' in html
    rows = re.findall(r'<tr><th scope="row" class="t">(.*?)</th>(.*?)</tr>', section)
    assert [name for name, _ in rows] == [one.name for one in contents.repair.classes]
    for one, (_, cells) in zip(contents.repair.classes, rows, strict=True):
        assert percent(one.accuracy("as_cut")) in cells and percent(one.accuracy("repaired")) in cells
    assert section.count("<rect ") == section.count("<circle ") == len(rows), "each class is drawn"
    assert "Refit: after each cut the best of several ways" in html, "the settings say what was asked for"


def test_more_or_fewer_channels_are_repaired_where_the_run_repaired(contents: Contents, repaired_run: Run) -> None:
    subject = open_subject("sample:lenet300")
    meter = WhatIf(subject.model, subject.graph, subject.data, images=contents.plans[0].as_cut.images)
    nothing, *cuts = contents.plans
    assert nothing.repaired is None and nothing.best is nothing.as_cut
    for plan in cuts:
        *_, last = meter.follow_repaired(
            make_plan(subject.model, subject.graph, PruneSpec(sparsity=plan.sparsity)), cancel=None
        )
        assert plan.repaired is not None and last.repaired is not None and plan.as_cut.value < plan.repaired.value
        # Each refit goes on from the one before, so that a few answers may differ.
        assert plan.repaired.value == pytest.approx(last.repaired.value, abs=0.01)
        assert plan.furthest == "repaired" and plan.best is plan.repaired
    html = html_page(contents)
    section = html[html.index('<section id="slider"') : html.index('<section id="settings"')]
    assert "repaired&nbsp;" in section and "as cut&nbsp;" in section and "Repaired from few images here" in section
    for plan in cuts:
        assert plan.repaired is not None and plan.repaired.metric.words(plan.repaired.value) in section
    assert repaired_run.result is not None and repaired_run.result.stages.repaired is not None
    (point,) = contents.own_points
    assert point.value == repaired_run.result.stages.repaired.value and "this run, repaired" in section
    last = slider_entries(contents)[-1]
    assert last["metric_note"].endswith(", repaired") and last["said"].endswith("right, repaired")


def test_a_large_network_is_not_repaired_at_every_share(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = open_subject("sample:lenet300")
    asked = {"images": 100, "sparsities": (0.5,), "repaired": True}
    (small,) = plans.measure_plans(subject, PruneSpec(), **asked)  # type: ignore[arg-type]
    monkeypatch.setattr(plans, "MOST_REPAIRED", 1000)
    (large,) = plans.measure_plans(subject, PruneSpec(), **asked)  # type: ignore[arg-type]
    assert small.repaired is not None and large.repaired is None
    assert large.as_cut.value == small.as_cut.value


def test_names_of_classes_are_text(contents: Contents) -> None:
    assert contents.repair is not None
    hostile = tuple(replace(one, name=HOSTILE) for one in contents.repair.classes)
    section = part.repaired(replace(contents, repair=replace(contents.repair, classes=hostile)))
    assert "<img" not in section and escape(HOSTILE) in section


def test_where_intervals_pass_the_ends_the_drawing_stops(contents: Contents) -> None:
    assert contents.repair is not None
    one = contents.repair.classes[0]
    wide = replace(
        one, gained=replace(one.gained, interval=(-1.0, 1.0)), right={**one.right, "as_cut": one.images // 2}
    )
    svg = drawing(replace(contents.repair, classes=(wide,)))
    assert re.findall(r'text-anchor="middle">(\d+)</text>', svg) == ["0", "20", "40", "60", "80", "100"]
    (ends,) = re.findall(r'<path d="M(\S+) \S+H(\S+)M\S+ \S+M\S+ \S+" stroke="var\(--soft\)"', svg)
    assert tuple(map(float, ends)) == (LEFT, WIDTH - RIGHT), "accuracy is between 0 and 100 %"


def test_the_axis_of_the_drawing_spans_what_is_drawn(contents: Contents) -> None:
    assert contents.repair is not None
    one = contents.repair.classes[0]
    right = {"dense": 100, "as_cut": 76, "repaired": 90}
    near = replace(one, images=100, right=right, gained=replace(one.gained, interval=(0.1, 0.2)))
    svg = drawing(replace(contents.repair, classes=(near,)))
    assert re.findall(r'text-anchor="middle">(\d+)</text>', svg) == ["75", "80", "85", "90", "95", "100"]
    (at,) = re.findall(r'<circle cx="([\d.]+)"', svg)
    assert float(at) == pytest.approx(LEFT + (0.76 - 0.75) / 0.25 * (WIDTH - LEFT - RIGHT), abs=0.1)


def test_a_run_from_before_answers_were_kept_says_so(contents: Contents) -> None:
    section = part.repaired(replace(contents, repair=None))
    assert OLDER in section and "<svg" not in section


def test_a_run_that_did_not_repair_has_no_such_part(stored_runs: Path) -> None:
    run = read_run(stored_runs / "channel")
    contents = gather(run, [run.summary], Options(), sparsities=(0.0,))
    html = html_page(contents)
    assert contents.repair is None and 'id="repair"' not in html and 'href="#repair"' not in html


def test_runs_that_differ_in_repair_are_no_seeds_of_each_other(repaired_run: Run, tmp_path: Path) -> None:
    path = shutil.copytree(repaired_run.path, tmp_path / "recalibrated")
    for name in ("recipe.yaml", "result.json"):
        text = (path / name).read_text()
        assert "refit" in text
        text = text.replace("repair: refit", "repair: recalibrate").replace(
            '"repair": "refit"', '"repair": "recalibrate"'
        )
        (path / name).write_text(text.replace("seed: 0", "seed: 1").replace('"seed": 0', '"seed": 1'))
    other = read_run(path)
    assert (other.recipe.repair, other.recipe.prune.seed) == ("recalibrate", 1)
    found = gather(repaired_run, [repaired_run.summary, other.summary], Options(), sparsities=(0.0,))
    assert [len(group.members) for group in found.groups] == [1, 1]
    assert "repaired" in found.groups[0].title and "repaired" not in found.groups[1].title
