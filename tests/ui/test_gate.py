"""The gate: a question about one's own images before anything is pruned, and never about a sample's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from tests import own_files
from ui.kit import permits, place

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mine")
    own_files.weights_file(folder / "net.pt")
    own_files.photos_zip(folder / "photos.zip")
    own_files.photos_zip(folder / "flat.zip", labelled=False)
    own_files.photos_zip(folder / "Renamed.zip", names={"red": "Red"})
    yield folder
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mine: Path, quick_clocks: None) -> AppTest:
    """The Prune page with somebody's own network, and no images yet."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(mine / "cache"))
    monkeypatch.delenv("PRUNING_SETTINGS", raising=False)
    app = AppTest.from_file(APP, default_timeout=240)
    app.switch_page("pages/prune.py")
    ref = f"{own_files.NETWORK}?weights={mine}/net.pt"
    monkeypatch.setattr(permits, "holds", lambda reference: str(mine) in reference)  # as if it had been sent
    app.session_state["network_asked"] = ref
    app.query_params["yours"] = "images"
    return app.run()


def give(app: AppTest, path: Path) -> AppTest:
    """Type a path into the panel."""
    app.segmented_control(key="your_images_way").set_value("Name a folder or file").run()
    app.text_input(key="your_images_path").set_value(str(path)).run()
    app.button(key="your_images_use").click().run()
    assert not app.exception, app.exception
    return app


def keys(app: AppTest) -> set[str]:
    return {button.key or "" for button in app.button}


def words(app: AppTest) -> str:
    shown = [*(block.value for block in app.markdown), *(str(html.proto.body) for html in app.get("html"))]
    return " ".join(shown).replace("\\", "")


def test_the_page_waits_for_the_answer(app: AppTest, mine: Path) -> None:
    assert not app.exception and not app.error, app.error
    assert any("Accuracy is absent" in caption.value for caption in app.caption)
    give(app, mine / "photos.zip")
    said = words(app)
    assert "Unpruned, shufflenet_v2_x0_5" in said and "of 24 select images right. As expected?" in said
    assert said.count("<img") == 8 and "start_run" not in keys(app), "nothing can be pruned yet"
    assert not app.warning, "nothing is wrong with it"
    app.button(key="gate_yes").click().run()
    assert not app.exception and "start_run" in keys(app) and "gate_yes" not in keys(app)
    assert not app.button(key="start_run").disabled
    app.switch_page("pages/sensitivity.py").run()
    assert "gate_yes" not in keys(app), "it is asked once"


def test_how_ones_own_images_are_learnt_from_can_be_chosen(app: AppTest, mine: Path) -> None:
    give(app, mine / "photos.zip")
    app.button(key="gate_yes").click().run()
    (optimiser,) = [box for box in app.segmented_control if box.label == "Optimiser"]
    assert optimiser.value == "adamw", "what suits images of one's own"
    optimiser.set_value("sgd").run()
    (augment,) = [box for box in app.multiselect if "at random" in box.label]
    augment.set_value(["crop", "flip"]).run()
    (share,) = [box for box in app.slider if "distillation" in box.label]
    share.set_value(50).run()
    assert not app.exception
    data, settings = app.session_state["prune_training"]
    assert data == f"zip:{mine}/photos.zip"
    assert {name: settings[name] for name in ("optimiser", "augment", "distillation")} == {
        "optimiser": "sgd", "augment": "flip,crop", "distillation": 0.5,
    }  # fmt: skip
    app.button(key="start_run").click().run()
    from pruning.runs import list_runs

    (run,) = list_runs()
    assert (run.recipe.optimiser, run.recipe.augment, run.recipe.distillation) == ("sgd", "flip,crop", 0.5)
    assert run.recipe.preprocess is not None and run.recipe.preprocess.size == (224, 224)
    from pruning.runs import request_cancel

    request_cancel(run.path)


@pytest.mark.slow
def test_a_low_figure_is_doubted_and_the_right_way_is_offered(app: AppTest, mine: Path) -> None:
    give(app, mine / "photos.zip")
    app.button(key="gate_no").click().run()
    (colour,) = [box for box in app.segmented_control if box.label == "Channels"]
    colour.set_value("bgr").run()
    assert words(app).count("<img") == 16, "as they would be seen, beside as they are"
    app.button(key="gate_edited").click().run()
    assert not app.exception and len(app.warning) == 1 and "prepared otherwise" in app.warning[0].value
    assert "RGB, ImageNet's mean and deviation" in words(app)
    app.button(key="gate_use_0").click().run()
    assert not app.exception and not app.warning
    app.button(key="gate_yes").click().run()
    assert "start_run" in keys(app)


def test_what_is_no_number_is_one_sentence(app: AppTest, mine: Path) -> None:
    give(app, mine / "photos.zip")
    app.button(key="gate_no").click().run()
    (box,) = [box for box in app.selectbox if box.label == "Normalised with"]
    box.set_value("others").run()
    (mean,) = [field for field in app.text_input if field.label.startswith("Mean")]
    mean.set_value("0.5 half").run()
    assert not app.exception and "numbers with spaces" in app.error[0].value
    assert "gate_yes" in keys(app), "the question stays"


