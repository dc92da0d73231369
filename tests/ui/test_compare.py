"""The Compare page: empty at first with one way out, then a verdict, each part, and names that are no run's."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.latency.clock import Comparison, Timing
from pruning.runs import create_run, execute, links, list_runs, times
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec
from pruning.training.answers import read_answers, save_answers

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a second or two, with a clock that answers at once: 1.6 times as fast."""
    path = tmp_path_factory.mktemp("made") / "first"
    slow, fast = (Timing(median=time, low=time * 0.9, high=time * 1.1) for time in (1.6, 1.0))

    def clock(*args: object, **_: object) -> Comparison:
        batch = int(str(args[3]))
        return Comparison(batch=batch, dense=slow, pruned=fast, speedup=(1.5, 1.6, 1.7), pairs=30, threads=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "compare_latency", clock)
        execute(create_run(Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5)), path=path))
        times.measure_times(path)
    return path


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The app with an empty folder for runs."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


def open_page(app: AppTest) -> AppTest:
    app.switch_page("pages/compare.py").run()
    assert not app.exception, app.exception
    return app


def open_link(app: AppTest, link: links.Link) -> AppTest:
    """As a new visitor who comes by a link."""
    app.switch_page("pages/compare.py")
    app.query_params["r"] = links.encode(link)
    app.run()
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    """All the text of the HTML parts, without tags, styles aside."""
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S)))


def drawn(app: AppTest) -> str:
    """What the components are given."""
    given = [json.loads(part.proto.json) for part in app.get("bidi_component") if part.proto.json]
    return " ".join(data["html"] for data in given if "html" in data)


