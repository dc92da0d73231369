"""Sensitivity: measured in a process of its own, shown as it comes, and handed to Prune."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.base.errors import StorageError
from pruning.render import board
from pruning.sensitivity import Joint, Limits, Sensitivity, cache, is_within, kept_within, tighten
from pruning.sensitivity.form import changes
from pruning.sensitivity.ladder import by_limit, by_share
from pruning.sensitivity.words import limits_words
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.tasks.classification import ACCURACY
from tests.scans import figure, with_points
from ui.kit import curves

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The app with caches of its own."""
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(curves, "_seconds_of_pass", lambda *_: 1.0)
    test = AppTest.from_file(APP, default_timeout=SECONDS)
    test.session_state["model_ref"] = "sample:lenet5"
    yield test
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def subject() -> Subject:
    return open_subject("sample:lenet5")


def open_page(app: AppTest) -> AppTest:
    app.switch_page("pages/sensitivity.py").run()
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    """All the text of the HTML parts, without tags, styles aside."""
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    text = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S))
    return unescape(re.sub(r"\s+", " ", text))


def keep(scan: Sensitivity) -> None:
    """Put a scan on disk as its process would."""
    outline = replace(scan, curves=tuple(replace(curve, points=()) for curve in scan.curves), dense=None,
                      precision=None, joints=())  # fmt: skip
    with cache.job_of(scan).working() as work:
        for event in changes(outline, scan):
            work.tell(event)


def ask(scan: Sensitivity) -> None:
    """As whoever starts a process for it."""
    assert cache.job_of(scan).ask() is not None


def wanted(subject: Subject, granularity: str = "channel") -> Sensitivity:
    return curves.outline(subject, PruneSpec(granularity=granularity), 2000)


