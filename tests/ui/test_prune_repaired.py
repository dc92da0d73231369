"""The repaired figure of Prune's tile: measured when the hand rests, on request while others wait, a run's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.runs import create_run
from pruning.runs.pipeline import run
from pruning.runs.recipe import Recipe
from pruning.runs.result_json import to_values
from pruning.whatif import Measured
from pruning.whatif.lane import Overtaken
from tests.ui.test_prune_tradeoff import APP, SECONDS, open_page, say, words
from ui.kit import what_if
from ui.prune import live, run_form

CUT = {"layer2.0.conv1": 14, "layer3.0.conv1": 12}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The app with an empty folder for runs. What one test measured the others know: their cuts differ."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(run_form, "_seconds_per_step", lambda *_: 0.1)
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


def test_a_cut_has_four_figures_of_which_what_is_known_is_not_measured_again(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_page(app, "prune")
    assert "repaired · nothing removed" in words(app)
    say(app, removed=CUT)
    assert not app.exception and not app.error
    text = words(app)
    assert all(f"{stage} · " in text for stage in ("as cut", "recalibrated", "repaired, coarse", "fine-tuned"))
    assert "comes next" not in text and "fine-tuned · not yet" in text
    monkeypatch.setattr(what_if, "follow_repaired", lambda *_, **__: pytest.fail("it is known"))
    app.run()
    assert not app.exception and "repaired, coarse · " in words(app)
    say(app, rev=2)
    assert not app.exception and "repaired · nothing removed" in words(app), "back to where nothing goes"


def test_without_fine_tuning_the_button_says_whether_the_run_repairs(app: AppTest) -> None:
    open_page(app, "prune")
    app.number_input(key="prune_epochs_widget").set_value(0).run()
    assert app.button(key="start_run").label == "Prune and repair"
    assert any("no fine-tuning: about" in text.value for text in app.markdown)
    next(radio for radio in app.radio if str(radio.key).startswith("prune_repair_")).set_value("recalibrate").run()
    assert app.button(key="start_run").label == "Prune" and not app.exception


def test_while_others_wait_a_repair_is_measured_on_request(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "is_idle", lambda: False)
    open_page(app, "prune")
    assert not [button for button in app.button if button.key == "repair_now"]
    say(app, removed={"layer2.0.conv1": 13})
    assert not app.exception and "repaired · on request" in words(app)
    app.button(key="repair_now").click().run()
    assert not app.exception and "repaired, coarse · " in words(app)
    assert not [button for button in app.button if button.key == "repair_now"]
    app.run()
    assert "repaired, coarse · " in words(app), "it is known now"


def test_the_first_figure_of_a_repair_comes_before_the_others_are_on_all_images(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(live, "_draw", lambda place, shown: drawn.append(shown))
    open_page(app, "prune")
    drawn.clear()
    say(app, removed={"layer2.0.conv1": 10})
    assert not app.exception
    first = next(shown for shown in drawn if shown.repair == "coarse")
    assert first.as_cut is not None and first.recalibrated is not None and first.repaired is not None
    assert first.as_cut.images < first.images
    last = drawn[-1]
    assert last.repair == "coarse" and last.as_cut.images == last.repaired.images == last.images


def test_where_others_measure_all_the_while_a_repair_is_measured_on_request(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = what_if.follow_repaired

    def overtaken(*asked: Any, patience: float | None) -> Iterator[Measured]:
        if patience is not None:
            raise Overtaken("Others measure.")
        yield from measure(*asked, patience=patience)

    monkeypatch.setattr(what_if, "follow_repaired", overtaken)
    open_page(app, "prune")
    say(app, removed={"layer2.0.conv1": 11})
    assert not app.exception and not app.error and "repaired · on request" in words(app)
    app.button(key="repair_now").click().run()
    assert not app.exception and "repaired, coarse · " in words(app)


def test_a_network_that_cannot_be_refitted_says_so(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.whatif import engine

    st.cache_resource.clear()

    def refuse(*_: object) -> None:
        raise LookupError("it has <two> inputs")

    monkeypatch.setattr(engine, "Parts", refuse)
    monkeypatch.setattr(engine.WhatIf, "repairs", property(lambda self: False))
    monkeypatch.setattr(engine, "isinstance", lambda *_: False, raising=False)
    open_page(app, "prune")
    say(app, removed=CUT)
    st.cache_resource.clear()
    assert not app.exception and not app.error
    assert "repaired · not possible" in words(app) and "recalibrated · " in words(app)
    bodies = " ".join(str(element.proto.body) for element in app.get("html"))
    assert "It cannot be refitted: it has &lt;two&gt; inputs" in bodies


@pytest.mark.slow
@pytest.mark.parametrize(("repair", "stage"), [("refit", "repaired · "), ("none", "repaired, coarse · ")])
def test_a_run_of_this_cut_shows_what_its_own_repair_gave(app: AppTest, repair: str, stage: str) -> None:
    recipe = Recipe.from_values(
        {"model": "sample:mini_resnet", "data": "mnist5k", "finetune_steps": 0, "repair": repair,
         "sparsity": 0.0, "layers": {"layer2.0.conv1": 0.5}},
    )  # fmt: skip
    path = create_run(recipe)
    (path / "result.json").write_text(json.dumps(to_values(run(recipe).result)))
    (path / "model.safetensors").write_bytes(b"")
    app.query_params["run"] = path.name
    open_page(app, "prune")
    app.query_params["run"] = path.name
    app.run()
    assert not app.exception and not app.error
    text = words(app)
    assert stage in text and "repaired · nothing removed" not in text
    assert ("Repaired without training or labels: " in text) == (repair == "refit"), "the panel says how"
    say(app, removed=CUT)
    assert "repaired, coarse · " in words(app), "of another cut"