def test_without_a_run_one_button_makes_one(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.runs import start

    monkeypatch.setattr(start, "start_run", lambda path, *how: None)  # its process: tests/browser
    open_page(app)
    assert app.button(key="compare_to_prune")
    app.button(key="compare_make").click().run()
    assert not app.exception and not app.error
    (run,) = list_runs()
    recipe = run.recipe
    assert (recipe.model, recipe.data, recipe.prune.sparsity) == ("sample:mini_resnet", "mnist5k", 0.4)
    assert recipe.finetune_steps == 2 * (3000 // recipe.batch_size)
    assert any("A run is being made" in block.value for block in app.markdown)


def test_a_run_against_dense_and_against_another(app: AppTest, made: Path, tmp_path: Path) -> None:
    result = json.loads((made / "result.json").read_text())
    change = result["difference"]
    shutil.copytree(made, tmp_path / "runs" / "first")
    open_page(app)
    said = words(app)
    assert re.search(r"\d+ % of the size, 1\.6× as fast", said)
    assert f"{change['newly_wrong']} are newly wrong" in said and "Of 1,000 digits" in said
    assert app.query_params["b"] in ("first", ["first"])
    assert drawn(app).count('class="cmp-before"') == 3

    (whole,) = [said.value for said in app.caption if said.value.startswith("Before: ")]
    after = app.selectbox(key="compare_after_widget")
    assert whole.startswith("Before: original, ") and whole.replace("\\", "").endswith(f"After: {after.options[0]}")

    app.segmented_control(key="compare_part_widget").set_value("pictures").run()
    assert not app.exception and not app.error
    assert any(f"Newly wrong: {change['newly_wrong']}" in block.value for block in app.markdown)
    lost = next(str(e.proto.body) for e in app.get("html") if "px-cards" in str(e.proto.body))
    assert lost.count("<li>") == min(24, change["newly_wrong"])
    assert drawn(app).count("h.8v.8") == 1000, "one square for each test image"

    app.segmented_control(key="compare_part_widget").set_value("classes").run()
    assert not app.exception and not app.error
    for which in ("before", "after"):
        app.segmented_control(key="compare_matrix_widget").set_value(which).run()
        assert not app.exception

    # A copy whose answers were not kept: its figures stay, its pictures are explained away.
    shutil.copytree(made, tmp_path / "runs" / "older")
    (tmp_path / "runs" / "older" / "answers.safetensors").unlink()
    app.run()
    app.selectbox(key="compare_after_widget").set_value("older").run()
    assert not app.exception and not app.error
    assert any("were not kept" in block.value for block in app.info)
    assert "answered as rightly or wrongly as before" in words(app)
    app.selectbox(key="compare_before_widget").set_value("first").run()
    assert not app.exception and not app.error
    assert "whether that is a difference cannot be told" in words(app)
    assert app.query_params["a"] in ("first", ["first"])


def test_a_link_holds_the_open_part_and_the_readers_own_numbers(app: AppTest, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "runs" / "first")
    view = {"part": "savings", "requests": 5000.0, "price": 0.25, "currency": "EUR", "at_once": 1}
    open_link(app, links.Link(view=view))
    assert app.segmented_control(key="compare_part_widget").value == "savings"
    assert "Computing in a year" in words(app) and app.text_input(key="savings_currency_widget").value == "EUR"
    offered = next(code.value for code in app.code if f"r={links.VERSION}." in code.value)
    assert links.decode(parse_qs(urlsplit(offered).query)["r"][0]).view == view
    app.text_input(key="savings_currency_widget").set_value("").run()
    offered = next(code.value for code in app.code if f"r={links.VERSION}." in code.value)
    assert "currency" not in links.decode(parse_qs(urlsplit(offered).query)["r"][0]).view, "it follows the page"


@pytest.mark.parametrize(
    "view",
    [{"part": "secrets"}, {"requests": 5}, {"days": 400}, {"currency": "x" * 9}, {"price": -1.0}, {"colour": "x"}],
)
def test_a_link_with_what_the_page_does_not_offer_opens_nothing(
    app: AppTest, made: Path, tmp_path: Path, view: dict[str, str | int | float]
) -> None:
    shutil.copytree(made, tmp_path / "runs" / "first")
    open_link(app, links.Link(view={"matrix": "before", **view}))
    assert not app.error and any("Nothing was opened" in toast.value for toast in app.toast)
    assert app.segmented_control(key="compare_part_widget").value == "networks"
    assert "savings_requests" not in app.session_state or app.session_state["savings_requests"] is None


def test_a_name_that_is_no_run_is_said_and_changes_nothing(app: AppTest, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "runs" / "first")
    open_page(app)
    app.query_params["b"] = f"../../{made.name}"
    app.run()
    assert not app.exception
    assert len(app.error) == 1 and "There is no finished run" in app.error[0].value
    assert app.query_params["b"] in ("first", ["first"])


@pytest.mark.slow
def test_a_run_made_anew_under_its_name_is_another_network(app: AppTest, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    shutil.copytree(made, folder)
    assert "150" in drawn(open_page(app))
    shutil.rmtree(folder)
    execute(create_run(Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.9)), path=folder))
    st.cache_data.clear()
    app.run()
    assert re.search(r">30</text>", drawn(app)), "30 of 300 are left"


def test_a_run_is_told_from_an_older_one_by_time_and_size(tmp_path: Path) -> None:
    from pruning.catalog.openers import OPENERS, parse_reference

    file, run = tmp_path / "model.safetensors", parse_reference(f"run:{tmp_path}")
    stamp = OPENERS["run"].stamp
    stamps = []
    for size, time in ((10, 1), (10, 2), (11, 2)):
        file.write_bytes(b"x" * size)
        os.utime(file, (time, time))
        stamps.append(stamp(run))
    assert len(set(stamps)) == 3 and stamp(run) == stamps[-1]


def test_pictures_of_other_images_are_not_shown(
    app: AppTest, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made, tmp_path / "runs" / "first")
    both = read_answers(made / "answers.safetensors")
    others = {name: dataclasses.replace(one, data_digest="another copy") for name, one in both.items()}
    save_answers(tmp_path / "runs" / "first" / "answers.safetensors", others)
    open_page(app)
    app.segmented_control(key="compare_part_widget").set_value("pictures").run()
    assert not app.exception and "px-cards" not in drawn(app)
    assert any("not those that the run was tested on" in block.value for block in app.info)
    app.button(key="compare_present").click().run()
    assert not app.exception and "Test image, showing" not in drawn(app)


def test_present_shows_slides_and_nothing_else(app: AppTest, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "runs" / "first")
    open_page(app)
    app.button(key="compare_present").click().run()
    assert not app.exception and not app.error
    slides = drawn(app)
    assert slides.count('<section class="slide') == 4
    assert "Recorded, not live (1.50–1.70×)" in slides
    assert 'data-rate="20000.000"' in slides and 'data-rate="32000.000"' in slides, (
        "32 images in 1.6 ms; 1.6 times that"
    )
    assert not app.selectbox and not app.segmented_control
