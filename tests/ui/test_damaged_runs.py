"""Folders that earlier versions left, and folders that are damaged: every page shows what can be shown, and goes on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.runs import read_runs
from tests.runs.damage import FAULTS

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240
SOUND = ("channel", "weight", "iterative", "continued", "cancelled", "failed")
REFUSED = [fault for fault in FAULTS if fault.reason is not None]


@pytest.fixture(scope="module", autouse=True)
def opened_once() -> Iterator[None]:
    """Networks that the tests of this file open, and what is measured of them, are kept from one to the next: their
    runs lie in different folders."""
    yield
    st.cache_resource.clear()


@pytest.fixture
def app(stored_runs: Path, quick_clocks: None) -> Iterator[AppTest]:
    """The app with the stored runs, and clocks that answer at once."""
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


@pytest.fixture
def faults(stored_runs: Path) -> Path:
    """Every fault beside the sound runs."""
    for fault in FAULTS:
        fault.inflict(shutil.copytree(stored_runs / "channel", stored_runs / fault.name))
    return stored_runs


def html(app: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in app.get("html"))


def open_page(app: AppTest, page: str, **asked: str) -> AppTest:
    app.switch_page(f"pages/{page}.py")
    for name, value in asked.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def listed(app: AppTest) -> dict[str, str]:
    """The greyed rows: name → what they say."""
    rows = re.findall(r"<li><b>(.*?)</b> cannot be read\. (.*?)</li>", html(app))
    return {name: unescape(reason) for name, reason in rows}


def test_stored_runs_are_shown_as_they_were(app: AppTest, stored_runs: Path) -> None:
    open_page(app, "tradeoff")
    assert not app.error
    assert set(app.dataframe[0].value["name"]) == set(SOUND) - {"cancelled", "failed"}, "of this network and data"
    app.session_state["tradeoff_models"] = "all networks"
    app.run()
    frame = app.dataframe[0].value
    assert set(frame["name"]) == set(SOUND)
    assert dict(zip(frame["name"], frame["state"], strict=True))["failed"].startswith("failed: No mnist images")
    open_page(app, "compare", b="weight")
    assert not app.error and app.selectbox(key=app.selectbox[1].key).value == "weight"
    assert "Of 1,000 digits" in html(app)
    open_page(app, "prune", run="iterative")
    assert not app.error and any("fast" in block.value or "speed-up" in block.value for block in app.markdown)
    open_page(app, "prune", run="cancelled")
    assert any("Cancelled" in block.value for block in app.markdown)
    open_page(app, "start")
    assert not app.error and listed(app) == {}


def test_every_fault_is_a_greyed_row_and_every_page_goes_on(app: AppTest, faults: Path) -> None:
    wanted = {one.name: one.reason for one in read_runs().unreadable}
    assert set(wanted) == {fault.name for fault in REFUSED}
    open_page(app, "tradeoff")
    assert not app.error
    assert set(app.dataframe[0].value["name"]) >= {"channel", "far_future"} and listed(app) == wanted
    assert "<img" not in html(app)
    open_page(app, "compare", b="channel")
    assert not app.error and listed(app) == wanted
    (after,) = [box for box in app.selectbox if box.label == "After"]
    assert set(after.options) and len(after.options) == len([run for run in read_runs().runs if run.result])
    open_page(app, "start")
    assert not app.error and listed(app) == wanted


@pytest.mark.parametrize("name", ["empty_result", "no_zone", "link_circle", "folder_recipe", "later"])
def test_a_run_that_is_asked_for_and_cannot_be_shown_says_why(app: AppTest, faults: Path, name: str) -> None:
    reason = next(fault.reason for fault in FAULTS if fault.name == name)
    open_page(app, "prune", run=name)
    said = [block.value.replace("\\", "") for block in app.markdown if "This run cannot be shown" in block.value]
    assert len(said) == 1 and str(reason) in said[0]
    app.button(key="close_run").click().run()
    assert not app.exception and not any("This run cannot be shown" in block.value for block in app.markdown)


def test_a_finished_run_without_a_readable_word_of_its_way_shows_its_result(app: AppTest, faults: Path) -> None:
    open_page(app, "prune", run="folder_events")
    assert [error.value for error in app.error] and all("events" in error.value for error in app.error)
    assert any("parameters" in block.value for block in app.markdown)


def test_a_model_that_is_damaged_is_one_sentence_on_compare(app: AppTest, stored_runs: Path) -> None:
    (stored_runs / "channel" / "model.safetensors").write_bytes(b"\0" * 100)
    open_page(app, "compare", b="channel")
    assert len(app.error) == 1 and "is damaged" in app.error[0].value
    assert [box.label for box in app.selectbox] == ["Before", "After"], "another can be chosen"
