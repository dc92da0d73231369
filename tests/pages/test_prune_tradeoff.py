"""Prune and Trade-off: sliders change counts at once, a run is followed and shown, bad recipes get one sentence."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The app with an empty folder for runs, and clocks that answer at once."""
    from pages.shared import lab, run_form
    from pruning.latency import Comparison, Timing

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=1, dense=time, pruned=time, speedup=(0.97, 1.0, 1.02), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(run_form, "_seconds_per_step", lambda *_: 0.1)
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


def open_page(app: AppTest, page: str) -> AppTest:
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    """All the text of the HTML parts, without tags, styles aside."""
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S)))


def test_sliders_change_counts_and_costs(app: AppTest) -> None:
    open_page(app, "prune")
    assert not app.error
    assert "dense 99.4 %" in words(app)
    assert "÷ 1.00" in words(app)
    assert "20 → 20" in words(app)
    app.slider(key="cut_channel_layer2.0.conv1").set_value(35).run()
    assert not app.exception
    assert "20 → 13" in words(app), "35 % of 20 are 7"
    assert app.session_state["prune_chosen"] == "layer2.0.conv1"
    app.slider(key="cut_all").set_value(50).run()
    text = words(app)
    assert "20 → 10" in text and "28 → 14" in text and "8 → 4" in text, "all rows follow the master slider"
    assert "recalibrated ·" in text
    app.button(key="reset").click().run()
    assert "20 → 20" in words(app)


def test_rows_that_lag_behind_the_master_slider_do_not_undo_it(app: AppTest) -> None:
    """The browser sends all sliders with each message: rows that have not heard of "All" yet, with old values."""
    open_page(app, "prune")
    app.slider(key="cut_all").set_value(30).run()
    chosen = app.session_state["prune_chosen"]
    for row in ("conv1", "layer2.0.conv1"):
        app.slider(key=f"cut_channel_{row}").set_value(0)
    app.slider(key="cut_all").set_value(50).run()
    assert "10 → 5" in words(app) and "20 → 10" in words(app)
    assert app.slider(key="cut_channel_conv1").value == 50
    assert app.session_state["prune_chosen"] == chosen


def test_a_network_whose_channels_are_all_locked_says_why(app: AppTest, tmp_path: Path) -> None:
    from pruning.cli import main

    tiny = tmp_path / "runs" / "tiny"
    assert main(["prune", "sample:mini_resnet", "--sparsity", "0.99", "--out", str(tiny)]) == 0
    app.session_state["model_ref"] = f"run:{tiny}"
    open_page(app, "prune")
    assert "locked: it has one channel" in words(app)
    assert any("switch to **weights**" in block.value for block in app.info)
    app.segmented_control(key="prune_granularity_widget").set_value("weight").run()
    assert not app.exception and not app.info


def test_time_is_measured_when_asked_for(app: AppTest) -> None:
    open_page(app, "prune")
    assert "measured in the run" in words(app)
    app.slider(key="cut_all").set_value(50).run()
    app.button(key="measure_time").click().run()
    assert not app.exception and not app.error
    assert "no measurable speed-up (0.97–1.02×)" in words(app)


def test_weights_leave_the_macs_unchanged(app: AppTest) -> None:
    open_page(app, "prune")
    app.segmented_control(key="prune_granularity_widget").set_value("weight").run()
    app.slider(key="cut_all").set_value(90).run()
    assert not app.exception and not app.error
    text = words(app)
    assert "Non-zero parameters" in text
    assert "zeros are still multiplied" in text


