"""Prune and Trade-off: sliders change counts at once, a run is followed and shown, bad recipes get one sentence."""

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.criteria import CRITERIA
from pruning.granularity import Granularity
from pruning.graph.targets import free_targets
from pruning.planning.allocation import kept_per_target
from pruning.runs import create_run, read_run, request_cancel
from pruning.runs.pipeline import run
from pruning.runs.recipe import Recipe
from pruning.runs.result_json import to_values
from pruning.spec import PruneSpec
from pruning.subject import open_subject

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The app with an empty folder for runs, and clocks that answer at once."""
    from pruning.latency.clock import Comparison, Timing
    from ui.kit import lab
    from ui.prune import run_form

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=1, dense=time, pruned=time, speedup=(0.97, 1.0, 1.02), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(run_form, "_seconds_per_step", lambda *_: 0.1)
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


def open_page(app: AppTest, page: str) -> AppTest:
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    """All the text of the HTML parts, without tags, styles aside."""
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S)))


def say(app: AppTest, **changes: Any) -> AppTest:
    """Run the page with what the board would send after a change; the rest as the page has it."""
    shown = app.session_state["layer_board_shown"]
    _, granularity, criterion, _, _ = shown["token"].split(":")
    state = {
        "rev": 1, "token": shown["token"], "removed": {}, "pinned": [], "share": 0.0, "asked": {}, "mode": "uniform",
        "chosen": None, "granularity": granularity, "criterion": criterion, "asks": {},
    }  # fmt: skip
    app.session_state["layer_board"] = {"plan": state | changes}
    return app.run()


def given(app: AppTest) -> dict[str, Any]:
    """What the board is given."""
    found = [json.loads(component.proto.json or "{}") for component in app.get("bidi_component")]
    (board,) = [data for data in found if data and "rows" in data]
    return dict(board)


def test_the_board_is_given_rows_scores_and_costs(app: AppTest) -> None:
    open_page(app, "prune")
    assert not app.error
    assert "dense 99.4 %" in words(app)
    board = given(app)
    rows = {row["name"]: row for row in board["rows"]}
    assert list(rows) == ["conv1", "layer1.0.conv1", "layer2.0.conv1", "layer2.0.conv2/own", "layer3.0.conv1",
                          "layer3.0.conv2/own", "fc"]  # fmt: skip
    assert rows["fc"]["locked"] == "the network's outputs stay"
    assert len(rows["layer2.0.conv1"]["scores"]) == rows["layer2.0.conv1"]["total"] == 20
    assert rows["layer2.0.conv1"]["scores"] == sorted(rows["layer2.0.conv1"]["scores"])
    # layer2.0.conv2 reads it, and makes the channels of these two rows.
    assert rows["layer2.0.conv1"]["reading"] == ["conv1", "layer2.0.conv2/own"]
    assert board["dense"]["params"] == 19_928


def test_the_cut_follows_the_board(app: AppTest) -> None:
    from ui.session import cuts

    open_page(app, "prune")
    say(app, removed={"layer2.0.conv1": 7}, chosen="layer2.0.conv1", pinned=["conv1"])
    assert not app.exception and not app.error
    assert app.session_state["prune_chosen"] == "layer2.0.conv1"
    assert "recalibrated ·" in words(app)
    assert given(app)["removed"] == {}, "a plan is not sent back to the hand that moves it"
    app.switch_page("pages/explore.py").run()
    app.switch_page("pages/prune.py").run()
    back = given(app)
    assert back["removed"] == {"layer2.0.conv1": 7} and back["pinned"] == ["conv1"]
    assert back["chosen"] == "layer2.0.conv1"
    mine = app.session_state[cuts._ROWS]
    assert [rows.numbers for rows in mine.values()] == [{"layer2.0.conv1": 7}]


def test_what_the_board_says_of_other_rows_is_not_heard(app: AppTest) -> None:
    open_page(app, "prune")
    say(app, token="another network's", removed={"layer2.0.conv1": 7})
    assert "recalibrated · nothing removed" in words(app)
    say(app, rev=2, removed={"layer2.0.conv1": 700, "conv99": 3, "fc": 1})
    assert not app.exception
    (rows,) = app.session_state["prune_rows"].values()
    assert rows.numbers == {"layer2.0.conv1": 19}, "one unit stays, and only rows that are free count"


def test_the_board_asks_for_other_rows(app: AppTest) -> None:
    open_page(app, "prune")
    before = given(app)
    say(app, granularity="weight", criterion="l1")
    board = given(app)
    assert board["granularity"] == "weight" and board["criterion"] == "l1"
    assert board["token"] != before["token"] and board["shape"] != before["shape"]
    rows = {row["name"]: row for row in board["rows"]}
    assert sum(rows["fc"]["bins"]) + rows["fc"]["zeros"] == rows["fc"]["total"] == 280


def toasts(app: AppTest) -> list[str]:
    return [toast.value.replace("\\", "") for toast in app.toast]


@pytest.mark.slow
@pytest.mark.parametrize(("granularity", "target"), [("channel", "layer2.0.conv1"), ("weight", "fc")])
def test_the_board_ranks_by_what_train_images_show(app: AppTest, granularity: Granularity, target: str) -> None:
    from pruning.data.readers import open_data
    from pruning.statistics.gather import gather_scores

    open_page(app, "prune")
    say(app, granularity=granularity, criterion="taylor")
    assert not app.exception and not app.error
    subject = open_subject("sample:mini_resnet")
    spec = PruneSpec(granularity=granularity, criterion="taylor")
    key = next(t.key for t in free_targets(subject.graph, granularity) if t.name == target)
    scores = gather_scores(subject.model, subject.graph, open_data("mnist5k"), spec).scores[key]
    row = next(row for row in given(app)["rows"] if row["name"] == target)
    if granularity == "channel":
        assert row["scores"] == pytest.approx(sorted(scores.tolist()), rel=1e-3)
    else:
        assert sum(row["bins"]) + row["zeros"] == row["total"] and row["axis"][1] - row["axis"][0] > 3, (
            "squares reach far"
        )
        assert row["bins"][0] < row["total"] / 10, "few lie below the axis"
    say(app, rev=2, removed={target: 5 if granularity == "channel" else 500})
    assert not app.exception and "recalibrated · " in words(app), "what-if measures such a cut"


def test_criteria_that_cannot_rank_here_say_why(app: AppTest) -> None:
    open_page(app, "prune")
    assert {name: bool(why) for name, _, why in given(app)["criteria"]} == dict.fromkeys(CRITERIA, False)
    app.session_state["model_ref"] = "sample:lenet5"
    app.run()
    why = {name: reason for name, _, reason in given(app)["criteria"]}
    assert "batch norm" in why.pop("bn_scale") and not any(why.values())
    app.session_state["model_ref"] = "torchvision:squeezenet1_1?size=64"
    app.run()
    why = {name: reason for name, _, reason in given(app)["criteria"]}
    assert "images" in why["taylor"] and not why["l1"]


def test_where_the_chosen_criterion_cannot_rank_another_one_does_and_that_is_said(app: AppTest) -> None:
    open_page(app, "prune")
    say(app, criterion="bn_scale")
    assert given(app)["criterion"] == "bn_scale" and not toasts(app)
    say(app, rev=2, granularity="weight")
    assert not app.exception and (given(app)["granularity"], given(app)["criterion"]) == ("weight", "l2")
    assert toasts(app) == [
        "**BN scale cannot rank here:** For channels only. Needs a batch norm behind every layer that loses channels. "
        "Ranked by L2 norm now."
    ]
    say(app, rev=3, granularity="channel", criterion="taylor")
    assert given(app)["criterion"] == "taylor"
    app.session_state["model_ref"] = "torchvision:squeezenet1_1?size=64"
    app.run()
    assert not app.exception and given(app)["criterion"] == "l2"
    assert "It needs train images" in toasts(app)[0]


@pytest.mark.slow
def test_a_network_whose_channels_are_all_locked_says_why(app: AppTest, tmp_path: Path) -> None:
    from pruning.cli.main import main

    tiny = tmp_path / "runs" / "tiny"
    assert main(["prune", "sample:mini_resnet", "--sparsity", "0.99", "--out", str(tiny)]) == 0
    app.session_state["model_ref"] = f"run:{tiny}"
    open_page(app, "prune")
    board = given(app)
    assert {row["locked"] for row in board["rows"]} >= {"it has one channel, which stays"}
    assert all(row["locked"] for row in board["rows"]) and "Weights can" in board["allLocked"]
    say(app, granularity="weight")
    assert not app.exception and not any(row["locked"] for row in given(app)["rows"])


def test_time_is_measured_when_asked_for(app: AppTest) -> None:
    open_page(app, "prune")
    say(app, removed={"layer2.0.conv1": 7})
    assert given(app)["times"] == []
    say(app, rev=2, removed={"layer2.0.conv1": 7}, asks={"time": 1})
    assert not app.exception and not app.error
    (time,) = given(app)["times"]
    assert time["kind"] == "measured" and "no measurable speed-up (0.97–1.02×)" in time["small"]
    assert time["key"] == "[0,0,7,0,0,0]"
    say(app, rev=3, removed={"layer2.0.conv1": 8}, asks={"time": 1})
    assert given(app)["times"] == [], "another cut, which was not timed"


def test_runs_of_similar_cuts_say_what_they_reached(app: AppTest, finished: Path) -> None:
    result = json.loads((finished / "result.json").read_text())
    result["stages"]["finetuned"]["accuracy"] = 0.9123
    (finished / "result.json").write_text(json.dumps(result))
    open_page(app, "prune")
    assert "similar cuts" not in words(app)
    half = {"conv1": 5, "layer1.0.conv1": 5, "layer2.0.conv1": 10, "layer2.0.conv2/own": 5, "layer3.0.conv1": 14}
    say(app, removed={**half, "layer3.0.conv2/own": 3})
    assert "91.2 % ◆ similar cuts · 1 run" in words(app)
    say(app, rev=2, removed={"layer2.0.conv1": 2})
    assert "fine-tuned · not yet" in words(app)


def test_a_run_is_started_with_what_the_sliders_say(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.runs import list_runs, start

    monkeypatch.setattr(start, "start_run", lambda path, *how: None)  # its process: tests/browser
    open_page(app, "prune")
    assert any("about **" in block.value for block in app.markdown), "the duration stands there before the start"
    say(app, removed={"layer2.0.conv1": 7})
    app.button(key="start_run").click().run()
    assert not app.exception and not app.error
    (run,) = list_runs()
    assert run.recipe.prune.layers == (("layer2.0.conv1", 0.35),)
    assert run.recipe.finetune_steps == 3 * (3000 // run.recipe.batch_size) > 0
    assert app.query_params["run"] == [run.name] or app.query_params["run"] == run.name
    assert app.button(key="start_run").disabled, "one run at a time on a page"
    app.button(key="cancel_run").click().run()
    assert read_run(run.path).state == "cancelled"


def repair_choice(app: AppTest) -> Any:
    """The control of the repair, in the options of a run."""
    (found,) = [radio for radio in app.radio if str(radio.key).startswith("prune_repair")]
    return found


def test_a_run_repairs_as_it_is_chosen(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.repair.kinds import REPAIRS
    from pruning.runs import list_runs, start
    from ui.prune.repair_form import MEANINGS, TITLES

    monkeypatch.setattr(start, "start_run", lambda path, *how: None)
    assert tuple(TITLES) == tuple(MEANINGS) == REPAIRS
    open_page(app, "prune")
    assert repair_choice(app).value == "refit"
    for kind in ("none", "bias"):
        repair_choice(app).set_value(kind).run()
        assert not app.exception and repair_choice(app).value == kind, "it stays as it was chosen"
    say(app, removed={"layer2.0.conv1": 7})
    app.button(key="start_run").click().run()
    (run,) = list_runs()
    assert run.recipe.repair == "bias" and run.recipe.prune.layers == (("layer2.0.conv1", 0.35),)
    app.button(key="cancel_run").click().run()


@pytest.mark.parametrize(("version", "meant"), [(5, "none"), (4, "recalibrate")])
def test_an_adopted_recipe_keeps_its_repair(app: AppTest, version: int, meant: str) -> None:
    lines = RECIPE.replace(repair="none").to_yaml().splitlines()
    text = "\n".join(line for line in lines if version == 5 or not line.startswith("repair:"))
    text = text.replace("version: 5", f"version: {version}")
    open_page(app, "prune")
    app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", text.encode(), "application/yaml")).run()
    assert not app.exception and not app.error
    assert repair_choice(app).value == meant


def test_a_link_to_a_run_brings_its_sliders_back(app: AppTest, finished: Path) -> None:
    app.query_params["run"] = finished.name
    open_page(app, "prune")
    app.query_params["run"] = finished.name
    app.run()
    assert not app.exception and not app.error
    assert given(app)["removed"]["layer2.0.conv1"] == 10 and given(app)["share"] == 0.5
    assert any("points" in block.value and "◆" in block.value for block in app.markdown), "the verdict"
    text = words(app)
    assert "Accuracy on 1,000 test images" in text
    assert "newly wrong" in text
    assert "fine-tuned ·" in text


def test_a_name_that_is_no_run_is_forgotten(app: AppTest, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE.to_yaml())  # beside the folder of runs
    (tmp_path / "runs").mkdir()
    open_page(app, "prune")
    for name in ("\0", "..", "a/b", "nowhere"):
        app.query_params["run"] = name
        app.run()
        assert not app.exception and not app.error, name
        assert "prune_run" not in app.session_state and "run" not in app.query_params, name


def test_tradeoff_without_a_run_shows_the_way_to_prune(app: AppTest) -> None:
    open_page(app, "tradeoff")
    assert app.button(key="to_prune")


def test_tradeoff_of_a_network_without_runs_leads_to_prune(app: AppTest, finished: Path) -> None:
    app.session_state["model_ref"] = "sample:lenet5"
    open_page(app, "tradeoff")
    assert any("No finished run of this network" in info.value for info in app.info)
    assert "**Prune** this network" in [link.proto.label for link in app.get("page_link")]


def test_tradeoff_lists_runs_and_opens_one(app: AppTest, finished: Path) -> None:
    (finished / "result.json").write_text(
        json.dumps(json.loads((finished / "result.json").read_text()) | {"test_looks": 3})
    )
    open_page(app, "tradeoff")
    assert not app.error
    frame = app.dataframe[0].value
    assert list(frame["state"]) == ["done"]
    assert frame["params"][0] == pytest.approx(3.5, abs=1.0)
    app.session_state["tradeoff_run"] = finished.name
    app.run()
    assert not app.exception and not app.error
    said = json.loads((finished / "result.json").read_text())
    select, test = said["stages"]["finetuned"], said["pruned"]
    low, high = (100 * end for end in select["accuracy_interval"])
    assert frame["select"][0] == f"{100 * select['accuracy']:.1f} % ({low:.1f}–{high:.1f}) ◆"
    captions = [caption.value for caption in app.caption]
    dense = f"dense ● {100 * said['dense_select']['accuracy']:.1f} %"
    assert any(text.startswith(f"Accuracy on 1,000 select images ({dense}") for text in captions)
    assert "Accuracy on 1,000 test images, looked at 3 times" in captions
    assert f"{100 * test['accuracy']:.1f} %" in words(app)
    assert any(finished.name.replace("_", r"\_") in block.value for block in app.caption)
    app.segmented_control(key="tradeoff_axis_widget").set_value("time").run()
    assert not app.exception
    (finished / "result.json").unlink()
    app.run()
    (state,) = app.dataframe[0].value["state"]
    assert state.startswith("failed: "), "a damaged run is listed with its reason"


def figure_of(app: AppTest) -> dict[str, Any]:
    """The trade-off as Plotly gets it: its traces by name."""
    (chart,) = [
        chart for chart in app.get("plotly_chart") if "best so far" in chart.proto.spec or "dense" in chart.proto.spec
    ]
    spec = json.loads(chart.proto.spec)
    assert "test images" not in chart.proto.spec and "on select images" in spec["layout"]["yaxis"]["title"]["text"]
    return {trace["name"]: trace for trace in spec["data"]}


def test_the_figure_stands_by_select_images_and_rings_the_chosen_run(app: AppTest, finished: Path) -> None:
    other = create_run(RECIPE)
    values = json.loads((finished / "result.json").read_text())
    values["stages"]["finetuned"] |= {"accuracy": 0.25, "accuracy_interval": [0.24, 0.26]}
    del values["dense_select"]
    values["schema_version"] = 2
    (other / "result.json").write_text(json.dumps(values))
    app.session_state["tradeoff_run"] = other.name
    open_page(app, "tradeoff")
    drawn = figure_of(app)
    assert 25.0 in decoded(drawn["channels"]["y"]) and drawn["chosen run"]["y"] == [25.0]
    (dense,) = decoded(drawn["dense"]["y"])
    assert dense == pytest.approx(100 * json.loads((finished / "result.json").read_text())["dense_select"]["accuracy"])
    assert "Accuracy on 1,000 test images" in [caption.value for caption in app.caption], "no word of uncounted looks"
    app.session_state["tradeoff_run"] = finished.name
    app.run()
    assert figure_of(app)["chosen run"]["y"] != [25.0]
    (finished / "result.json").unlink()
    app.run()
    assert any("No cross for the dense network" in caption.value for caption in app.caption)


def decoded(values: Any) -> list[float]:
    """Numbers as Plotly writes an array of them."""
    if isinstance(values, list):
        return values
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()


RECIPE = Recipe(model="sample:mini_resnet", data="mnist5k", finetune_steps=2, prune=PruneSpec(sparsity=0.5))


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    """The result of a run of a few seconds, as JSON."""
    return to_values(run(RECIPE).result)


@pytest.fixture
def finished(app: AppTest, outcome: dict[str, Any]) -> Path:
    """A run folder as a finished run leaves it, but for its weights."""
    path = create_run(RECIPE)
    (path / "result.json").write_text(json.dumps(outcome))
    (path / "events.jsonl").write_text(
        '{"stage": "finetune", "round": 1, "step": 1, "steps": 1, "loss": 1.0, "seconds": 0.1}\n'
    )
    (path / "model.safetensors").write_bytes(b"")
    return path


def test_a_bad_recipe_gets_one_sentence_and_moves_nothing(app: AppTest) -> None:
    open_page(app, "prune")
    say(app, removed={"layer2.0.conv1": 4})
    for number, (text, complaint) in enumerate((
        ("version: 7\nmodel: sample:lenet5\ndata: mnist5k\n", "version 7"),
        ("version: 1\nmodel: sample:mini_resnet\ndata: mnist5k\nlayers: {conv9: 0.5}\n", "Did you mean"),
        ("version: 1\nmodel: sample:mini_resnet\ndata: mnist5k\nsparsity: 1.5\n", "below 1"),
        ("version: 1\nmodel: sample:mini_resnet\ndata: cifar10\n", "cannot be used with"),
    )):  # fmt: skip
        file = (f"recipe{number}.yaml", text.encode(), "application/yaml")
        app.file_uploader(key="prune_recipe_file").set_value(file).run()
        assert not app.exception
        assert len(app.error) == 1 and complaint in app.error[0].value.replace("\\", "")
        (rows,) = app.session_state["prune_rows"].values()
        assert rows.numbers == {"layer2.0.conv1": 4}


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
    board = given(app)
    assert board["removed"] == {"fc1": 950, "fc2": 900, "fc3": 900}
    assert board["share"] == 0.9 and board["asked"] == {"fc1": 0.95}
    assert any("2 epochs, 62 steps in 4 rounds" in block.value for block in app.markdown)


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("finetune_steps: 10\nbatch_size: 96\nlr: 5.0\n", "0.323 epochs, 10 steps"),
        ("finetune_steps: 5000\nschedule: iterative\niterations: 50\nlr: 1.0e-05\n", "5,000 steps in 50 rounds"),
        ("finetune_steps: 100\nschedule: iterative\niterations: 1\n", "2.17 epochs, 100 steps"),
    ],
)
def test_a_recipe_is_followed_to_the_step(app: AppTest, rest: str, words: str) -> None:
    open_page(app, "prune")
    text = f"version: 1\nmodel: sample:lenet300\ndata: mnist5k\nsparsity: 0.5\n{rest}"
    app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", text.encode(), "application/yaml")).run()
    assert not app.exception and not app.error
    assert any(words in block.value for block in app.markdown)
    assert any(button.label == "Prune and fine-tune" for button in app.button)
    app.number_input(key="prune_epochs_widget").set_value(4).run()
    assert any("4 epochs, " in block.value for block in app.markdown), "the page's own epochs from then on"


def test_a_recipe_brings_its_criterions_parameters_and_what_it_rounds(app: AppTest) -> None:
    open_page(app, "prune")
    text = (
        "version: 2\nmodel: sample:lenet5\ndata: mnist5k\ncriterion: taylor\nparameters: {batches: 2}\nsparsity: 0.5\n"
        "round_to: 8\nfinetune_steps: 100\nseed: 4\n"
    )
    app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", text.encode(), "application/yaml")).run()
    assert not app.exception and not app.error
    board = given(app)
    assert board["criterion"] == "taylor" and board["removed"] == {"conv1": 4, "conv2": 18, "fc1": 244}, "16, 32, 256"
    field = next(field for field in app.number_input if field.label == "Batches of train images")
    assert (field.value, field.min, field.max) == (2, 1, 1000)
    token = board["token"]
    field.set_value(3).run()
    assert not app.exception and given(app)["token"] != token, "other scores"
    app.button(key="start_run").click().run()
    (folder,) = [path for path in Path(os.environ["PRUNING_RUNS"]).iterdir() if not path.name.startswith(".")]
    spec = read_run(folder).recipe.prune
    assert (spec.criterion, spec.parameters, spec.seed) == ("taylor", (("batches", 3),), 4)
    subject = open_subject("sample:lenet5")
    assert kept_per_target(subject.graph, spec) == {"conv1": 16, "conv2": 32, "fc1": 256}
    request_cancel(folder)