def test_before_measuring_there_is_one_next_step(
    app: AppTest, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pruning.sensitivity import start as job

    asked: list[tuple[Sensitivity, float, bool]] = []

    def start(
        subject: Subject, scan: Sensitivity, *, lose: float, repaired: bool, visitor: str, expected: float
    ) -> None:
        assert visitor == "" and expected > 0
        asked.append((scan, lose, repaired))
        ask(scan)

    monkeypatch.setattr(job, "start", start)
    open_page(app)
    text = words(app)
    assert "conv1" in text and "not measured yet" in text
    assert "locked the network's outputs stay" in text, "not to be pruned is not to be robust"
    (button,) = [button for button in app.button if button.key == "measure"]
    assert "Measure sensitivity · about" in button.label and "○" in button.label
    button.click().run()
    assert not app.exception and not app.error
    assert asked == [(wanted(subject), 1.0, False)]
    assert not [button for button in app.button if button.key == "measure"], "it is on its way"
    app.button(key="cancel_scan").click().run()
    now = cache.job_of(wanted(subject)).status()
    assert now is not None and now.is_cancelling


def test_a_press_that_comes_after_the_scan_is_done_starts_nothing(
    app: AppTest, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty press at once, and the scan may be done before the last of them is heard."""
    from pruning.sensitivity import start as job

    started: list[bool] = []
    monkeypatch.setattr(job, "start", lambda *_, repaired, **__: started.append(repaired))
    open_page(app)
    button = app.button(key="measure")
    keep(with_points(wanted(subject)))
    button.click().run()
    assert not app.exception and not started, "repaired figures were not asked for"
    assert app.button(key="measure_repaired")
    app.button(key="measure_repaired").click().run()
    assert started == [True]


def test_points_are_shown_while_they_come(app: AppTest, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = wanted(subject)
    half = with_points(scan)
    half = replace(half, curves=(half.curves[0], *(replace(curve, points=()) for curve in half.curves[1:])))
    keep(half)
    ask(scan)
    open_page(app)
    assert app.get("progress")[0].proto.text.startswith("9 of 27 points, about")
    assert words(app).count("not measured yet") == 2
    assert not [button for button in app.button if button.key == "use_limits"]


def test_the_page_waits_for_the_joint_cut_at_the_end(app: AppTest, subject: Subject) -> None:
    scan = wanted(subject)
    keep(with_points(scan))
    ask(scan)
    open_page(app)
    assert app.get("progress")[0].proto.text == "Starting a process"
    assert not [button for button in app.button if button.key == "use_limits"]


def test_curves_state_the_limit_and_prune_takes_it_over(app: AppTest, subject: Subject) -> None:
    keep(with_points(wanted(subject)))
    open_page(app)
    assert words(app).count("40 % loses 0.0 (−0.8 to 0.8)") == 3
    app.number_input(key="sensitivity_lose_widget").set_value(2.0).run()
    assert words(app).count("50 % loses 2.0 (1.2 to 2.8)") == 3
    assert "each to its limit of 2 points" in words(app) and "not measured yet" in words(app)
    app.button(key="use_limits").click().run()
    assert not app.exception and not app.error
    from ui.kit.lab import plan

    rows = app.session_state["prune_rows"][subject.digest, "channel"]
    assert rows.numbers == {"conv1": 10, "conv2": 25, "fc1": 250}
    assert plan(subject, PruneSpec(layers=tuple(rows.asked.items()))).kept.keys() == rows.numbers.keys()


def test_the_joint_cut_is_measured_on_a_button_and_its_gap_shown(app: AppTest, subject: Subject) -> None:
    keep(with_points(wanted(subject)))
    open_page(app)
    app.button(key="measure_together").click().run()
    assert not app.exception and not app.error
    text = words(app)
    assert "measured minus estimated" in text and "from curves" in text
    assert not [button for button in app.button if button.key == "measure_together"]
    (joint,) = cache.read(wanted(subject)).joints
    assert dict(joint.kept) == {"conv1": 12, "conv2": 30, "fc1": 300}
    assert f"{joint.as_cut.value:.1%}".replace("%", " %") in text


def test_where_nothing_may_go_the_page_says_what_to_do(app: AppTest, subject: Subject) -> None:
    scan = with_points(wanted(subject))
    worse = [
        replace(curve, points=tuple(replace(p, as_cut=figure(900)) for p in curve.points)) for curve in scan.curves
    ]
    keep(replace(scan, curves=tuple(worse)))
    open_page(app)
    assert not app.exception and app.button(key="use_limits").disabled
    assert any("loses more than 1 point. Raise the limit below" in info.value for info in app.info)
    assert not [button for button in app.button if button.key == "measure_together"]
    app.number_input(key="sensitivity_lose_widget").set_value(10.0).run()
    assert not app.info and not app.button(key="use_limits").disabled


def test_weights_have_their_own_curves(app: AppTest, subject: Subject) -> None:
    open_page(app)
    app.segmented_control(key="prune_granularity_widget").set_value("weight").run()
    assert not app.exception
    text = words(app)
    assert "locked" not in text and text.count("not measured yet") == 4


def test_an_attempt_that_failed_says_why(app: AppTest, subject: Subject) -> None:
    scan = wanted(subject)
    with pytest.raises(StorageError), cache.job_of(scan).working():
        raise StorageError("The disk is full.")
    open_page(app)
    assert [error.value for error in app.error] == ["The last attempt ended early. The disk is full."]
    assert app.button(key="measure")


def board_curves(subject: Subject, spec: PruneSpec) -> board.Curves:
    """The curves that the board is given."""
    return board.curves_of(curves.best(subject, spec), subject.graph)


def test_known_curves_are_those_with_most_points(app: AppTest, subject: Subject) -> None:
    assert board_curves(subject, PruneSpec()) == {}
    keep(with_points(curves.outline(subject, PruneSpec(), 500)))  # 1,000 images each: not what it asks for
    assert board_curves(subject, PruneSpec()) == {}, "a file of other images is no scan"
    keep(with_points(wanted(subject), recalibrated=True))
    found = board_curves(subject, PruneSpec())
    assert list(found) == ["conv1", "conv2", "fc1"]
    assert found["conv1"][0] == [0.0, 0.99] and found["conv1"][5] == [0.5, 0.975]
    assert len(found["fc1"]) == 10
    assert board_curves(subject, PruneSpec(criterion="l1")) == {}
    half = replace(wanted(subject, "weight"), images=1000)
    keep(with_points(half))
    assert list(board_curves(subject, PruneSpec(granularity="weight"))) == ["conv1", "conv2", "fc1", "fc2"], (
        "as sliders are called"
    )


def test_a_cut_is_foretold_from_curves(app: AppTest, subject: Subject) -> None:
    keep(with_points(wanted(subject)))
    found = curves.predicted(subject, PruneSpec(layers=(("conv1", 0.5),)))
    assert found is not None and found.value == pytest.approx(0.97)
    assert curves.predicted(subject, PruneSpec(layers=(("conv1", 0.95),))) is None, "beyond what is measured"
    assert curves.predicted(subject, PruneSpec(criterion="l1", sparsity=0.2)) is None


def test_what_groups_do_together_is_held_against_what_they_do_alone(app: AppTest, subject: Subject) -> None:
    import torch

    from pruning.training.evaluate import Evaluation

    def said(cut: PruneSpec, correct: int) -> str | None:
        now = Evaluation(metric=ACCURACY, role="select", scores=torch.arange(1000) < correct, loss=0.1)
        return curves.together_words(subject, cut, now, "as_cut")

    both = PruneSpec(layers=(("conv1", 0.5), ("conv2", 0.5)))
    assert said(both, 650) is None, "nothing is measured yet"
    keep(with_points(wanted(subject)))
    worse, same = said(both, 650), said(both, 949)
    assert worse and same
    # Ten classes: 0.1 + 0.89 · (0.87 / 0.89)² = 95.04 %
    assert "one would expect **95.0 %**" in worse and "together, as cut, it is **65.0 %** ●: 30.0 points" in worse
    assert worse.endswith("worse. Cuts add up: set a tighter limit.")
    assert same.endswith("●: no difference that 1,000 images can show.")
    assert said(PruneSpec(layers=(("conv1", 0.5),)), 650) is None, "nothing is cut together"


def test_a_joint_of_another_cut_is_not_shown(app: AppTest, subject: Subject) -> None:
    other = Joint(kept=(("conv1", 1), ("conv2", 1), ("fc1", 1)), as_cut=figure(100), recalibrated=None)
    keep(replace(with_points(wanted(subject)), joints=(other,)))
    open_page(app)
    assert "10.0 %" not in words(app) and app.button(key="measure_together")


def beyond(subject: Subject, lost: int, limit: float) -> Sensitivity:
    """A scan whose groups lose 2 points at half, with a joint cut at that limit that loses so many of 1,000 answers."""
    scan = with_points(wanted(subject))
    kept = tuple(kept_within(scan, Limits(figure="as_cut", lose=limit)).items())
    joint = Joint(kept=kept, as_cut=figure(990 - lost), recalibrated=None, repaired=figure(990 - lost // 2))
    return replace(scan, joints=(joint,))


def test_limits_that_cost_too_much_together_are_tightened_and_not_handed_on(app: AppTest, subject: Subject) -> None:
    keep(beyond(subject, 400, 0.03))
    open_page(app)
    app.number_input(key="sensitivity_lose_widget").set_value(3.0).run()
    text = words(app)
    assert "59.0 %" in text and "79.0 %" in text and "as cut" in text and "repaired" in text
    assert any("together they lose 20.0 points" in warning.value for warning in app.warning)
    assert any("more than 3 points on these 1,000 select images." in warning.value for warning in app.warning)
    button = app.button(key="tighten")
    assert button.label == "Tighten until together they lose at most 3 points" and button.proto.type == "primary"
    prune = app.button(key="use_limits")
    assert prune.label == "Prune with these limits · 79.0 % ●" and prune.proto.type == "secondary"
    button.click().run()
    assert not app.exception and not app.error
    scan = cache.read(wanted(subject))
    assert len(scan.joints) > 1 and all(joint.repaired is not None for joint in scan.joints), "measured, and repaired"
    search = tighten(scan, "as_cut", 0.03)
    assert search.found is not None and is_within(search.found.joint, 0.03)
    found = search.found.limits
    assert shown(app) == (100 * found.lose, round(100 * found.share)) and app.session_state["sensitivity_goal"] == 3.0
    assert any(f"With {limits_words(scan, found)}, together they" in said.value for said in app.success)
    assert any("at most 3 points on these 1,000 select images" in said.value for said in app.success)
    assert app.button(key="use_limits").proto.type == "primary"
    assert not [button for button in app.button if button.key in ("tighten", "measure_together")]
    app.number_input(key="sensitivity_lose_widget").set_value(2.0).run()
    assert app.session_state["sensitivity_goal"] == 0.0, "a new limit is meant for all of them together"
    assert shown(app) == (2.0, 100), "and all of what it lets go"
    assert app.button(key="tighten").label == "Tighten until together they lose at most 2 points"


def shown(app: AppTest) -> tuple[float, int]:
    """The limit that stands on the page, and how much is taken of what it lets go."""
    return app.session_state["sensitivity_lose"], app.session_state["sensitivity_share"]


def test_below_the_tightest_limit_a_share_is_taken_and_handed_on(app: AppTest, subject: Subject) -> None:
    """Up to 40 % of each group seems to cost nothing, and together 40 % of all cost too much."""
    scan = beyond(subject, 400, 0.0)
    keep(scan)
    open_page(app)
    app.button(key="tighten").click().run()
    assert not app.exception and not app.error
    limit, share = shown(app)
    assert 0 < share < 100 and limit <= 1.0
    title = f"each by {share} % of what its limit of {limit:g} point"
    assert title in words(app) and any(f"With {share} % of what a limit of" in said.value for said in app.success)
    assert f"The tinted part goes: {share} % of the largest" in " ".join(said.value for said in app.caption)
    assert app.number_input(key="sensitivity_share_widget").value == share
    kept = kept_within(scan, Limits(figure="as_cut", lose=limit / 100, share=share / 100))
    app.button(key="use_limits").click().run()
    assert not app.exception
    rows = app.session_state["prune_rows"][subject.digest, "channel"]
    assert rows.numbers == {"conv1": 20 - kept["conv1"], "conv2": 50 - kept["conv2"], "fc1": 500 - kept["fc1"]}
    open_page(app).number_input(key="sensitivity_share_widget").set_value(100).run()
    assert not app.exception and shown(app) == (limit, 100)
    assert "each to its limit of" in words(app) and app.button(key="tighten")


def test_where_nothing_can_go_it_is_said(app: AppTest, subject: Subject) -> None:
    scan = with_points(wanted(subject))
    ladders = (by_limit(scan, "as_cut", 0.01), by_share(scan, "as_cut", 0.01))
    cuts = {tuple(kept_within(scan, limits).items()) for ladder in ladders for limits in ladder.rungs}
    bad = (Joint(kept=kept, as_cut=figure(590), recalibrated=None, repaired=figure(590)) for kept in cuts)
    keep(replace(scan, joints=tuple(bad)))
    open_page(app)
    assert any(said.value.startswith("Nothing can go. Even with the least that was tried, ") for said in app.warning)
    assert not [button for button in app.button if button.key == "tighten"]
    assert app.button(key="use_limits").proto.type == "secondary"


def test_an_old_joint_cut_is_measured_repaired_on_a_button(app: AppTest, subject: Subject) -> None:
    scan = beyond(subject, 4, 0.01)
    keep(replace(scan, joints=(replace(scan.joints[0], repaired=None),)))
    open_page(app)
    assert "repaired: not measured yet" in words(app) and app.button(key="use_limits").proto.type == "primary"
    assert app.button(key="measure_together").label == "Measure them repaired"
    app.button(key="measure_together").click().run()
    assert not app.exception and cache.read(wanted(subject)).joints[0].repaired is not None
    assert not [button for button in app.button if button.key == "measure_together"]


def repaired(scan: Sensitivity) -> Sensitivity:
    """Each point repaired, and then as good as dense."""
    curves = [replace(c, points=tuple(replace(p, repaired=figure(990)) for p in c.points)) for c in scan.curves]
    return replace(scan, curves=tuple(curves), repair_seconds=27.0)


def test_repaired_is_a_choice_of_a_scan_and_a_figure_of_its_charts(
    app: AppTest, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pruning.sensitivity import start as job

    asked: list[bool] = []
    monkeypatch.setattr(job, "start", lambda subject, scan, *, repaired, **_: asked.append(repaired) or ask(scan))
    open_page(app)
    toggle = app.toggle(key="sensitivity_repaired_widget")
    assert re.match(r"and repaired: .* more ○", toggle.label) and not toggle.value
    keep(with_points(wanted(subject)))
    app.run()
    assert "measure_repaired" in [button.key for button in app.button], "afterwards as well"
    assert re.match(r"Measure repaired as well · about .* ○", app.button(key="measure_repaired").label)
    app.button(key="measure_repaired").click().run()
    assert asked == [True] and app.button(key="cancel_scan")
    cache.job_of(wanted(subject)).request_cancel("")


def test_a_scan_with_repaired_figures_shows_them_first(app: AppTest, subject: Subject) -> None:
    keep(repaired(with_points(wanted(subject))))
    open_page(app)
    assert "90 % loses 0.0 (−0.8 to 0.8)" in words(app), "repaired nothing is lost"
    control = app.segmented_control(key="sensitivity_figure_of_2")
    assert control.value == "repaired"
    control.set_value("as_cut").run()
    assert not app.exception and words(app).count("40 % loses 0.0 (−0.8 to 0.8)") == 3
    assert not [button for button in app.button if button.key == "measure_repaired"]
