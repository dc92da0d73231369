"""A visitor who writes paths: refused in one sentence, the same whether something is there or not, and nothing is
looked for. Every way in that a text of theirs takes."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.runs import create_run, links
from pruning.runs.recipe import VERSION, Recipe
from pruning.spec import PruneSpec
from tests import own_files
from ui.kit import place

APP = str(Path(__file__).parents[2] / "app.py")
RECIPE = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(granularity="weight", sparsity=0.5))
MARK = "elsewhere-probe"
"""In the path of whatever nobody may look at."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of the server with a run, images and code in it, which no visitor was given."""
    folder = tmp_path / MARK
    folder.mkdir()
    create_run(RECIPE, path=folder / "run")
    own_files.photos_zip(folder / "photos.zip")
    (folder / "net.py").write_text("raise SystemExit('run')")
    (folder / "net.pt").write_bytes(b"weights")
    return folder


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quick_clocks: None) -> AppTest:
    """Prune, as others reach it."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRUNING_SETTINGS", raising=False)
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    app = AppTest.from_file(APP, default_timeout=240)
    app.switch_page("pages/explore.py")
    return app


@pytest.fixture(scope="module", autouse=True)
def cleared() -> Iterator[None]:
    """What the pages keep is for the tests of this file together."""
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What of the marked paths the file system was asked for, from when the list is first cleared."""
    asked: list[str] = []

    def watch(module: Any, name: str) -> None:
        real = getattr(module, name)

        def watched(path: Any = ".", *args: Any, **more: Any) -> Any:
            if MARK in str(path):
                asked.append(f"{name} {path}")
            return real(path, *args, **more)

        monkeypatch.setattr(module, name, watched)

    for name in ("stat", "lstat", "open", "listdir", "scandir", "access", "readlink"):
        watch(os, name)
    watch(io, "open")
    return asked


def said(app: AppTest) -> list[str]:
    """All errors and toasts on the page, without Markdown's marks."""
    assert not app.exception, app.exception
    return [element.value.replace("\\", "") for element in (*app.error, *app.toast)]


MODELS = {
    "a run": ("run:{0}/run", "run:{0}/none"),
    "a run's parent": ("run:../" + MARK + "/run", "run:../" + MARK + "/none"),
    "code": ("file:{0}/net.py:build", "file:{0}/none.py:build"),
    "weights": ("torchvision:resnet18?weights={0}/net.pt", "torchvision:resnet18?weights={0}/none.pt"),
}


@pytest.mark.parametrize("forms", MODELS.values(), ids=MODELS)
def test_a_network_by_its_path(app: AppTest, elsewhere: Path, looked: list[str], forms: tuple[str, str]) -> None:
    app.run()
    answers = []
    for form in forms:
        for way in ("typed", "address"):
            ref = form.format(elsewhere)
            looked.clear()
            if way == "typed":
                app.session_state["network_asked"] = ref
            else:
                app.query_params["model"] = ref
            app.run()
            (answer,) = said(app)
            answers.append(answer)
            assert looked == []
            assert app.session_state["model_ref"] == "sample:mini_resnet"
    assert len(set(answers)) == 1, "the same, whether it is there or not"
    assert MARK not in answers[0]


DATA = ("folder:{0}", "zip:{0}/photos.zip", "npz:{0}/none.npz", "file:{0}/net.py:images", "folder:{0}?split=40/40/20")


def test_images_by_their_path(app: AppTest, elsewhere: Path, looked: list[str]) -> None:
    """As a browser may send them in place of an entry of the box, and as something that was asked for elsewhere."""
    app.run()
    for form in DATA:
        for key in ("data_name", "data_asked"):
            looked.clear()
            app.session_state[key] = form.format(elsewhere)
            app.run()
            assert not app.exception and looked == []
            assert app.session_state["data_name"] == "mnist5k"


def test_a_recipe_with_paths(app: AppTest, elsewhere: Path, looked: list[str]) -> None:
    app.switch_page("pages/prune.py").run()
    for name, forms in (("model", [form for pair in MODELS.values() for form in pair]), ("data", DATA)):
        for form in forms:
            looked.clear()
            recipe = json.dumps({"version": VERSION, **RECIPE.to_values(), name: form.format(elsewhere)})
            app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", recipe.encode(), "text/yaml")).run()
            (answer,) = said(app)
            assert looked == [] and str(elsewhere) not in answer, answer
            assert app.session_state["model_ref"] == "sample:mini_resnet"


def test_a_link_with_paths(app: AppTest, elsewhere: Path, looked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_check_travels", lambda recipe: None)  # as a stranger would write it
    codes = [
        links.encode(links.Link(recipe=RECIPE.replace(**{name: form.format(elsewhere)})))
        for name, form in (("model", MODELS["a run"][0]), ("model", MODELS["code"][0]), ("data", DATA[0]))
    ]
    monkeypatch.undo()
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    for code in codes:
        fresh = AppTest.from_file(APP, default_timeout=240)
        fresh.switch_page("pages/explore.py")
        fresh.query_params["r"] = code
        looked.clear()
        fresh.run()
        (answer,) = said(fresh)
        assert "Nothing was opened" in answer and looked == []


@pytest.mark.parametrize("name", ["../" + MARK, "..", ".", "/etc", MARK + "/run", "\0", "a" * 5000, ".requests"])
def test_a_run_in_the_address_is_a_name(app: AppTest, elsewhere: Path, looked: list[str], name: str) -> None:
    looked.clear()
    app.switch_page("pages/prune.py")
    app.query_params["run"] = name
    app.run()
    assert said(app) == [] and looked == [] and "run" not in app.query_params


def test_a_folder_among_the_runs_is_not_told_of(app: AppTest, tmp_path: Path) -> None:
    (tmp_path / "runs" / "private").mkdir(parents=True)
    pages = []
    for name in ("private", "absent"):
        fresh = AppTest.from_file(APP, default_timeout=240)
        fresh.switch_page("pages/prune.py")
        fresh.query_params["run"] = name
        fresh.run()
        assert not fresh.exception
        pages.append([block.value for block in (*fresh.markdown, *fresh.error)])
    assert pages[0] == pages[1]


def test_a_run_by_its_name_is_opened(app: AppTest, tmp_path: Path) -> None:
    """What it leads to is no network yet, and that is what is said: not that it may not be opened."""
    create_run(RECIPE, path=tmp_path / "runs" / "mine")
    app.session_state["network_asked"] = "run:mine"
    app.run()
    (answer,) = said(app)
    assert answer.startswith("mine holds no finished run"), "and the server's folders are not named"


def test_a_network_that_is_too_large_is_not_built(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.catalog import by_name

    monkeypatch.setattr(by_name, "plan_of", lambda reference: pytest.fail("it was built"))
    app.run()
    for name, size in (("vit_h_14", 633), ("regnet_y_128gf", 645)):
        app.session_state["network_asked"] = f"torchvision:{name}"
        app.run()
        (answer,) = said(app)
        assert f"has {size} million parameters" in answer and "150 million can be opened" in answer