@pytest.mark.slow
def test_without_labels_it_is_agreement(app: AppTest, mine: Path) -> None:
    give(app, mine / "flat.zip")
    assert "gate_yes" in keys(app) and "right. As expected?" not in words(app)
    app.button(key="gate_yes").click().run()
    assert not app.exception and "start_run" in keys(app)
    assert "agreement" in words(app).lower()


def test_an_order_of_classes_that_explains_it_is_one_click(app: AppTest, mine: Path) -> None:
    give(app, mine / "Renamed.zip")
    assert len(app.warning) == 1 and "classes in alphabetical order, whatever their case" in words(app)
    app.button(key="gate_use_0").click().run()
    assert not app.exception and not app.error and not app.warning, "it is as expected now"
    assert app.session_state["data_name"] == f"zip:{mine}/Renamed.zip?order=alphabetical"
    said = " ".join(caption.value for caption in app.caption)
    assert "Classes stand in alphabetical order" in said and "(blue, green, Red)" in said.replace("\\", "")
    assert "of 24 select images right" in words(app)
    app.button(key="gate_no").click().run()
    (box,) = [box for box in app.selectbox if box.label == "The network numbers the classes"]
    assert box.value == "alphabetical"
    box.set_value("").run()
    app.button(key="gate_edited").click().run()
    assert app.session_state["data_name"] == f"zip:{mine}/Renamed.zip" and len(app.warning) == 1, "and back again"


def test_images_that_do_not_say_their_roles_can_be_split_otherwise(app: AppTest, mine: Path) -> None:
    give(app, mine / "photos.zip")
    assert "gate_split" not in keys(app), "their folders say it"
    app.query_params["yours"] = "images"
    app.run()
    give(app, mine / "flat.zip")
    app.button(key="gate_split").click().run()
    (field,) = [field for field in app.text_input if field.label.startswith("Per cent to train")]
    assert field.value == "40/40/20" and app.button(key="your_images_split_use").disabled
    field.set_value("50/50").run()
    app.button(key="your_images_split_use").click().run()
    assert "three shares in per cent" in app.error[0].value and app.session_state["data_name"] == f"zip:{mine}/flat.zip"
    field.set_value("20/60/20").run()
    app.button(key="your_images_split_use").click().run()
    assert not app.exception and not app.error
    assert app.session_state["data_name"] == f"zip:{mine}/flat.zip?split=20/60/20"
    assert "they were split 20/60/20" in " ".join(caption.value for caption in app.caption)
    names = next(box.options for box in app.selectbox if box.label == "Data set")
    assert len([name for name in names if "flat" in name]) == 1, "one data set, split otherwise"


def test_the_form_opens_a_network_by_name_at_another_size(app: AppTest, mine: Path) -> None:
    give(app, mine / "photos.zip")
    app.button(key="gate_no").click().run()
    for label in ("Height", "Width"):
        (box,) = [box for box in app.number_input if box.label == label]
        box.set_value(192).run()
    app.button(key="gate_edited").click().run()
    assert not app.exception and not app.error, [error.value for error in app.error]
    assert "size=192" in app.session_state["model_ref"] and "192×192" in " ".join(c.value for c in app.caption)
    (box,) = [box for box in app.number_input if box.label == "Height"]
    assert box.value == 192, "the form stays open"
    (wide,) = [box for box in app.number_input if box.label == "Width"]
    wide.set_value(160).run()
    app.button(key="gate_edited").click().run()
    assert not app.exception and "gives 192" not in words(app)
    assert any("takes images of 3×192×192" in error.value or "size=192" in error.value for error in app.error)
    assert "gate_yes" in keys(app), "nothing was lost"


def test_elsewhere_no_path_can_be_typed(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    app.query_params["yours"] = "images"
    app.run()
    assert not app.exception and "upload_images_begin" in keys(app) and "your_images_use" not in keys(app)


def test_elsewhere_the_owner_lists_folders(
    app: AppTest, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pruning.toml"
    path.write_text(f'[data]\nfolders = ["{mine}/photos.zip"]')
    monkeypatch.setenv("PRUNING_SETTINGS", str(path))
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    app.query_params["yours"] = "images"
    app.run()
    app.segmented_control(key="your_images_way").set_value("Choose of this server's").run()
    (box,) = [box for box in app.selectbox if box.label == "Folder"]
    assert box.options == ["photos.zip"]
    box.set_value(f"{mine}/photos.zip").run()
    app.button(key="your_images_use").click().run()
    assert not app.exception and "gate_yes" in keys(app)


def test_a_sample_has_no_gate(app: AppTest) -> None:
    app.session_state["network_asked"] = "sample:mini_resnet"
    app.run()
    assert not app.exception and "gate_yes" not in keys(app) and "start_run" in keys(app)
