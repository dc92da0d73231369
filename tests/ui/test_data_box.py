"""The box that chooses the images: what a link or run names stays where it fits, and no stranger names a path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.base.errors import DataError
from pruning.data.reader import Reader
from pruning.data.readers import READERS
from pruning.runs import create_run, links
from pruning.runs.recipe import VERSION, Recipe
from pruning.spec import PruneSpec
from tests.toys import own_digits

APP = str(Path(__file__).parents[2] / "app.py")
BOX = "data_name_widget"
RECIPE = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5))


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quick_clocks: None) -> Iterator[AppTest]:
    """The app with no runs and a reader more, on a page that is not run yet."""
    monkeypatch.setitem(READERS, "own", own_digits())
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    app = AppTest.from_file(APP, default_timeout=240)
    app.switch_page("pages/explore.py")
    yield app
    st.cache_data.clear()
    st.cache_resource.clear()


def unseen() -> Reader:
    """Files of the server, at which nobody may look."""

    def looks(reference: str, data_dir: object = None, download: object = None, progress: object = None) -> NoReturn:
        raise AssertionError("looked at")

    return replace(own_digits(is_path=True), describe=looks, is_available=looks, open=looks)


def toasts(app: AppTest) -> list[str]:
    return [toast.value.replace("\\", "") for toast in app.toast]


def test_images_that_a_link_names_stay_where_they_fit(app: AppTest) -> None:
    app.query_params["r"] = links.encode(links.Link(recipe=RECIPE.replace(data="own:digits")))
    app.run()
    assert not app.exception and app.selectbox(key=BOX).value == "own:digits"
    app.selectbox(key=BOX).set_value("mnist5k").run()
    assert len(app.selectbox(key=BOX).options) == 3 and "Digits of one's own" in app.selectbox(key=BOX).options
    app.selectbox(key=BOX).set_value("own:digits").run()
    app.selectbox(key="model_ref_widget").set_value("sample:lenet5").run()
    assert app.selectbox(key=BOX).value == "own:digits", "it fits this one as well"
    app.selectbox(key="model_ref_widget").set_value("sample:resnet20").run()
    (said,) = toasts(app)
    assert "The images are others now" in said and "cannot be used with own:digits" in said and "CIFAR-10" in said
    assert app.selectbox(key=BOX).value == "cifar10" and len(app.selectbox(key=BOX).options) == 1
    app.run()
    assert not toasts(app), "said once"


def test_images_that_a_run_names_stay_where_they_fit(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in a folder of this server may be of files on it: whoever runs the server made it."""
    monkeypatch.setitem(READERS, "own", own_digits(is_path=True))
    name = create_run(RECIPE.replace(data="own:/photos")).name
    app.switch_page("pages/prune.py")
    app.query_params["run"] = name
    app.run()
    assert not app.exception and not app.error
    assert app.selectbox(key=BOX).value == "own:/photos"


def test_images_that_are_gone_are_others_now(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(reference: str, preprocess: object = None) -> NoReturn:
        raise DataError("The folder of the photos is gone.")

    monkeypatch.setitem(READERS, "own", replace(own_digits(is_path=True), describe=gone))
    app.session_state["data_brought"], app.session_state["data_name"] = ["own:/photos"], "own:/photos"
    app.run()
    (said,) = toasts(app)
    assert not app.exception and not app.error
    assert "The folder of the photos is gone." in said and app.selectbox(key=BOX).value == "mnist5k"


def test_what_a_browser_sends_is_no_choice(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "own", unseen())
    app.session_state["data_name"] = "own:/etc"
    app.run()
    assert not app.exception and app.selectbox(key=BOX).value == "mnist5k"


def test_no_link_leads_to_files_of_the_server(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    code = links.encode(links.Link(recipe=RECIPE.replace(data="own:/etc")))
    monkeypatch.setitem(READERS, "own", unseen())
    app.query_params["r"] = code
    app.run()
    (said,) = toasts(app)
    assert not app.exception and "Nothing was opened" in said and "files on this machine" in said
    assert app.selectbox(key=BOX).value == "mnist5k"


def test_no_recipe_of_a_visitor_leads_to_files_of_the_server(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "own", unseen())
    app.switch_page("pages/prune.py").run()
    recipe = json.dumps({"version": VERSION, **RECIPE.to_values(), "data": "own:/etc"})
    app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", recipe.encode(), "application/yaml")).run()
    (error,) = app.error
    assert not app.exception and "cannot be opened from a link or recipe" in error.value
    assert app.selectbox(key=BOX).value == "mnist5k"