def test_a_run_is_started_with_what_the_sliders_say(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.jobs import local
    from pruning.runs import list_runs

    monkeypatch.setattr(local, "start", lambda path: None)  # its process: tests/browser
    open_page(app, "prune")
    assert any("about **" in block.value for block in app.markdown), "the duration stands there before the start"
    app.slider(key="cut_channel_layer2.0.conv1").set_value(35).run()
    app.button(key="start_run").click().run()
    assert not app.exception and not app.error
    (run,) = list_runs()
    assert run.recipe.layers == {"layer2.0.conv1": 0.35}
    assert run.recipe.finetune_steps == 3 * (3000 // run.recipe.batch_size) > 0
    assert app.query_params["run"] == [run.name] or app.query_params["run"] == run.name
    assert app.button(key="start_run").disabled, "one run at a time on a page"
    app.button(key="cancel_run").click().run()
    assert (run.path / "cancel").exists()


def test_a_link_to_a_run_brings_its_sliders_back(app: AppTest, finished: Path) -> None:
    app.query_params["run"] = finished.name
    open_page(app, "prune")
    app.query_params["run"] = finished.name
    app.run()
    assert not app.exception and not app.error
    assert app.slider(key="cut_channel_layer2.0.conv1").value == 50
    assert any("points" in block.value and "◆" in block.value for block in app.markdown), "the verdict"
    text = words(app)
    assert "Accuracy on 1,000 test images" in text
    assert "newly wrong" in text
    assert "fine-tuned ·" in text


def test_tradeoff_without_a_run_shows_the_way_to_prune(app: AppTest) -> None:
    open_page(app, "tradeoff")
    assert app.button(key="to_prune")


def test_tradeoff_lists_runs_and_opens_one(app: AppTest, finished: Path) -> None:
    open_page(app, "tradeoff")
    assert not app.error
    frame = app.dataframe[0].value
    assert list(frame["state"]) == ["done"]
    assert frame["params_ratio"][0] == pytest.approx(3.5, abs=1.0)
    app.session_state["tradeoff_run"] = finished.name
    app.run()
    assert not app.exception and not app.error
    assert any(finished.name.replace("_", r"\_") in block.value for block in app.caption)
    app.segmented_control(key="tradeoff_axis_widget").set_value("time").run()
    assert not app.exception
    (finished / "result.json").unlink()
    app.run()
    assert list(app.dataframe[0].value["state"]) == ["failed"], "a damaged run is listed with its reason"


@pytest.fixture
def finished(app: AppTest, tmp_path: Path) -> Path:
    """A run folder as a finished run leaves it, made without training."""
    from pruning.pipeline import run
    from pruning.recipe import Recipe
    from pruning.runs import create_run

    recipe = Recipe(model="sample:mini_resnet", data="mnist5k", sparsity=0.5, finetune_steps=2)
    path = create_run(recipe)
    result = run(recipe).result
    (path / "result.json").write_text(json.dumps(result))
    (path / "events.jsonl").write_text('{"stage": "finetune", "round": 1, "step": 1, "steps": 1, "loss": 1.0}\n')
    (path / "model.safetensors").write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version: 7\nmodel: sample:lenet5\ndata: mnist5k\n", "version 7"),
        ("version: 1\nmodel: sample:mini_resnet\ndata: mnist5k\nlayers: {conv9: 0.5}\n", "Did you mean"),
        ("version: 1\nmodel: sample:mini_resnet\ndata: mnist5k\nsparsity: 1.5\n", "below 1"),
        ("version: 1\nmodel: sample:mini_resnet\ndata: cifar10\n", "cannot be used with"),
    ],
)
def test_a_bad_recipe_gets_one_sentence_and_moves_nothing(app: AppTest, text: str, complaint: str) -> None:
    open_page(app, "prune")
    app.slider(key="cut_all").set_value(20).run()
    app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", text.encode(), "application/yaml")).run()
    assert not app.exception
    assert len(app.error) == 1 and complaint in app.error[0].value.replace("\\", "")
    assert app.slider(key="cut_all").value == 20


def test_a_good_recipe_sets_network_sliders_and_options(app: AppTest) -> None:
    open_page(app, "prune")
    text = (
        "version: 1\nmodel: sample:lenet300\ndata: mnist5k\ngranularity: weight\ncriterion: l1\nsparsity: 0.9\n"
        "layers: {fc1: 0.95}\nschedule: iterative\niterations: 4\nfinetune_steps: 62\nlr: 0.01\nseed: 5\n"
        "batch_size: 96\n"
    )
    app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", text.encode(), "application/yaml")).run()
    assert not app.exception and not app.error
    assert app.session_state["model_ref"] == "sample:lenet300"
    assert app.slider(key="cut_weight_fc1").value == 95
    assert app.slider(key="cut_weight_fc2").value == 90
    assert any("2 epochs, 62 steps in 4 rounds" in block.value for block in app.markdown)
