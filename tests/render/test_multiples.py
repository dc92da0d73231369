"""Charts of sensitivity: points stand where their numbers say, and hostile names stay text."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from pruning.render.figures.style import palette
from pruning.render.markup import multiples
from pruning.render.markup.multiples_plot import HEIGHT, CurveView, position
from tests.scans import made_up


def test_names_from_files_stay_text() -> None:
    hostile = "<script>alert(1)</script>\"'"
    html = multiples.html(made_up(hostile), CurveView(figure="as_cut", lose=0.01), palette(False))
    assert "<script" not in html and "<b>" not in html.replace("<b title", "")
    assert "&lt;script&gt;" in html and "because &lt;b&gt;" in html
    assert "\"'" not in html


def test_orders_leave_what_is_locked_out_of_the_ranking() -> None:
    base = made_up("a")
    weak = replace(base.curves[0], name="weak", macs=9000, points=base.curves[0].points[5:])
    scan = replace(base, curves=(base.curves[1], weak, base.curves[0]))
    names = {
        sort: [c.name for c in multiples.ordered(scan, CurveView(figure="as_cut", lose=0.01, sort=sort))]
        for sort in multiples.SORTS
    }
    assert names == {"network": ["last", "weak", "a"], "robust": ["a", "weak", "last"], "macs": ["weak", "a", "last"]}


def test_points_stand_where_their_numbers_say() -> None:
    html = multiples.html(made_up(), CurveView(figure="as_cut", lose=0.01), palette(False))
    dots = re.findall(r'<i style="left:([\d.]+)%;top:([\d.]+)px" title="([^"]+)"', html)
    assert len(dots) == 9
    left, top, title = dots[4]
    assert (float(left), float(top)) == (50.0, pytest.approx((1 - 0.97) * HEIGHT, abs=0.06))
    assert title.startswith("50 % removed, 5 of 10 stay: 97.0 % (95.7–97.9); loses 2.0 (1.2 to 2.8) points.")
    close = multiples.html(made_up(), CurveView(figure="as_cut", lose=0.01, close_up=True), palette(False))
    assert len(re.findall(r'<i style="left:[\d.]+%;top:', close)) == 6, "94 % to 100 %: what lies below is not drawn"
    assert "vector-effect" in unquote(close)


def test_the_axis_of_weights_gives_room_to_the_last_ten_percent() -> None:
    places = [position(share, "weight") for share in (0.0, 0.9, 0.99, 1.0)]
    assert places == pytest.approx([0, 0.5, 1, 1])
    assert position(0.9, "channel") == 0.9


def test_the_caption_says_where_curves_begin() -> None:
    scan = made_up()
    text = multiples.caption(scan, "as_cut")
    assert "Up: accuracy, %, as cut, on 1,000 select images" in text and "dense, 99.0 % (98.2–99.5 %) ●." in text
    again = multiples.caption(replace(scan, dense=replace(scan.dense, recalibrated=scan.dense.as_cut)), "recalibrated")
    assert "the dense network recalibrated 99.0 % ●, where curves begin" in again


def test_curves_of_a_deep_network_stand_in_stages() -> None:
    base = made_up()
    free, locked = base.curves
    names = [f"layer{stage}.{block}.conv" for stage in (1, 2, 3) for block in range(14)]
    scan = replace(base, curves=(*(replace(free, name=name) for name in names), replace(locked, name="<i>fc</i>")))
    view = CurveView(figure="as_cut", lose=0.01)
    html = multiples.html(scan, view, palette(False))
    assert html.count("<details") == 3 and "<summary><b>layer2</b> <span>14 groups</span>" in html
    assert "<bdi>3.conv</bdi>" in html and 'title="layer2.3.conv"' in html, "short, and in full under the pointer"
    assert "<i>fc" not in html and "&lt;i&gt;fc" in html, "a stage of one has no head"
    alone = multiples.html(scan, replace(view, stage="layer3"), palette(False))
    assert alone.count('class="sx-card"') == 14 and "layer2" not in alone
    assert "<details" not in multiples.html(scan, replace(view, sort="robust"), palette(False))


def test_a_share_of_what_the_limit_lets_go_is_tinted_and_said() -> None:
    """At 2 points half of ten units may go; two fifths of them are two."""
    view = CurveView(figure="as_cut", lose=0.02)
    whole, part = (multiples.html(made_up(), one, palette(False)) for one in (view, replace(view, share=0.4)))
    assert "<strong>50 %</strong><small>loses 2.0" in whole
    assert "<strong>20 %</strong><small>of 50 %, which</small><small>loses 2.0" in part
    assert "width%3D%2250.00%22" in whole and "width%3D%2220.00%22" in part
    assert "The tinted part goes: 40 % of the largest measured" in multiples.caption(made_up(), "as_cut", 0.4)
    assert "The tinted part goes: the largest measured" in multiples.caption(made_up(), "as_cut")
