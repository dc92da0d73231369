"""A run without test figures, without a clock, or with neither: pages and report say so, and no number is made up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.export.report import Options, write_report
from pruning.runs import read_run

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240
FIGURES = ("metric", "accuracy", "accuracy_interval", "correct", "images", "role")


def strip_images(folder: Path) -> None:
    """As a run leaves it that had no images."""
    values = json.loads((folder / "result.json").read_text())
    for side in (values["dense"], values["pruned"]):
        for name in FIGURES:
            side.pop(name, None)
    values["data"] = values["difference"] = None
    for stages in (values["stages"], *values["rounds"]):
        stages |= dict.fromkeys(("as_cut", "recalibrated", "finetuned"))
    (folder / "result.json").write_text(json.dumps(values))
    (folder / "answers.safetensors").unlink()


def strip_clock(folder: Path) -> None:
    """As a run leaves it where no time was taken."""
    values = json.loads((folder / "result.json").read_text())
    for side in (values["dense"], values["pruned"]):
        side["latency_ms"] = {}
    values["speedup"] = values["verdict"] = {}
    (folder / "result.json").write_text(json.dumps(values))


@pytest.fixture(params=["images", "clock", "both"])
def lacks(request: pytest.FixtureRequest, stored_runs: Path) -> set[str]:
    """What the run 'channel' lacks; the others have everything."""
    found = {"images", "clock"} if request.param == "both" else {request.param}
    if "images" in found:
        strip_images(stored_runs / "channel")
    if "clock" in found:
        strip_clock(stored_runs / "channel")
    return found


@pytest.fixture(scope="module", autouse=True)
def opened_once() -> Iterator[None]:
    """Networks that the tests of this file open, and what is measured of them, are kept from one to the next: their
    runs lie in different folders."""
    yield
    st.cache_resource.clear()


@pytest.fixture
def app(quick_clocks: None) -> Iterator[AppTest]:
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


def open_page(app: AppTest, page: str, **asked: str) -> AppTest:
    app.switch_page(f"pages/{page}.py")
    for name, value in asked.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    """All text of the page, without tags and styles."""
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    html = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S))
    blocks = [block.value for kind in (app.markdown, app.info, app.caption) for block in kind]
    return re.sub(r"\s+", " ", " ".join((html, *blocks)))


def test_trade_off_draws_what_there_is(app: AppTest, stored_runs: Path, lacks: set[str]) -> None:
    app.session_state["tradeoff_run"] = "channel"
    open_page(app, "tradeoff")
    for axis in ("time", "params"):
        app.segmented_control(key="tradeoff_axis_widget").set_value(axis).run()
        assert not app.exception and not app.error
    said = words(app)
    assert ("not measured on test images" in said) == ("images" in lacks)
    assert ("not timed" in said) == ("clock" in lacks)
    frame = app.dataframe[0].value.set_index("name")
    row, absent = frame.loc["channel"], frame.loc["channel"].isna()
    assert (absent["select"], absent["speed"]) == ("images" in lacks, "clock" in lacks) and row["params"] > 1


def test_prune_shows_its_ledger(app: AppTest, stored_runs: Path, lacks: set[str]) -> None:
    open_page(app, "prune", run="channel")
    assert not app.error
    said = words(app)
    assert ("the run had no test images" in said) == ("images" in lacks)
    assert ("No accuracy on select images" in said) == ("images" in lacks)
    assert ("No time was taken" in said) == ("clock" in lacks)


def test_compare_says_what_is_absent_in_every_part(app: AppTest, stored_runs: Path, lacks: set[str]) -> None:
    from ui.compare.parts import PARTS

    for before, after in (("", "channel"), *([] if "images" in lacks else [("continued", "channel")])):
        open_page(app, "compare", a=before, b=after)
        for part in PARTS:
            app.segmented_control(key="compare_part_widget").set_value(part).run()
            assert not app.exception and not app.error, part
            said = words(app)
            if not before:
                assert ("What it answers was not measured" in said) == ("images" in lacks)
            if part in ("pictures", "classes") and "images" in lacks:
                assert "The run had no test images" in said
    app.query_params["present"] = "1"
    app.run()
    assert not app.exception and not app.error


def test_start_and_the_list_go_on(app: AppTest, stored_runs: Path, lacks: set[str]) -> None:
    open_page(app, "start")
    assert not app.error


def test_the_report_says_what_is_absent(stored_runs: Path, tmp_path: Path, lacks: set[str]) -> None:
    text = write_report(stored_runs / "channel", tmp_path / "report.html", Options(), sparsities=(0.0, 0.5)).read_text()
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", "", text, flags=re.S)))
    for lack, sentences in {
        "images": (
            "not tested on any images",
            "How often it errs is not known",
            "Nothing to draw",
            "No answers were counted",
            "the run had no images to try other cuts on",
            "none: nothing was measured on images",
        ),
        "clock": ("What the clock says is not known", "No time was taken"),
    }.items():
        for sentence in sentences:
            assert (sentence in said) == (lack in lacks), sentence


def test_what_is_absent_stays_so_on_disk(stored_runs: Path, lacks: set[str]) -> None:
    result = read_run(stored_runs / "channel").result
    assert result is not None
    assert (result.pruned.test is None) == ("images" in lacks) == (result.data is None)
    assert (result.speedup() is None) == ("clock" in lacks)
