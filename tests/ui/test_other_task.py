"""Pages show a network whose images are answered with a number, by the words of its own metric."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

import pruning.runs  # noqa: F401 - adds run: to the openers
from pruning.catalog.network import Network
from pruning.catalog.opener import Opener
from pruning.catalog.openers import OPENERS, open_network
from pruning.catalog.references import Reference, read_name
from pruning.runs import create_run, execute
from pruning.runs.recipe import Recipe
from pruning.sensitivity import cache, outline
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.whatif import WhatIf
from tests.toys import RECIPE, added, learnt_in

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a finished run of a network that visitors may open as `blobs:trained`, and that was scanned."""
    folder = tmp_path_factory.mktemp("toy")
    with added() as patch:
        for name in ("PRUNING_CACHE", "PRUNING_RUNS"):
            patch.setenv(name, str(folder / name.lower()))
        file = learnt_in(folder)

        def build(reference: Reference) -> Network:
            return replace(open_network(file), ref=reference.text, title="Blob meter", data=("toy:12",))

        row = Opener(
            kind="blobs", form="blobs:NAME", read=read_name, open=build, brings_data=True,
            choices=lambda: {"blobs:trained": "Blob meter"},
        )  # fmt: skip
        patch.setitem(OPENERS, "blobs", row)
        subject = open_subject("blobs:trained")
        wanted = outline(subject.digest, subject.graph, subject.data, PruneSpec(), images=500)
        cache.measure(subject, wanted, lambda: WhatIf(subject.model, subject.graph, subject.data, images=wanted.images))
        made = create_run(Recipe.from_values({"model": "blobs:trained", **RECIPE}))
        execute(made)
        yield made.name


@pytest.fixture
def app(run: str, quick_clocks: None) -> Iterator[AppTest]:
    app = AppTest.from_file(APP, default_timeout=SECONDS)
    app.session_state["model_ref"] = "blobs:trained"
    app.session_state["data_name"] = "toy:12"
    yield app
    st.cache_data.clear()
    st.cache_resource.clear()


def shown(app: AppTest, page: str, **asked: str) -> str:
    """All text of a page, without tags and styles."""
    app.switch_page(f"pages/{page}.py")
    for name, value in asked.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error, [error.value for error in app.error]
    return said(app)


def said(app: AppTest) -> str:
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    html = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S))
    blocks = [block.value for kind in (app.markdown, app.info, app.caption) for block in kind]
    return re.sub(r"\s+", " ", " ".join((html, *blocks)))


def test_prune(app: AppTest, run: str) -> None:
    live = shown(app, "prune")
    assert "Mean error on 90 select images" in live and "levels" in live
    done = shown(app, "prune", run=run)
    assert "Mean error on 60 test images" in done and "Mean error on 90 select images" in done
    assert "ccuracy" not in live + done


def test_sensitivity(app: AppTest) -> None:
    text = shown(app, "sensitivity")
    assert "mean error, levels" in text and "ccuracy" not in text


def test_trade_off(app: AppTest, run: str) -> None:
    app.session_state["tradeoff_run"] = run
    text = shown(app, "tradeoff")
    frame = app.dataframe[0].value.set_index("name")
    assert "levels" in frame.loc[run]["select"], "in its own unit, with its interval"
    assert "worse by" in text and "levels" in text


def test_compare(app: AppTest, run: str) -> None:
    from ui.compare.parts import PARTS

    text = shown(app, "compare", b=run)
    assert "Mean error on 60 test images" in text and "levels" in text
    for part in PARTS:
        app.segmented_control(key="compare_part_widget").set_value(part).run()
        assert not app.exception and not app.error, part
        if part == "classes":
            assert "choose no class" in said(app)
    app.query_params["present"] = "1"
    app.run()
    assert not app.exception and not app.error


@pytest.mark.parametrize("page", ["explore"])
def test_other_pages(app: AppTest, page: str) -> None:
    assert shown(app, page)
